"""A spine from a label map: what every backend that starts from labels shares."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from thecal.anatomy.foramina import foramina
from thecal.anatomy.label_canal import (
    angles,
    curve_through_foramina,
    curve_through_mask,
    wall_of_bone,
    wall_of_mask,
)
from thecal.anatomy.label_parts import body_of_vertebra, disc_between
from thecal.anatomy.rays import near_canal
from thecal.anatomy.sac import sac_radius, sac_without_fat
from thecal.anatomy.spine import Canal, Part, Spine, Vertebra
from thecal.anatomy.vertebra_frame import BodyFit, frame_of_body
from thecal.errors import SpineNotFound
from thecal.frames import CanalFrame
from thecal.quality import QualityNote
from thecal.terms import DISC_OFFSET, EPIDURAL_SPACE, SACRUM, THECAL_SAC, LevelSource, is_vertebra, level_name
from thecal.volume import BoolArray, Box, Grid, LabelArray, Volume, box_of


def spine_from_labels(
    volume: Volume,
    labels: LabelArray,
    *,
    cord: BoolArray | None = None,
    parts: npt.NDArray[np.uint8] | None = None,
    missing: BoolArray | None = None,
    backend: str = "given",
    backend_version: str = "1",
    level_source: LevelSource = "given",
    quality: Sequence[QualityNote] = (),
) -> Spine:
    """Everything that `Spine` holds, from a label map of whole vertebrae on the volume's grid.

    Parameters
    ----------
    volume : Volume
    labels : (z, y, x) uint16
        Ids of the contract. The canal is 60 and 61; where there is neither it is found from ``cord`` and the
        bone around it, or from the rings of the vertebrae. Discs (100 + id) are filled in where absent.
    cord : (z, y, x) bool, optional
        Spinal cord or sac where the label map has that in place of the canal.
    parts : (z, y, x) uint8, optional
        `Part` of each vertebra voxel; without it bodies are cut from arches at the canal's anterior wall.
    missing : (z, y, x) bool, optional
        Cement and metal: HU there is not read.
    backend, backend_version : str
    level_source : "given", "sacrum", "ribs" or "unknown"
        Where the vertebrae's numbers come from.
    quality : sequence of QualityNote
        Notes to carry over.

    Returns
    -------
    Spine

    Raises
    ------
    SpineNotFound
        Where the labels hold no vertebra, or no canal can be made of them.
    """
    notes = list(quality)
    ids = [i for i in present_labels(labels) if is_vertebra(i)]
    if not ids:
        raise SpineNotFound("the label map holds no vertebra")
    box = _spine_box(volume.grid, labels, cord)
    grid = volume.grid.crop(box)
    crop = labels[box].copy()
    hu = volume.hu[box]
    unseen = None if missing is None else missing[box]
    canal = _canal(volume, hu, grid, crop, None if cord is None else cord[box], unseen, notes)
    part_map = _parts(crop, grid, canal, ids, None if parts is None else parts[box])
    slices_seen = (box[0].start, volume.hu.shape[0] - box[0].start)
    fits = {i: _fit(crop, part_map, i, grid, canal.frame, slices_seen) for i in ids}
    weak = [i for i in ids if fits[i] is None]
    if weak:
        names = ", ".join(level_name(i) or str(i) for i in weak)
        notes.append(
            QualityNote(
                "vertebra_fragment", "info", f"Too little of {names} is labelled to measure its body."
            )
        )
    found = {i: f for i, f in fits.items() if f is not None}
    if not found:
        raise SpineNotFound("no vertebral body in the label map is large enough to measure")
    order = sorted(found, key=lambda i: float(canal.frame.locate(found[i].frame.origin)[0][0]))
    _fill_discs(crop, part_map, grid, order, found)
    part_map[foramina(crop, grid, canal) & (crop == 0)] = Part.FORAMEN
    vertebrae = tuple(
        Vertebra(
            id=i,
            level=level_name(i),
            level_source=level_source if level_name(i) else "unknown",
            complete=not _touches_edge(labels, i),
            confidence=found[i].confidence,
            frame=found[i].frame,
            evidence=found[i].evidence,
        )
        for i in order
    )
    return Spine(box, grid, crop, part_map, canal, vertebrae, backend, backend_version, tuple(notes))


def _spine_box(grid: Grid, labels: LabelArray, cord: BoolArray | None) -> Box:
    """The labels with room for cement that left the bone, whole in z as far as the labels go."""
    MARGIN_MM = 25.0
    wanted = labels > 0
    if cord is not None:
        wanted |= cord
    bounds = []
    for axis in range(3):
        other = tuple(a for a in range(3) if a != axis)
        rows = np.flatnonzero(wanted.any(axis=other))
        margin = int(np.ceil(MARGIN_MM / grid.spacing_mm[axis]))
        bounds.append(slice(max(0, int(rows[0]) - margin), min(grid.shape[axis], int(rows[-1]) + margin + 1)))
    return (bounds[0], bounds[1], bounds[2])


def _canal(
    volume: Volume,
    hu: npt.NDArray[np.int16],
    grid: Grid,
    labels: LabelArray,
    cord: BoolArray | None,
    missing: BoolArray | None,
    notes: list[QualityNote],
) -> Canal:
    """The canal's frame, wall and sac; writes 60 and 61 into ``labels`` where they are not told apart."""
    theta = angles()
    sac_label, outer_label = labels == THECAL_SAC, labels == EPIDURAL_SPACE
    given = sac_label | outer_label
    bone = np.zeros(labels.shape, bool)
    for i in present_labels(labels):
        if is_vertebra(i) or i == SACRUM:
            bone |= labels == i
    if given.any():
        frame = curve_through_mask(given, grid)
        wall, confidence = wall_of_mask(given, grid, frame)
    else:
        if cord is not None and cord.any():
            frame = curve_through_mask(cord, grid)
        else:
            frame = _course_without_label(volume, grid, bone)
        wall, confidence = wall_of_bone(bone, grid, frame)
        notes.append(
            QualityNote(
                "canal_from_bone",
                "info",
                "The label map has no spinal canal; its wall was read from the bone around it.",
            )
        )
    if sac_label.any() and outer_label.any():
        sac, _ = wall_of_mask(sac_label, grid, frame)
        return Canal(frame, theta, wall, np.minimum(sac, wall), confidence)
    sac, sac_sd = sac_radius(hu, grid, frame, theta, wall, missing)
    canal = Canal(frame, theta, wall, sac, confidence, sac_sd)
    _write_canal(labels, grid, canal, given if given.any() else None)
    if (unseen := sac_without_fat(canal)) is not None:
        notes.append(unseen)
    return canal


