"""A start from two points that somebody clicked on the picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from thecal.errors import InputError
from thecal.fluoro.projection.view import Pose, View
from thecal.fluoro.registration.steps import axes, moved
from thecal.volume import FloatArray

LEAST_MM = 8.0
"""Two points nearer than this, as the view draws them, say nothing of the turn and the size."""


def pose_from_clicks(
    view: View,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    places_mm: FloatArray,
    *,
    size_known: bool = False,
) -> Pose:
    """The shift, turn in the plane and depth that draw two places of the CT where they were clicked.

    Parameters
    ----------
    view : View
        As the C-arm says, for the turns out of the plane.
    first, second : (2,) array-like
        (row, column) in the picture of two places.
    places_mm : (2, 3) float64
        The same places in the CT, LPS mm.
    size_known : bool
        The C-arm's distances are known better than a hand clicks: the depth stays, and the middle of both is
        drawn where it was clicked.

    Raises
    ------
    InputError
        Where the two points lie on each other.
    """
    steps = np.stack([view.along_column, view.along_row])
    unit = axes(view)
    clicked = np.stack([np.asarray(first, float), np.asarray(second, float)])
    pose = Pose.still()
    # Perspective makes this inexact by a little; a few rounds settle it.
    for _ in range(6):
        drawn = view.project(pose.apply(places_mm))
        want, have = (clicked[1] - clicked[0]) @ steps, (drawn[1] - drawn[0]) @ steps
        large = view.magnification(pose.apply(places_mm[0]))
        if min(np.linalg.norm(want), np.linalg.norm(have)) < LEAST_MM * large:
            raise InputError("The two points lie too near to each other: click places at least 1 cm apart")
        along = [want @ unit[0], want @ unit[1]], [have @ unit[0], have @ unit[1]]
        turn = np.degrees(np.arctan2(along[0][1], along[0][0]) - np.arctan2(along[1][1], along[1][0]))
        turn = (turn + 180.0) % 360.0 - 180.0
        size = float(np.linalg.norm(want) / np.linalg.norm(have))
        away = float((pose.apply(places_mm[0]) - view.source) @ view.normal)
        depth = 0.0 if size_known else away * (1.0 / size - 1.0)
        # Turns about the third axis run from row to column where the axes are right-handed.
        sign = float(np.sign(np.linalg.det(unit)))
        pose = moved(pose, view, places_mm[0], [0.0, 0.0, depth, 0.0, 0.0, sign * turn])
        drawn = view.project(pose.apply(places_mm))
        held = slice(None) if size_known else slice(1)
        off = (clicked[held] - drawn[held]).mean(0) @ steps
        large = view.magnification(pose.apply(places_mm[0]))
        pose = moved(pose, view, places_mm[0], [off @ unit[0] / large, off @ unit[1] / large, 0, 0, 0, 0])
    return pose
