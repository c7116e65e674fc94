"""The anatomy that is built in: no weights, no network, from HU and geometry alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import ndimage

import thecal
from thecal.anatomy.arch import share_out_arches
from thecal.anatomy.bodies import Body, find_body
from thecal.anatomy.bone_edge import Sight
from thecal.anatomy.canal import find_course
from thecal.anatomy.column import Disc, find_discs
from thecal.anatomy.contrast.find import find_contrast
from thecal.anatomy.contrast.value import Contrast, without_contrast
from thecal.anatomy.foramina import foramina
from thecal.anatomy.hidden_waist import settle_hidden_waists
from thecal.anatomy.levels import LevelEvidence, Naming, name_levels
from thecal.anatomy.likeness import LEAST_LIKENESS, spine_likeness
from thecal.anatomy.missing import isles_in_canal, missing_data
from thecal.anatomy.myelogram import CONTRAST
from thecal.anatomy.paint import paint_tube
from thecal.anatomy.painted_vertebrae import paint_vertebrae, space_taken
from thecal.anatomy.ribs import rib_evidence
from thecal.anatomy.sac import sac_by_contrast, sac_radius, sac_without_fat
from thecal.anatomy.sacrum import Sacrum, find_sacrum, sacrum_below, sacrum_mask
from thecal.anatomy.spine import Canal, Part, Spine, Vertebra
from thecal.anatomy.vertebra_frame import BodyFit, frame_of_body
from thecal.anatomy.wall import find_wall
from thecal.anatomy.working_grid import OUTSIDE_HU, sample_volume
from thecal.errors import SpineNotFound
from thecal.frames import CanalFrame
from thecal.quality import QualityNote
from thecal.terms import EPIDURAL_SPACE, THECAL_SAC
from thecal.volume import BoolArray, Box, FloatArray, Grid, IntArray, LabelArray, Volume, patient_grid

FINE_MM = 1.0
# Reach of the crop from the canal's curve: left and right, behind, in front.
LATERAL_MM, BEHIND_MM, AHEAD_MM = 88.0, 85.0, 90.0
# A piece of the column shorter than this at the scan's edge is not called a vertebra.
LEAST_SPAN_MM = 9.0
USUAL_SPACING_MM = 30.0
# Below these nothing is said of the spine.
LEAST_CANAL_CONFIDENCE = 0.35
LEAST_RADIUS_MM = 3.5
LEAST_BODY_CONTRAST_HU = 20.0
THICK_SLICE_MM = 3.0


@dataclass(frozen=True, eq=False)
class _Seen:
    """The scan around the canal on an even, fine grid, and the canal in it.

    ``missing`` is what is not to be read, ``canal`` frame, theta and wall, ``bone`` how plainly bone stands
    at the wall, ``confidence`` that of the canal along its frame. ``contrast`` is contrast medium in the sac,
    which ``hu`` is free of.
    """

    box: Box
    fine: Grid
    hu: IntArray
    missing: BoolArray
    canal: tuple[CanalFrame, FloatArray, FloatArray]
    bone: FloatArray
    confidence: FloatArray
    contrast: Contrast | None


class Builtin:
    """Anatomy from HU and geometry; satisfies ``AnatomyBackend``."""

    name = "builtin"
    version = thecal.__version__

    def find(self, volume: Volume) -> Spine:
        """The spine of a volume; see ``AnatomyBackend.find``."""
        seen = _canal(volume)
        discs = find_discs(seen.hu, seen.missing, seen.fine, *seen.canal, seen.bone)
        bodies, spans = _bodies(seen.hu, seen.missing, seen.fine, seen.canal, discs)
        if not bodies:
            raise SpineNotFound("A canal was found, but no vertebral body in front of it.")
        return self._assemble(volume, seen, bodies, spans)

    def _assemble(
        self, volume: Volume, seen: _Seen, bodies: list[Body], spans: list[tuple[float, float]]
    ) -> Spine:
        """Whole vertebrae, levels, sac and foramina, on the volume's own grid."""
        box, fine, canal, confidence = seen.box, seen.fine, seen.canal, seen.confidence
        frame, theta, wall = canal
        grid = volume.grid.crop(box)
        native = without_contrast(volume, box, seen.contrast)
        fits = [_fit(body, frame) for body in bodies]
        sacrum = find_sacrum(native, grid, frame)
        first = _first_above_sacrum(sacrum, frame, fits)
        bodies, spans, fits = bodies[first:], spans[first:], fits[first:]
        if not bodies:
            raise SpineNotFound("Only the sacrum was found.")
        naming = _name(native, grid, frame, fits, sacrum)
        taken = space_taken(fine, canal, bodies)
        arches = share_out_arches(seen.hu, seen.missing, taken, fine, canal, bodies, spans)
        missing = missing_data(native, grid.spacing_mm, float(grid.spacing_mm[0]))
        missing |= isles_in_canal(native, grid, frame)
        sac, sac_sd = sac_radius(native, grid, frame, theta, wall, missing)
        contrast = seen.contrast
        if contrast is not None:
            hidden = np.zeros(volume.hu.shape, bool)
            hidden[box] = missing
            outlined = find_contrast(volume, frame, theta, wall, hidden)
            if outlined is not None:
                contrast = outlined
                sac, sac_sd = sac_by_contrast(
                    sac, sac_sd, outlined, frame, wall, float(grid.spacing_mm[1:].max())
                )
        bone = None if sacrum is None else sacrum_mask(native, grid, sacrum)
        labels, parts = paint_vertebrae(grid, bodies, naming.ids, arches, fine, bone)
        tube = paint_tube(grid, frame, theta, [wall, sac])
        labels[tube == 1] = EPIDURAL_SPACE
        labels[tube == 2] = THECAL_SAC
        parts[tube > 0] = Part.NONE
        found = Canal(frame, theta, wall, sac, confidence, sac_sd)
        parts[foramina(labels, grid, found) & (labels == 0)] = Part.FORAMEN
        cut = _cut_bodies(labels, parts, box, volume.grid)
        vertebrae = tuple(
            Vertebra(
                id=naming.ids[k],
                level=naming.levels[k],
                level_source=naming.source,
                complete=not body.cut and not _at_edge(body, volume.grid) and naming.ids[k] not in cut,
                confidence=_body_confidence(body, fit, confidence, spans[k], frame),
                frame=fit.frame,
                evidence={**fit.evidence, "edge_hu": body.contrast},
            )
            for k, (body, fit) in enumerate(zip(bodies, fits, strict=True))
        )
        notes = list(naming.quality)
        if (unseen := sac_without_fat(found)) is not None:
            notes.append(unseen)
        if float(volume.grid.spacing_mm[0]) > THICK_SLICE_MM:
            notes.append(
                QualityNote(
                    "thick_slices_anatomy",
                    "warning",
                    f"Slices are {volume.grid.spacing_mm[0]:.1f} mm apart: endplates and the canal's wall "
                    "are known to about half of that.",
                )
            )
        return Spine(box, grid, labels, parts, found, vertebrae, self.name, self.version, tuple(notes),
                     contrast)  # fmt: skip


