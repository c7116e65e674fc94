"""How far the scanner blurs: the point-spread function, from the edge between air and tissue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from thecal.cement.mode import mode
from thecal.volume import FloatArray, IntArray, Volume

AIR_BELOW_HU = -850.0
EDGE_HU = -500.0
TISSUE_HU = (-160.0, 160.0)
# The lower part of the edge: above it, the skin's own thickness and the fat beneath change the profile.
EDGE_SHARE = (0.03, 0.70)
LEAST_FACING = 0.90
LEAST_LAG_MM = 0.8
LEAST_EDGES = 60
# A blur this many times wider than the edges' own rise allows was not read off them: on a sharp kernel the
# whole edge lies between two voxels, and what passes for its flank is noise.
CONTRADICTED = 2.0
SLICES_LOOKED_AT = 24
# Full width at half maximum of soft and sharp reconstruction kernels in plane, mm; typical of clinical CT
# (not of one scanner) and used only where no edge can be measured.
SOFT_KERNEL_FWHM_MM = 1.45
SHARP_KERNEL_FWHM_MM = 0.95
FWHM_PER_SIGMA = 2.3548
# Between a box (0.289) and a Gaussian of the nominal thickness (0.425), as multi-row helical profiles lie.
SLICE_SIGMA_SHARE = 0.36
LEAST_SIGMA_VOXELS = 0.38


@dataclass(frozen=True, eq=False)
class PointSpread:
    """Gaussian point spread along z, y, x in mm, and whether the in-plane part was measured."""

    sigma_mm: FloatArray
    measured: bool


def point_spread(volume: Volume) -> PointSpread:
    """The scan's point spread as a Gaussian.

    In plane it is measured where air meets tissue: between two voxels of such an edge the inverse normal of
    the HU's share of the step grows by distance / sigma. Along z it follows from the slice thickness, since
    few surfaces face that way.

    Parameters
    ----------
    volume : Volume

    Breathing, clothes and slanted surfaces only ever widen an edge: they pull the mean and the median of
    such estimates, not their mode. Where an edge rises from air to tissue between two neighbours, it has no
    flank to measure; then the blur is the widest that still lets it rise so.

    Returns
    -------
    PointSpread
        Voxel aperture included.
    """
    spacing = volume.grid.spacing_mm
    edges = [_edge_sigmas(volume.hu, spacing, axis) for axis in (1, 2)]
    most = [float(np.median(widest)) for _, widest in edges if len(widest) >= LEAST_EDGES]
    flanks = [
        (mode(flank[(flank > 0.15) & (flank < 4.0)]), float(np.median(widest)))
        for flank, widest in edges
        if len(flank) >= LEAST_EDGES
    ]
    sharp = [sigma for sigma, widest in flanks if sigma <= CONTRADICTED * widest]
    if sharp:
        in_plane = min(sharp)
    elif most:
        in_plane = max(most)
    else:
        kernel_fwhm = SHARP_KERNEL_FWHM_MM if _is_sharp(volume.source.kernel) else SOFT_KERNEL_FWHM_MM
        in_plane = kernel_fwhm / FWHM_PER_SIGMA
    in_plane = float(np.clip(in_plane, 0.3, 2.0))
    thickness = max(volume.source.slice_thickness_mm or 0.0, float(spacing[0]))
    along = np.hypot(SLICE_SIGMA_SHARE * thickness, 0.2)
    sigma = np.array([along, in_plane, in_plane])
    return PointSpread(np.maximum(sigma, LEAST_SIGMA_VOXELS * spacing), bool(sharp or most))


def _is_sharp(kernel: str | None) -> bool:
    """Whether a name is that of a bone or lung kernel (Siemens B/Br >= 50, "BONE", "LUNG", "FC5x")."""
    if kernel is None:
        return False
    name = kernel.upper()
    if any(word in name for word in ("BONE", "LUNG", "EDGE", "SHARP", "DETAIL")):
        return True
    digits = "".join(c if c.isdigit() else " " for c in name).split()
    if not digits or len(digits[0]) < 2:
        return False
    return 50 <= int(digits[0][:2]) <= 99


def _edge_sigmas(hu: IntArray, spacing: FloatArray, axis: int) -> tuple[FloatArray, FloatArray]:
    """Sigma (mm) from each pair of neighbours on an air-tissue edge that faces ``axis``.

    And for each such edge the widest sigma that lets it rise as much as it does from one voxel to the next.
    """
    step = float(spacing[axis])
    far = max(3, int(np.ceil(3.0 / step)))
    chosen = np.unique(np.linspace(0, hu.shape[0] - 1, min(SLICES_LOOKED_AT, hu.shape[0])).astype(int))
    slabs = np.moveaxis(hu[chosen], axis, 2)
    found, widest = [], []
    for profile in (slabs, slabs[:, :, ::-1]):
        if profile.shape[2] < 2 * far + 4 or profile.shape[1] < 3:
            continue
        inner = profile[:, 1:-1, far : -far - 1]
        following = profile[:, 1:-1, far + 1 : -far]
        crossing = np.argwhere((inner < EDGE_HU) & (following >= EDGE_HU))
        if len(crossing) == 0:
            continue
        s, r, c = crossing[:, 0], crossing[:, 1] + 1, crossing[:, 2] + far
        line = profile[s[:, None], r[:, None], c[:, None] + np.arange(-far, far + 2)].astype(float)
        air, tissue = line[:, : far - 1].mean(1), line[:, far + 2 : far + 4].mean(1)
        across = (profile[s, r + 1, c].astype(float) - profile[s, r - 1, c]) / 2
        across += (profile[s, r + 1, c + 1].astype(float) - profile[s, r - 1, c + 1]) / 2
        along = line[:, far + 1] - line[:, far]
        facing = along / np.hypot(along, across / 2)
        good = (line[:, : far - 1].max(1) < AIR_BELOW_HU) & (tissue > TISSUE_HU[0]) & (tissue < TISSUE_HU[1])
        good &= facing > LEAST_FACING
        # Neighbours nearer than the blur itself say more about noise than about the edge.
        lag = max(1, round(LEAST_LAG_MM / step))
        share = (line - air[:, None]) / (tissue - air + 1e-9)[:, None]
        rise = np.clip(share[good, far + 1] - share[good, far], 0.01, 0.999)
        widest.append(step * facing[good] / (2 * ndtri((1 + rise) / 2)))
        for k in range(far - lag, far + 1):
            low, high = share[:, k], share[:, k + lag]
            usable = good & (low > EDGE_SHARE[0]) & (high < EDGE_SHARE[1]) & (high > low)
            rise = ndtri(high[usable]) - ndtri(low[usable])
            found.append(lag * step * facing[usable] / rise)
    if not found:
        return np.empty(0), np.empty(0)
    return np.concatenate(found), np.concatenate(widest)
