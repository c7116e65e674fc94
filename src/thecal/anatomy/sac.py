"""The thecal sac inside the canal: where contrast medium fills it, else the canal less its epidural fat."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.contrast import Contrast
from thecal.anatomy.rays import sample_rays
from thecal.anatomy.spine import Canal
from thecal.frames import CanalFrame
from thecal.quality import QualityNote
from thecal.volume import BoolArray, FloatArray, Grid, IntArray

FAT_SD_MM: Final = 0.9
"""Where fat bounds it, against the truth of 12 phantoms; the pixels' half comes on top."""
CONTRAST_SD_MM: Final = 0.5
"""Where contrast medium outlines it, against the truth of the phantoms of ``benchmarks/myelogram.py``."""
CARRIED_SD_MM: Final = 1.2
"""Where contrast fills it but cement, or bone as bright, hides its border."""
SHARE_SD: Final = 0.13
"""Where no fat does, as a share of the wall's radius: half of what sac over canal ranges over sexes and
levels L1 to S1, 0.56 to 0.82 (Pierro 2017, doi 10.4103/jcis.JCIS_24_17)."""
JUDGED: Final = 0.2
"""As for the occlusion: planes of less confidence are not judged."""
UNSEEN_SHARE: Final = 0.95
"""The sac is not seen where it is hardly better known than without any fat."""


def sac_radius(
    hu: IntArray,
    grid: Grid,
    frame: CanalFrame,
    theta: FloatArray,
    wall_mm: FloatArray,
    missing: BoolArray | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Radius of the thecal sac around the canal's curve, and how surely it is known.

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
    sac : (n, m) float64
        mm.
    sd : (n,) float64
        One standard deviation of the radius on each plane, mm.
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
    by_fat = ndimage.gaussian_filter((has_fat & ~covered).astype(float), along, mode=("nearest", "wrap"))
    variance = by_fat * (FAT_SD_MM**2 + (0.5 * in_plane) ** 2) + (1 - by_fat) * (SHARE_SD * wall_mm) ** 2
    return sac, np.sqrt(variance.mean(axis=1))


def sac_by_contrast(
    sac_mm: FloatArray, sd_mm: FloatArray, contrast: Contrast, frame: CanalFrame, pixel_mm: float
) -> tuple[FloatArray, FloatArray]:
    """The sac's radius and its uncertainty with the outer border of contrast medium where that outlines it.

    Parameters
    ----------
    sac_mm, sd_mm
        (n, m) and (n,), as on plain CT.
    contrast : Contrast
        Found on the same curve and angles.
    frame : CanalFrame
    pixel_mm : float
        The scan's, in plane.
    """
    JOIN_MM = 2.0  # the two outlines run into each other over about this much at the ends of the contrast
    filled = np.isfinite(contrast.hu)
    nearest = np.flatnonzero(filled)[
        np.abs(np.arange(len(filled))[:, None] - np.flatnonzero(filled)).argmin(1)
    ]
    share = ndimage.gaussian_filter1d(filled.astype(float), JOIN_MM / frame.step_mm, mode="nearest")[:, None]
    sac: FloatArray = share * contrast.border_mm[nearest] + (1 - share) * sac_mm
    seen = CONTRAST_SD_MM**2 + (0.25 * pixel_mm) ** 2
    by_contrast = (contrast.seen * seen + (1 - contrast.seen) * CARRIED_SD_MM**2).mean(axis=1)
    variance = share[:, 0] * by_contrast[nearest] + (1 - share[:, 0]) * sd_mm**2
    return sac, np.sqrt(variance)


def sac_without_fat(canal: Canal) -> QualityNote | None:
    """A note where the scan shows too little epidural fat to see the sac's outline by, or none."""
    if canal.sac_sd_mm is None:
        return None
    judged = canal.confidence >= JUDGED
    if not judged.any():
        return None
    unseen = SHARE_SD * np.sqrt((canal.wall_mm**2).mean(axis=1))
    sd = canal.sac_sd_mm[judged]
    if np.median(sd / unseen[judged]) < UNSEEN_SHARE:
        return None
    return QualityNote(
        "sac_outline_not_seen",
        "info",
        "Hardly any epidural fat is seen in the canal: the outline of the thecal sac is a published share of "
        f"the canal, known to about {np.median(sd):.1f} mm.",
    )


def _part_of_step(
    smooth: npt.NDArray[np.floating], first: npt.NDArray[np.integer], level: float
) -> FloatArray:
    """How far before sample ``first`` the profile crosses ``level``, as a share of one step."""
    here = np.take_along_axis(smooth, first[:, :, None], axis=2)[:, :, 0]
    before = np.take_along_axis(smooth, np.maximum(first - 1, 0)[:, :, None], axis=2)[:, :, 0]
    drop = before - here
    part: FloatArray = np.where(drop > 1.0, np.clip((level - here) / np.maximum(drop, 1.0), 0.0, 1.0), 0.0)
    return part
