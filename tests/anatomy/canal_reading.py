"""A scan on an even grid with the canal that was read from it: where the tests of anatomy's steps begin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thecal.frames import CanalFrame
from thecal.volume import Grid


@dataclass(frozen=True)
class Read:
    """A scan on an even grid, what is hidden in it, and the canal that was read from it."""

    grid: Grid
    hu: np.ndarray
    missing: np.ndarray
    frame: CanalFrame
    theta: np.ndarray
    wall: np.ndarray
    seen: np.ndarray
