"""The thecal sac in the canal: a smooth closed surface round contrast medium, or with the fat outside it."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.contrast.value import Contrast
from thecal.anatomy.optimal_surface import optimal_surface
from thecal.anatomy.rays import sample_rays
from thecal.anatomy.spine import Canal
from thecal.frames import CanalFrame
from thecal.quality import QualityNote
from thecal.volume import BoolArray, FloatArray, Grid, IntArray

FAT_SD_MM: Final = 0.9
"""Where fat bounds it, against the truth of 12 phantoms; the pixels' half comes on top."""
CONTRAST_SD_MM: Final = 0.5
"""Where contrast medium outlines it: on one phantom with true outlines the deviation was 0.44 mm."""
CARRIED_SD_MM: Final = 1.2
"""Where contrast fills it but cement, or bone as bright, hides its border."""
SHARE_SD: Final = 0.13
"""Where no fat does, as a share of the wall's radius: half of what sac over canal ranges over sexes and
levels L1 to S1, 0.56 to 0.82 (Pierro 2017, doi 10.4103/jcis.JCIS_24_17)."""
JUDGED: Final = 0.2
"""As for the occlusion: planes of less confidence are not judged."""
UNSEEN_SHARE: Final = 0.95
"""The sac is not seen where it is hardly better known than without any fat."""
STEP_MM: Final = 0.5
DARKER_HU: Final = (20.0, 45.0)
"""Membership in fat begins where it is darker than the sac by twice the scatter within the sac, held to
these. A layer of fat that is thinner than the scan's blur is only a dip between sac and bone or ligament, and
counts by its depth."""
SCATTERS: Final = 2.0
FULLY_DARKER_HU: Final = 55.0
"""So much darker still, it is all fat."""
USUAL_SAC_HU: Final = 22.0
"""Where no sac is seen; CSF with roots reads 10 to 35 (from memory, figures 3.2)."""
WITHOUT_FAT: Final = 0.82
"""Sac over canal where no fat is seen. AP, at L1, fat included: men 0.70, women 0.82 (Pierro 2017,
doi 10.4103/jcis.JCIS_24_17, n = 604); where none shows it is the upper one."""
UNKNOWN: Final = 0.76
"""And where nothing can be seen: the mean of the two."""
PULL_PER_MM: Final = 0.2
"""What a mm off the expected radius costs, against 1 for a mm of fat taken into the sac."""
HIDDEN_PULL: Final = 1.0
"""The same where cement hides the ray."""
FAT_SEEN_MM: Final = 0.35
"""So much fat on a ray bounds the sac there."""
NEAR_MM: Final = 8.0
FAR_MM: Final = 30.0
FAR_WEIGHT: Final = 0.1
"""Under cement the outline is expected as the scan shows it nearby, and farther along the canal."""
AROUND_DEG: Final = 10.0
MIRROR_WEIGHT: Final = 0.5
"""And as on the other side of the same plane: the sac's two halves are alike."""
DURA_MM: Final = 0.7
"""Dura and what lies between it and bone even where they touch."""
MIN_SHARE: Final = 0.4


