"""Where cement can go: the spine's compartments on a supersampled grid, and each vertebra's measures."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from thecal.anatomy.spine import Part, Spine, Vertebra
from thecal.errors import InputError
from thecal.frames import VertebraFrame
from thecal.phantom.select import in_frame_box
from thecal.volume import BoolArray, Box, FloatArray, Grid, IntArray, LabelArray


@dataclass(frozen=True, eq=False)
class VertebraMeasure:
    """Sizes in the vertebra's own frame: half width, depth, half height; each pedicle's (left, cranial)."""

    half_width: float
    depth: float
    half_height: float
    pedicle: dict[int, tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Site:
    """The spine on a fine grid, with the cement that is already in it.

    Attributes
    ----------
    grid : Grid
        Fine grid.
    factors : (3,) ints
        Fine voxels in one scan voxel along z, y, x.
    labels, parts, hu : arrays on the fine grid
        Anatomy and HU before cement.
    spine : Spine
    cement : (z, y, x) uint8
        Id of the deposit, 0 where none.
    """

    grid: Grid
    factors: tuple[int, int, int]
    labels: LabelArray
    parts: npt.NDArray[np.uint8]
    hu: IntArray
    spine: Spine
    cement: npt.NDArray[np.uint8]
    measures: dict[int, VertebraMeasure] = field(default_factory=dict)

    @cached_property
    def vertebrae(self) -> dict[str, Vertebra]:
        """Vertebrae by level name; where the level is not known, by ``#id``."""
        return {v.level or f"#{v.id}": v for v in self.spine.vertebrae}

    def vertebra(self, level: str) -> Vertebra:
        """The vertebra of a level.

        Raises
        ------
        InputError
            Where the scan does not show it.
        """
        if level not in self.vertebrae:
            raise InputError(f"The scan does not show {level}")
        return self.vertebrae[level]

    def window(self, centre: FloatArray, reach_mm: float) -> Box:
        """The fine box about a point (LPS), within the grid."""
        offsets = np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)]) * reach_mm
        return self.grid.box_around(centre + offsets, 0.0)

    def voxels(self, mask: BoolArray, box: Box) -> tuple[npt.NDArray[np.intp], FloatArray]:
        """Indices (m, 3) on the fine grid and LPS points (m, 3) of a mask over ``box``, cement left out."""
        free = mask & (self.cement[box] == 0)
        index = np.argwhere(free) + np.array([s.start for s in box])
        return index, self.grid.to_lps(index)

    def beside(
        self, mask: BoolArray, box: Box, frame: VertebraFrame, low: npt.ArrayLike, high: npt.ArrayLike
    ) -> tuple[npt.NDArray[np.intp], FloatArray]:
        """The same as ``voxels``, held to a box of a vertebra's frame."""
        index = in_frame_box(mask & (self.cement[box] == 0), box, self.grid, frame, low, high)
        return index, self.grid.to_lps(index)

    def measure(self, vertebra: Vertebra) -> VertebraMeasure:
        """Sizes of a vertebra from its voxels."""
        if vertebra.id not in self.measures:
            self.measures[vertebra.id] = _measure(self.spine, vertebra)
        return self.measures[vertebra.id]


def _measure(spine: Spine, vertebra: Vertebra) -> VertebraMeasure:
    mine = spine.labels == vertebra.id
    bone = vertebra.frame.to_local(spine.grid.to_lps(np.argwhere(mine & (spine.parts == Part.BODY))))
    if len(bone) < 50:
        raise InputError(f"{vertebra.level or 'a vertebra'} has no body in the anatomy")
    slab = bone[np.abs(bone[:, 2]) < 4.0]
    slab = slab if len(slab) > 20 else bone
    middle = bone[(np.abs(bone[:, 0]) < 8.0)]
    depth = float(np.percentile(slab[:, 1], 98))
    half_width = float(np.percentile(np.abs(slab[:, 0]), 98))
    half_height = float(np.percentile(middle[:, 2], 97) - np.percentile(middle[:, 2], 3)) / 2
    arch = vertebra.frame.to_local(spine.grid.to_lps(np.argwhere(mine & (spine.parts == Part.ARCH))))
    pedicle: dict[int, tuple[float, float]] = {}
    for side in (-1, 1):
        near = arch[
            (arch[:, 1] > -9.0)
            & (arch[:, 1] < -3.0)
            & (side * arch[:, 0] > 5.0)
            & (np.abs(arch[:, 0]) < half_width + 4)
        ]
        if len(near) > 10:
            pedicle[side] = (float(np.median(near[:, 0])), float(np.median(near[:, 2])))
        else:
            pedicle[side] = (side * 0.62 * half_width, 0.3 * half_height)
    return VertebraMeasure(half_width, depth, half_height, pedicle)


def canal_place(
    spine: Spine, points: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """(s, theta, r, wall, sac) of LPS points, each (m,) mm or rad."""
    canal = spine.canal
    s, theta, r = canal.frame.locate(points)
    row = canal.frame.index(s)
    m = len(canal.theta)
    at = (theta - canal.theta[0]) / (2 * np.pi) * m
    low = np.floor(at).astype(int)
    share = at - low
    wall = canal.wall_mm[row, low % m] * (1 - share) + canal.wall_mm[row, (low + 1) % m] * share
    sac = canal.sac_mm[row, low % m] * (1 - share) + canal.sac_mm[row, (low + 1) % m] * share
    return s, theta, r, wall, sac


def s_of(spine: Spine, vertebra: Vertebra) -> float:
    """Arc length of the canal behind the middle of a vertebra's posterior wall."""
    s, _, _ = spine.canal.frame.locate(vertebra.frame.origin[None])
    return float(s[0])
