"""Vertebral bodies and discs: endplates as height fields, the waist as a smooth surface around.

Between two discs a vertebra has its own axes: cranial from the two disc planes, left from the canal. Its
endplates are sought as smooth height fields where the soft disc turns to bone, and its waist as a smooth
radius where bone turns to soft tissue. The pedicles and the canal leave the waist's back without an edge;
smoothness and the canal's own wall close it there. Cement counts as unknown throughout.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.column import Disc
from thecal.anatomy.optimal_surface import optimal_surface
from thecal.anatomy.wall import wall_at
from thecal.anatomy.working_grid import OUTSIDE_HU, interpolate_rays
from thecal.frames import CanalFrame, VertebraFrame
from thecal.volume import BoolArray, FloatArray, Grid, IntArray

CELL_MM = 1.5
HALF_WIDTH_MM = 36.0
DEPTH_MM = (-3.0, 51.0)
# Where an endplate is looked for, from the disc's plane: a biconcave one lies up to this share of the
# vertebra's spacing away, the usual one at about the second.
SEARCH_BELOW_MM = -1.5
DEEPEST_SHARE = 0.30
USUAL_SHARE = 0.12
HEIGHT_STEP_MM = 0.5
# The step is read so far to either side. An endplate is thin and bright between soft disc and spongiosa: the
# long reach finds it in noise and in thick slices but is content wherever its inner half holds all of that
# line, half a millimetre too far out; the short one tells where the line begins.
ENDPLATE_REACH_MM = (1.0, 2.0)
WAIST_ANGLES = 48
WAIST_LEVELS = 14
WAIST_RADIUS_MM = (6.0, 38.0)
WAIST_STEP_MM = 0.5
WHOLLY_KNOWN = 0.95
# Cost for each mm away from the usual depth of an endplate, seen and hidden.
USUAL_PULL = 0.06
HIDDEN_PULL = 0.3
# Disc is softer than the first, and even to the second; cost for each mm of plainly seen disc taken as bone.
MOST_DISC_HU = 130.0
DISC_RANGE_HU = 40.0
DISC_MARGIN_MM = 0.5
SEEN_DISC = 0.3
# A cell of which more than this share is hidden takes its depth from others, about so far away.
HIDDEN_CELL = 0.4
CARRY_MM = 6.0
LEAST_SHARE = 0.02
# An edge is seen where at least so many samples on either side of it are known.
LEAST_SEEN = 2


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


@dataclass(frozen=True, eq=False)
class _Sight:
    """What the bodies are read from."""

    hu: IntArray
    known: npt.NDArray[np.int16]
    grid: Grid

    def rays(
        self, frame: VertebraFrame, start: FloatArray, direction: FloatArray, at: FloatArray
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Clipped HU and knownness along local rays: start (n, 3), direction (n, 3), at (k,) mm."""
        inverse = np.linalg.inv(self.grid.affine)[:3, :3]
        axes = np.stack([frame.left, frame.anterior, frame.cranial])
        origin = self.grid.to_index(frame.to_lps(start))
        along = ((direction @ axes) @ inverse.T)[:, None]
        values = interpolate_rays(self.hu, origin, along, at)[:, 0]
        known = interpolate_rays(self.known, origin, along, at)[:, 0]
        return values, np.clip(known, 0, 1)


