"""From what passes the patient to the picture that a C-arm shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.fluoro.projection.line_integrals import FloatImage

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
FEW_PHOTONS: Final = 50.0
"""Below so many photons their number is drawn from Poisson's law, above from the normal law close to it."""
BLOCK: Final = 16
"""Scatter is so smooth that it is worked out on pixels this many times larger."""


@dataclass(frozen=True)
class Detector:
    """What degrades a picture. Figures are typical ones, from memory; none is a maker's.

    Attributes
    ----------
    dose_ngy : float
        Air kerma at the detector behind the patient, a picture: fluoroscopy takes about 10 to 100 nGy.
    blur_mm : float
        Standard deviation of the detector's own Gaussian spread, at the detector; it comes after the photons'
        noise and so makes it coarser.
    focus_mm : float
        Width of the focal spot.
    scatter_share : float
        Share of scattered radiation in all that arrives, behind the grid.
    scatter_mm : float
        Standard deviation of its spread at the detector.
    electronic_photons : float
        Standard deviation of the electronics' noise in photons of a pixel.
    gain_error, offset_error : float
        Standard deviation of what is left of the pixels' unlike gain (a share) and offset (photons).
    even_share : float
        Share of broad differences of attenuation that the display takes out, so that lung and liver are both
        seen in one window.
    even_mm : float
        How broad: standard deviation at the detector.
    bits : int
        Of a pixel, 8 to 16.
    """

    dose_ngy: float = 30.0
    blur_mm: float = 0.25
    focus_mm: float = 0.6
    scatter_share: float = 0.3
    scatter_mm: float = 25.0
    electronic_photons: float = 3.0
    gain_error: float = 0.005
    offset_error: float = 0.5
    even_share: float = 0.6
    even_mm: float = 30.0
    bits: int = 8

    def __post_init__(self) -> None:
        from thecal.errors import InputError

        if not 8 <= self.bits <= 16:
            raise InputError(f"A picture of {self.bits} bits is asked for; 8 to 16 can be made.")
        if not 0 <= self.scatter_share < 1:
            raise InputError("The share of scatter must lie between 0 and 1.")
        if self.dose_ngy <= 0:
            raise InputError("The dose of a picture must be above 0 nGy.")


def focus_blurred(
    passed: FloatImage, detector: Detector, magnification: float, pitch_mm: float
) -> FloatImage:
    """The primary picture as a focal spot of some width draws things at that magnification."""
    sigma = detector.focus_mm * (magnification - 1.0) / np.sqrt(12.0) / pitch_mm
    blurred: FloatImage = ndimage.gaussian_filter(passed, sigma, mode="nearest") if sigma > 0.1 else passed
    return blurred


def scatter_of(passed: FloatImage, detector: Detector, pitch_mm: float) -> FloatImage:
    """Scattered radiation that comes with a primary picture, on the same scale."""
    share = detector.scatter_share
    return _smooth(passed, detector.scatter_mm / pitch_mm) * np.float32(share / (1.0 - share))


def shading_of(attenuation: FloatImage, detector: Detector, pitch_mm: float) -> FloatImage:
    """What the display subtracts: a share of the broad differences of attenuation."""
    smooth = _smooth(attenuation, detector.even_mm / pitch_mm)
    taken: FloatImage = (smooth - smooth.mean()) * np.float32(detector.even_share)
    return taken


def _smooth(picture: FloatImage, sigma: float) -> FloatImage:
    """A Gaussian many pixels wide, worked out on blocks of pixels."""
    factor = max(min(BLOCK, *picture.shape), 1)
    # Blocks at the edges may be smaller: what is beyond them is the edge again.
    padded = np.pad(picture, [(0, -n % factor) for n in picture.shape], mode="edge")
    small = padded.reshape(padded.shape[0] // factor, factor, -1, factor).mean(axis=(1, 3))
    small = ndimage.gaussian_filter(small, sigma / factor, mode="nearest")
    where = np.meshgrid(*((np.arange(n) + 0.5) / factor - 0.5 for n in picture.shape), indexing="ij")
    back: FloatImage = ndimage.map_coordinates(small, where, order=1, mode="nearest").astype(np.float32)
    return back


def exposed(
    arriving: FloatImage, photons: float, detector: Detector, pitch_mm: float, seed: int
) -> FloatImage:
    """What the pixels read, in photons: noise of the photons, spread, electronics.

    Parameters
    ----------
    arriving : (rows, columns) float32
        Primary and scatter as shares of the open beam.
    photons : float
        Of the open beam, a pixel.
    detector, pitch_mm
    seed : int
        Same seed, same picture. The pixels' unlike gain is the detector's and does not change with it.
    """
    random = np.random.default_rng(seed)
    mean = arriving * np.float32(photons)
    few = mean < FEW_PHOTONS
    counts = mean + np.sqrt(mean) * random.standard_normal(mean.shape, np.float32)
    if few.any():
        counts[few] = random.poisson(mean[few])
    spread = ndimage.gaussian_filter(counts, detector.blur_mm / pitch_mm, mode="nearest", truncate=3.0)
    gain, offset = _unlike(mean.shape, detector.gain_error, detector.offset_error)
    noise = random.standard_normal(mean.shape, np.float32) * np.float32(detector.electronic_photons)
    read: FloatImage = spread * gain + offset + noise
    return read


def _unlike(shape: tuple[int, ...], gain_error: float, offset_error: float) -> tuple[FloatImage, FloatImage]:
    """Gain and offset of each pixel, the same in every picture of a detector of this size."""
    own = np.random.default_rng(sum(shape))
    gain = 1 + np.float32(gain_error) * own.standard_normal(shape, np.float32)
    return gain, np.float32(offset_error) * own.standard_normal(shape, np.float32)


def displayed(
    read: FloatImage, photons: float, shading: FloatImage, window: tuple[float, float], bits: int
) -> Pixels:
    """The picture as shown: the logarithm of the signal within a window, dense things dark.

    ``window`` is the attenuation shown white and that shown black, in powers of e.
    """
    attenuation = -np.log(np.maximum(read, 1.0) / np.float32(photons)) - shading
    bright, dark = window
    top = 2**bits - 1
    grey = np.clip((dark - attenuation) * np.float32(top / (dark - bright)) + np.float32(0.5), 0, top)
    shown: Pixels = grey.astype(np.uint8) if bits <= 8 else grey.astype(np.uint16)
    return shown
