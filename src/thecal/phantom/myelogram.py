"""Contrast medium in the sac, as at CT myelography: CSF is bright, cord and roots stay dark."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy import ndimage

from thecal.anatomy.spine import Spine
from thecal.errors import InputError
from thecal.phantom.scanner import Scanner, image
from thecal.phantom.scene import finer, supersampling
from thecal.phantom.site import Site
from thecal.phantom.soft import CSF_HU
from thecal.terms import THECAL_SAC
from thecal.volume import BoolArray, Box, FloatArray, Volume

# CSF of the phantom scatters by a few HU about ``CSF_HU``; roots and cord are brighter than this.
_CSF_BELOW_HU: Final = 27
# Over so much of the canal's length the medium thins out at its ends.
_FADE_MM: Final = 12.0
# Cord in a real CT, which does not show it: half axes left and behind, and the roots below it, from memory.
_CORD_MM: Final = (4.6, 3.4)
_CONUS: Final = "L1"
_ROOT_MM: Final = 0.7
_ROOTS: Final = ((2.1, 0.55), (2.5, 0.75), (2.9, 0.55), (-2.1, 0.55), (-2.5, 0.75), (-2.9, 0.55))


@dataclass(frozen=True)
class Myelogram:
    """Contrast medium in the sac.

    Attributes
    ----------
    hu : float
        Of the CSF that it is mixed with.
    levels : (cranial, caudal) or None
        It reaches from the middle of one to the middle of the other; None for the whole sac.
    """

    hu: float
    levels: tuple[str, str] | None = None


def fill_sac(site: Site, medium: Myelogram) -> None:
    """Make the CSF of a phantom's fine grid bright, in place."""
    csf = (site.labels == THECAL_SAC) & (site.hu < _CSF_BELOW_HU)
    index = np.argwhere(csf)
    share = _reached(site.spine, medium, site.grid.to_lps(index))
    before = site.hu[csf].astype(float)
    site.hu[csf] = np.rint(before + share * (medium.hu - before)).astype(site.hu.dtype)


def inject(volume: Volume, spine: Spine, medium: Myelogram, scanner: Scanner | None = None) -> Volume:
    """The same CT as a myelogram.

    CSF between an oval cord (above L1, or everywhere where no level is known), thin roots and the outline
    of ``spine``'s sac is made bright on a fine grid, blurred as the scanner blurs, and laid over the scan.

    Parameters
    ----------
    volume : Volume
        A CT without contrast medium in the canal.
    spine : Spine
        Its anatomy.
    medium : Myelogram
    scanner : Scanner, optional
        As for ``insert_deposits``.
    """
    spacing = volume.grid.spacing_mm
    step = (float(spacing[0]), float(spacing[1]), float(spacing[2]))
    scanner = scanner or Scanner(slice_fwhm_mm=volume.source.slice_thickness_mm or step[0])
    canal = spine.canal
    reach = float(canal.sac_mm.max()) + 4.0
    box = volume.grid.box_around(canal.frame.points, reach)
    factors = supersampling(step)
    site_grid = finer(volume.grid.crop(box), factors)
    share = np.zeros(site_grid.shape, np.float32)
    # Slice by slice of the scan, so that no fine array of points is held whole.
    for low in range(0, site_grid.shape[0], factors[0]):
        part: Box = (
            slice(low, low + factors[0]),
            slice(0, site_grid.shape[1]),
            slice(0, site_grid.shape[2]),
        )
        index = np.argwhere(np.ones((factors[0], *site_grid.shape[1:]), bool))
        points = site_grid.crop(part).to_lps(index)
        csf = _csf(spine, points)
        share[part].reshape(-1)[csf] = _reached(spine, medium, points[csf])
    fine_mm = (step[0] / factors[0], step[1] / factors[1], step[2] / factors[2])
    added = (medium.hu - CSF_HU) * image(share, factors, fine_mm, scanner.sigmas_mm(step[0]))
    hu = volume.hu.copy()
    ceiling = volume.source.hu_clipped_at or 32767
    hu[box] = np.clip(np.rint(hu[box] + added), -1024, ceiling).astype(np.int16)
    return replace(volume, hu=hu, source=replace(volume.source, simulated=True))


def _csf(spine: Spine, points: FloatArray) -> BoolArray:
    """Points (n, 3) within the sac and outside of cord and roots."""
    canal = spine.canal
    s, theta, r = canal.frame.locate(points)
    row = canal.frame.index(s)
    off = np.abs(((points - canal.frame.points[row]) * canal.frame.cranial[row]).sum(axis=1))
    around = np.concatenate([canal.sac_mm, canal.sac_mm[:, :1]], axis=1)
    column = (theta - canal.theta[0]) / (2 * np.pi) * len(canal.theta) % len(canal.theta)
    along = (s - canal.frame.s_mm[0]) / canal.frame.step_mm
    sac = ndimage.map_coordinates(around, [along, column], order=1, mode="nearest")
    inside = (r <= sac) & (off <= canal.frame.step_mm)
    left, behind = r * np.sin(theta), -r * np.cos(theta)
    conus = next((v for v in spine.vertebrae if v.level == _CONUS), None)
    tip = -np.inf if conus is None else float(canal.frame.locate(conus.frame.origin)[0][0])
    cord = (s >= tip) & (np.hypot(left / _CORD_MM[0], behind / _CORD_MM[1]) < 1)
    root = np.zeros(len(points), bool)
    for angle, share in _ROOTS:
        away = np.hypot(left - share * sac * np.sin(angle), behind + share * sac * np.cos(angle))
        root |= (s < tip) & (away < _ROOT_MM)
    csf: BoolArray = inside & ~cord & ~root
    return csf


def _reached(spine: Spine, medium: Myelogram, points: FloatArray) -> FloatArray:
    """Share of contrast medium in the CSF at points (n, 3), 0..1, thinning out at its ends."""
    if medium.levels is None:
        return np.ones(len(points))
    at = {v.level: float(spine.canal.frame.locate(v.frame.origin)[0][0]) for v in spine.vertebrae}
    for level in medium.levels:
        if level not in at:
            raise InputError(f"No vertebra {level} is in the scan that contrast medium could reach")
    low, high = sorted(at[level] for level in medium.levels)
    s = spine.canal.frame.locate(points)[0]
    return np.clip((np.minimum(s - low, high - s) + 0.5 * _FADE_MM) / _FADE_MM, 0.0, 1.0)