def _step_cost(
    values: npt.NDArray[np.float32], known: npt.NDArray[np.float32], span: int
) -> npt.NDArray[np.float32]:
    """Negative rise of HU across each sample along the last axis, over ``span`` samples either side."""
    # Beside cement a sample that is half hidden is half cement, and would pass for an edge.
    known = (known > WHOLLY_KNOWN).astype(np.float32)
    weighted = values * known
    pad = [(0, 0)] * (values.ndim - 1) + [(span, span)]
    total = np.cumsum(np.pad(weighted, pad, mode="edge"), axis=-1)
    count = np.cumsum(np.pad(known, pad, mode="edge"), axis=-1)
    n = values.shape[-1]

    def mean(first: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        t = total[..., first + span : first + span + n] - total[..., first : first + n]
        c = count[..., first + span : first + span + n] - count[..., first : first + n]
        return t / np.maximum(c, 1e-3), np.where(c >= min(LEAST_SEEN, span), c / span, 0)

    after, seen_after = mean(span - 1)
    before, seen_before = mean(0)
    step = ((after - before) * np.minimum(seen_after, seen_before))[..., :n]
    cost: npt.NDArray[np.float32] = (-step * known).astype(np.float32)
    return cost


def _endplate(
    sight: _Sight,
    frame: VertebraFrame,
    disc_plane: FloatArray,
    left: FloatArray,
    anterior: FloatArray,
    sign: int,
    spacing: float,
) -> tuple[FloatArray, float]:
    """Height field of one endplate, seen from its disc; ``sign`` 1 for the lower plate, -1 for the upper."""
    a, b = np.meshgrid(left, anterior, indexing="ij")
    offset = np.arange(SEARCH_BELOW_MM, DEEPEST_SHARE * spacing + 2.0, HEIGHT_STEP_MM)
    start = np.stack([a, b, disc_plane], axis=-1).reshape(-1, 3)
    direction = np.broadcast_to(np.array([0.0, 0.0, float(sign)]), start.shape)
    values, known = sight.rays(frame, start, direction, offset)
    cost = sum(_step_cost(values, known, round(r / HEIGHT_STEP_MM)) for r in ENDPLATE_REACH_MM) / 200
    # The nearest plain edge is meant, not the far endplate or a basivertebral cleft; where cement hides the
    # disc's rim, the nearest plain edge may be the neighbour's endplate.
    hidden = 1 - known[:, (offset > -1.0) & (offset < USUAL_SHARE * spacing + 2.0)].mean(axis=1)
    # Beside and behind the body there is no endplate to be read.
    inside = (np.abs(a) < 20) & (b > 3) & (b < 32)
    clear = _seen_disc(values, known, offset, inside)
    cost = cost + SEEN_DISC * np.clip(clear[:, None] - offset, 0, None)
    expected = np.maximum(USUAL_SHARE * spacing, clear)
    weight = np.where(inside, 1.0, 0.15).reshape(-1, 1)
    shape = (len(left), len(anterior), len(offset))
    rounds = 2 if (hidden[inside.ravel()] > HIDDEN_CELL).any() else 1
    for _ in range(rounds):
        pull = (USUAL_PULL + HIDDEN_PULL * hidden)[:, None] * np.abs(offset - expected[:, None])
        full = np.maximum(cost, -2.5) + pull
        height = optimal_surface(
            (full * weight).reshape(shape).astype(np.float32), cyclic=False, linear=0.03, square=0.12
        )
        away = np.interp(height, np.arange(len(offset)), offset)
        # What is hidden lies as deep as what is seen around it.
        around = _carried_over(away, (inside & (hidden.reshape(away.shape) <= HIDDEN_CELL)), spacing)
        expected = np.where(hidden > HIDDEN_CELL, np.maximum(around.ravel(), clear), expected)
    at = np.clip(np.rint(height), 0, len(offset) - 1).astype(int)
    edge = -np.take_along_axis(full.reshape(shape), at[:, :, None], axis=2)[:, :, 0] * 100
    return disc_plane + sign * ndimage.gaussian_filter(away, 0.7, mode="nearest"), float(
        np.median(edge[inside])
    )


def _seen_disc(
    values: npt.NDArray[np.float32], known: npt.NDArray[np.float32], offset: FloatArray, inside: BoolArray
) -> FloatArray:
    """How far from its plane the disc is seen without a break, (cells,) mm; the first offset where it is not.

    What is plainly disc cannot be bone, though cement hides the endplate behind it. Where nothing ends the
    disc the endplate was missed, or there is none, and nothing is said.
    """
    near = np.abs(offset) <= 1.0
    middle = values[inside.ravel()][:, near]
    seen = (known[inside.ravel()][:, near] > WHOLLY_KNOWN) & (middle < MOST_DISC_HU)
    if not seen.any():
        return np.full(len(values), offset[0])
    level = float(np.median(middle[seen]))
    even = ndimage.gaussian_filter(
        np.where(known > WHOLLY_KNOWN, values, level).reshape(*inside.shape, -1), (0.7, 0.7, 1.0)
    ).reshape(values.shape)
    soft = (known > WHOLLY_KNOWN) & (even < level + DISC_RANGE_HU)
    ends = np.argmin(soft, axis=1)
    reach = np.where(soft.all(axis=1), offset[0], offset[ends] - DISC_MARGIN_MM)
    clear: FloatArray = np.maximum(reach, offset[0])
    return clear


def _carried_over(away: FloatArray, seen: BoolArray, spacing: float) -> FloatArray:
    """Endplate depths (a, b) mm carried from cells where they were seen; the usual depth far from those."""
    sigma = CARRY_MM / CELL_MM
    share = ndimage.gaussian_filter(seen.astype(float), sigma)
    depth = ndimage.gaussian_filter(np.where(seen, away, 0.0), sigma)
    carried: FloatArray = (depth + LEAST_SHARE * USUAL_SHARE * spacing) / (share + LEAST_SHARE)
    return carried


def _plane_over(
    frame: VertebraFrame, point: FloatArray, normal: FloatArray, left: FloatArray, anterior: FloatArray
) -> FloatArray:
    """Heights of a plane over the cells of a frame."""
    p = frame.to_local(point)
    n = np.array([normal @ frame.left, normal @ frame.anterior, normal @ frame.cranial])
    a, b = np.meshgrid(left, anterior, indexing="ij")
    height: FloatArray = p[2] - (n[0] * (a - p[0]) + n[1] * (b - p[1])) / n[2]
    return height


def _waist(
    sight: _Sight, frame: VertebraFrame, body: Body, canal: tuple[CanalFrame, FloatArray, FloatArray]
) -> tuple[FloatArray, float]:
    """Waist radius (levels, angles) mm and the HU step across it."""
    radius = np.arange(WAIST_RADIUS_MM[0], WAIST_RADIUS_MM[1], WAIST_STEP_MM)
    angles, levels = body.angles, body.levels
    m = len(angles)
    # Rays lie between the endplates at the same share of the height everywhere.
    left = np.sin(angles)[None, :, None] * radius
    anterior = body.axis_mm + np.cos(angles)[None, :, None] * radius
    low, high = body.heights_at(
        *(np.broadcast_to(v, (1, m, len(radius))).reshape(-1) for v in (left, anterior))
    )
    low, high = low.reshape(1, m, -1), high.reshape(1, m, -1)
    up = low + levels[:, None, None] * (high - low)
    local = np.stack(np.broadcast_arrays(left, anterior, up), axis=-1)
    points = frame.to_lps(local)
    index = sight.grid.to_index(points)
    coordinates = np.moveaxis(index, -1, 0)
    values = ndimage.map_coordinates(
        sight.hu, coordinates, order=1, mode="nearest", output=np.float32, prefilter=False
    )
    known = ndimage.map_coordinates(
        sight.known, coordinates, order=1, mode="nearest", output=np.float32, prefilter=False
    )
    values = np.clip(values, -60, 350)
    fall = _step_cost(-values, known, round(2.0 / WAIST_STEP_MM)) / 100
    fat = np.cumsum(np.clip((20 - values) / 80, 0, 1) * known, axis=-1) * WAIST_STEP_MM
    canal_frame, theta, wall = canal
    s, angle, r = canal_frame.locate(points.reshape(-1, 3))
    in_canal = (r < wall_at(canal_frame, theta, wall, s, angle)).reshape(values.shape)
    canal_inside = np.cumsum(in_canal, axis=-1) * WAIST_STEP_MM
    # Towards the pedicles bone runs on: no edge is asked for there.
    back = np.abs(angles) > np.deg2rad(112)
    meets_canal: BoolArray = np.any(in_canal, axis=-1)
    cost = np.where(back[None, :, None], 0.0, np.maximum(fall, -3.0)) + 0.25 * fat
    entry = np.where(meets_canal, in_canal.argmax(axis=-1), 0)
    steps = np.arange(len(radius))
    cost = np.where(meets_canal[:, :, None], 0.5 * np.minimum(np.abs(steps - entry[:, :, None]), 12), cost)
    cost = cost + 2.0 * np.minimum(canal_inside, 5) * ~meets_canal[:, :, None]
    surface = optimal_surface(cost.astype(np.float32), cyclic=True, linear=0.04, square=0.10)
    at = np.clip(np.rint(surface), 0, len(radius) - 1).astype(int)
    edge = -np.take_along_axis(fall, at[:, :, None], axis=2)[:, :, 0] * 100
    smooth = ndimage.gaussian_filter(surface, (0.7, 0.7), mode=("nearest", "wrap"))
    return radius[0] + smooth * WAIST_STEP_MM, float(np.median(edge[:, ~back]))


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
    sight = _Sight(
        np.clip(hu, -60, 450).astype(np.int16), (~missing & (hu > OUTSIDE_HU)).astype(np.int16), grid
    )
    left = np.arange(-HALF_WIDTH_MM, HALF_WIDTH_MM + 1e-6, CELL_MM)
    anterior = np.arange(DEPTH_MM[0], DEPTH_MM[1] + 1e-6, CELL_MM)
    edges = []
    fields = []
    for disc, s, sign in ((below, span[0], 1), (above, span[1], -1)):
        if disc is None:
            point, normal = _carried_on(frame_c, s)
            fields.append(_plane_over(frame, point, normal, left, anterior))
            continue
        plane = _plane_over(frame, disc.centre, disc.normal, left, anterior)
        field, edge = _endplate(sight, frame, plane, left, anterior, sign, span[1] - span[0])
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
        15.0,
        angles,
        levels,
        np.full((WAIST_LEVELS, WAIST_ANGLES), 18.0),
        0.0,
        below is None or above is None,
    )
    for _ in range(2):
        waist, edge = _waist(sight, frame, body, canal)
        # The axis moves to the middle of what was found, so that rays meet the waist squarely.
        ahead = float(np.median(waist[:, np.abs(angles) < np.deg2rad(20)]))
        behind = float(np.median(waist[:, np.abs(angles) > np.deg2rad(160)]))
        axis = float(np.clip(body.axis_mm + (ahead - behind) / 2, 9.0, 24.0))
        body = Body(
            frame,
            left,
            anterior,
            lower,
            upper,
            body.axis_mm,
            angles,
            levels,
            waist,
            0.0,
            body.cut,
        )
        if abs(axis - body.axis_mm) < 1.0:
            break
        body = Body(frame, left, anterior, lower, upper, axis, angles, levels, waist, 0.0, body.cut)
    waist, edge = _waist(sight, frame, body, canal)
    edges.append(edge)
    return Body(
        frame,
        left,
        anterior,
        lower,
        upper,
        body.axis_mm,
        angles,
        levels,
        waist,
        float(np.mean(edges)),
        body.cut,
    )


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
