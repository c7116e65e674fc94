"""A needle that was put in, against the plan: how far off, and what it came near to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from thecal.anatomy.spine import Vertebra
from thecal.leakage.findings import NeedleTrack
from thecal.leakage.tracks.grading import gertzbein_robbins
from thecal.needle.corridor import corridor
from thecal.needle.partner import Meant, partner
from thecal.needle.plan import Ready
from thecal.needle.plan_value import (
    Agreement,
    Approach,
    Audit,
    Corridor,
    ExecutedNeedle,
    LevelPlan,
    OuterFrom,
    SeenNeedle,
    Trajectory,
)
from thecal.needle.search.clearance import least_along
from thecal.needle.search.keep_away import MEDIAL, KeepAway, keep_away
from thecal.needle.search.rules import PEDICLE_BACK_MM
from thecal.needle.seen_twice import NEAR_MM, PARALLEL_DEG, told_apart
from thecal.quality import QualityNote
from thecal.terms import Breach, Side, vertebra_name
from thecal.volume import FloatArray

USUAL_OUTER_MM: Final = 3.1
"""Where the needle's width was not measured (of tracks it never is) it is taken for that of the plan, and
without one for 11 G."""
GAP_MM: Final = 14.0
"""A needle that crossed the canal's edge has so much of it between the bone of arch and body."""
ENTRY_MM: Final = 6.0
"""Bone on the plan's CT begins no farther behind the entry that was seen."""
STEP_MM: Final = 0.5
BEHIND_MM: Final = 20.0
"""The canal's side walls lie within this distance behind the posterior wall."""
ERROR_MM: Final = 1.0
"""Of a way's place on the later CT and of its laying over: lateral, upper and lower walls, whose labels err
as well, are called breached only beyond it."""

NEAREST: Final = (
    "Where more than one needle was planned on a side, the one put in is compared with the nearest of them, "
    "which makes its errors look smaller than they may be; --meant names the one that was meant."
)
POOR_AGREEMENT: Final = 0.8
"""Below this correlation a pair is doubted. A choice of ours: in phantoms right pairs reach 0.95
(``compare.match.AGREES``)."""


@dataclass(frozen=True, eq=False)
class Laid:
    """A vertebra of the later CT laid over one of the plan's.

    Attributes
    ----------
    vertebra : Vertebra
        Of the plan's CT.
    back : callable
        Points of the later CT (..., 3) in the plan's CT, LPS mm.
    agreement : float or None
        Correlation of the bone then.
    """

    vertebra: Vertebra
    back: Callable[[FloatArray], FloatArray]
    agreement: float | None


def seen_of_tracks(tracks: Iterable[NeedleTrack]) -> tuple[SeenNeedle, ...]:
    """Tracks that the assessment found, as needles to audit."""
    return tuple(
        SeenNeedle(t.vertebra_id, t.content, t.entry_mm, t.tip_mm, t.tip_hidden, None) for t in tracks
    )


def audit(
    scan: Ready,
    plans: Sequence[LevelPlan],
    seen: Sequence[SeenNeedle],
    laid: Mapping[int, Laid],
    series_uid: str | None = None,
    meant: Meant | None = None,
) -> Audit:
    """Hold needles of a later CT against the plan.

    Parameters
    ----------
    scan : Ready
        Of the plan's CT.
    plans : sequence of LevelPlan
    seen : sequence of SeenNeedle
    laid : mapping of int to Laid
        By vertebra id of the later CT.
    series_uid : str, optional
        Of the later CT.
    meant : "one", "left" or "right", optional
        The planned needle that was to be put in.
    """
    planned = {plan.vertebra_id: plan for plan in plans}
    blocks: dict[int, KeepAway] = {}
    needles: list[ExecutedNeedle] = []
    metal = [needle for needle in seen if needle.seen_as == "metal"]
    others, doubled = told_apart(metal, [needle for needle in seen if needle.seen_as != "metal"])
    notes = [_doubled(needle, laid.get(needle.vertebra_id)) for needle in doubled]
    for needle in (*metal, *others):
        found = laid.get(needle.vertebra_id)
        if found is None:
            notes.append(
                f"A needle's way in vertebra no. {needle.vertebra_id} of the later CT was left out: the bone "
                "could not be laid over the earlier CT."
            )
            continue
        vertebra = found.vertebra
        if vertebra.id not in blocks:
            blocks[vertebra.id] = keep_away(scan.volume, scan.spine, vertebra, scan.around, scan.foreign)
        if not blocks[vertebra.id].canal_found:
            notes.append(
                f"A needle's way in {vertebra_name(vertebra.level, vertebra.id)} was left out: the canal was "
                "not found there, so that it cannot be graded."
            )
            continue
        one = _one(scan, blocks[vertebra.id], needle, found, planned.get(vertebra.id), meant)
        needles.append(one)
        if one.against is None:
            side = f"the {one.side} of " if vertebra.id in planned else ""
            notes.append(
                f"A needle's way was seen in {side}{vertebra_name(vertebra.level, vertebra.id)}, for which "
                "nothing is planned: check the level and the side."
            )
    if any(one.chosen_by == "nearest" for one in needles):
        notes.append(NEAREST)
    there = {one.vertebra.id: one.agreement for one in laid.values()}
    reached = {one.vertebra_id for one in needles}
    for plan in plans:
        name = vertebra_name(plan.level, plan.vertebra_id)
        if plan.vertebra_id not in there:
            notes.append(
                f"{name[0].upper()}{name[1:]} is not on the later CT, or could not be laid over it: nothing "
                "is known of a needle there."
            )
        elif plan.vertebra_id not in reached:
            notes.append(
                f"No needle and no track was seen in {name}; that does not show that none was put in."
            )
    order = {v.id: k for k, v in enumerate(scan.spine.vertebrae)}
    needles.sort(key=lambda one: (order[one.vertebra_id], one.side))
    agreements = tuple(Agreement(p.vertebra_id, p.level, there.get(p.vertebra_id)) for p in plans)
    return Audit(series_uid, tuple(needles), tuple(notes), agreements)


