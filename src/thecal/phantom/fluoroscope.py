"""From lengths of tissue to the picture on the display: spectrum, scatter, quanta, blur, lag, brightness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.fluoro.projection.line_integrals import FloatImage
from thecal.fluoro.projection.spectrum import beam

KILOVOLTS: Final = (70, 80, 95)
"""Tube voltages that a fluoroscope is drawn with."""


@dataclass(frozen=True)
class Fluoroscope:
    """How a picture is taken and shown.

    Attributes
    ----------
    kv : int
        Tube voltage.
    quanta : float
        Detected in a pixel of 0.4 mm behind the field's middle.
    scatter : float
        Scattered against primary quanta, behind the grid.
    blur_px : float
        Standard deviation of the detector's blur.
    lag : float
        Share of the former picture that is mixed in.
    log : bool
        Whether grey goes with the logarithm of the dose, or with the dose.
    window : float
        Width of the display's window, in natural logarithms.
    centre : float
        Grey of the field's middle, 0 to 1.
    bits : int
    contrast : float
        Radiopacity against that of a cement with 30 % barium sulphate.
    """

    kv: int = 80
    quanta: float = 250.0
    scatter: float = 0.4
    blur_px: float = 0.7
    lag: float = 0.0
    log: bool = True
    window: float = 3.2
    centre: float = 0.5
    bits: int = 8
    contrast: float = 1.0


def primary(
    scope: Fluoroscope,
    tissue_mm: FloatImage,
    bone_mm: FloatImage,
    cement_mm: FloatImage,
    steel_mm: FloatImage,
) -> FloatImage:
    """Share of the quanta that come through, from lengths in mm.

    Parameters
    ----------
    scope : Fluoroscope
    tissue_mm : (rows, columns) float32
        Soft tissue of usual density, bone left out.
    bone_mm : (rows, columns) float32
        Cortical bone.
    cement_mm, steel_mm : (rows, columns) float32
    """
    return beam(scope.kv).passed(
        {
            "soft": tissue_mm,
            "bone": bone_mm,
            "cement": np.float32(scope.contrast) * cement_mm,
            "steel": steel_mm,
        }
    )


class Display:
    """Turns what comes through into the pictures that are shown, one after the other."""

    def __init__(self, scope: Fluoroscope, rng: np.random.Generator) -> None:
        self.scope = scope
        self._rng = rng
        self._shown: FloatImage | None = None
        self._level: float | None = None
        self._dose: float | None = None

    def show(self, through: FloatImage) -> tuple[npt.NDArray[np.uint8] | npt.NDArray[np.uint16], float]:
        """The picture, twice as fine as ``through``, and the quanta that a through of 1 would give.

        Automatic brightness holds the field's middle with a lag of some pictures.
        """
        scope = self.scope
        wide = ndimage.zoom(ndimage.gaussian_filter(through[::4, ::4], 8.0), 4, order=1)
        scattered = through + np.float32(scope.scatter) * wide[: through.shape[0], : through.shape[1]]
        middle = float(np.median(scattered[_middle(scattered.shape)]))
        self._dose = middle if self._dose is None else 0.75 * self._dose + 0.25 * middle
        gain = scope.quanta / self._dose
        fine = doubled(scattered) * np.float32(gain)
        drawn = fine + np.sqrt(fine) * self._rng.standard_normal(fine.shape, dtype=np.float32)
        seen = ndimage.gaussian_filter(np.maximum(drawn, 0.0), scope.blur_px)
        if self._shown is not None and scope.lag > 0:
            seen = (1.0 - scope.lag) * seen + scope.lag * self._shown
        self._shown = seen
        if scope.log:
            grey = np.log(np.maximum(seen, 0.5) / scope.quanta) / scope.window + scope.centre
        else:
            grey = seen / scope.quanta * scope.centre
        top = 2**scope.bits - 1
        whole = np.clip(np.rint(grey * top), 0, top)
        return (whole.astype(np.uint8) if scope.bits == 8 else whole.astype(np.uint16)), gain


def doubled(image: FloatImage) -> FloatImage:
    """Twice as many pixels each way; two fine pixels' middle is the coarse pixel's."""
    up = np.empty((image.shape[0] * 2, image.shape[1]), np.float32)
    before, after = np.vstack([image[:1], image[:-1]]), np.vstack([image[1:], image[-1:]])
    up[0::2] = 0.75 * image + 0.25 * before
    up[1::2] = 0.75 * image + 0.25 * after
    out = np.empty((up.shape[0], up.shape[1] * 2), np.float32)
    before, after = np.hstack([up[:, :1], up[:, :-1]]), np.hstack([up[:, 1:], up[:, -1:]])
    out[:, 0::2] = 0.75 * up + 0.25 * before
    out[:, 1::2] = 0.75 * up + 0.25 * after
    return out


def draw_fluoroscope(rng: np.random.Generator) -> Fluoroscope:
    """A machine and its setting by chance."""
    return Fluoroscope(
        kv=int(rng.choice(KILOVOLTS)),
        quanta=float(np.exp(rng.uniform(np.log(60.0), np.log(600.0)))),
        scatter=float(rng.uniform(0.15, 0.8)),
        blur_px=float(rng.uniform(0.5, 1.0)),
        lag=float(rng.choice((0.0, 0.0, 0.25, 0.45))),
        log=bool(rng.random() < 0.65),
        window=float(rng.uniform(2.6, 4.2)),
        centre=float(rng.uniform(0.35, 0.55)),
        bits=int(rng.choice((8, 8, 10, 12))),
        contrast=float(rng.uniform(0.6, 1.15)),
    )


def _middle(shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The part of the field that the brightness is held for."""
    rows, columns = shape
    return (slice(rows // 3, 2 * rows // 3), slice(columns // 3, 2 * columns // 3))
