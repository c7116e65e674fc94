"""Everything a plan writes into its folder: all of it, or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from thecal import __version__
from thecal.anatomy.spine import Spine, Vertebra
from thecal.dicom.originals import originals_of, why_not_referable
from thecal.fluoro.target import Needle, target_of
from thecal.needle.outputs.needles import level_key, level_words, needles_of, start_mm
from thecal.needle.pictures.kept_away import KeptAway
from thecal.needle.pictures.landmarks import medial_border_mm
from thecal.needle.plan_value import Audit, Corridor, LevelPlan
from thecal.quality import QualityNote
from thecal.report.replaced_files import replaced_files
from thecal.volume import Volume

if TYPE_CHECKING:
    from thecal.needle.outputs.page import LevelPictures
    from thecal.report.drawing import Picture

PLAN_JSON: Final = "plan.json"
PAGE: Final = "plan.html"
STRUCTURED: Final = "plan.dcm"
MESHES, MARKUPS, WATCH = "meshes", "slicer", "watch"


def write_plan(
    out: Path,
    volume: Volume,
    spine: Spine,
    plans: Sequence[LevelPlan],
    audit: Audit | None = None,
    *,
    plan_json: str | None = None,
    others: tuple[KeptAway, ...] = (),
    margin_mm: float = 1.0,
    notes: Sequence[QualityNote] = (),
    progress: Callable[[str], None] | None = None,
) -> tuple[str, ...]:
    """Write the page, meshes, Slicer markups, the watched vertebrae and, of DICOM, a structured report.

    Parameters
    ----------
    out : Path
        Made where it does not exist; in an existing folder only a plan's own files are replaced.
    volume, spine
        What was planned on.
    plans : sequence of LevelPlan
        From the head down, as the page lists them.
    audit : Audit, optional
        Needles seen on a later CT, against this plan.
    plan_json : str, optional
        Text of ``plan.json``, to be written with the rest.
    others : tuple of KeptAway
        Structures beside the spine that the plan keeps away from, to be outlined on the cuts.
    margin_mm : float
        The margin that the plan keeps, for the plots.
    notes : sequence of QualityNote
        What weakens the plan, beside what the spine notes itself.
    progress : callable, optional
        Told the level whose pictures are drawn.

    Returns
    -------
    tuple of str
        The files written, relative to ``out``.

    Raises
    ------
    InputError
        Where ``out`` cannot be written to.
    """
    vertebrae = {v.id: v for v in spine.vertebrae}
    names = _names(plans, volume, plan_json)
    with replaced_files(out, [*names, *_left_over(out, names)]) as folder, ThreadPoolExecutor(1) as pool:
        for part in (MESHES, MARKUPS, WATCH):
            (folder / part).mkdir()
        if plan_json is not None:
            (folder / PLAN_JSON).write_text(plan_json, encoding="utf-8")
        # Compression leaves the interpreter free, so the pictures are drawn meanwhile.
        watched = [
            pool.submit(_write_watched, folder, volume, spine, vertebrae[plan.vertebra_id], plan)
            for plan in plans
        ]
        for plan in plans:
            _write_level(folder, volume, spine, vertebrae[plan.vertebra_id], plan)
        if STRUCTURED in names:
            from thecal.needle.outputs.structured_report import make_plan_report

            made = make_plan_report(plans, originals_of(volume.source), version=__version__)
            made.save_as(folder / STRUCTURED, enforce_file_format=True)
        page = _page(volume, spine, plans, audit, others, margin_mm, notes, names, progress)
        (folder / PAGE).write_text(page, encoding="utf-8")
        for written in watched:
            written.result()
        for part in (MESHES, MARKUPS, WATCH):
            if any(name.startswith(f"{part}/") for name in names):
                (out / part).mkdir(parents=True, exist_ok=True)
    return tuple(names)


def plan_files(plans: Sequence[LevelPlan], volume: Volume) -> tuple[str, ...]:
    """The files that a plan with its ``plan.json`` writes."""
    return tuple(_names(plans, volume, ""))


def _names(plans: Sequence[LevelPlan], volume: Volume, plan_json: str | None) -> list[str]:
    """The files of this plan, relative to its folder."""
    names = [] if plan_json is None else [PLAN_JSON]
    names.append(PAGE)
    if plans and volume.source.kind == "dicom" and why_not_referable(volume.source) is None:
        names.append(STRUCTURED)
    for plan in plans:
        names += _level_names(plan)
    return names


def _level_names(plan: LevelPlan) -> list[str]:
    key = level_key(plan)
    names = [f"{MESHES}/{key}_vertebra.stl"]
    names += [f"{MESHES}/{key}_pedicle_{found.side}.stl" for found in _corridors(plan)]
    names += [f"{MESHES}/{key}_needle_{needle.key}.stl" for needle in needles_of(plan)]
    names.append(f"{MESHES}/{key}.glb")
    if needles_of(plan):
        names.append(f"{MARKUPS}/{key}.mrk.json")
    names.append(f"{WATCH}/{key}.npz")
    return names


def _corridors(plan: LevelPlan) -> tuple[Corridor, ...]:
    """The pedicles that were measured."""
    return tuple(
        answer.corridor
        for answer in plan.sides
        if answer.corridor is not None and len(answer.corridor.outline)
    )


def _left_over(out: Path, names: Sequence[str]) -> list[str]:
    """Files that an earlier plan says it wrote here and this one does not; they speak of another scan."""
    try:
        told = json.loads((out / PLAN_JSON).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    if not isinstance(told, dict) or not str(told.get("schema", "")).startswith("thecal.plan/"):
        return []
    files = told.get("files")
    held = [name for name in files if isinstance(name, str)] if isinstance(files, list) else []
    return [name for name in dict.fromkeys(held) if name not in names and _may_be_ours(name)]


def _may_be_ours(name: str) -> bool:
    """Whether a name is one that a plan writes: in its own folders, and nowhere above."""
    folder, _, file = name.rpartition("/")
    plain = bool(file) and file not in (".", "..") and "\\" not in file
    return name in (PLAN_JSON, PAGE, STRUCTURED) or (plain and folder in (MESHES, MARKUPS, WATCH))


def _write_watched(folder: Path, volume: Volume, spine: Spine, vertebra: Vertebra, plan: LevelPlan) -> None:
    from thecal.fluoro.target_file import target_to_bytes

    target = target_of(volume, spine, vertebra, level_words(plan), watched_needles(plan))
    target = replace(target, medial_mm=medial_borders(vertebra, plan))
    (folder / WATCH / f"{level_key(plan)}.npz").write_bytes(target_to_bytes(target))


def _write_level(folder: Path, volume: Volume, spine: Spine, vertebra: Vertebra, plan: LevelPlan) -> None:
    from thecal.needle.outputs.markups import markups_text
    from thecal.needle.outputs.meshes import needle_mesh, pedicle_mesh, scene_glb, stl_bytes, vertebra_mesh
    from thecal.needle.outputs.pedicle_surfaces import pedicle_surfaces

    key = level_key(plan)
    bone = vertebra_mesh(spine, vertebra.id)
    if bone is not None:
        (folder / MESHES / f"{key}_vertebra.stl").write_bytes(stl_bytes(bone))
    pedicles = {}
    for found in _corridors(plan):
        surfaces = pedicle_surfaces(volume, spine, vertebra, found)
        pedicles[found.side] = surfaces
        path = folder / MESHES / f"{key}_pedicle_{found.side}.stl"
        path.write_bytes(stl_bytes(pedicle_mesh(surfaces)))
    for needle in needles_of(plan):
        path = folder / MESHES / f"{key}_needle_{needle.key}.stl"
        path.write_bytes(stl_bytes(needle_mesh(needle)))
    (folder / MESHES / f"{key}.glb").write_bytes(scene_glb(spine, vertebra, plan, pedicles))
    text = markups_text(plan)
    if text is not None:
        (folder / MARKUPS / f"{key}.mrk.json").write_text(text, encoding="utf-8")


def watched_needles(plan: LevelPlan) -> tuple[Needle, ...]:
    """The plan's needles as the monitor of the injection takes them."""
    made = []
    for needle in needles_of(plan):
        entry = start_mm(needle.way)
        point = (float(entry[0]), float(entry[1]), float(entry[2]))
        made.append(Needle(needle.way.side, point, needle.way.tip_mm, needle.way.gauge.outer_mm, needle.key))
    return tuple(made)


