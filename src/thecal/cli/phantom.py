"""``thecal phantom``: synthetic patients with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from thecal.anatomy.spine import Spine, Vertebra
    from thecal.fluoro.target import Target
    from thecal.phantom.patient import Case

app = typer.Typer(
    name="phantom",
    help="Make synthetic patients with known truth. Research use only.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

Out = Annotated[Path, typer.Option("--out", help="Folder to write into.")]
SAME_VERTEBRA_MM: Final = 10.0
"""The same vertebra found twice, by other anatomies, lies no farther apart; neighbours do."""
Form = Annotated[str, typer.Option("--format", help="dicom or nifti")]


@app.command()
def make(
    out: Out,
    seed: Annotated[int, typer.Option(help="The same seed gives the same patient.")] = 1,
    levels: Annotated[str, typer.Option(help="Levels wholly in the scan, T1 to L5 and sacrum.")] = "T10-L3",
    spacing: Annotated[str, typer.Option(help="Voxel size x,y,z in mm.")] = "0.7,0.7,1.0",
    fov: Annotated[float, typer.Option(help="Side of the square field of view, mm.")] = 220.0,
    age: Annotated[float | None, typer.Option(help="Years; drawn by seed where not given.")] = None,
    sex: Annotated[str | None, typer.Option(help="F or M; drawn by seed where not given.")] = None,
    fracture: Annotated[
        list[str] | None, typer.Option(help="T12:crush, T12:wedge or T12:biconcave; may be repeated.")
    ] = None,
    leak: Annotated[
        list[str] | None,
        typer.Option(help="A deposit, epidural@T12:0.3ml:left, or a compartment alone; may be repeated."),
    ] = None,
    fill: Annotated[str | None, typer.Option(help="Cement in the body: T12:3.5ml.")] = None,
    kernel: Annotated[str, typer.Option(help="soft or sharp")] = "soft",
    contrast_hu: Annotated[
        float | None, typer.Option(help="Contrast medium in the thecal sac, HU: a CT myelogram.")
    ] = None,
    form: Form = "dicom",
) -> None:
    """Make one patient and scan her."""
    from thecal.errors import InputError
    from thecal.phantom.deposit_spec import DepositSpec
    from thecal.phantom.myelogram import Myelogram
    from thecal.phantom.patient import make_patient
    from thecal.phantom.scanner import SHARP, SOFT
    from thecal.phantom.spine_model import parse_levels

    _check_form(form)
    if kernel not in ("soft", "sharp"):
        raise InputError(f"The kernel is soft or sharp, not {kernel!r}")
    if sex not in (None, "F", "M"):
        raise InputError(f"Sex is F or M, not {sex!r}")
    x, y, z = _spacing(spacing)
    breaks = dict(_fracture(text) for text in fracture or [])
    first, last = parse_levels(levels)
    index = _treated(first, last, breaks, fill, leak or [])
    specs: list[DepositSpec] = []
    if fill:
        specs.append(_deposit(f"intravertebral@{fill}", index))
    elif leak:
        specs.append(DepositSpec("intravertebral", index, 3.0, "midline"))
    specs += [_deposit(text, index) for text in leak or []]
    case = make_patient(
        seed,
        (first, last),
        spacing_mm=(z, y, x),
        fov_mm=_field(fov),
        fractures=breaks,  # type: ignore[arg-type]
        age=age,
        sex=sex,  # type: ignore[arg-type]
        scanner=SHARP if kernel == "sharp" else SOFT,
        myelogram=None if contrast_hu is None else Myelogram(_contrast(contrast_hu)),
        deposits=specs,
    )
    _write_case(case, out, form, f"phantom seed {seed}")


@app.command("founding-case")
def founding(
    out: Out,
    form: Form = "dicom",
    revised: Annotated[
        bool,
        typer.Option("--revised", help="As she is after the revision: cement taken out, T11 to L1 fixed."),
    ] = False,
    before: Annotated[
        bool, typer.Option("--before", help="As she was before the puncture: fractured, no cement.")
    ] = False,
) -> None:
    """The founding paper's patient: T12, medial tracks, a piece of cement within the dural sac."""
    from thecal.errors import InputError
    from thecal.phantom.founding import founding_case, revised_founding_case
    from thecal.phantom.write import write_scan, write_truth

    _check_form(form)
    if revised and before:
        raise InputError("--before and --revised are two different days: give one of them")
    if revised:
        pair = revised_founding_case()
        write_scan(pair.after, out, form, note="founding case revised")  # type: ignore[arg-type]
        write_truth(pair.to_json(), out)
        typer.echo(str(out))
        return
    note = "founding case before the puncture" if before else "founding case"
    _write_case(founding_case(treated=not before), out, form, note)