def sac_radius(
    hu: IntArray,
    grid: Grid,
    frame: CanalFrame,
    theta: FloatArray,
    wall_mm: FloatArray,
    missing: BoolArray | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Radius of the thecal sac around the canal's curve, and how surely it is known.

    Fat is the only canal tissue below water (Chen Y 2020, Medicine 99:e19448). The sac is the smooth surface
    that takes in the least fat, drawn towards a published share of the canal where no fat is seen. Rays
    through cement or metal are missing data: there the outline is expected as it is seen nearby, along the
    canal and on the other side of the plane. The sac is nowhere beyond the wall.

    Parameters
    ----------
    hu : (z, y, x) int16
        The spine's crop.
    grid : Grid
        Where the crop lies.
    frame : CanalFrame
        n points.
    theta : (m,) float64
        Angles of the wall, evenly spaced over the circle from -pi.
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
    radii = np.arange(0.0, float(wall_mm.max()) + STEP_MM, STEP_MM)
    within = radii[None, None, :] <= wall_mm[:, :, None]
    known: BoolArray = np.full(wall_mm.shape + radii.shape, True)
    if missing is not None and missing.any():
        size = np.maximum(1, np.ceil(1.5 / grid.spacing_mm)).astype(int)
        spread = ndimage.maximum_filter(missing, tuple(2 * size + 1)).astype(np.uint8)
        known = sample_rays(spread, grid, frame, theta, radii, order=0) < 0.5
    fat = _fat(sample_rays(hu, grid, frame, theta, radii), known, radii, wall_mm, frame, theta)
    # A ray that cement hides short of where it shows fat says nothing of where the fat begins.
    seen_mm = (fat * within).sum(axis=2) * STEP_MM
    first = np.where(seen_mm >= FAT_SEEN_MM, np.argmax(fat * within > 0.25, axis=2), len(radii))
    hidden: BoolArray = np.any(~known & within & (np.arange(len(radii)) <= first[:, :, None]), axis=2)
    bounded = (seen_mm >= FAT_SEEN_MM) & ~hidden

    taken_in = np.cumsum(fat, axis=2) - fat
    cost = (taken_in * STEP_MM).astype(np.float32)
    start = np.where(hidden, UNKNOWN, WITHOUT_FAT) * wall_mm
    pull = np.where(hidden, 0.05, PULL_PER_MM)
    sac = _surface(cost, radii, start, pull)
    expected = _expected(sac / np.maximum(wall_mm, 1.0), bounded, hidden, frame, theta) * wall_mm
    sac = _surface(
        cost,
        radii,
        np.where(hidden, expected, start),
        np.where(hidden, HIDDEN_PULL, pull),
    )
    along = (4.0 / frame.step_mm, 12.0 / 360.0 * len(theta))
    sac = np.clip(sac, MIN_SHARE * wall_mm, np.maximum(wall_mm - DURA_MM, 0.0))
    by_fat = ndimage.gaussian_filter(bounded.astype(float), along, mode=("nearest", "wrap"))
    in_plane = float(grid.spacing_mm[1:].max())
    variance = by_fat * (FAT_SD_MM**2 + (0.5 * in_plane) ** 2) + (1 - by_fat) * (SHARE_SD * wall_mm) ** 2
    return sac, np.sqrt(variance.mean(axis=1))


def _fat(
    samples: npt.NDArray[np.float32],
    known: BoolArray,
    radii: FloatArray,
    wall_mm: FloatArray,
    frame: CanalFrame,
    theta: FloatArray,
) -> npt.NDArray[np.float32]:
    """Membership in fat, 0..1, of every sample (n, m, k) within the wall; 0 where it cannot be seen."""
    share = radii[None, None, :] / np.maximum(wall_mm, 1.0)[:, :, None]
    inner = known & (share < MIN_SHARE + 0.1)
    rows = inner.reshape(len(samples), -1)
    values = np.where(rows, samples.reshape(len(samples), -1), np.nan)
    level = np.full(len(samples), np.nan)
    told = rows.sum(axis=1) >= 0.25 * rows.shape[1]
    level[told] = np.nanmedian(values[told], axis=1)
    if told.any():
        at = np.arange(len(level))
        level = np.interp(at, at[told], level[told])
        level = ndimage.median_filter(level, size=2 * round(10.0 / frame.step_mm) + 1, mode="nearest")
    else:
        level[:] = USUAL_SAC_HU
    # Evened out along the wall, never across it: beside bone a thin layer of fat is but a dip.
    sigma = (1.2 / frame.step_mm, 6.0 / 360.0 * len(theta), 0.0)
    mode = ("nearest", "wrap", "nearest")
    weight = ndimage.gaussian_filter(known.astype(np.float32), sigma, mode=mode)
    total = ndimage.gaussian_filter(np.where(known, samples, 0.0), sigma, mode=mode)
    smooth = np.where(weight > 0.05, total / np.maximum(weight, 0.05), 1000.0)
    darker = level[:, None, None] - smooth
    scatter = 1.4826 * float(np.median(np.abs(darker[inner]))) if inner.any() else 0.0
    fat = np.clip((darker - np.clip(SCATTERS * scatter, *DARKER_HU)) / FULLY_DARKER_HU, 0.0, 1.0)
    member: npt.NDArray[np.float32] = np.where(known & (share > MIN_SHARE), fat, 0.0).astype(np.float32)
    return member


def _surface(
    cost: npt.NDArray[np.float32], radii: FloatArray, expected: FloatArray, pull: FloatArray
) -> FloatArray:
    """The least-cost smooth surface that is drawn to an expected one, (n, m) mm."""
    off = np.abs(radii[None, None, :] - expected[:, :, None]) * pull[:, :, None]
    height = optimal_surface((cost + off).astype(np.float32), cyclic=True, linear=0.05, square=0.25)
    return height * STEP_MM


def _expected(
    ratio: FloatArray, bounded: BoolArray, hidden: BoolArray, frame: CanalFrame, theta: FloatArray
) -> FloatArray:
    """Sac over canal as rays nearby, on the other side and farther along show it, (n, m)."""
    trust = np.where(hidden, 0.0, np.where(bounded, 1.0, 0.3))
    # Angles run evenly from -pi: the mirror image of column j is column -j.
    back = (-np.arange(len(theta))) % len(theta)
    around = AROUND_DEG / 360.0 * len(theta)
    top = np.full(ratio.shape, 0.02 * UNKNOWN)
    base = np.full(ratio.shape, 0.02)
    for reach, weight in ((NEAR_MM, 1.0), (FAR_MM, FAR_WEIGHT)):
        sigma = (reach / frame.step_mm, around)
        for r, t, share in ((ratio, trust, 1.0), (ratio[:, back], trust[:, back], MIRROR_WEIGHT)):
            top += weight * share * ndimage.gaussian_filter(r * t, sigma, mode=("nearest", "wrap"))
            base += weight * share * ndimage.gaussian_filter(t, sigma, mode=("nearest", "wrap"))
    expected: FloatArray = top / base
    return expected


def sac_by_contrast(
    sac_mm: FloatArray,
    sd_mm: FloatArray,
    contrast: Contrast,
    frame: CanalFrame,
    wall_mm: FloatArray,
    pixel_mm: float,
) -> tuple[FloatArray, FloatArray]:
    """The sac's radius and its uncertainty with the outer border of contrast medium where that outlines it.

    Parameters
    ----------
    sac_mm, sd_mm
        (n, m) and (n,), as on plain CT.
    contrast : Contrast
        Found on the same curve and angles.
    frame : CanalFrame
    wall_mm : (n, m) float64
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
    sac = np.minimum(sac, np.maximum(wall_mm - DURA_MM, 0.0))
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
