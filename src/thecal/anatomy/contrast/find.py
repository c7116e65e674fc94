"""Contrast medium in the sac: found along a course through the canal, outlined, and taken out of the scan."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage

from thecal.anatomy.contrast.along import REACH_MM, STEP_MM, contrast_along, directions, moved, to_centre
from thecal.anatomy.contrast.border import DURA_MM, LIKE, Samples, border_of, half_way
from thecal.anatomy.contrast.take_out import DENSE_HU, taken_out
from thecal.anatomy.contrast.value import Contrast
from thecal.anatomy.rays import sample_rays
from thecal.frames import CanalFrame
from thecal.volume import BoolArray, FloatArray, Volume

CEMENT_SHARE: Final = 1.3
"""Brighter than contrast by this, and than bone: cement, which hides the border."""
HIDDEN_MM: Final = 1.5


def find_contrast(
    volume: Volume,
    frame: CanalFrame,
    theta: FloatArray | None = None,
    wall_mm: FloatArray | None = None,
    missing: BoolArray | None = None,
) -> Contrast | None:
    """Contrast medium in the sac along a course through the canal, or None where there is none.

    The outer border is the smooth surface r(s, theta) with most contrast within it and the plainest fall of
    HU across it; on each ray it is then moved to half-way between the contrast and what lies outside.
    Cement is missing data. Where the contrast meets bone as bright as itself no fall is seen, and the border
    is carried over from around.

    Parameters
    ----------
    volume : Volume
    frame : CanalFrame
        n points.
    theta : (m,) float64, optional
        Angles of the border, evenly spaced over the circle from -pi.
    wall_mm : (n, m) float64, optional
        Radius of the bony canal where it is known: the border keeps within.
    missing : (z, y, x) bool, optional
        Of the volume: cement and metal. Without it all that outshines contrast and bone is left out.
    """
    along = contrast_along(volume.hu, volume.grid, frame)
    if not np.isfinite(along).any():
        return None
    # The sac's middle is not the canal's.
    centred = contrast_along(volume.hu, volume.grid, moved(frame, to_centre(volume.hu, volume.grid, frame)))
    along = np.where(np.isfinite(centred), centred, along)
    filled = np.isfinite(along)
    even, radii = directions()
    theta = even if theta is None else theta
    rays = sample_rays(volume.hu, volume.grid, frame, theta, radii)
    level = np.interp(np.arange(len(along)), np.flatnonzero(filled), along[filled])
    hidden: BoolArray = rays > np.maximum(DENSE_HU, CEMENT_SHARE * level)[:, None, None]
    if missing is not None:
        hidden = sample_rays(missing.view(np.uint8), volume.grid, frame, theta, radii, order=0) > 0.5
    size = (2 * round(HIDDEN_MM / frame.step_mm) + 1, 5, 2 * round(HIDDEN_MM / STEP_MM) + 1)
    hidden = ndimage.maximum_filter(hidden, size, mode=("nearest", "wrap", "nearest"))
    smooth = ndimage.gaussian_filter1d(rays, 1.0 / frame.step_mm, axis=0)
    border = border_of(smooth, hidden, level, radii, frame, wall_mm)
    border, seen, sigma = half_way(smooth, hidden, level, border, radii, frame, filled)
    if wall_mm is not None:
        border = np.minimum(border, np.maximum(wall_mm - DURA_MM, 0.5))
    local = _local_hu(rays, hidden, level, border, radii, frame)
    box = volume.grid.box_around(frame.points[filled], REACH_MM + 4.0)
    plain = taken_out(volume, box, frame, theta, border, local, filled, sigma)
    border = np.where(filled[:, None], border, np.nan)
    hu = np.where(filled, local.mean(axis=1), np.nan)
    return Contrast(frame.points, hu, border, np.where(filled[:, None], seen, 0.0), box, plain)


def _local_hu(
    rays: Samples,
    hidden: BoolArray,
    level: FloatArray,
    border: FloatArray,
    radii: FloatArray,
    frame: CanalFrame,
) -> FloatArray:
    """What contrast reads in each direction (n, m): it settles to the back of a patient on her back.

    Blur and roots only ever dim it, so the bright ones of the samples within the border speak for it.
    """
    inner = (radii[None, None, :] < border[:, :, None] - 0.7) & ~hidden
    share = rays / level[:, None, None]
    pure = inner & (share > LIKE[0]) & (share < LIKE[1])
    bright = np.array(
        [np.percentile(r[p], 80) if p.any() else at for r, p, at in zip(rays, pure, level, strict=True)]
    )
    bright = ndimage.median_filter(bright, 2 * round(5.0 / frame.step_mm) + 1, mode="nearest")
    share = rays / np.maximum(bright, 1.0)[:, None, None]
    pure = inner & (share > 0.85) & (share < LIKE[1])
    sigma = (3.0 / frame.step_mm, 15.0 / 360.0 * rays.shape[1])
    mode = ("nearest", "wrap")
    count = ndimage.gaussian_filter(pure.sum(axis=2).astype(float), sigma, mode=mode)
    total = ndimage.gaussian_filter(np.where(pure, rays, 0).sum(axis=2, dtype=float), sigma, mode=mode)
    local: FloatArray = np.where(count > 0.2, total / np.maximum(count, 0.2), bright[:, None])
    return local
