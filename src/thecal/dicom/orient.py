"""Bring an array of any axis order to (z, y, x): to cranial, to posterior, to the left."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import numpy.typing as npt

from thecal.volume import FloatArray, Grid, IntArray


def nearest_axes(affine: FloatArray) -> tuple[tuple[int, int, int], tuple[bool, bool, bool]]:
    """Which array axis runs nearest to z, y and x, and whether against it.

    Parameters
    ----------
    affine : (4, 4) float64
        Array index to LPS mm.

    Returns
    -------
    axes, flips
        As in ``thecal.volume.Source``.
    """
    cosines = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)

    def alignment(order: tuple[int, ...]) -> float:
        return round(sum(abs(float(cosines[2 - k, axis])) for k, axis in enumerate(order)), 9)

    best = max(permutations(range(3)), key=alignment)
    flips = [bool(cosines[2 - k, axis] < 0) for k, axis in enumerate(best)]
    return (best[0], best[1], best[2]), (flips[0], flips[1], flips[2])


def turned_grid(grid: Grid, axes: tuple[int, int, int], flips: tuple[bool, bool, bool]) -> Grid:
    """The grid of an array after its axes are re-ordered and flipped."""
    affine = np.eye(4)
    corner = np.zeros(3)
    for k, (axis, flip) in enumerate(zip(axes, flips, strict=True)):
        affine[:3, k] = grid.affine[:3, axis] * (-1 if flip else 1)
        if flip:
            corner[axis] = grid.shape[axis] - 1
    affine[:3, 3] = grid.to_lps(corner)
    return Grid((grid.shape[axes[0]], grid.shape[axes[1]], grid.shape[axes[2]]), affine)


def turned(array: npt.NDArray[Any], axes: tuple[int, int, int], flips: tuple[bool, bool, bool]) -> IntArray:
    """The array with its axes re-ordered and flipped; a copy only where memory order asks for one."""
    view = np.transpose(array, axes)[tuple(slice(None, None, -1 if flip else None) for flip in flips)]
    return np.ascontiguousarray(view, np.int16)


def orientation_code(affine: FloatArray) -> str:
    """Where each array axis points, a letter an axis: "LPS" for a plain axial series."""
    axes, flips = nearest_axes(affine)
    letters = [""] * 3
    for against_and_along, axis, flip in zip(("IS", "AP", "RL"), axes, flips, strict=True):
        letters[axis] = against_and_along[0 if flip else 1]
    return "".join(letters)
