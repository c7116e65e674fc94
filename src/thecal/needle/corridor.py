"""A pedicle as a way for a needle: its smallest section, its axis, its medial wall."""

from __future__ import annotations

from typing import Final

import numpy as np
from skimage.measure import find_contours

from thecal.leakage.revision.pedicle_size import LEAST_MM2, diameters, largest_section
from thecal.needle.plan_value import Corridor
from thecal.needle.search.keep_away import MEDIAL, NEAR_LOW_MM, NEAR_STEP_MM, KeepAway
from thecal.terms import Side
from thecal.volume import BoolArray, FloatArray

RASTER_MM: Final = 0.4
SLAB_MM: Final = (-7.0, -2.0)
"""Behind the middle of the posterior wall, where all of the arch is pedicle."""
HALF_WIDE_MM: Final = 13.0
HALF_HIGH_MM: Final = 14.0
ACROSS_MM: Final = (2.0, 30.0)
WALL_MM: Final = (-12.0, 0.5)
WALL_SHARE: Final = 0.4
"""Above and below its middle, as a share of the pedicle's height, the medial wall is looked for."""
FINEST_MM: Final = 0.8
"""With wider pixels the marrow between two cortices is not told from them."""
MARROW_DIP_HU: Final = 100.0
"""The marrow is that much darker than either cortex, or it is not seen."""
NEAR_MIDDLE_MM: Final = 3.0
WIDEST_MM: Final = 24.0
"""Wider is no pedicle (L5: 18 mm, up to 22 in one series)."""


def corridor(keep: KeepAway, side: Side, pedicle_mm: tuple[float, float], pixel_mm: float) -> Corridor | None:
    """The pedicle of one side; None where none is found.

    Parameters
    ----------
    keep : KeepAway
    side : "left" or "right"
    pedicle_mm : (float, float)
        Where its middle is thought to be: lateral of the midline, and cranial.
    pixel_mm : float
        The scan's pixels.
    """
    sign = 1.0 if side == "left" else -1.0
    line = _middle_line(keep, sign, pedicle_mm)
    if line is None:
        return None
    at, axis = line
    across = np.cross(axis, [0.0, 0.0, 1.0])
    across /= np.linalg.norm(across)
    across *= np.sign(across[0]) * sign  # outward
    up = np.cross(across, axis)
    up *= np.sign(up[2])
    wide = np.arange(-HALF_WIDE_MM, HALF_WIDE_MM, RASTER_MM)
    high = np.arange(-HALF_HIGH_MM, HALF_HIGH_MM, RASTER_MM)
    best: tuple[float, FloatArray, BoolArray] | None = None
    for depth in np.arange(SLAB_MM[1], SLAB_MM[0] - 1e-6, -RASTER_MM):
        middle = at + axis * (depth - at[1]) / axis[1]
        plane = middle + wide[:, None, None] * across + high[None, :, None] * up
        section = _own_side(keep.depth_in_bone(plane) >= 0.0, plane, sign)
        section = largest_section(section)
        area = float(section.sum()) * RASTER_MM**2
        if area >= LEAST_MM2 and (best is None or area < best[0]):
            best = (area, middle, section)
    if best is None:
        return None
    _, middle, section = best
    width, height, centre = diameters(section, RASTER_MM)
    if width > WIDEST_MM:
        return None
    isthmus = middle + wide[centre[0]] * across + high[centre[1]] * up
    frame = keep.vertebra.frame
    outline = _outline(section, middle, across, up)
    turned = frame.to_lps(axis) - frame.origin
    return Corridor(
        side=side,
        isthmus_mm=_point(frame.to_lps(isthmus)),
        axis=turned,
        width_mm=float(width),
        height_mm=float(height),
        inner_width_mm=_marrow_mm(keep, isthmus, across, up, width) if pixel_mm <= FINEST_MM else None,
        transverse_deg=float(np.degrees(np.arctan2(-sign * axis[0], axis[1]))),
        sagittal_deg=float(np.degrees(np.arctan2(axis[2], axis[1]))),
        outline=frame.to_lps(outline),
        medial_wall=frame.to_lps(_medial_wall(keep, isthmus, sign, float(height))),
    )


def _own_side(section: BoolArray, plane: FloatArray, sign: float) -> BoolArray:
    kept: BoolArray = section & (sign * plane[..., 0] > ACROSS_MM[0]) & (sign * plane[..., 0] < ACROSS_MM[1])
    return kept


def _middle_line(
    keep: KeepAway, sign: float, pedicle_mm: tuple[float, float]
) -> tuple[FloatArray, FloatArray] | None:
    """A point and the direction of the line through the middles of the sections, in the vertebra's frame."""
    lateral = np.arange(ACROSS_MM[0], ACROSS_MM[1], RASTER_MM)
    up = pedicle_mm[1] + np.arange(-HALF_HIGH_MM, HALF_HIGH_MM, RASTER_MM)
    middles = []
    for y in np.arange(SLAB_MM[1], SLAB_MM[0] - 1e-6, -0.8):
        plane = np.stack(
            np.broadcast_arrays(sign * lateral[:, None], np.full((1, 1), y), up[None, :]), axis=-1
        )
        section = largest_section(np.asarray(keep.depth_in_bone(plane) >= 0.0))
        if float(section.sum()) * RASTER_MM**2 < LEAST_MM2:
            continue
        aside, high = _middle_of(section)
        middles.append(
            (sign * np.interp(aside, np.arange(len(lateral)), lateral), y, up[0] + high * RASTER_MM)
        )
    if len(middles) < 4:
        return None
    points = np.array(middles)
    slope_x, slope_z = (_slope(points[:, 1], points[:, k]) for k in (0, 2))
    at = np.array(
        [
            np.median(points[:, 0] - slope_x * points[:, 1]),
            0.0,
            np.median(points[:, 2] - slope_z * points[:, 1]),
        ]
    )
    axis = np.array([slope_x, 1.0, slope_z])
    return at, axis / np.linalg.norm(axis)