def _course_without_label(volume: Volume, grid: Grid, bone: BoolArray) -> CanalFrame:
    """The canal's course from the rings of the vertebrae; where they close none, from the scan itself."""
    try:
        return curve_through_foramina(bone, grid)
    except SpineNotFound as unfound:
        from thecal.anatomy.canal import find_course

        try:
            course, _, _ = find_course(volume)
        except SpineNotFound:
            raise unfound from None
        z = grid.to_index(course.points)[:, 0]
        slices = np.flatnonzero(bone.any(axis=(1, 2)))
        here = np.flatnonzero((z >= slices[0] - 0.5) & (z <= slices[-1] + 0.5))
        if len(here) < 10:
            raise unfound from None
        part = slice(here[0], here[-1] + 1)
        return CanalFrame(
            course.s_mm[part] - course.s_mm[here[0]],
            course.points[part],
            course.left[part],
            course.posterior[part],
            course.cranial[part],
        )


def _write_canal(labels: LabelArray, grid: Grid, canal: Canal, within: BoolArray | None) -> None:
    """Paint 60 inside the sac and 61 between sac and wall, over nothing that is a vertebra or a disc."""
    if within is None:
        candidates = np.argwhere(near_canal(grid, canal.frame, float(canal.wall_mm.max())) & (labels == 0))
    else:
        candidates = np.argwhere(within)
    points = grid.to_lps(candidates)
    s, angle, r = canal.frame.locate(points)
    row = canal.frame.index(s)
    beyond = np.abs(np.einsum("ij,ij->i", points - canal.frame.points[row], canal.frame.cranial[row]))
    columns = len(canal.theta)
    column = np.rint((angle + np.pi) / (2 * np.pi) * columns).astype(int) % columns
    inside = within is not None or ((r <= canal.wall_mm[row, column]) & (beyond <= canal.frame.step_mm))
    value = np.where(r <= canal.sac_mm[row, column], THECAL_SAC, EPIDURAL_SPACE)
    keep = np.broadcast_to(inside, r.shape)
    labels[tuple(candidates[keep].T)] = value[keep]


