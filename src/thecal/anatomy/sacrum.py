"""Where the sacrum begins: alae to both sides of the canal, and the iliac bones beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.frames import CanalFrame, VertebraFrame
from thecal.volume import BoolArray, FloatArray, Grid, IntArray

STEP_MM = 2.0
BEYOND_MM = 60.0  # how far below the canal's caudal end the sacrum is looked for


@dataclass(frozen=True, eq=False)
class Sacrum:
    """The sacrum as far as it is seen.

    Attributes
    ----------
    top_s_mm : float
        Arc length along the canal at which the alae begin, about the upper endplate of S1; negative where
        that lies below the canal's caudal end.
    frame : VertebraFrame
        Origin on the canal's curve (or its straight continuation) at ``top_s_mm``.
    confidence : float
        0..1.
    evidence : dict of str to float
        ``ala_bone`` (share of bone where the alae lie), ``ilium_bone``, ``length_mm`` (of the stretch of the
        canal that has alae).
    """

    top_s_mm: float
    frame: VertebraFrame
    confidence: float
    evidence: dict[str, float]


def find_sacrum(hu: IntArray, grid: Grid, frame: CanalFrame) -> Sacrum | None:
    """The sacrum, from HU beside the canal; None where it is not seen.

    Across the canal, at S1 and nowhere above it, bone fills the place of the psoas to both sides (the alae),
    over more of the canal's length than a transverse process is tall, and the iliac bones lie beside it.

    Parameters
    ----------
    hu : (z, y, x) int16
        A crop that reaches 80 mm to both sides, or as far as the scan does.
    grid : Grid
        Where the crop lies.
    frame : CanalFrame
        It may end above the sacrum; it is continued straight for BEYOND_MM.

    Returns
    -------
    Sacrum or None
    """
    BONE_HU, DENSE_HU = 150.0, 100.0
    ALA_MM, AHEAD_MM = (22.0, 42.0), (-8.0, 20.0)
    ILIUM_MM, ILIUM_HU = (50.0, 80.0), 200.0
    ALA_SHARE = 0.5  # of the ala's place that is bone; transverse processes and facets reach 0.3-0.5
    ILIUM_SHARE = 0.10
    LEAST_MM = 8.0  # transverse processes are 6-8 mm tall at their root and thinner beyond
    s, points, lefts, posteriors = _continued(frame)
    lateral = np.arange(-84.0, 84.1, STEP_MM)
    ahead = np.arange(-20.0, 40.1, STEP_MM)
    bone = np.zeros((len(s), 2))
    across = np.zeros((len(s), 2))
    ilium = np.zeros((len(s), 2))
    for i in range(len(s)):
        plane, inside = _plane(hu, grid, points[i], lefts[i], -posteriors[i], lateral, ahead)
        for side, sign in enumerate((1.0, -1.0)):
            place = _within(sign * lateral, ALA_MM)[:, None] & _within(ahead, AHEAD_MM)[None, :]
            if inside[place].mean() < 0.8:
                continue
            values = plane[_within(sign * lateral, ALA_MM)][:, _within(ahead, AHEAD_MM)]
            bone[i, side] = float((values > DENSE_HU).mean())
            across[i, side] = float((values.max(axis=1) > BONE_HU).mean())
            wing = _within(sign * lateral, ILIUM_MM)
            ilium[i, side] = float(((plane[wing] > ILIUM_HU) & inside[wing]).mean())
    step = float(s[1] - s[0])
    soft = ndimage.gaussian_filter1d(np.stack([bone, across, ilium]), 2.0 / step, axis=1, mode="nearest")
    ala = (soft[0].min(axis=1) >= ALA_SHARE) & (soft[1].min(axis=1) >= 0.75)
    # Old alae hold more fat than bone: then their cortex, across and over a longer stretch, has to do.
    hollow = (soft[1].min(axis=1) >= 0.8) & (soft[2].min(axis=1) >= 1.5 * ILIUM_SHARE)
    runs, count = ndimage.label(ala | ndimage.binary_opening(hollow, np.ones(round(14.0 / step))))
    best: Sacrum | None = None
    for n in range(1, count + 1):
        rows = np.flatnonzero(runs == n)
        length = len(rows) * step
        below = slice(max(0, rows[0] - round(25.0 / step)), rows[-1] + 1)
        wings = float(soft[2].min(axis=1)[below].max())
        if length < 0.75 * LEAST_MM or wings < ILIUM_SHARE:
            continue
        density = float(soft[0].min(axis=1)[rows].max())
        top = rows[-1]
        confidence = float(
            np.clip(0.4 + 0.4 * wings / ILIUM_SHARE, 0.0, 1.0)
            * np.clip(0.7 + 2.0 * (density - 0.35), 0.7, 1.0)
            * np.clip(length / LEAST_MM, 0.75, 1.0)
        )
        found = Sacrum(
            float(s[top]),
            VertebraFrame.from_axes(points[top], np.cross(lefts[top], posteriors[top]), lefts[top]),
            confidence,
            {"ala_bone": density, "ilium_bone": wings, "length_mm": length},
        )
        if best is None or found.confidence > best.confidence:
            best = found
    return best


def sacrum_below(sacrum: Sacrum | None, frame: CanalFrame, vertebrae: Sequence[VertebraFrame]) -> list[float]:
    """For each vertebra, caudal to cranial, the probability that the sacrum is its caudal neighbour.

    A body whose posterior wall lies below the sacrum's top is a sacral segment: it has 0, and the caller
    should take it for part of the sacrum.
    """
    NEAREST_MM, FARTHEST_MM = 4.0, 34.0  # from the middle of L5's posterior wall to the top of S1, ~12-25
    if sacrum is None:
        return [0.0] * len(vertebrae)
    heights = [float(frame.locate(v.origin)[0][0]) - sacrum.top_s_mm for v in vertebrae]
    result = [0.0] * len(vertebrae)
    above = [i for i, h in enumerate(heights) if h > NEAREST_MM]
    if above and heights[above[0]] <= FARTHEST_MM:
        result[above[0]] = sacrum.confidence
    return result


def sacrum_mask(hu: IntArray, grid: Grid, sacrum: Sacrum) -> BoolArray:
    """Voxels of the sacrum: bone below its top, parted from the iliac bones along the joints.

    Parameters
    ----------
    hu : (z, y, x) int16
    grid : Grid
    sacrum : Sacrum

    Returns
    -------
    (z, y, x) bool
    """
    from skimage.segmentation import watershed

    BONE_HU = 110.0
    CAUDAL_MM, BEHIND_MM, AHEAD_MM, SIDE_MM = 120.0, 75.0, 40.0, 80.0
    BODY_MM, WING_MM = 24.0, 64.0
    CORTEX_MM, MARROW_MM = 4.0, 10.0  # gaps closed in the cortex, and across the hollow of an ala
    lateral = np.arange(-SIDE_MM, SIDE_MM + 0.1, STEP_MM)
    ahead = np.arange(-BEHIND_MM, AHEAD_MM + 0.1, STEP_MM)
    up = np.arange(-CAUDAL_MM, 0.1, STEP_MM)
    local = np.stack(np.meshgrid(lateral, ahead, up, indexing="ij"), axis=-1)
    index = grid.to_index(sacrum.frame.to_lps(local.reshape(-1, 3))).T
    inside = ((index >= -0.5) & (index <= np.array(hu.shape)[:, None] - 0.5)).all(axis=0)
    values = ndimage.map_coordinates(hu, index, order=1, mode="nearest", output=np.float32)
    values[~inside] = -1000.0
    values = values.reshape(local.shape[:3])
    smooth = ndimage.gaussian_filter(values, 0.7)
    bone = _filled(smooth > BONE_HU, CORTEX_MM)
    markers = np.zeros(bone.shape, np.int32)
    middle = np.abs(local[..., 0]) < BODY_MM
    markers[bone & middle & (local[..., 1] > -35.0)] = 1
    markers[bone & (np.abs(local[..., 0]) > WING_MM)] = 2
    markers[~bone] = 0
    parts = watershed(-smooth, markers, mask=bone)
    pieces, count = ndimage.label(parts == 1)
    mask = np.zeros(hu.shape, bool)
    if count == 0:
        return mask
    largest = pieces == 1 + int(np.argmax(np.bincount(pieces.ravel())[1:]))
    # Fat marrow of the alae is no brighter than muscle: what the cortex half surrounds belongs to it.
    largest = _filled(largest, MARROW_MM) & (parts != 2) & inside.reshape(largest.shape)
    corners = sacrum.frame.to_lps(local[[0, 0, 0, 0, -1, -1, -1, -1], [0, 0, -1, -1] * 2, [0, -1] * 4])
    box = grid.box_around(corners, 0.0)
    voxels = np.stack(np.meshgrid(*[np.arange(b.start, b.stop) for b in box], indexing="ij"), axis=-1)
    where = sacrum.frame.to_local(grid.to_lps(voxels.reshape(-1, 3)))
    origin = np.array([lateral[0], ahead[0], up[0]])
    cell = ((where - origin) / STEP_MM).T
    inner = ndimage.map_coordinates(
        largest.astype(np.float32), cell, order=1, mode="constant", cval=0.0, prefilter=False
    )
    mask[box] = (inner >= 0.5).reshape(voxels.shape[:3])
    return mask


def _filled(shell: BoolArray, closing_mm: float) -> BoolArray:
    """Bone with its marrow: what the cortex encloses in planes along and across the sacrum."""
    reach = round(closing_mm / STEP_MM)
    padded = np.pad(shell, reach + 1)
    grown = ndimage.distance_transform_edt(~padded) <= reach
    closed = ndimage.distance_transform_edt(grown) > reach
    inside = closed.copy()
    for axis in (0, 2):
        for k in range(closed.shape[axis]):
            at = (slice(None),) * axis + (k,)
            inside[at] |= ndimage.binary_fill_holes(closed[at])
    margin = slice(reach + 1, -reach - 1)
    filled: BoolArray = inside[margin, margin, margin]
    return filled


def _continued(frame: CanalFrame) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """The curve sampled every STEP_MM, with a straight piece below it: s, points, left, posterior."""
    below = np.arange(-BEYOND_MM, 0.0, STEP_MM)
    s = np.arange(0.0, frame.s_mm[-1], STEP_MM)
    i = frame.index(s)
    # The last centimetre's direction, not that of its very end, which a ragged end would turn.
    direction = frame.points[min(10, len(frame.points) - 1)] - frame.points[0]
    direction /= np.linalg.norm(direction)
    first = frame.points[0] + below[:, None] * direction
    repeat = np.zeros(len(below), int)
    return (
        np.concatenate([below, s]),
        np.concatenate([first, frame.points[i]]),
        np.concatenate([frame.left[repeat], frame.left[i]]),
        np.concatenate([frame.posterior[repeat], frame.posterior[i]]),
    )


def _plane(
    hu: IntArray,
    grid: Grid,
    point: FloatArray,
    left: FloatArray,
    anterior: FloatArray,
    lateral: FloatArray,
    ahead: FloatArray,
) -> tuple[npt.NDArray[np.float32], BoolArray]:
    """HU on a plane across the canal, (lateral, ahead), and whether each point lies in the scan."""
    where = point + lateral[:, None, None] * left + ahead[None, :, None] * anterior
    index = grid.to_index(where)
    inside: BoolArray = np.all((index >= -0.5) & (index <= np.array(hu.shape) - 0.5), axis=-1)
    values: npt.NDArray[np.float32] = ndimage.map_coordinates(
        hu, index.transpose(2, 0, 1), order=1, mode="nearest", output=np.float32, prefilter=False
    )
    values[~inside] = -1000.0
    return values, inside


def _within(values: FloatArray, bounds: tuple[float, float]) -> BoolArray:
    return (values >= bounds[0]) & (values <= bounds[1])