@app.command()
def insert(
    ct: Annotated[Path, typer.Argument(help="A CT without cement.")],
    anatomy: Annotated[Path, typer.Option(help="Label map of its anatomy, ids of the contract.")],
    deposit: Annotated[list[str], typer.Option(help="epidural@T12:0.3ml:left; may be repeated.")],
    out: Out,
    seed: Annotated[int, typer.Option(help="The same seed gives the same shapes.")] = 1,
    form: Form = "dicom",
) -> None:
    """Put cement into a real CT at given places."""
    import numpy as np

    from thecal.anatomy.backends.given import Given
    from thecal.dicom import read
    from thecal.phantom.deposit_spec import parse_deposit
    from thecal.phantom.insert import insert_deposits
    from thecal.phantom.patient import cement_json
    from thecal.phantom.write import write_nifti, write_scan, write_truth

    _check_form(form)
    specs = [parse_deposit(text) for text in deposit]
    volume = read(ct)
    spine = Given(anatomy).find(volume)
    filled, truth = insert_deposits(volume, spine, specs, np.random.default_rng(seed))
    write_scan(filled, out, form, note="cement inserted")  # type: ignore[arg-type]
    write_nifti(truth.whole(volume.hu.shape), volume.grid, out / "truth_cement.nii.gz")
    write_truth({"schema": "thecal.phantom/1", "seed": seed, **cement_json(truth, spine)}, out)
    typer.echo(str(out))


@app.command()
def injection(
    ct: Annotated[Path, typer.Argument(help="A CT without cement.")],
    out: Out,
    level: Annotated[
        str | None, typer.Option(help="The vertebra, T12, or its label where levels are unknown.")
    ] = None,
    plan: Annotated[
        Path | None, typer.Option(help="A plan of thecal plan: its needle and its vertebra are taken.")
    ] = None,
    anatomy: Annotated[
        str, typer.Option(help="Label map of the CT's anatomy, or builtin: found by the program.")
    ] = "builtin",
    leak: Annotated[
        str | None,
        typer.Option(help="none, 'posterior wall', 'basivertebral vein', 'disc above', ...; drawn by seed."),
    ] = None,
    view: Annotated[str, typer.Option(help="lateral or ap")] = "lateral",
    fps: Annotated[
        float | None, typer.Option(help="Pictures a second, 3 to 15; drawn by seed where not given.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same injection.")] = 1,
) -> None:
    """Simulate an injection of cement under fluoroscopy: pictures as DICOM XA, and the truth of each."""
    from thecal.anatomy.find import find_spine
    from thecal.dicom import read
    from thecal.errors import InputError
    from thecal.fluoro.target import target_of
    from thecal.fluoro.target_file import read_planned_target, target_path, write_target
    from thecal.phantom.injection import body_ml, draw_spec, inject
    from thecal.phantom.leak_ways import LEAK_KINDS
    from thecal.phantom.write_injection import write_injection

    if leak is not None and leak not in LEAK_KINDS:
        raise InputError(f"A leak is one of {', '.join(LEAK_KINDS)}, not {leak!r}")
    if view not in ("lateral", "ap"):
        raise InputError(f"The view is lateral or ap, not {view!r}")
    if fps is not None and not 3.0 <= fps <= 15.0:
        raise InputError(f"Pictures come 3 to 15 times a second, not {fps:g} times")
    pin = level if level is not None and "@" in level else None
    name = level.partition("@")[0] if level is not None else None
    planned = read_planned_target(plan, name) if plan is not None else None
    volume = read(ct)
    spine = find_spine(volume, anatomy=anatomy, level=pin)
    vertebra = _vertebra(spine, name, planned)
    size = body_ml(spine, vertebra)
    spec = draw_spec(seed, vertebra, size, kind=leak, toward=view, fps=fps)  # type: ignore[arg-type]
    needle = planned.needles[0] if planned is not None and planned.needles else None
    made = inject(volume, spine, vertebra, spec, needle=needle)
    write_injection(made, out)
    if planned is None:
        name = vertebra.level or str(vertebra.id)
        write_target(target_path(out, name), target_of(volume, spine, vertebra, name, (made.planned,)))
    typer.echo(str(out))


