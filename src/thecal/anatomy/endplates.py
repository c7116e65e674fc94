"""Endplates: smooth height fields where the soft disc turns to bone.

Each is looked for from the plane of its disc. Where cement hides it, its depth is carried over from where it
is seen around.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.bone_edge import WHOLLY_KNOWN, Sight, step_cost
from thecal.anatomy.optimal_surface import optimal_surface
from thecal.frames import VertebraFrame
from thecal.volume import BoolArray, FloatArray

CELL_MM = 1.5
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
ACROSS_MM = 1.5
CARRY_MM = 6.0
LEAST_SHARE = 0.02


def find_endplate(
    sight: Sight,
    frame: VertebraFrame,
    disc_plane: FloatArray,
    left: FloatArray,
    anterior: FloatArray,
    sign: int,
    spacing: float,
) -> tuple[FloatArray, float]:
    """The height field of one endplate, seen from its disc.

    Parameters
    ----------
    sight : Sight
    frame : VertebraFrame
    disc_plane : (a, b) mm
        Height of the disc's plane over the cells.
    left, anterior : (a,), (b,) mm
        Coordinates of the cells in the frame, ``CELL_MM`` apart.
    sign : int
        1 for the lower plate of the body above the disc, -1 for the upper plate of the body below.
    spacing : float
        From the disc to the vertebra's other disc, mm.

    Returns
    -------
    field : (a, b) mm
        Height of the endplate along ``frame.cranial``.
    edge : float
        Median HU step across it.
    """
    a, b = np.meshgrid(left, anterior, indexing="ij")
    offset = np.arange(SEARCH_BELOW_MM, DEEPEST_SHARE * spacing + 2.0, HEIGHT_STEP_MM)
    start = np.stack([a, b, disc_plane], axis=-1).reshape(-1, 3)
    direction = np.broadcast_to(np.array([0.0, 0.0, float(sign)]), start.shape)
    values, known = sight.rays(frame, start, direction, offset)
    cost = sum(step_cost(values, known, round(r / HEIGHT_STEP_MM)) for r in ENDPLATE_REACH_MM) / 200
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
    rounds = 2 if (known[inside.ravel()] < WHOLLY_KNOWN).any() else 1
    for _ in range(rounds):
        pull = (USUAL_PULL + HIDDEN_PULL * hidden)[:, None] * np.abs(offset - expected[:, None])
        full = np.maximum(cost, -2.5) + pull
        height = optimal_surface(
            (full * weight).reshape(shape).astype(np.float32), cyclic=False, linear=0.03, square=0.12
        )
        away = np.interp(height, np.arange(len(offset)), offset)
        # What is hidden lies as deep as what is seen around it. A thick disc's plate may lie behind cement
        # that leaves most of the way to the usual depth free.
        hidden = np.maximum(hidden, _unseen(known, offset, away.ravel()))
        around = _carried_over(away, (inside & (hidden.reshape(away.shape) <= HIDDEN_CELL)), spacing)
        hidden = np.maximum(hidden, _unseen(known, offset, around.ravel()))
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


def _unseen(known: npt.NDArray[np.float32], offset: FloatArray, depth: FloatArray) -> FloatArray:
    """Share (cells,) of the way across a plate at this depth that is hidden."""
    near = np.abs(offset - depth[:, None]) <= ACROSS_MM
    share: FloatArray = 1 - (known * near).sum(axis=1) / np.maximum(near.sum(axis=1), 1)
    return share


def _carried_over(away: FloatArray, seen: BoolArray, spacing: float) -> FloatArray:
    """Endplate depths (a, b) mm carried from cells where they were seen; the usual depth far from those."""
    sigma = CARRY_MM / CELL_MM
    share = ndimage.gaussian_filter(seen.astype(float), sigma)
    depth = ndimage.gaussian_filter(np.where(seen, away, 0.0), sigma)
    carried: FloatArray = (depth + LEAST_SHARE * USUAL_SHARE * spacing) / (share + LEAST_SHARE)
    return carried


def plane_over(
    frame: VertebraFrame, point: FloatArray, normal: FloatArray, left: FloatArray, anterior: FloatArray
) -> FloatArray:
    """Heights of a plane over the cells of a frame, (a, b) mm."""
    p = frame.to_local(point)
    n = np.array([normal @ frame.left, normal @ frame.anterior, normal @ frame.cranial])
    a, b = np.meshgrid(left, anterior, indexing="ij")
    height: FloatArray = p[2] - (n[0] * (a - p[0]) + n[1] * (b - p[1])) / n[2]
    return height