def _middle_of(section: BoolArray) -> tuple[float, float]:
    """The middle between both side walls near the largest circle's middle, and that of the height there."""
    _, _, (column, row) = diameters(section, RASTER_MM)
    reach = round(NEAR_MIDDLE_MM / RASTER_MM)
    sides = [
        _run(section[:, k], column)
        for k in range(max(row - reach, 0), min(row + reach + 1, section.shape[1]))
    ]
    known = [(a + b) / 2.0 for a, b in (side for side in sides if side is not None)]
    ends = _run(section[column], row)
    high = float(row) if ends is None else (ends[0] + ends[1]) / 2.0
    return (float(np.median(known)) if known else float(column)), high


def _run(line: BoolArray, at: int) -> tuple[int, int] | None:
    """First and last of the bone round a place of a line; None where there is none."""
    if not line[at]:
        return None
    before, after = np.flatnonzero(~line[:at]), np.flatnonzero(~line[at:])
    return (int(before[-1]) + 1 if len(before) else 0), (at + int(after[0]) if len(after) else len(line)) - 1


def _slope(depth: FloatArray, value: FloatArray) -> float:
    """Median of the slopes between all pairs (Theil-Sen): one section with a joint on it changes little."""
    i, j = np.triu_indices(len(depth), 1)
    return float(np.median((value[j] - value[i]) / (depth[j] - depth[i])))


def _outline(section: BoolArray, middle: FloatArray, across: FloatArray, up: FloatArray) -> FloatArray:
    contours = find_contours(np.pad(section, 1).astype(float), 0.5)
    longest = max(contours, key=len) - 1.0
    aside = longest[:, 0] * RASTER_MM - HALF_WIDE_MM
    high = longest[:, 1] * RASTER_MM - HALF_HIGH_MM
    border: FloatArray = middle + aside[:, None] * across + high[:, None] * up
    return border


def _medial_wall(keep: KeepAway, isthmus: FloatArray, sign: float, height: float) -> FloatArray:
    """From back to front: where bone begins, or where the canal still is at any height beside it."""
    lateral = np.arange(ACROSS_MM[0], ACROSS_MM[1], RASTER_MM)
    inner = lateral[lateral <= sign * isthmus[0]]
    heights = isthmus[2] + np.arange(-WALL_SHARE, WALL_SHARE + 1e-6, 0.1) * height
    border = []
    for y in np.arange(WALL_MM[0], WALL_MM[1], 0.8):
        line = np.stack(np.broadcast_arrays(sign * lateral, y, isthmus[2]), axis=-1)
        bone = keep.depth_in_bone(line) >= 0.0
        back = np.flatnonzero(~bone[: np.argmin(np.abs(lateral - sign * isthmus[0])) + 1])
        if len(back) and back[-1] + 1 < len(lateral):
            beside = np.stack(np.broadcast_arrays(sign * inner[:, None], y, heights[None, :]), axis=-1)
            canal = np.flatnonzero((keep.distance(MEDIAL, beside) <= 0.0).any(axis=1))
            reach = inner[canal[-1]] if len(canal) else 0.0
            border.append((sign * max(lateral[back[-1] + 1], reach), y, isthmus[2]))
    return np.array(border) if border else np.zeros((0, 3))


def _marrow_mm(
    keep: KeepAway, isthmus: FloatArray, across: FloatArray, up: FloatArray, width: float
) -> float | None:
    """Width of the dark middle between two bright cortices, half-way between both; None where unseen."""
    off = np.arange(-width / 2.0 - 1.5, width / 2.0 + 1.5, 0.2)
    rows = np.array([-1.0, 0.0, 1.0])
    points = isthmus + off[:, None, None] * across + rows[None, :, None] * up
    index = np.rint((points - NEAR_LOW_MM) / NEAR_STEP_MM).astype(int)
    size = np.array(keep.block.hu.shape)
    if (index < 0).any() or (index >= size).any():
        return None
    profile = keep.block.hu[tuple(np.moveaxis(index, -1, 0))].mean(1)
    if not np.isfinite(profile).all():
        return None
    inner = np.abs(off) < width / 4.0
    if not inner.any():
        return None
    low = int(np.flatnonzero(inner)[np.argmin(profile[inner])])
    left, right = int(profile[: low + 1].argmax()), low + int(profile[low:].argmax())
    if min(profile[left], profile[right]) - profile[low] < MARROW_DIP_HU:
        return None
    first = np.flatnonzero(profile[left : low + 1] < (profile[left] + profile[low]) / 2.0)
    last = np.flatnonzero(profile[low : right + 1] < (profile[right] + profile[low]) / 2.0)
    if not len(first) or not len(last):
        return None
    return float(off[low + last[-1]] - off[left + first[0]])


def _point(values: FloatArray) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
