"""Trabecular attenuation of a body, with cement, metal and cortex left out."""

from __future__ import annotations

from typing import Final

import edt
import numpy as np
import numpy.typing as npt

from thecal.cement.deposit_map import Cement
from thecal.leakage.body import Body
from thecal.volume import Box, IntArray

CORTEX_MM: Final = 4.0
"""From the label's surface: cortex and endplate, their blur, and the label's error."""
MIN_VOLUME_MM3: Final = 400.0
BLUR_SIGMAS: Final = 3.0
HALO_MM: Final = 2.0
"""Around cement and metal beyond the blur: bone with cement between its trabeculae, undershoot, streaks."""


def trabecular_hu(hu: IntArray, cement: Cement, body: Body) -> float | None:
    """The median HU of a body's spongiosa, or None where too little of it is free of cement.

    Parameters
    ----------
    hu : (z, y, x) int16
        The spine's crop.
    """
    spacing = tuple(cement.grid.spacing_mm)
    core = edt.edt(body.mask, anisotropy=spacing, black_border=True) > CORTEX_MM
    foreign = _foreign(cement, body.box)
    if foreign.any():
        halo = HALO_MM + BLUR_SIGMAS * float(np.mean(cement.psf_sigma_mm))
        core &= edt.edt(~foreign, anisotropy=spacing, black_border=False) > halo
    if float(core.sum()) * cement.grid.voxel_mm3 < MIN_VOLUME_MM3:
        return None
    return float(np.median(hu[body.box][core]))


def _foreign(cement: Cement, box: Box) -> npt.NDArray[np.bool_]:
    foreign: npt.NDArray[np.bool_] = (cement.pieces[box] > 0) | cement.metal[box]
    return foreign
