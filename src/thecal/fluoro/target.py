"""The vertebra that is watched: what the monitor knows of it from the CT before the injection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from thecal.anatomy.spine import Part, Spine, Vertebra
from thecal.frames import VertebraFrame
from thecal.volume import BoolArray, FloatArray, Grid, IntArray, LabelArray, Volume

SPAN_MM: Final = (70.0, 90.0, 45.0)
"""Half of the crop to the side, to front and back, and up and down, in the vertebra's frame: the vertebra,
its neighbours' facing endplates, the foramina, the tissue that cement may run into."""


@dataclass(frozen=True, eq=False)
class Needle:
    """A needle as planned: its straight way from skin or bone to the tip, LPS mm, and its outer diameter.

    ``name`` is the plan's: "one" where one needle is put in alone, "left" and "right" of a pair; empty where
    the plan did not say.
    """

    side: str
    entry_mm: tuple[float, float, float]
    tip_mm: tuple[float, float, float]
    outer_mm: float
    name: str = ""


@dataclass(frozen=True, eq=False)
class Target:
    """One vertebra with its surroundings.

    Attributes
    ----------
    level : str
        "T12", or the vertebra's number in words where its level is not known.
    vertebra_id : int
        Its label in ``labels``.
    frame : VertebraFrame
    depth_mm : float
        From the posterior to the anterior wall of the body at its middle.
    hu : (z, y, x) int16
        Crop of the CT.
    labels : (z, y, x) uint16
        As ``Spine.labels``.
    parts : (z, y, x) uint8
        As ``Spine.parts``.
    grid : Grid
    needles : tuple of Needle
    medial_mm : tuple of (str, float)
        For each side where the plan knows it, how far from the midline the medial border of the pedicle
        stands on a true AP picture.
    """

    level: str
    vertebra_id: int
    frame: VertebraFrame
    depth_mm: float
    hu: IntArray
    labels: LabelArray
    parts: npt.NDArray[np.uint8]
    grid: Grid
    needles: tuple[Needle, ...] = ()
    medial_mm: tuple[tuple[str, float], ...] = ()

    def body(self) -> BoolArray:
        """Voxels of the vertebra's body."""
        mask: BoolArray = (self.labels == self.vertebra_id) & (self.parts == Part.BODY)
        return mask

    def canal(self) -> BoolArray:
        """Voxels of the canal, sac included."""
        mask: BoolArray = (self.labels == 60) | (self.labels == 61)
        return mask


def target_of(
    volume: Volume, spine: Spine, vertebra: Vertebra, level: str, needles: tuple[Needle, ...] = ()
) -> Target:
    """The target of one vertebra of a CT."""
    corners = vertebra.frame.to_lps(
        [
            (x, y, z)
            for x in (-SPAN_MM[0], SPAN_MM[0])
            for y in (-SPAN_MM[1], SPAN_MM[1])
            for z in (-SPAN_MM[2], SPAN_MM[2])
        ]
    )
    box = spine.grid.box_around(corners, 0.0)
    hu = spine.plain_hu(volume)[box]
    return Target(
        level,
        vertebra.id,
        vertebra.frame,
        body_depth_mm(spine, vertebra),
        np.ascontiguousarray(hu),
        np.ascontiguousarray(spine.labels[box]),
        np.ascontiguousarray(spine.parts[box]),
        spine.grid.crop(box),
        needles,
    )


MOST_SLICE_MM: Final = 3.0
"""Of thicker slices most vertebrae are not found on a picture, and of those that are the front is read late
(simulated injections in a CT of 5 mm: 6 crossings of 19 told in time)."""
SLICE_ROOM_MM: Final = 0.05


def too_coarse(grid: Grid) -> bool:
    """Whether a CT blurs the endplates by which a vertebra is found on a picture."""
    return bool(grid.spacing_mm.max() > MOST_SLICE_MM + SLICE_ROOM_MM)


def body_depth_mm(spine: Spine, vertebra: Vertebra) -> float:
    """From the posterior to the anterior wall of the body along its middle, mm."""
    local = vertebra.frame.to_local(spine.grid.to_lps(np.argwhere(spine.body_mask(vertebra))))
    middle = local[(np.abs(local[:, 0]) < MIDDLE_MM) & (np.abs(local[:, 2]) < MIDDLE_MM)]
    column: FloatArray = (middle if len(middle) else local)[:, 1]
    return float(np.percentile(column, 98.0))


MIDDLE_MM: Final = 5.0
"""Half width of the column of bone along which a body's depth is measured."""