def _canal(volume: Volume) -> _Seen:
    """The canal, if it is one."""
    course, ring, _ = find_course(volume)
    box = _crop(volume.grid, course)
    fine = patient_grid(volume.grid.crop(box), FINE_MM)
    contrast = find_contrast(volume, course)
    plain = volume
    if contrast is not None:
        plain = replace(volume, hu=without_contrast(volume, box, contrast), grid=volume.grid.crop(box))
    hu = sample_volume(plain, fine)
    slice_mm = float(volume.grid.spacing_mm[0])
    missing = missing_data(hu, fine.spacing_mm, slice_mm) | (hu <= OUTSIDE_HU)
    missing |= isles_in_canal(hu, fine, course)
    frame, theta, wall, bone = find_wall(hu, missing, fine, course)
    confidence = _canal_confidence(course, ring, frame, bone)
    if float(np.median(confidence)) < LEAST_CANAL_CONFIDENCE:
        raise SpineNotFound("The spinal canal is not seen well enough: too little bone stands around it.")
    if float(np.median(wall)) < LEAST_RADIUS_MM:
        raise SpineNotFound(CONTRAST)
    if spine_likeness(hu, missing, fine, frame, theta, wall) < LEAST_LIKENESS:
        raise SpineNotFound(
            "What comes nearest to a spine does not look like one: its halves do not mirror each other, "
            "or no arch of bone stands behind the canal. --anatomy FILE takes a given label map instead."
        )
    return _Seen(box, fine, hu, missing, (frame, theta, wall), bone, confidence, contrast)


def _crop(grid: Grid, course: CanalFrame) -> Box:
    """The spine's neighbourhood: wide enough for veins, ribs' roots and the sacroiliac joints."""
    corners = [
        course.points + x * course.left + y * course.posterior
        for x in (-LATERAL_MM, LATERAL_MM)
        for y in (-AHEAD_MM, BEHIND_MM)
    ]
    return grid.box_around(np.concatenate(corners), 12.0)


def _canal_confidence(
    course: CanalFrame, ring: FloatArray, frame: CanalFrame, seen: FloatArray
) -> FloatArray:
    """0..1 along the canal: how closed its ring is, and how much of its wall is plain bone, over 20 mm."""
    window = 20 / frame.step_mm
    s = course.locate(frame.points)[0]
    closed = ndimage.uniform_filter1d(np.interp(s, course.s_mm, ring), round(window), mode="nearest")
    plain = ndimage.uniform_filter1d(seen.mean(axis=1), round(window), mode="nearest")
    confidence: FloatArray = np.clip(0.5 * closed + 0.5 * plain / 0.6, 0, 1)
    return confidence


