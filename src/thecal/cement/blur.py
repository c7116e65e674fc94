"""The scanner's blur as a filter on the voxel grid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.special import ndtr

from thecal.volume import FloatArray

Weights = tuple[npt.NDArray[np.float32], ...]

REACH_SIGMAS = 3.0


def blur_weights(sigma_mm: FloatArray, spacing_mm: FloatArray) -> Weights:
    """One normalised kernel an axis: a Gaussian integrated over each voxel."""
    kernels = []
    for sigma, step in zip(sigma_mm, spacing_mm, strict=True):
        reach = max(1, int(np.ceil(REACH_SIGMAS * sigma / step - 0.5)))
        borders = (np.arange(-reach, reach + 2) - 0.5) * step / sigma
        kernel = np.diff(ndtr(borders))
        kernels.append((kernel / kernel.sum()).astype(np.float32))
    return tuple(kernels)


def blurred(array: npt.NDArray[np.float32], weights: Weights) -> npt.NDArray[np.float32]:
    """The array seen through the scanner; zero beyond its border, so that a margin must be given."""
    for axis, kernel in enumerate(weights):
        array = ndimage.correlate1d(array, kernel, axis=axis, mode="constant", output=np.float32)
    return array