def medial_borders(vertebra: Vertebra, plan: LevelPlan) -> tuple[tuple[str, float], ...]:
    """The medial border of each pedicle as the plan's AP picture draws it, mm from the midline."""
    return tuple(
        (answer.side, medial_border_mm(vertebra, answer.corridor))
        for answer in plan.sides
        if answer.corridor is not None
    )


def _page(
    volume: Volume,
    spine: Spine,
    plans: Sequence[LevelPlan],
    audit: Audit | None,
    others: tuple[KeptAway, ...],
    margin_mm: float,
    notes: Sequence[QualityNote],
    names: Sequence[str],
    progress: Callable[[str], None] | None,
) -> str:
    from thecal.needle.outputs.page import Audited, Section, render_plan

    vertebrae = {v.id: v for v in spine.vertebrae}
    sections = []
    for plan in plans:
        if progress is not None:
            progress(level_words(plan))
        vertebra = vertebrae[plan.vertebra_id]
        pictures = level_pictures(volume, spine, vertebra, plan, others, margin_mm)
        sections.append(Section(plan, vertebra, pictures, tuple(_level_names(plan))))
    own = [name for name in names if "/" not in name and name != PAGE]
    weak = [
        note for note in dict.fromkeys((*volume.quality, *spine.quality, *notes)) if note.severity != "info"
    ]
    audited = None
    if audit is not None:
        from thecal.needle.pictures.audit_picture import audit_picture

        by_id = {plan.vertebra_id: plan for plan in plans}
        drawn = [
            audit_picture(
                volume, spine, vertebrae[needle.vertebra_id], by_id.get(needle.vertebra_id), needle, others
            )
            for needle in audit.needles
        ]
        audited = Audited(audit, tuple(drawn))
    return render_plan(
        sections, spine, notes=weak, audit=audited, files=own, simulated=volume.source.simulated
    )