def _bodies(
    hu: IntArray,
    missing: BoolArray,
    grid: Grid,
    canal: tuple[CanalFrame, FloatArray, FloatArray],
    discs: list[Disc],
) -> tuple[list[Body], list[tuple[float, float]]]:
    """Bodies between discs; at both ends one more, as tall as its neighbour, as far as the scan shows it."""
    frame = canal[0]
    inside = (frame.points[:, 2] >= grid.to_lps([0, 0, 0])[2]) & (
        frame.points[:, 2] <= grid.to_lps([grid.shape[0] - 1, 0, 0])[2]
    )
    first, last = frame.s_mm[inside][[0, -1]]
    bounds: list[tuple[Disc | None, Disc | None, float, float]] = []
    if discs:
        gaps = [b.s_mm - a.s_mm for a, b in pairwise(discs)] or [USUAL_SPACING_MM]
        lowest, highest = discs[0].s_mm, discs[-1].s_mm
        bounds.append((None, discs[0], min(float(first), lowest - gaps[0]), lowest))
        bounds += [(a, b, a.s_mm, b.s_mm) for a, b in pairwise(discs)]
        bounds.append((discs[-1], None, highest, max(float(last), highest + gaps[-1])))
    bodies, spans = [], []
    for below, above, low, high in bounds:
        if min(high, float(last)) - max(low, float(first)) < LEAST_SPAN_MM:
            continue
        body = find_body(hu, missing, grid, canal, below, above, (low, high))
        # Between two discs there is a body, even where cement hides all its edges.
        if (below and above) or body.contrast >= LEAST_BODY_CONTRAST_HU:
            bodies.append(body)
            spans.append((low, high))
    return settle_hidden_waists(Sight.of(hu, missing, grid), canal, bodies), spans


def _fit(body: Body, frame: CanalFrame) -> BodyFit:
    """The body's frame, measured as for any label map."""
    half = 2.0
    a = np.arange(-36, 36.1, half)
    b = np.arange(-2, 50.1, half)
    c = np.arange(float(body.lower.min()), float(body.upper.max()) + half, half / 2)
    local = np.stack(np.meshgrid(a, b, c, indexing="ij"), axis=-1).reshape(-1, 3)
    low, high = body.heights_at(local[:, 0], local[:, 1])
    share = (local[:, 2] - low) / np.maximum(high - low, 0.5)
    radius, limit = body.waist_at(local[:, 0], local[:, 1], np.clip(share, 0, 1))
    inside = (share >= 0) & (share <= 1) & (radius <= limit)
    return frame_of_body(body.frame.to_lps(local[inside]), frame, voxel_mm=half)


def _first_above_sacrum(sacrum: Sacrum | None, frame: CanalFrame, fits: list[BodyFit]) -> int:
    """Index of the first body that is not a sacral segment."""
    below = sacrum_below(sacrum, frame, [fit.frame for fit in fits])
    marked = [k for k, p in enumerate(below) if p > 0]
    return marked[0] if marked else 0


def _name(hu: IntArray, grid: Grid, frame: CanalFrame, fits: list[BodyFit], sacrum: Sacrum | None) -> Naming:
    frames = [fit.frame for fit in fits]
    ribs = rib_evidence(hu, grid, frames, [fit.height_mm for fit in fits])
    below = sacrum_below(sacrum, frame, frames)
    return name_levels(
        [
            LevelEvidence(rib=r.probability, sacrum_below=b if sacrum is not None else None)
            for r, b in zip(ribs, below, strict=True)
        ]
    )


def _at_edge(body: Body, grid: Grid) -> bool:
    """Whether the body reaches beyond the scan's first or last slice."""
    middle = [
        body.frame.to_lps([[0.0, 12.0, float(h)]])[0] for h in (np.median(body.lower), np.median(body.upper))
    ]
    z = grid.to_index(np.array(middle))[:, 0]
    return bool((z < 0).any() or (z > grid.shape[0] - 1).any())


def _cut_bodies(labels: LabelArray, parts: npt.NDArray[np.uint8], box: Box, grid: Grid) -> set[int]:
    """Ids of vertebrae whose bodies lie on the scan's first or last slice."""
    ends = [k for k, slice_ in ((0, box[0].start), (-1, box[0].stop - 1)) if slice_ in (0, grid.shape[0] - 1)]
    return {int(i) for k in ends for i in np.unique(labels[k][parts[k] == Part.BODY])}


def _body_confidence(
    body: Body, fit: BodyFit, canal: FloatArray, span: tuple[float, float], frame: CanalFrame
) -> float:
    """How plainly edges, frame and the canal behind agree, 0..1."""
    plain = float(np.clip(body.contrast / 60, 0, 1))
    behind = float(canal[frame.index(span[0]) : frame.index(span[1]) + 1].mean())
    return float(np.clip(plain * (0.5 + 0.5 * fit.confidence) * behind, 0, 1))