def doubts(found: Audit, *, other_patient: bool) -> tuple[QualityNote, ...]:
    """What casts doubt on an audit as a whole.

    Parameters
    ----------
    found : Audit
    other_patient : bool
        Whether both CTs name different patients.
    """
    said = []
    if other_patient:
        said.append(
            QualityNote(
                "other_patient",
                "warning",
                "The later CT names another patient than the planned one: it may be of another person.",
            )
        )
    for one in found.agreements:
        name = vertebra_name(one.level, one.vertebra_id)
        if one.agreement is None:
            said.append(
                QualityNote(
                    "level_not_laid",
                    "warning",
                    f"{name[0].upper()}{name[1:]} is not on the later CT, or could not be laid over it.",
                )
            )
        elif one.agreement < POOR_AGREEMENT:
            said.append(
                QualityNote(
                    "poor_agreement",
                    "warning",
                    f"The bone of {name} agrees poorly on both CTs ({one.agreement:.2f}): the later CT may "
                    "show another vertebra or another patient.",
                )
            )
    return tuple(said)


def _doubled(track: SeenNeedle, found: Laid | None) -> str:
    at = f"vertebra no. {track.vertebra_id} of the later CT"
    if found is not None:
        side = found.vertebra.frame.to_local(found.back(np.array(track.entry_mm)))[0] > 0
        name = vertebra_name(found.vertebra.level, found.vertebra.id)
        at = f"the {'left' if side else 'right'} of {name}"
    return (
        f"A track in {at} (seen as {track.seen_as}) was left out: it lies within {NEAR_MM:g} mm of a needle "
        f"of metal in place and within {PARALLEL_DEG:g} degrees of its direction, and is taken for that "
        "needle."
    )


def _one(
    scan: Ready,
    keep: KeepAway,
    needle: SeenNeedle,
    laid: Laid,
    plan: LevelPlan | None,
    meant: Meant | None,
) -> ExecutedNeedle:
    vertebra = keep.vertebra
    frame = vertebra.frame
    ends = frame.to_local(laid.back(np.array([needle.entry_mm, needle.tip_mm])))
    tip = ends[1]
    ahead = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
    sign = 1.0 if _at_depth(ends[0], ahead, (PEDICLE_BACK_MM + 0.0) / 2.0)[0] > 0 else -1.0
    side: Side = "left" if sign > 0 else "right"
    entry = _entry(keep, ends[0], tip, ahead)
    against, way, chosen_by = partner(plan, side, entry, tip, keep, meant)
    taken = USUAL_OUTER_MM if way is None else way.gauge.outer_mm
    outer = taken if needle.outer_mm is None else needle.outer_mm
    middle = scan.pedicles.get((vertebra.id, int(sign)))
    pixel = float(max(scan.spine.grid.spacing_mm[1:]))
    own = corridor(keep, side, middle, pixel) if middle is not None else None
    medial = _medial_margin(keep, entry, tip, ahead, outer)
    approach = "transpedicular" if way is None else way.approach
    breach, over = _breach(keep, own, entry, tip, ahead, sign, outer, medial, approach)
    least, nearest = least_along(keep, entry, tip, 0.0, outer)
    errors = _errors(way, keep, entry, tip, ahead, sign) if way is not None else (None,) * 5
    return ExecutedNeedle(
        vertebra_id=vertebra.id,
        level=vertebra.level,
        side=side,
        seen_as=needle.seen_as,
        against=against,
        chosen_by=chosen_by,
        agreement=laid.agreement,
        entry_mm=_point(frame.to_lps(entry)),
        tip_mm=_point(frame.to_lps(tip)),
        outer_mm=outer,
        outer_from=_outer_from(needle),
        outer_error_mm=needle.outer_error_mm,
        entry_error_mm=errors[0],
        tip_error_mm=None if needle.tip_hidden else errors[1],
        angle_error_deg=errors[2],
        transverse_error_deg=errors[3],
        sagittal_error_deg=errors[4],
        medial_margin_mm=medial,
        least_mm=min(least, medial),
        nearest=nearest if least < medial else MEDIAL,
        breach=breach,
        breach_mm=over,
        grade=gertzbein_robbins(over),
        planned_medial_margin_mm=None if way is None else way.medial_margin_mm,
    )


