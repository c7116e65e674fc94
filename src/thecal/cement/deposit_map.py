"""What cement detection finds: voxels of cement with their partial-volume fractions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from thecal.quality import QualityNote
from thecal.volume import Box, FloatArray, Grid


@dataclass(frozen=True, eq=False)
class Cement:
    """All cement in the spine's crop.

    Attributes
    ----------
    box, grid
        The crop, the same as the spine's.
    pieces : (z, y, x) int32
        0 background; each connected piece of cement its own number, 1..n.
    fraction : (z, y, x) float32
        Share of each voxel filled with cement, 0..1; its sum times the voxel volume is the cement volume.
        May be above 0 one voxel beyond ``pieces`` only where ``pieces`` marks it too.
    metal : (z, y, x) bool
        Screws, rods, stents: not cement, and not to be read as bone.
    psf_sigma_mm : (3,) float64
        Gaussian point-spread along z, y, x, estimated from this scan.
    noise_hu : float
        Standard deviation of noise in soft tissue.
    detection_limit_mm3 : float
        Smallest compact deposit that this scan would show.
    detection_limit_hu : float or None
        The limit holds for cement of this brightness and brighter.
    """

    box: Box
    grid: Grid
    pieces: npt.NDArray[np.int32]
    fraction: npt.NDArray[np.float32]
    metal: npt.NDArray[np.bool_]
    psf_sigma_mm: FloatArray
    noise_hu: float
    detection_limit_mm3: float
    quality: tuple[QualityNote, ...] = ()
    detection_limit_hu: float | None = None