def _vertebra(spine: Spine, name: str | None, planned: Target | None) -> Vertebra:
    """The vertebra of a plan, by its place, or else that of a name."""
    import numpy as np

    from thecal.errors import InputError

    if planned is not None:
        near = min(
            spine.vertebrae, key=lambda v: float(np.linalg.norm(v.frame.origin - planned.frame.origin))
        )
        if np.linalg.norm(near.frame.origin - planned.frame.origin) > SAME_VERTEBRA_MM:
            raise InputError(
                f"The scan is not the one of the plan: no vertebra lies where its {planned.level} does"
            )
        return near
    named = {v.level or str(v.id): v for v in spine.vertebrae} | {str(v.id): v for v in spine.vertebrae}
    if name not in named:
        known = ", ".join(v.level or str(v.id) for v in reversed(spine.vertebrae))
        raise InputError(f"--level takes one of {known}, not {name}")
    return named[name]


def _write_case(case: Case, out: Path, form: str, note: str) -> None:
    from thecal.phantom.write import write_nifti, write_scan, write_truth

    write_scan(case.volume, out, form, note=note)  # type: ignore[arg-type]
    write_nifti(case.labels, case.grid, out / "truth_anatomy.nii.gz")
    write_nifti(case.deposit_labels(), case.grid, out / "truth_cement.nii.gz")
    write_truth(case.to_json(), out)
    typer.echo(str(out))


def _check_form(form: str) -> None:
    from thecal.errors import InputError

    if form not in ("dicom", "nifti"):
        raise InputError(f"The format is dicom or nifti, not {form!r}")


def _spacing(text: str) -> tuple[float, float, float]:
    from thecal.errors import InputError

    try:
        x, y, z = (float(word) for word in text.split(","))
    except ValueError:
        raise InputError(f"The spacing reads like 0.7,0.7,1.0 (x,y,z in mm), not {text!r}") from None
    if not all(0.2 <= value <= 6.0 for value in (x, y, z)):
        raise InputError(f"A spacing of {text} mm is not between 0.2 and 6 mm")
    return x, y, z


def _contrast(hu: float) -> float:
    from thecal.errors import InputError

    if not 50.0 <= hu <= 3000.0:
        raise InputError(f"Contrast medium of {hu:g} HU is not between 50 and 3000 HU")
    return hu


def _field(fov_mm: float) -> float:
    from thecal.errors import InputError

    if not 90.0 <= fov_mm <= 500.0:
        raise InputError(f"A field of view of {fov_mm:g} mm is not between 90 and 500 mm")
    return fov_mm


def _fracture(text: str) -> tuple[str, str]:
    from thecal.errors import InputError

    level, _, kind = text.partition(":")
    if kind not in ("wedge", "biconcave", "crush"):
        raise InputError(f"A fracture reads like T12:crush, T12:wedge or T12:biconcave, not {text!r}")
    return level, kind


def _treated(first: str, last: str, breaks: dict[str, str], fill: str | None, leaks: list[str]) -> str:
    """The level that cement goes to where a leak names none: the filled, the broken, or the middle one."""
    from thecal.phantom.dimensions import levels_between

    if fill:
        return fill.partition(":")[0]
    for text in leaks:
        if "@" in text:
            return text.partition("@")[2].partition(":")[0]
    if breaks:
        return next(iter(breaks))
    shown = [level for level in levels_between(first, last) if level != "sacrum"]
    return shown[len(shown) // 2]


def _deposit(text: str, level: str) -> Any:
    from thecal.phantom.deposit_spec import parse_deposit

    if "@" not in text:
        kind, *rest = text.split(":")
        text = ":".join([f"{kind}@{level}", *(rest or ["0.3ml"])])
    return parse_deposit(text)
