"""What anatomy finds: the value that every later stage reads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from thecal.anatomy.contrast.value import Contrast, without_contrast
from thecal.frames import CanalFrame, VertebraFrame
from thecal.quality import QualityNote
from thecal.terms import SACRUM, LevelSource, is_disc, is_vertebra
from thecal.volume import BoolArray, Box, FloatArray, Grid, IntArray, LabelArray, Volume


class Part(IntEnum):
    """What a voxel of ``Spine.parts`` belongs to, beside its label."""

    NONE = 0
    BODY = 1
    ARCH = 2
    FORAMEN = 3


@dataclass(frozen=True, eq=False)
class Vertebra:
    """One vertebra.

    Attributes
    ----------
    id : int
        Its label in ``Spine.labels``.
    level : str or None
        "T12"; None where the number is not known.
    complete : bool
        False where the scan's edge cuts it.
    confidence : float
        0..1: how well its endplates, pedicles and walls agree with the scan.
    frame : VertebraFrame
    evidence : dict
        The terms behind the confidence, by name.
    """

    id: int
    level: str | None
    level_source: LevelSource
    complete: bool
    confidence: float
    frame: VertebraFrame
    evidence: dict[str, float]


@dataclass(frozen=True, eq=False)
class Canal:
    """The canal's wall and the thecal sac in canal coordinates.

    Attributes
    ----------
    frame : CanalFrame
        n points.
    theta : (m,) float64
        Angles, evenly spaced over the circle from -pi.
    wall_mm : (n, m) float64
        Radius of the bony canal's wall, closed across foramina and discs by smoothness.
    sac_mm : (n, m) float64
        Radius of the thecal sac, nowhere beyond the wall.
    confidence : (n,) float64
        0..1 along the canal.
    sac_sd_mm : (n,) float64 or None
        One standard deviation of the sac's radius along the canal; None where whoever gave it does not say.
    """

    frame: CanalFrame
    theta: FloatArray
    wall_mm: FloatArray
    sac_mm: FloatArray
    confidence: FloatArray
    sac_sd_mm: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class Spine:
    """The anatomy of one scan, in a crop of the volume.

    Attributes
    ----------
    box : Box
        The crop, as indices into ``Volume.hu``; ``labels`` and ``parts`` have its shape.
    grid : Grid
        The crop's grid.
    labels : (z, y, x) uint16
        Ids of the contract: vertebrae, 60 sac, 61 canal outside the sac, 100 + id the disc below.
    parts : (z, y, x) uint8
        ``Part``: body or arch within the vertebrae, intervertebral foramina beside the canal.
    canal : Canal
    vertebrae : tuple of Vertebra
        Caudal to cranial; the sacrum is in ``labels`` but not here.
    backend, backend_version : str
    quality : tuple of QualityNote
    contrast : Contrast or None
        Contrast medium in the sac (a myelogram); None where none was seen.
    """

    box: Box
    grid: Grid
    labels: LabelArray
    parts: npt.NDArray[np.uint8]
    canal: Canal
    vertebrae: tuple[Vertebra, ...]
    backend: str
    backend_version: str
    quality: tuple[QualityNote, ...] = ()
    contrast: Contrast | None = None

    def plain_hu(self, volume: Volume) -> IntArray:
        """The HU of the crop as if no contrast medium lay in the sac: what bone and cement are read from."""
        return without_contrast(volume, self.box, self.contrast)

    def canal_mask(self) -> BoolArray:
        """Voxels of the canal, sac included."""
        mask: BoolArray = (self.labels == 60) | (self.labels == 61)
        return mask

    def bone_mask(self) -> BoolArray:
        """Voxels of the vertebrae and the sacrum."""
        table = np.array([is_vertebra(i) or i == SACRUM for i in range(int(self.labels.max(initial=0)) + 1)])
        mask: BoolArray = table[self.labels]
        return mask

    def body_mask(self, vertebra: Vertebra) -> BoolArray:
        """Voxels of one vertebra's body."""
        mask: BoolArray = (self.labels == vertebra.id) & (self.parts == Part.BODY)
        return mask


def disc_mask(labels: npt.NDArray[np.uint16]) -> BoolArray:
    """Voxels of discs, of vertebrae whose level is known or not."""
    table = np.array([is_disc(label) for label in range(int(labels.max(initial=0)) + 1)])
    mask: BoolArray = table[labels]
    return mask
