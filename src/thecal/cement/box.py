"""The box that holds what is marked, so that the rest of the crop is left alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from thecal.volume import BoolArray, Box


def box_of(mask: BoolArray, margin: npt.NDArray[np.int64] | None = None) -> Box | None:
    """The tightest box round the marked voxels, widened by ``margin`` voxels within the array.

    Parameters
    ----------
    mask : (z, y, x) bool
    margin : (3,) int, optional

    Returns
    -------
    Box or None
        None where nothing is marked.
    """
    slices = np.flatnonzero(np.any(mask, axis=(1, 2)))
    if len(slices) == 0:
        return None
    low, high = int(slices[0]), int(slices[-1]) + 1
    plane: BoolArray = np.any(mask[low:high], axis=0)
    rows, columns = np.flatnonzero(np.any(plane, axis=1)), np.flatnonzero(np.any(plane, axis=0))
    tight = (slice(low, high), slice(int(rows[0]), int(rows[-1]) + 1),
             slice(int(columns[0]), int(columns[-1]) + 1))  # fmt: skip
    return tight if margin is None else wider(tight, margin, mask.shape)


def wider(box: Box, margin: npt.NDArray[np.int64], shape: tuple[int, ...]) -> Box:
    """The box grown by ``margin`` voxels on each side, held within the array."""
    low = [max(0, s.start - int(m)) for s, m in zip(box, margin, strict=True)]
    high = [min(n, s.stop + int(m)) for s, m, n in zip(box, margin, shape, strict=True)]
    return (slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2]))
