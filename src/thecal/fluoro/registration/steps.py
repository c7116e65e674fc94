"""The six numbers of a pose, along and about the axes of the view."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from thecal.fluoro.projection.view import Pose, View
from thecal.volume import FloatArray

NAMES = ("along row", "along column", "depth", "about row", "about column", "in plane")


@lru_cache(maxsize=16)
def axes(view: View) -> FloatArray:
    """Unit vectors along the row, the column, and from the source to the detector, as rows (3, 3)."""
    row = view.along_row / np.linalg.norm(view.along_row)
    away = view.normal
    column = view.along_column - (view.along_column @ row) * row
    column = column / np.linalg.norm(column)
    unit: FloatArray = np.stack([row, column, away])
    return unit


def moved(pose: Pose, view: View, centre: FloatArray, step: npt.ArrayLike) -> Pose:
    """A pose after a further step.

    Parameters
    ----------
    pose : Pose
    view : View
    centre : (3,) float64
        LPS mm in the CT: turns are about where the pose puts it.
    step : (6,) array-like
        Shifts along row, column and depth in mm, then turns about them in degrees.
    """
    amounts = np.asarray(step, float)
    unit = axes(view)
    return Pose.about(pose.apply(centre), amounts[3:] @ unit, amounts[:3] @ unit).after(pose)


def step_between(centre: FloatArray, view: View, one: Pose, other: Pose) -> FloatArray:
    """The step that leads from one pose to another, (6,) as ``moved`` takes it."""
    from scipy.spatial.transform import Rotation

    unit = axes(view)
    turn = Rotation.from_matrix(other.rotation @ one.rotation.T).as_rotvec(degrees=True)
    shift = other.apply(centre) - one.apply(centre)
    return np.concatenate([unit @ shift, unit @ turn])


def flow(centre: FloatArray, view: View, pose: Pose, step: npt.ArrayLike) -> FloatArray:
    """How a flat thing at the vertebra's place, parallel to the detector, moves on the picture.

    Returns
    -------
    (2, rows, columns) float64
        Change of (row, column) index for a step, at each pixel.
    """
    unit = axes(view)
    middle = pose.apply(centre)
    corners = middle + FLAT_MM * np.stack([np.zeros(3), unit[0], unit[1]])
    further = moved(pose, view, centre, step).after(pose.inverse())
    before, after = view.project(corners), view.project(further.apply(corners))
    change = after - before
    matrix = np.linalg.solve(before[1:] - before[0], change[1:] - change[0]).T
    place = np.indices(view.shape, float)
    moves: FloatArray = np.tensordot(matrix, place - before[0][:, None, None], 1) + change[0][:, None, None]
    return moves


FLAT_MM = 20.0
"""Size of the flat thing by which a flow is measured."""
