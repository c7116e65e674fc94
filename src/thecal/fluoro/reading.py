"""What the monitor says of one picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

Level = Literal["ok", "near", "stop", "leak", "lost"]
LEVELS: Final[tuple[Level, ...]] = ("ok", "near", "stop", "leak", "lost")
"""In the order of growing alarm; ``lost`` means that nothing is known, and is never silent."""


@dataclass(frozen=True, eq=False)
class Outline:
    """A line to draw over the picture.

    Attributes
    ----------
    name : str
        "body", "posterior wall", "posterior third", "medial pedicle line left", "front", "needle", "leak".
    pixels : (n, 2) float64
        (row, column) in the frame as given.
    closed : bool
    """

    name: str
    pixels: npt.NDArray[np.float64]
    closed: bool = False


@dataclass(frozen=True, eq=False)
class Reading:
    """What was seen on one frame.

    Attributes
    ----------
    number : int
        The frame's.
    time_s : float
    level : Level
    why : str
        One plain sentence: what was seen, or why nothing could be.
    view : "lateral", "ap" or "other"
    front : float or None
        Hindmost new cement within the body as a share of its depth: 1 at the anterior wall, 0 at the
        posterior; None where no new cement is seen or the view does not show depth.
    to_posterior_wall_mm : float or None
        The same in mm, negative beyond the wall.
    area_mm2 : float or None
        New cement's shadow, in the plane of the vertebra.
    growth_mm2_s : float or None
    leaks : tuple of str
        Where new cement lies outside the body: "behind the posterior wall", "disc above", "disc below",
        "over the foramen", "in front of the body", "thread".
    error_mm : float or None
        The registration's own estimate of its mean error at the vertebra.
    outlines : tuple of Outline
    cement : (rows, columns) bool or None
        New cement, on the frame's pixels.
    also : tuple of Level
        Lower levels that hold beside ``level``: a leak may hide that the posterior third is reached.
    """

    number: int
    time_s: float
    level: Level
    why: str
    view: Literal["lateral", "ap", "other"] = "other"
    front: float | None = None
    to_posterior_wall_mm: float | None = None
    area_mm2: float | None = None
    growth_mm2_s: float | None = None
    leaks: tuple[str, ...] = ()
    error_mm: float | None = None
    outlines: tuple[Outline, ...] = ()
    cement: npt.NDArray[np.bool_] | None = None
    also: tuple[Level, ...] = ()
