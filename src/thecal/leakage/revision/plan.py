"""From the deposits in canal and foramina to a plan to discuss."""

from __future__ import annotations

from typing import Final

from thecal.anatomy.spine import Spine
from thecal.cement.deposit_map import Cement
from thecal.leakage.findings import Leakage
from thecal.leakage.levels import Levels
from thecal.leakage.measures import uncertain_losses
from thecal.leakage.revision.conus import CONUS_SAID
from thecal.leakage.revision.fragments import fragments_of
from thecal.leakage.revision.laminae import laminae_over
from thecal.leakage.revision.pedicle_size import sizes_of
from thecal.leakage.revision.place import place_along
from thecal.leakage.revision.plan_value import Durotomy, Fragment, Lamina, RevisionPlan
from thecal.terms import vertebra_name

LAMINECTOMY_MARGIN_MM: Final = 5.0
"""Uncovered above and below each fragment, to work round it. A choice of ours: no paper gives one."""
DUROTOMY_MARGIN_MM: Final = 3.0
"""Beyond the cement within the sac, at each end of the durotomy. A choice of ours."""
WHOLE_SHARE: Final = 0.5
"""From half of its height on, a lamina is taken as removed and no longer as undercut."""
BROKEN_LOSS: Final = 0.20
"""Loss of height of a broken vertebra (Genant 1993, grade 1)."""

TO_DISCUSS: Final = (
    "This is a plan to discuss, drawn from one CT by fixed rules; it does not know the patient. The surgeon "
    "decides."
)
THEIR_CHOICE: Final = (
    "The founding paper's surgeons fixed from one level above to one below (T11 to L1 for T12); of the nine "
    "operated patients in its table, three were fixed."
)


def plan_revision(spine: Spine, cement: Cement, leakage: Leakage) -> RevisionPlan | str:
    """A plan for taking the cement out of canal and foramina, or why there is none in one sentence.

    Parameters
    ----------
    spine : Spine
    cement : Cement
        On the spine's crop.
    leakage : Leakage
        With deposits, their label map and the measures of the vertebrae.
    """
    if not any(d.compartment in ("intradural", "epidural") for d in leakage.deposits):
        return "No revision is planned, since no cement was detected in the canal."
    levels = Levels.of(spine)
    fragments = fragments_of(spine, leakage, levels)
    stretches = [(f.from_mm - LAMINECTOMY_MARGIN_MM, f.to_mm + LAMINECTOMY_MARGIN_MM) for f in fragments]
    laminae = laminae_over(spine, levels, stretches)
    asked, reason, about = _asks_for_fixation(spine, laminae, fragments, leakage)
    ids, missing = _fixed(about, levels) if asked else ((), ())
    hidden = (cement.pieces > 0) | cement.metal
    names = {v.id: vertebra_name(v.level, v.id) for v in levels.vertebrae}
    touched = {f.vertebra_id for f in fragments}
    return RevisionPlan(
        levels=tuple(names[v.id] for v in levels.vertebrae if v.id in touched),
        fragments=fragments,
        laminae=laminae,
        margin_mm=LAMINECTOMY_MARGIN_MM,
        durotomy=_durotomy(fragments, levels, leakage),
        fixation_asked=asked,
        fixation_reason=reason,
        fixation=tuple(names[number] for number in ids),
        pedicles=sizes_of(spine, levels.vertebrae, ids, hidden),
        conus=CONUS_SAID,
        remarks=(TO_DISCUSS, *_remarks(fragments, laminae, missing, asked)),
    )


def _durotomy(fragments: tuple[Fragment, ...], levels: Levels, leakage: Leakage) -> Durotomy | None:
    inside = [f for f in fragments if f.intradural]
    if not inside:
        return None
    low = max(0.0, min(f.from_mm for f in inside) - DUROTOMY_MARGIN_MM)
    high = max(f.to_mm for f in inside) + DUROTOMY_MARGIN_MM
    heights = {m.id: m.height_posterior_mm for m in leakage.vertebrae}
    return Durotomy(low, high, place_along(levels, heights, low), place_along(levels, heights, high))


def _asks_for_fixation(
    spine: Spine, laminae: tuple[Lamina, ...], fragments: tuple[Fragment, ...], leakage: Leakage
) -> tuple[bool, str, tuple[Lamina, ...]]:
    """Whether what is opened asks for fixation, why, and the laminae that it has to bridge."""
    measures = {m.id: m for m in leakage.vertebrae}
    doubted = uncertain_losses(spine, leakage.vertebrae)
    filled = tuple(a for a in laminae if (m := measures.get(a.vertebra_id)) is not None and m.cement_ml)
    broken = tuple(
        a
        for a in laminae
        if a.vertebra_id not in doubted
        and (m := measures.get(a.vertebra_id)) is not None
        and (m.height_loss_fraction or 0.0) >= BROKEN_LOSS
    )
    removed = tuple(a for a in laminae if a.share >= WHOLE_SHARE)
    if broken:
        return True, f"The lamina of a vertebra that has lost height is opened ({_named(broken)}).", broken
    if filled:
        return True, f"The lamina of a vertebra that was filled is opened ({_named(filled)}).", filled
    if any(f.foraminal for f in fragments):
        return True, "Cement in a foramen is reached through the joint.", removed or laminae
    if len(removed) > 1:
        return True, "More than one lamina is removed.", removed
    return False, "What is opened lies over vertebrae that are neither broken nor filled.", ()


def _named(laminae: tuple[Lamina, ...]) -> str:
    return ", ".join(vertebra_name(a.level, a.vertebra_id) for a in laminae)


def _fixed(about: tuple[Lamina, ...], levels: Levels) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Vertebrae from one below to one above, caudal to cranial, and which end the scan does not show."""
    order = [v.id for v in levels.vertebrae]
    rows = sorted(order.index(a.vertebra_id) for a in about)
    if not rows:
        return (), ()
    low, high = rows[0] - 1, rows[-1] + 1
    missing = tuple(word for word, absent in (("below", low < 0), ("above", high >= len(order))) if absent)
    return tuple(order[max(0, low) : high + 1]), missing


def _remarks(
    fragments: tuple[Fragment, ...], laminae: tuple[Lamina, ...], missing: tuple[str, ...], asked: bool
) -> list[str]:
    said = []
    if any(f.intradural for f in fragments):
        said.append(
            "Which cement lies within the dura rests on an estimated outline of the thecal sac, and so "
            "does the durotomy; see the signs."
        )
    staying = [f for f in fragments if f.may_have_to_stay]
    if staying:
        one = len(staying) == 1
        said.append(
            f"{'Fragment' if one else 'Fragments'} {', '.join(str(f.deposit_id) for f in staying)} "
            f"{'lies' if one else 'lie'} at the height of conus or cauda equina. There the founding paper's "
            "surgeons, warned by neurophysiological monitoring, left part of the cement."
        )
    if asked:
        said.append(THEIR_CHOICE)
    for word in missing:
        said.append(f"The level {word} what is opened is not in the scan.")
    if any(not a.measured for a in laminae):
        said.append("A lamina was not seen whole; its usual place was taken.")
    return said
