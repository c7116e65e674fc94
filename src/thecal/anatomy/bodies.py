"""Vertebral bodies and discs: endplates as height fields, the waist as a smooth surface around.

Between two discs a vertebra has its own axes: cranial from the two disc planes, left from the canal. Its
endplates are sought as smooth height fields where the soft disc turns to bone, and its waist as a smooth
radius where bone turns to soft tissue. The pedicles and the canal leave the waist's back without an edge;
smoothness and the canal's own wall close it there. Cement counts as unknown throughout.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.bone_edge import Sight, step_cost
from thecal.anatomy.column import Disc
from thecal.anatomy.endplates import CELL_MM, find_endplate, plane_over
from thecal.anatomy.optimal_surface import optimal_surface
from thecal.anatomy.wall import wall_at
from thecal.frames import CanalFrame, VertebraFrame
from thecal.volume import BoolArray, FloatArray, Grid, IntArray

HALF_WIDTH_MM = 36.0
DEPTH_MM = (-3.0, 51.0)
WAIST_ANGLES = 48
WAIST_LEVELS = 14
WAIST_RADIUS_MM = (6.0, 38.0)
WAIST_STEP_MM = 0.5
# Farther back than this the pedicles leave the body.
BACK = np.deg2rad(112)
# What a millimetre from the expected waist costs; a plain edge of bone is worth 3.
EXPECTED_PER_MM = 0.2


@dataclass(frozen=True, eq=False)
class Body:
    """One vertebral body, bounded by two height fields and a waist, in its own frame.

    Attributes
    ----------
    frame : VertebraFrame
        Origin at the canal's anterior wall at mid height.
    left, anterior : (a,), (b,) float64
        Coordinates of the height fields' cells, mm.
    lower, upper : (a, b) float64
        Heights of the endplates over those cells, mm along ``frame.cranial``.
    axis_mm : float
        How far in front of the origin the waist's axis stands.
    angles, levels : (m,), (k,)
        Waist sampling: angle from anterior to left, and share of the height between the endplates.
    waist : (k, m) float64
        Radius, mm.
    contrast : float
        Mean HU step across endplates and waist: how plainly the body is seen.
    cut : bool
        Whether the scan's edge cuts it.
    """

    frame: VertebraFrame
    left: FloatArray
    anterior: FloatArray
    lower: FloatArray
    upper: FloatArray
    axis_mm: float
    angles: FloatArray
    levels: FloatArray
    waist: FloatArray
    contrast: float
    cut: bool

    def heights_at(self, left: FloatArray, anterior: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Lower and upper endplate heights over local points, mm."""
        step = self.left[1] - self.left[0]
        at = [(left - self.left[0]) / step, (anterior - self.anterior[0]) / step]
        low = ndimage.map_coordinates(self.lower, at, order=1, mode="nearest")
        high = ndimage.map_coordinates(self.upper, at, order=1, mode="nearest")
        return low, high

    def waist_at(
        self, left: FloatArray, anterior: FloatArray, share: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Distance of local points from the waist's axis, and the waist's radius in that direction, mm."""
        forward = anterior - self.axis_mm
        radius = np.hypot(left, forward)
        angle = np.arctan2(left, forward)
        column = (angle - self.angles[0]) / (self.angles[1] - self.angles[0])
        row = np.clip((share - self.levels[0]) / (self.levels[1] - self.levels[0]), 0, len(self.levels) - 1)
        ring = np.concatenate([self.waist, self.waist[:, :1]], axis=1)
        limit = ndimage.map_coordinates(ring, [row, column % len(self.angles)], order=1, mode="nearest")
        return radius, limit


def find_waist(
    sight: Sight,
    body: Body,
    canal: tuple[CanalFrame, FloatArray, FloatArray],
    expected: FloatArray | None = None,
) -> tuple[FloatArray, float]:
    """Waist radius (levels, angles) mm and the HU step across it.

    ``expected`` (levels, angles) mm draws the surface to itself where edges say little.
    """
    radius = np.arange(WAIST_RADIUS_MM[0], WAIST_RADIUS_MM[1], WAIST_STEP_MM)
    angles = body.angles
    points = waist_rays(body, radius)
    values, known = look_along(sight, points)
    values = np.clip(values, -60, 350)
    fall = step_cost(-values, known, round(2.0 / WAIST_STEP_MM)) / 100
    fat = np.cumsum(np.clip((20 - values) / 80, 0, 1) * known, axis=-1) * WAIST_STEP_MM
    canal_frame, theta, wall = canal
    s, angle, r = canal_frame.locate(points.reshape(-1, 3))
    in_canal = (r < wall_at(canal_frame, theta, wall, s, angle)).reshape(values.shape)
    canal_inside = np.cumsum(in_canal, axis=-1) * WAIST_STEP_MM
    # Towards the pedicles bone runs on: no edge is asked for there.
    back = np.abs(angles) > BACK
    meets_canal: BoolArray = np.any(in_canal, axis=-1)
    cost = np.where(back[None, :, None], 0.0, np.maximum(fall, -3.0)) + 0.25 * fat
    entry = np.where(meets_canal, in_canal.argmax(axis=-1), 0)
    steps = np.arange(len(radius))
    cost = np.where(meets_canal[:, :, None], 0.5 * np.minimum(np.abs(steps - entry[:, :, None]), 12), cost)
    cost = cost + 2.0 * np.minimum(canal_inside, 5) * ~meets_canal[:, :, None]
    if expected is not None:
        cost = cost + EXPECTED_PER_MM * np.abs(radius - expected[:, :, None])
    surface = optimal_surface(cost.astype(np.float32), cyclic=True, linear=0.04, square=0.10)
    at = np.clip(np.rint(surface), 0, len(radius) - 1).astype(int)
    edge = -np.take_along_axis(fall, at[:, :, None], axis=2)[:, :, 0] * 100
    smooth = ndimage.gaussian_filter(surface, (0.7, 0.7), mode=("nearest", "wrap"))
    return radius[0] + smooth * WAIST_STEP_MM, float(np.median(edge[:, ~back]))


def waist_rays(body: Body, radius: FloatArray) -> FloatArray:
    """LPS points (levels, angles, k, 3) on rays from the axis; ``radius`` is (k,) or (levels, angles, k).

    A ray lies between the endplates at the same share of the height everywhere.
    """
    radius = np.broadcast_to(
        radius, (1, len(body.angles), radius.shape[-1]) if radius.ndim == 1 else radius.shape
    )
    left = np.sin(body.angles)[None, :, None] * radius
    anterior = body.axis_mm + np.cos(body.angles)[None, :, None] * radius
    low, high = (x.reshape(left.shape) for x in body.heights_at(left.reshape(-1), anterior.reshape(-1)))
    up = low + body.levels[:, None, None] * (high - low)
    return body.frame.to_lps(np.stack(np.broadcast_arrays(left, anterior, up), axis=-1))


def look_along(sight: Sight, points: FloatArray) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """HU and knownness at LPS points (..., 3), between the voxels."""
    coordinates = np.moveaxis(sight.grid.to_index(points), -1, 0)
    values, known = (
        ndimage.map_coordinates(of, coordinates, order=1, mode="nearest", output=np.float32, prefilter=False)
        for of in (sight.hu, sight.known)
    )
    return values, known


def find_body(
    hu: IntArray,
    missing: BoolArray,
    grid: Grid,
    canal: tuple[CanalFrame, FloatArray, FloatArray],
    below: Disc | None,
    above: Disc | None,
    span: tuple[float, float],
) -> Body:
    """One body between two discs; where a disc is None a plane at the span's end stands in its place.

    Parameters
    ----------
    hu, missing : (z, y, x)
        On an even grid of about 1 mm.
    canal : frame, theta (m,), wall (n, m) mm
    below, above : Disc or None
    span : (float, float)
        s of the vertebra's lower and upper bound, mm; it may lie beyond the scan.
    """
    frame_c, theta, wall = canal
    middle = int(frame_c.index(0.5 * (span[0] + span[1])))
    normals = [d.normal for d in (below, above) if d is not None] or [frame_c.cranial[middle]]
    cranial = np.sum(normals, axis=0)
    front = wall[max(0, middle - 4) : middle + 5][:, np.abs(theta) < np.deg2rad(25)].mean()
    origin = frame_c.points[middle] - frame_c.posterior[middle] * front
    frame = VertebraFrame.from_axes(origin, cranial, frame_c.left[middle])
    sight = Sight.of(hu, missing, grid)
    left = np.arange(-HALF_WIDTH_MM, HALF_WIDTH_MM + 1e-6, CELL_MM)
    anterior = np.arange(DEPTH_MM[0], DEPTH_MM[1] + 1e-6, CELL_MM)
    edges = []
    fields = []
    for disc, s, sign in ((below, span[0], 1), (above, span[1], -1)):
        if disc is None:
            point, normal = _carried_on(frame_c, s)
            fields.append(plane_over(frame, point, normal, left, anterior))
            continue
        plane = plane_over(frame, disc.centre, disc.normal, left, anterior)
        field, edge = find_endplate(sight, frame, plane, left, anterior, sign, span[1] - span[0])
        fields.append(field)
        edges.append(edge)
    lower, upper = fields[0], np.maximum(fields[1], fields[0] + 2.0)
    angles = -np.pi + 2 * np.pi * np.arange(WAIST_ANGLES) / WAIST_ANGLES
    levels = (np.arange(WAIST_LEVELS) + 0.5) / WAIST_LEVELS
    body = Body(
        frame,
        left,
        anterior,
        lower,
        upper,
        axis_mm=15.0,
        angles=angles,
        levels=levels,
        waist=np.full((WAIST_LEVELS, WAIST_ANGLES), 18.0),
        contrast=0.0,
        cut=below is None or above is None,
    )
    for _ in range(2):
        waist, _ = find_waist(sight, body, canal)
        # The axis moves to the middle of what was found, so that rays meet the waist squarely.
        ahead = float(np.median(waist[:, np.abs(angles) < np.deg2rad(20)]))
        behind = float(np.median(waist[:, np.abs(angles) > np.deg2rad(160)]))
        axis = float(np.clip(body.axis_mm + (ahead - behind) / 2, 9.0, 24.0))
        if abs(axis - body.axis_mm) < 1.0:
            break
        body = replace(body, axis_mm=axis)
    waist, edge = find_waist(sight, body, canal)
    return replace(body, waist=waist, contrast=float(np.mean([*edges, edge])))


def _carried_on(frame: CanalFrame, s: float) -> tuple[FloatArray, FloatArray]:
    """A point of the canal's curve and its direction there; straight on beyond the ends."""
    i = int(frame.index(s))
    point: FloatArray = frame.points[i] + (s - frame.s_mm[i]) * frame.cranial[i]
    return point, frame.cranial[i]


def local_box(body: Body, grid: Grid) -> tuple[slice, slice, slice]:
    """The index box that holds a body and its discs."""
    low = float(body.lower.min()) - 12
    high = float(body.upper.max()) + 12
    corners = [(a, b, c) for a in (-HALF_WIDTH_MM, HALF_WIDTH_MM) for b in DEPTH_MM for c in (low, high)]
    return grid.box_around(body.frame.to_lps(np.array(corners)), 1.0)


def inside_body(body: Body, points: FloatArray) -> tuple[BoolArray, FloatArray]:
    """Whether LPS points (n, 3) lie in the body, and their share of its height (below 0, above 1 outside)."""
    local = body.frame.to_local(points)
    low, high = body.heights_at(local[:, 0], local[:, 1])
    share = (local[:, 2] - low) / (high - low)
    radius, limit = body.waist_at(local[:, 0], local[:, 1], np.clip(share, 0, 1))
    inside: BoolArray = (share >= 0) & (share <= 1) & (radius <= limit)
    return inside, share
