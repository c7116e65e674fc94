"""The thecal sac inside the canal: the canal less its epidural fat, smooth."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.rays import sample_rays
from thecal.frames import CanalFrame
from thecal.volume import BoolArray, FloatArray, Grid, IntArray


def sac_radius(
    hu: IntArray,
    grid: Grid,
    frame: CanalFrame,
    theta: FloatArray,
    wall_mm: FloatArray,
    missing: BoolArray | None = None,
) -> FloatArray:
    """Radius of the thecal sac around the canal's curve.

    Fat is the only canal tissue below water (Chen Y 2020, Medicine 99:e19448). Along each ray the sac ends
    where HU falls to the middle between sac and fat. Where no fat is seen, the sac ends at a published share
    of the canal. Rays through cement or metal, and a point-spread's width beside bone, are missing data and
    carried over by smoothness along and around the canal. The sac is nowhere beyond the wall.

    Parameters
    ----------
    hu : (z, y, x) int16
        The spine's crop.
    grid : Grid
        Where the crop lies.
    frame : CanalFrame
        n points.
    theta : (m,) float64
        Angles of the wall, evenly spaced over the circle.
    wall_mm : (n, m) float64
        Radius of the bony canal.
    missing : (z, y, x) bool, optional
        Cement and metal.

    Returns
    -------
    (n, m) float64
        mm.
    """
    STEP_MM = 0.5
    BORDER_HU = -30.0  # middle of sac with roots (10..35) and epidural fat (-120..-60), figures 3.2
    # Sac over canal, AP, at L1: men 0.70, women 0.82 (Pierro 2017, doi 10.4103/jcis.JCIS_24_17, n = 604);
    # that is where fat was included, so a ray that shows none ends at the upper one.
    SHARE_WITHOUT_FAT = 0.82
    SHARE_UNSEEN = 0.76
    DURA_MM = 0.7  # dura and what lies between it and bone even where they touch
    MIN_SHARE = 0.4
    in_plane = float(grid.spacing_mm[1:].max())
    blur_mm = 0.6 + 0.5 * in_plane

    radii = np.arange(0.0, float(wall_mm.max()) + STEP_MM, STEP_MM)
    samples = sample_rays(hu, grid, frame, theta, radii)
    beside_bone = radii[None, None, :] > wall_mm[:, :, None] - blur_mm
    valid = ~beside_bone
    if missing is not None and missing.any():
        size = np.maximum(1, np.ceil(1.5 / grid.spacing_mm)).astype(int)
        spread = ndimage.maximum_filter(missing, tuple(2 * size + 1)).astype(np.uint8)
        valid &= sample_rays(spread, grid, frame, theta, radii, order=0) < 0.5
    sigma = (1.5 / frame.step_mm, 8.0 / 360.0 * len(theta), 0.5 / STEP_MM)
    mode = ("nearest", "wrap", "nearest")
    weight = ndimage.gaussian_filter(valid.astype(np.float32), sigma, mode=mode)
    total = ndimage.gaussian_filter(np.where(valid, samples, 0.0), sigma, mode=mode)
    smooth = np.where(weight > 0.05, total / np.maximum(weight, 0.05), 20.0)

    share = radii[None, None, :] / np.maximum(wall_mm, 1.0)[:, :, None]
    fat = valid & (smooth < BORDER_HU) & (share > MIN_SHARE)
    has_fat = fat.sum(axis=2) * STEP_MM >= 1.0
    first = np.argmax(fat, axis=2)
    border = radii[first] - _part_of_step(smooth, first, BORDER_HU) * STEP_MM

    # A ray that cement hides short of where it shows fat says nothing of where the fat begins.
    hidden = ~valid & ~beside_bone & ((radii[None, None, :] <= border[:, :, None]) | ~has_fat[:, :, None])
    covered = hidden.any(axis=2)
    outer = (share > SHARE_UNSEEN - 0.15) & ~beside_bone
    seen = (valid & outer).sum(axis=2) >= 0.7 * np.maximum(outer.sum(axis=2), 1)
    observed = np.where(has_fat, border / np.maximum(wall_mm, 1.0), SHARE_WITHOUT_FAT)
    trust = np.where(has_fat, 1.0, np.where(seen & outer.any(axis=2), 0.35, 0.02))
    trust = np.where(covered, 0.001, trust)
    observed = np.where(trust < 0.1, SHARE_UNSEEN, observed)
    along = (4.0 / frame.step_mm, 12.0 / 360.0 * len(theta))
    norm = ndimage.gaussian_filter(trust, along, mode=("nearest", "wrap"))
    ratio = ndimage.gaussian_filter(trust * observed, along, mode=("nearest", "wrap")) / norm
    sac: FloatArray = np.clip(ratio * wall_mm, 0.0, np.maximum(wall_mm - DURA_MM, 0.0))
    return sac


def _part_of_step(
    smooth: npt.NDArray[np.floating], first: npt.NDArray[np.integer], level: float
) -> FloatArray:
    """How far before sample ``first`` the profile crosses ``level``, as a share of one step."""
    here = np.take_along_axis(smooth, first[:, :, None], axis=2)[:, :, 0]
    before = np.take_along_axis(smooth, np.maximum(first - 1, 0)[:, :, None], axis=2)[:, :, 0]
    drop = before - here
    part: FloatArray = np.where(drop > 1.0, np.clip((level - here) / np.maximum(drop, 1.0), 0.0, 1.0), 0.0)
    return part