def level_pictures(
    volume: Volume,
    spine: Spine,
    vertebra: Vertebra,
    plan: LevelPlan,
    others: tuple[KeptAway, ...] = (),
    margin_mm: float = 1.0,
) -> LevelPictures:
    """All pictures of a level; of its pedicles alone where there is no needle to show."""
    from thecal.needle.outputs.page import LevelPictures
    from thecal.needle.pictures.aim_plot import aim_picture
    from thecal.needle.pictures.along_needle import along_needle_picture
    from thecal.needle.pictures.clearance_plot import clearance_picture
    from thecal.needle.pictures.pedicle_picture import pedicle_picture
    from thecal.needle.pictures.views import crossing_picture, final_picture, scene_of

    needles = needles_of(plan)
    sections = pedicle_picture(volume, spine, vertebra, plan)
    if not needles:
        return LevelPictures((), (), None, sections)
    scene = scene_of(volume, spine, vertebra, plan)

    def shown(group: tuple[int, ...]) -> tuple[Picture, ...]:
        chosen = tuple(needles[k] for k in group)
        if not chosen:
            return ()
        made = [crossing_picture(scene, chosen), final_picture(scene, chosen)]
        for needle in chosen:
            made.append(along_needle_picture(volume, spine, vertebra, plan, needle, others))
            made.append(clearance_picture(needle, margin_mm))
        return tuple(made)

    one = tuple(k for k, needle in enumerate(needles) if needle.key == "one")
    two = tuple(k for k, needle in enumerate(needles) if needle.key != "one")
    first, second = (one, two) if one else (two, ())
    return LevelPictures(shown(first), shown(second), aim_picture(needles), sections)