def _parts(
    labels: LabelArray, grid: Grid, canal: Canal, ids: list[int], given: npt.NDArray[np.uint8] | None
) -> npt.NDArray[np.uint8]:
    result = np.zeros(labels.shape, np.uint8)
    for i in ids:
        box = _box_of(labels, i)
        whole = labels[box] == i
        body = np.zeros(whole.shape, bool) if given is None else whole & (given[box] == Part.BODY)
        if not body.any():
            body = body_of_vertebra(whole, grid.crop(box), canal)
        part = result[box]
        part[whole] = Part.ARCH
        part[body] = Part.BODY
    return result


def _fit(
    labels: LabelArray,
    parts: npt.NDArray[np.uint8],
    i: int,
    grid: Grid,
    frame: CanalFrame,
    slices_seen: tuple[int, int],
) -> BodyFit | None:
    """The body's frame; ``slices_seen``: how far the scan goes below the crop's first slice and above it."""
    LEAST_MM3 = 800.0  # a tenth of the smallest thoracic body
    LEAST_VOXELS = 30
    box = _box_of(labels, i)
    body = (labels[box] == i) & (parts[box] == Part.BODY)
    count = int(body.sum())
    if count < LEAST_VOXELS or count * grid.voxel_mm3 < LEAST_MM3:
        return None
    index = np.argwhere(body) + [s.start for s in box]
    cut = (index[:, 0] == -slices_seen[0]) | (index[:, 0] == slices_seen[1] - 1)
    return frame_of_body(grid.to_lps(index), frame, voxel_mm=float(grid.spacing_mm.max()), cut=cut)


def _fill_discs(
    labels: LabelArray,
    parts: npt.NDArray[np.uint8],
    grid: Grid,
    order: list[int],
    fits: dict[int, BodyFit],
) -> None:
    """Write the disc below each vertebra whose lower neighbour is known and which has none yet."""
    there = set(present_labels(labels))
    for lower, upper in pairwise(order):
        name = DISC_OFFSET + upper
        if name in there:
            continue
        box = _join(_box_of(labels, lower), _box_of(labels, upper))
        near, bodies = labels[box], parts[box] == Part.BODY
        disc = disc_between(
            (near == lower) & bodies,
            (near == upper) & bodies,
            grid.crop(box),
            fits[lower].frame,
            fits[upper].frame,
        )
        near[disc & (near == 0)] = name


def _touches_edge(labels: LabelArray, i: int) -> bool:
    """Whether a label reaches the scan's first or last slice, or its sides."""
    return any(s.start == 0 or s.stop == n for s, n in zip(_box_of(labels, i), labels.shape, strict=True))


def present_labels(labels: LabelArray) -> list[int]:
    """The labels above 0 that occur, ascending."""
    import fastremap

    return [int(i) for i in fastremap.unique(labels) if i > 0]


def _box_of(labels: LabelArray, i: int) -> Box:
    """The bounding box of one label that occurs."""
    box = box_of(labels == i)
    assert box is not None
    return box


def _join(a: Box, b: Box) -> Box:
    """The box that holds both."""
    low = [min(p.start, q.start) for p, q in zip(a, b, strict=True)]
    high = [max(p.stop, q.stop) for p, q in zip(a, b, strict=True)]
    return (slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2]))
