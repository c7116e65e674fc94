"""A scanner: point spread, slice profile, noise, streaks and clipping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

FloatImage = npt.NDArray[np.float32]
FWHM_PER_SIGMA: Final = 2.3548


@dataclass(frozen=True)
class Scanner:
    """How the patient is scanned.

    Attributes
    ----------
    kernel : str
        Name written to the series.
    psf_fwhm_mm : float
        Width of the in-plane point spread; about 1.0 soft, 0.6 bone.
    slice_fwhm_mm : float or None
        Width of the slice profile; None for the slice spacing.
    noise_hu : float
        Standard deviation in soft tissue.
    clip_hu : int or None
        Highest HU that can be stored: 3071 on 12-bit scanners, None for the extended scale.
    streaks : float
        Strength of the artefacts around dense cement, 1 for a plausible 120 kV scan, 0 for none.
    kvp : float
    """

    kernel: str = "Br44f"
    psf_fwhm_mm: float = 0.95
    slice_fwhm_mm: float | None = None
    noise_hu: float = 18.0
    clip_hu: int | None = 3071
    streaks: float = 1.0
    kvp: float = 120.0

    def sigmas_mm(self, spacing_z_mm: float) -> tuple[float, float, float]:
        """Gaussian sigma of the point spread along z, y, x."""
        inplane = self.psf_fwhm_mm / FWHM_PER_SIGMA
        slice_mm = self.slice_fwhm_mm or max(spacing_z_mm, 0.6)
        # A box of width w has the variance of a Gaussian of sigma w / sqrt(12).
        return max(slice_mm / np.sqrt(12.0), 0.25), inplane, inplane


SOFT: Final = Scanner()
SHARP: Final = Scanner(kernel="Br64h", psf_fwhm_mm=0.6, noise_hu=38.0)


def centred_taps(sigma_mm: float, step_mm: float, factor: int) -> FloatImage:
    """Samples of the point spread about the middle of a block of ``factor`` fine voxels."""
    reach = int(np.ceil(3.0 * sigma_mm / step_mm))
    count = factor + 2 * reach
    x = (np.arange(count) - (count - 1) / 2.0) * step_mm
    taps = np.exp(-0.5 * (x / max(sigma_mm, 1e-6)) ** 2)
    normalised: FloatImage = (taps / taps.sum()).astype(np.float32)
    return normalised


@njit(cache=True)
def _reduce_last(
    source: npt.NDArray[np.float32], taps: npt.NDArray[np.float32], factor: int, out: npt.NDArray[np.float32]
) -> None:
    rows, n = source.shape
    m = out.shape[1]
    reach = (len(taps) - factor) // 2
    for r in range(rows):
        for j in range(m):
            total = np.float32(0.0)
            for t in range(len(taps)):
                i = min(max(j * factor - reach + t, 0), n - 1)
                total += taps[t] * source[r, i]
            out[r, j] = total


@njit(cache=True)
def _reduce_first(
    source: npt.NDArray[np.float32], taps: npt.NDArray[np.float32], factor: int, out: npt.NDArray[np.float32]
) -> None:
    n, columns = source.shape
    m = out.shape[0]
    reach = (len(taps) - factor) // 2
    for j in range(m):
        for c in range(columns):
            out[j, c] = 0.0
        for t in range(len(taps)):
            i = min(max(j * factor - reach + t, 0), n - 1)
            for c in range(columns):
                out[j, c] += taps[t] * source[i, c]


def image(
    fine: npt.NDArray[np.number],
    factors: tuple[int, int, int],
    fine_mm: tuple[float, float, float],
    sigmas_mm: tuple[float, float, float],
) -> FloatImage:
    """Blur a supersampled array with the point spread and sample it at the scan's voxels.

    Parameters
    ----------
    fine : (nz*fz, ny*fy, nx*fx)
    factors : (3,) ints
        Fine voxels in one voxel of the scan along z, y, x.
    fine_mm, sigmas_mm : (3,) floats

    Returns
    -------
    (nz, ny, nx) float32
    """
    fz, fy, fx = factors
    nz, ny, nx = (n // f for n, f in zip(fine.shape, factors, strict=True))
    plane = np.empty((fine.shape[0], ny, nx), np.float32)
    taps_x = centred_taps(sigmas_mm[2], fine_mm[2], fx)
    taps_y = centred_taps(sigmas_mm[1], fine_mm[1], fy)
    half = np.empty((fine.shape[1], nx), np.float32)
    for k in range(fine.shape[0]):
        _reduce_last(np.ascontiguousarray(fine[k], np.float32), taps_x, fx, half)
        _reduce_first(half, taps_y, fy, plane[k])
    out = np.empty((nz, ny * nx), np.float32)
    _reduce_first(plane.reshape(fine.shape[0], -1), centred_taps(sigmas_mm[0], fine_mm[0], fz), fz, out)
    return out.reshape(nz, ny, nx)


def add_noise(
    hu: FloatImage, spacing_mm: tuple[float, float, float], scanner: Scanner, rng: np.random.Generator
) -> None:
    """Add noise of the reconstruction's colour in place: a ramp cut off by the kernel, linked along z."""
    from scipy import fft, ndimage

    if scanner.noise_hu <= 0:
        return
    nz, ny, nx = hu.shape
    fy = fft.fftfreq(ny, spacing_mm[1])[:, None]
    fx = fft.rfftfreq(nx, spacing_mm[2])[None, :]
    f = np.hypot(fy, fx)
    sigma = scanner.psf_fwhm_mm / FWHM_PER_SIGMA
    shape = (np.sqrt(f + 0.02) * np.exp(-2.0 * (np.pi * sigma * f) ** 2)).astype(np.float32)
    white = rng.standard_normal((nz + 2, ny, nx), dtype=np.float32)
    link = scanner.sigmas_mm(spacing_mm[0])[0] / spacing_mm[0]
    if link > 0.35:
        white = ndimage.gaussian_filter1d(white, 0.5 * link, axis=0, truncate=2.0)
    for k in range(nz):
        white[k + 1] = fft.irfft2(fft.rfft2(white[k + 1]) * shape, s=(ny, nx))
    scale = scanner.noise_hu / float(white[1:-1].std())
    hu += white[1:-1] * np.float32(scale)


def store(hu: FloatImage, scanner: Scanner) -> npt.NDArray[np.int16]:
    """Round, clip as the scanner stores, and make int16."""
    high = 32767 if scanner.clip_hu is None else scanner.clip_hu
    return np.clip(np.rint(hu), -1024, high).astype(np.int16)
