"""``thecal plan``: where a needle may go, before the puncture; and where it went, after it."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from thecal.anatomy.spine import Spine, Vertebra
    from thecal.assessment import Assessment
    from thecal.needle.partner import Meant
    from thecal.needle.plan import Ready
    from thecal.needle.plan_value import Audit, LevelPlan
    from thecal.quality import QualityNote
    from thecal.volume import Volume

STAGES = ("read", "anatomy", "cement", "plan", "write")
AUDIT_STAGES = ("read", "anatomy", "cement", "leakage", "plan", "register", "write")


class SideChoice(Enum):
    """Which pedicles."""

    BOTH = "both"
    LEFT = "left"
    RIGHT = "right"


class MeantChoice(Enum):
    """A planned needle, as the plan calls it."""

    ONE = "one"
    LEFT = "left"
    RIGHT = "right"


class ApproachOption(Enum):
    """Through the pedicle or beside it."""

    AUTO = "auto"
    TRANSPEDICULAR = "transpedicular"
    EXTRAPEDICULAR = "extrapedicular"


def plan(
    input_path: Annotated[
        Path, typer.Argument(metavar="CT", help="The CT before the puncture, as for thecal assess.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the plan.")],
    level: Annotated[
        list[str] | None,
        typer.Option(
            "--level",
            metavar="LEVEL",
            help="T12; T12@Z where levels are not counted (patient z = Z mm crosses T12); or the vertebra's "
            "number in anatomy.nii.gz. May be repeated.",
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every whole vertebra.")] = False,
    side: Annotated[SideChoice, typer.Option("--side", help="Which pedicles.")] = SideChoice.BOTH,
    approach: Annotated[
        ApproachOption, typer.Option("--approach", help="auto: through the pedicle where that is safe.")
    ] = ApproachOption.AUTO,
    needle: Annotated[str, typer.Option("--needle", metavar="GAUGE", help="10G, 11G, 13G or 15G.")] = "11G",
    margin: Annotated[
        float, typer.Option("--margin", metavar="MM", help="To the medial pedicle wall; at least 1.")
    ] = 1.0,
    anatomy: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="builtin, totalsegmentator, or a label map in VerSe ids.")
    ] = "builtin",
    series: Annotated[
        str | None, typer.Option(metavar="UID", help="The DICOM series to take (see thecal info).")
    ] = None,
    executed: Annotated[
        Path | None,
        typer.Option("--compare", metavar="CT", help="A later CT: the needle seen there against the plan."),
    ] = None,
    stored: Annotated[
        Path | None,
        typer.Option(
            "--plan", metavar="DIR", help="With --compare: the plan that was used, not one made anew."
        ),
    ] = None,
    meant: Annotated[
        MeantChoice | None,
        typer.Option("--meant", help="With --compare: the planned needle that was to be put in."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print plan.json to stdout.")] = False,
) -> int:
    """Plan the puncture of a vertebra, or hold a needle that was put in against the plan.

    Exit status: 0 a plan was written, also where it says that no way is safe; 2 the input cannot be used;
    3 no spine was found; 1 a defect in thecal. Research use only.
    """
    from dataclasses import replace

    from thecal.cli.compiled import tell_if_cold
    from thecal.cli.progress import stage_progress
    from thecal.dicom import read
    from thecal.dicom.originals import patients_differ
    from thecal.errors import InputError
    from thecal.needle.audit import doubts
    from thecal.needle.gauges import gauge
    from thecal.needle.outputs.document import plan_document
    from thecal.needle.outputs.folder import plan_files
    from thecal.needle.outputs.stored_plan import differences, pin_of, placed, read_plan
    from thecal.needle.outputs.summary import summary
    from thecal.needle.outputs.write import write_document
    from thecal.needle.plan import Wish, plan_levels, ready
    from thecal.needle.search.rules import rules
    from thecal.report.replaced_files import check_writable

    check_writable(out)
    if executed is None and (stored is not None or meant is not None):
        raise InputError("--plan and --meant go with --compare: they say what a later CT is held against")
    if stored is not None and stored.resolve() == out.resolve():
        raise InputError("--out is the folder of the stored plan itself: name another, so that it is kept")
    if not level and not every and stored is None:
        raise InputError("Name a vertebra with --level, or ask for --all")
    wish = Wish(side.value, approach.value, gauge(needle).name, margin)
    rules("transpedicular", gauge(needle).outer_mm, margin)
    pin, names = split_levels(level or [])
    kept = None if stored is None else read_plan(stored)
    if kept is not None and pin is None and not Path(anatomy).exists():
        pin = pin_of(kept)
    with stage_progress(AUDIT_STAGES if executed else STAGES) as begin:
        begin("read")
        volume = read(input_path, series=series)
        later = read(executed) if executed is not None else None
        tell_if_cold()
        if later is None:
            case = None
            spine, scan = _looked_at(volume, anatomy, pin, begin)
        else:
            case = _assessed(volume, anatomy, pin, begin)
            assert case.spine is not None
            spine, scan = case.spine, ready(volume, case.spine, case.cement)
        begin("plan")
        differ: tuple[QualityNote, ...] = ()
        if kept is None:
            plans = plan_levels(scan, chosen(spine, scan, names, every=every), wish)
        else:
            plans, differ = placed(kept, spine, volume), differences(kept, wish, spine)
            if names:
                wanted = {v.id for v in chosen(spine, scan, names, every=every)}
                plans = tuple(plan for plan in plans if plan.vertebra_id in wanted)
            wish = kept.wish
        check_meant(plans, None if meant is None else meant.value)
        found = None
        if case is not None and later is not None:
            begin("anatomy")
            found = replace(
                _audited(case, later, scan, plans, anatomy, None if meant is None else meant.value, begin),
                plan_version=None if kept is None else kept.version,
            )
        begin("write")
        notes = (*differ, *_not_watched(volume))
        if found is not None and later is not None:
            notes = (*notes, *doubts(found, other_patient=patients_differ(volume.source, later.source)))
        quality = (*volume.quality, *spine.quality, *notes)
        document = plan_document(volume, spine, wish, plans, found, quality, plan_files(plans, volume))
        write_document(out, volume, spine, scan, plans, found, document, wish.margin_mm, notes)
    if as_json:
        typer.echo(document.to_json(), nl=False)
    else:
        for sentence in summary(plans, found):
            typer.echo(sentence)
        for note in notes:
            typer.echo(note.message)
        typer.echo(f"Plan: {out / 'plan.json'}")
    return 0


def _not_watched(volume: Volume) -> tuple[QualityNote, ...]:
    """What a plan from a coarse scan is no good for."""
    from thecal.fluoro.target import MOST_SLICE_MM, too_coarse
    from thecal.quality import QualityNote

    if not too_coarse(volume.grid):
        return ()
    text = (
        f"The scan's slices are thicker than {MOST_SLICE_MM:g} mm: thecal watch does not follow cement on a "
        "plan from it."
    )
    return (QualityNote("too_coarse_to_watch", "info", text),)


def split_levels(words: list[str]) -> tuple[str | None, list[str]]:
    """What pins the levels (at most one of the words), and the vertebrae that are asked for by name."""
    from thecal.errors import InputError

    pins = [word for word in words if "@" in word]
    if len(pins) > 1:
        raise InputError("Only one --level may hold a place (T12@Z); the others are counted from it")
    return (pins[0] if pins else None), [word.split("@")[0].strip().upper() for word in words]


def check_meant(plans: tuple[LevelPlan, ...], meant: Meant | None) -> None:
    """Refuse a needle that no level of the plan has.

    Raises
    ------
    InputError
        Where it is planned nowhere.
    """
    from thecal.errors import InputError
    from thecal.needle.outputs.needles import needles_of

    there = sorted({needle.key for plan in plans for needle in needles_of(plan)})
    if meant is not None and meant not in there:
        raise InputError(
            f"--meant {meant}: the plan has no such needle ({', '.join(there) or 'it has none'})"
        )


def chosen(spine: Spine, scan: Ready, names: list[str], *, every: bool) -> list[Vertebra]:
    """The vertebrae to plan, from the head down.

    Raises
    ------
    InputError
        Where one that is named is not in the scan, is cut by its edge, or its body was not found.
    """
    from thecal.errors import InputError

    whole = [v for v in spine.vertebrae[::-1] if v.complete and v.id in scan.bodies]
    picked = []
    for name in names:
        match = [v for v in spine.vertebrae if v.level == name or str(v.id) == name]
        if not match:
            seen = ", ".join(v.level or str(v.id) for v in spine.vertebrae[::-1])
            raise InputError(f"--level {name} is not among the vertebrae that were found ({seen})")
        if match[0] not in whole:
            raise InputError(f"--level {name} is cut by the scan's edge or its body was not found")
        picked.append(match[0])
    if every:
        return whole
    return [v for v in whole if v in picked]


def _looked_at(
    volume: Volume, anatomy: str, pin: str | None, begin: Callable[[str], None]
) -> tuple[Spine, Ready]:
    from thecal.anatomy.find import find_spine
    from thecal.cement.find import find_cement
    from thecal.needle.plan import ready

    begin("anatomy")
    spine = find_spine(volume, anatomy=anatomy, level=pin)
    begin("cement")
    return spine, ready(volume, spine, find_cement(volume, spine))


def _assessed(volume: Volume, anatomy: str, pin: str | None, begin: Callable[[str], None]) -> Assessment:
    from thecal.assessment import assess
    from thecal.errors import SpineNotFound

    case = assess(volume, anatomy=anatomy, level=pin, progress=begin)
    if case.spine is None:
        raise SpineNotFound(str(case.not_found))
    return case


def _audited(
    case: Assessment,
    volume: Volume,
    scan: Ready,
    plans: tuple[LevelPlan, ...],
    anatomy: str,
    meant: Meant | None,
    begin: Callable[[str], None],
) -> Audit:
    """The audit of the needles on a later CT."""
    from pathlib import Path as FilePath

    from thecal.compare.match import match_vertebrae
    from thecal.compare.scanned import Scanned
    from thecal.errors import SpineNotFound
    from thecal.needle.audit import Laid, audit, seen_of_tracks
    from thecal.needle.in_place import needles_in_place

    # A label map belongs to one scan: the later one is read by the program's own anatomy.
    later = _assessed(volume, "builtin" if FilePath(anatomy).exists() else anatomy, None, begin)
    begin("register")
    before, after = Scanned.of(case, "earlier"), Scanned.of(later, "later")
    laid = {
        pair.after.id: Laid(pair.before, pair.registered.move.back, pair.registered.agreement)
        for pair in match_vertebrae(before, after)
        if pair.registered is not None
    }
    if not laid:
        raise SpineNotFound("No vertebra of the later CT could be laid over one of the earlier CT")
    seen = (*needles_in_place(volume, after.spine), *seen_of_tracks(after.leakage.tracks))
    return audit(scan, plans, seen, laid, volume.source.series_uid, meant)