def _outer_from(needle: SeenNeedle) -> OuterFrom:
    if needle.outer_mm is None:
        return "planned"
    return "at most" if needle.outer_error_mm is None else "measured"


def _at_depth(point: FloatArray, ahead: FloatArray, depth: float) -> FloatArray:
    """The point of a line at a depth before the posterior wall."""
    moved: FloatArray = point + ahead * (depth - point[1]) / ahead[1]
    return moved


def _entry(keep: KeepAway, entry: FloatArray, tip: FloatArray, ahead: FloatArray) -> FloatArray:
    """Where the line meets the vertebra's bone on the plan's CT, as a planned way's entry is."""
    back = np.arange(0.0, float(np.linalg.norm(tip - entry)) + ENTRY_MM, STEP_MM)
    points = tip - back[:, None] * ahead
    inside = np.flatnonzero(keep.depth_in_bone(points) >= 0.0)
    if not len(inside):
        return entry
    last = int(inside[0])
    for k in inside:
        if (k - last) * STEP_MM > GAP_MM:
            break
        last = int(k)
    met: FloatArray = points[last]
    return met


def _medial_margin(
    keep: KeepAway, entry: FloatArray, tip: FloatArray, ahead: FloatArray, outer: float
) -> float:
    """From the needle's surface to the canal, behind the posterior wall."""
    length = float(np.linalg.norm(tip - entry))
    points = tip - np.arange(0.0, length + BEHIND_MM, STEP_MM)[:, None] * ahead
    beside = points[(points[:, 1] <= 0.5) & (points[:, 1] >= -BEHIND_MM)]
    if not len(beside):
        beside = points
    return float(keep.distance(MEDIAL, beside).min() - outer / 2.0)


def _breach(
    keep: KeepAway,
    own: Corridor | None,
    entry: FloatArray,
    tip: FloatArray,
    ahead: FloatArray,
    sign: float,
    outer: float,
    medial: float,
    approach: Approach,
) -> tuple[Breach, float]:
    """Which wall of the pedicle the needle's surface lies beyond, and by how much.

    Of a needle that was planned beside the pedicle only the medial wall counts, as in the plan's own grade.
    """
    if medial < 0.0:
        return "medial", -medial
    if approach == "extrapedicular":
        return "none", 0.0
    points = tip - np.arange(0.0, float(np.linalg.norm(tip - entry)) + STEP_MM, STEP_MM)[:, None] * ahead
    inside = points[(points[:, 1] >= PEDICLE_BACK_MM) & (points[:, 1] <= 0.0)]
    if not len(inside):
        return "none", 0.0
    over = outer / 2.0 - keep.depth_in_bone(inside)
    at = int(over.argmax())
    if over[at] <= ERROR_MM or own is None:
        return "none", 0.0
    off = inside[at] - _at_depth(
        keep.vertebra.frame.to_local(own.isthmus_mm), _local_axis(keep, own), inside[at, 1]
    )
    if abs(off[0]) / max(own.width_mm, 1.0) >= abs(off[2]) / max(own.height_mm, 1.0):
        # Medial of the middle but clear of the canal: the label's inner edge, not the wall.
        return ("lateral", float(over[at])) if sign * off[0] > 0 else ("none", 0.0)
    return ("superior" if off[2] > 0 else "inferior"), float(over[at])


def _local_axis(keep: KeepAway, own: Corridor) -> FloatArray:
    frame = keep.vertebra.frame
    return frame.to_local(frame.origin + own.axis)


def _errors(
    way: Trajectory, keep: KeepAway, entry: FloatArray, tip: FloatArray, ahead: FloatArray, sign: float
) -> tuple[float, float, float, float, float]:
    """Entry across the planned way, tip, angle, and the angle in both of the vertebra's planes."""
    ends = keep.vertebra.frame.to_local(np.array([way.entry_mm, way.tip_mm]))
    planned = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
    here = entry + ahead * float((ends[0] - entry) @ planned) / float(ahead @ planned)
    angle = float(np.degrees(np.arccos(np.clip(ahead @ planned, -1.0, 1.0))))
    transverse = float(np.degrees(np.arctan2(-sign * ahead[0], ahead[1])))
    sagittal = float(np.degrees(np.arctan2(ahead[2], ahead[1])))
    return (
        float(np.linalg.norm(here - ends[0])),
        float(np.linalg.norm(tip - ends[1])),
        angle,
        transverse - way.transverse_deg,
        sagittal - way.sagittal_deg,
    )


def _point(values: FloatArray) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
