"""What a picture outlines because the needle keeps away from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import ndimage

from thecal.anatomy.spine import Part, Spine
from thecal.report.cuts import Cut
from thecal.report.drawing import contours
from thecal.terms import EPIDURAL_SPACE, SACRUM, THECAL_SAC, is_vertebra
from thecal.volume import BoolArray, FloatArray, Grid

FEWEST_PIXELS: Final = 12
SMOOTH_PIXELS: Final = 1.6


@dataclass(frozen=True)
class Look:
    """How a structure is outlined on a cut: its colour, dashes and width."""

    colour: str
    dashes: tuple[float, ...]
    width: float


LOOKS: Final[dict[str, Look]] = {
    "canal wall": Look("#FFFFFF", (), 1.3),
    "sac": Look("#FFFFFF", (2.0, 1.6), 1.3),
    "root in the foramen": Look("#E69F00", (1.0, 1.0), 1.2),
    "aorta": Look("#D55E00", (4.0, 1.2), 1.2),
    "lung": Look("#56B4E9", (5.0, 1.5), 1.1),
    "gas in the body": Look("#56B4E9", (1.0, 1.5), 1.0),
    "cement or metal": Look("#CC79A7", (3.0, 1.0), 1.3),
}
BONE_LOOK: Final = Look("#c9ced4", (), 0.6)


@dataclass(frozen=True, eq=False)
class KeptAway:
    """A structure that is not in the spine's own map, on a grid of its own.

    Attributes
    ----------
    name : str
        A key of ``LOOKS``.
    mask : (z, y, x) bool
    grid : Grid
    """

    name: str
    mask: BoolArray
    grid: Grid


Outline = tuple[str, Look, list[tuple[FloatArray, FloatArray]]]


def outlines_on(cut: Cut, spine: Spine, others: tuple[KeptAway, ...] = ()) -> list[Outline]:
    """Outlines (across, up) mm of bone, canal, sac, foramina and other structures where a cut meets them."""
    # Only what lies round the cut is looked at.
    box = spine.grid.box_around(cut.points.reshape(-1, 3)[:: max(1, cut.points.size // 3000)], 3.0)
    grid, labels, parts = spine.grid.crop(box), spine.labels[box], spine.parts[box]
    index = cut.index_in(grid)
    flat = cut.sample_at(labels, index, order=0, fill=0).astype(int)
    found: list[Outline] = []
    for label in np.unique(flat):
        if is_vertebra(int(label)) or label == SACRUM:
            found.append(
                (
                    "bone",
                    BONE_LOOK,
                    _lines(cut.sample_at((labels == label).astype(np.float32), index, fill=0.0), cut),
                )
            )
    own = {
        "canal wall": (labels == THECAL_SAC) | (labels == EPIDURAL_SPACE),
        "sac": labels == THECAL_SAC,
        "root in the foramen": parts == Part.FORAMEN,
    }
    for name, mask in own.items():
        found.append(
            (name, LOOKS[name], _lines(cut.sample_at(mask.astype(np.float32), index, fill=0.0), cut))
        )
    for other in others:
        cover = cut.sample(other.mask.astype(np.float32), other.grid, fill=0.0)
        found.append((other.name, LOOKS.get(other.name, BONE_LOOK), _lines(cover, cut)))
    return [outline for outline in found if outline[2]]


def _lines(cover: FloatArray, cut: Cut) -> list[tuple[FloatArray, FloatArray]]:
    soft = ndimage.gaussian_filter(cover, SMOOTH_PIXELS)
    return contours(soft, cut) if int((soft > 0.5).sum()) >= FEWEST_PIXELS else []
