"""The picture before any cement, and how much each of its pixels wavers when nothing is new."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import ndimage

from thecal.fluoro.front.in_plane import STILL, Reference
from thecal.fluoro.front.log_picture import FloatImage
from thecal.volume import BoolArray, FloatArray

SMOOTH_PX: Final = 1.0
"""Standard deviation of the smoothing that every picture gets: half a millimetre at the vertebra."""
LEAST_PICTURES: Final = 8
LEAST_S: Final = 5.0
"""A quiet breath takes 3 to 5 s: what a phase of it shows for the first time later looks like cement."""
LAID_SD_PX: Final = 0.3
"""How well pictures are laid on each other: edges waver by so much of their slope."""
MOST_PICTURES: Final = 128
"""No more are kept: of more every second is dropped, so that time and memory stay bounded."""
OVERLAYS: Final = 3
"""Ways in which what lies over the spine changes with the breath, learned before the injection."""


@dataclass(frozen=True, eq=False)
class Baseline:
    """What the place looks like without cement.

    Attributes
    ----------
    picture : (rows, columns) float32
        Mean in logarithms, smoothed.
    noise : (rows, columns) float32
        Standard deviation of one smoothed picture about the mean and its overlays.
    overlays : (k, rows, columns) float32
        Principal components of the pictures before the injection, and what a small shift or a blur of the
        picture itself adds: first and second derivatives.
    valid : (rows, columns) bool
        False where greys are clipped: nothing new can be seen there.
    likeness : float
        Median of ``Move.likeness`` of its own pictures.
    scale : float
        Median noise over the mask.
    """

    picture: FloatImage
    noise: FloatImage
    overlays: FloatImage
    valid: BoolArray
    likeness: float
    scale: float


def smooth(picture: FloatImage) -> FloatImage:
    """The smoothing of every picture."""
    return np.asarray(ndimage.gaussian_filter(picture, SMOOTH_PX, truncate=3.0), np.float32)


class BaselineBuilder:
    """Lays the first pictures on each other.

    Parameters
    ----------
    weights : (rows, columns) float32
        Where the vertebra is expected: what the pictures are laid by.
    """

    def __init__(self, weights: FloatImage) -> None:
        self._weights = weights
        self._laid: list[FloatImage] = []
        self._likeness: list[float] = []
        self._clipped = np.zeros(weights.shape, np.float32)
        self._seen = 0
        self._first_s: float | None = None
        self._last = STILL
        self.move = STILL

    @property
    def count(self) -> int:
        """Pictures so far."""
        return len(self._laid)

    def add(self, picture: FloatImage, clipped: BoolArray, time_s: float) -> bool:
        """Take a smoothed picture; true when there are enough."""
        if not self._laid:
            self._laid.append(picture)
            self._first_s = time_s
        else:
            mean = _mean(np.stack(self._laid))
            reference = Reference(mean, self._weights)
            scale = self._scale(mean)
            self.move = reference.lay(picture, self._last, scale)
            self._last = self.move
            self._laid.append(self.move.lay(picture))
            self._likeness.append(self.move.likeness)
        self._clipped += clipped
        self._seen += 1
        if len(self._laid) > MOST_PICTURES:
            del self._laid[1::2]
        return self.count >= LEAST_PICTURES and time_s - (self._first_s or 0.0) >= LEAST_S

    def likeness(self, reference: Reference) -> float:
        """Median likeness of the pictures so far to a reference on which they lie."""
        return float(np.median([reference.likeness(picture) for picture in self._laid]))

    def _scale(self, mean: FloatImage) -> float:
        held = self._weights > 0
        if len(self._laid) < 2:
            return 0.1
        off = (self._laid[-1] - mean)[held]
        return float(max(1.4826 * np.nanmedian(np.abs(off)), 1e-3))

    def done(self) -> Baseline:
        """The baseline of the pictures so far."""
        stack = np.stack(self._laid)
        mean = _mean(stack)
        off = np.nan_to_num(stack - mean)
        overlays, left = _overlays(off, self._weights)
        variance = (left**2).sum(0) / max(len(stack) - 1 - len(overlays), 1)
        local = ndimage.gaussian_filter(variance, 2.0)
        by_grey = _by_grey(mean, variance, self._weights > 0)
        down, across = np.gradient(np.nan_to_num(mean))
        slip = LAID_SD_PX**2 * (down**2 + across**2)
        noise = np.sqrt(np.maximum(np.maximum(local, 0.7 * by_grey), 1e-8) + slip).astype(np.float32)
        held = self._weights > 0
        return Baseline(
            picture=mean.astype(np.float32),
            noise=noise,
            overlays=np.concatenate([overlays, _of_edges(mean, held)]),
            valid=np.isfinite(mean) & (self._clipped < 0.3 * self._seen),
            likeness=float(np.median(self._likeness)) if self._likeness else 0.0,
            scale=float(np.median(noise[held])) if held.any() else 1.0,
        )


def _mean(stack: FloatImage) -> FloatImage:
    """Mean of what each pixel showed; not a number where none did."""
    known = np.isfinite(stack)
    count = known.sum(axis=0)
    total = np.where(known, stack, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def _overlays(off: FloatArray, weights: FloatImage) -> tuple[FloatImage, FloatArray]:
    """Principal components over the mask, and what they leave of the pictures."""
    count = min(OVERLAYS, (len(off) - 2) // 3)
    held = ndimage.binary_dilation(weights > 0, iterations=12)
    flat = off[:, held]
    if count < 1:
        return np.zeros((0, *off.shape[1:]), np.float32), off
    gram = flat @ flat.T
    values, vectors = np.linalg.eigh(gram)
    # What noise alone would give: the median of the eigenvalues; only what stands out is an overlay.
    keep = [i for i in np.argsort(values)[::-1][:count] if values[i] > 2.0 * np.median(values)]
    if not keep:
        return np.zeros((0, *off.shape[1:]), np.float32), off
    shares = vectors[:, keep]
    maps = np.tensordot(shares.T, off, axes=1)
    left = off - np.tensordot(shares, maps, axes=1)
    norm = np.sqrt((maps[:, held] ** 2).mean(axis=1))[:, None, None]
    return (maps / np.maximum(norm, 1e-9)).astype(np.float32), left


def _of_edges(mean: FloatImage, held: BoolArray) -> FloatImage:
    """First and second derivatives of a picture.

    No picture is laid on another to the last tenth of a pixel, and one that moves fast is less sharp than
    the mean of those that stood.
    """
    known = np.nan_to_num(mean)
    down, across = np.gradient(known)
    maps = np.stack([down, across, *np.gradient(down), np.gradient(across, axis=1)])
    norm = np.sqrt((maps[:, held] ** 2).mean(axis=1)) if held.any() else np.ones(len(maps))
    return (maps / np.maximum(norm, 1e-9)[:, None, None]).astype(np.float32)


def _by_grey(mean: FloatImage, variance: FloatArray, held: BoolArray) -> FloatArray:
    """Median variance of pixels of like grey: quanta make dark places noisier."""
    LEVELS = 24
    known = np.isfinite(mean)
    edges = np.quantile(mean[known], np.linspace(0, 1, LEVELS + 1))
    bin_of = np.clip(np.searchsorted(edges, np.nan_to_num(mean)) - 1, 0, LEVELS - 1)
    middle = np.array(
        [
            np.median(variance[known & (bin_of == k)]) if (known & (bin_of == k)).any() else 0.0
            for k in range(LEVELS)
        ]
    )
    table: FloatArray = middle[bin_of]
    return table


def without_overlays(change: FloatImage, baseline: Baseline, weights: FloatImage) -> FloatImage:
    """A change freed of what the breath explains, by least squares over the weighted pixels, robustly."""
    if len(baseline.overlays) == 0:
        return change
    some = (slice(1, None, SPARSE), slice(1, None, SPARSE))
    held = (weights[some] > 0) & np.isfinite(change[some])
    maps = baseline.overlays[(slice(None), *some)][:, held].astype(np.float64)
    values = change[some][held].astype(np.float64)
    keep = np.ones(len(values), bool)
    shares = np.zeros(len(maps))
    for _ in range(3):
        normal = maps[:, keep] @ maps[:, keep].T + 1e-3 * keep.sum() * baseline.scale * np.eye(len(maps))
        shares = np.linalg.solve(normal, maps[:, keep] @ values[keep])
        left = values - shares @ maps
        middle = float(np.median(left))
        keep = np.abs(left - middle) < 3.0 * max(1.4826 * float(np.median(np.abs(left - middle))), 1e-6)
    freed = change.copy()
    for share, overlay in zip(shares, baseline.overlays, strict=True):
        freed -= np.float32(share) * overlay
    return freed


SPARSE: Final = 3
"""Every so many rows and columns are enough to fit the overlays."""
