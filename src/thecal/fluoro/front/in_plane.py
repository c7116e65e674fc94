"""How a vertebra moved in the picture: shift, turn and scale against a reference, with its brightness.

Gauss-Newton on the grey of a mask (Lucas and Kanade 1981; the gradients are the reference's, Baker and
Matthews 2004, doi 10.1023/B:VISI.0000011205.11775.fd), with Tukey's weights, so that what is new in the
picture has no say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numba import njit

from thecal.fluoro.front.log_picture import FloatImage
from thecal.volume import BoolArray, FloatArray

ROUNDS: Final = 12
STILL_PX: Final = 0.005
"""The search ends when a round moves the vertebra by less."""
TUKEY: Final = 4.685


@dataclass(frozen=True, eq=False)
class Move:
    """From a pixel of the reference to the same place in a picture.

    Attributes
    ----------
    matrix : (2, 3) float64
        Rows and columns.
    gain, offset : float
    slope : (float, float)
        The picture in the reference's logarithms is ``gain * picture + offset`` and ``slope`` for each row
        and column: scatter and brightness change as cement comes.
    likeness : float
        Correlation of the two over the mask, -1 to 1, each freed of what changes over more than about a cm.
    """

    matrix: FloatArray
    gain: float = 1.0
    offset: float = 0.0
    likeness: float = 0.0
    slope: tuple[float, float] = (0.0, 0.0)

    def lay(self, picture: FloatImage) -> FloatImage:
        """The picture on the reference's pixels and in its greys; not a number where it does not reach."""
        rows = np.arange(picture.shape[0], dtype=np.float32)[:, None] * np.float32(self.slope[0])
        columns = np.arange(picture.shape[1], dtype=np.float32) * np.float32(self.slope[1])
        laid = warped(picture, self.matrix) * np.float32(self.gain)
        whole: FloatImage = (laid + (rows + columns + np.float32(self.offset))).astype(np.float32)
        return whole

    def to_picture(self, pixels: FloatArray) -> FloatArray:
        """(row, column) of the reference (..., 2) in the picture."""
        moved: FloatArray = pixels @ self.matrix[:, :2].T + self.matrix[:, 2]
        return moved

    @property
    def shift_px(self) -> FloatArray:
        """Shift of the middle of a 256-pixel picture, (2,)."""
        middle = np.array([128.0, 128.0])
        shift: FloatArray = self.to_picture(middle) - middle
        return shift


STILL: Final = Move(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))


USUAL: Final = np.array([0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0])
HELD: Final = np.array([2e-4, 2e-3, 3.0, 3.0, 0.01, 0.05, 1e-4, 1e-4])
"""How far scale, turn (radians), shift (pixels), gain, offset and slope (a pixel) go from the usual, one
standard deviation a pixel's worth of evidence: where the picture says little, they stay."""


class Reference:
    """A picture that others are laid on.

    Parameters
    ----------
    picture : (rows, columns) float32
        Smoothed a little, as the others.
    weights : (rows, columns) float32
        0 where a pixel has no say.
    apart : (rows, columns) bool, optional
        Pixels that have a say in where the mask lies but not in how alike two pictures are: needles, which
        are darker than all else and are later covered by cement.
    """

    def __init__(self, picture: FloatImage, weights: FloatImage, apart: BoolArray | None = None) -> None:
        self.picture = np.ascontiguousarray(picture)
        self.weights = np.ascontiguousarray(weights, np.float32)
        self._apart = np.zeros(picture.shape, bool) if apart is None else apart
        slopes = np.gradient(self.picture)
        self._rows: FloatImage = slopes[0]
        self._columns: FloatImage = slopes[1]
        held = np.argwhere(self.weights > 0)
        self.centre = held.mean(0) if len(held) else np.array(picture.shape) / 2.0

    def lay(self, picture: FloatImage, start: Move, scale: float) -> Move:
        """Where a picture shows the reference's mask, from a start that is near.

        ``scale`` is the noise's standard deviation, by which outliers are told.
        """
        turn = start.matrix[:, :2]
        at = start.to_picture(self.centre) - self.centre
        params = np.array([turn[0, 0] - 1.0, turn[1, 0], at[0], at[1], start.gain, 0.0, *start.slope])
        params[5] = start.offset + params[6:8] @ self.centre
        for turn_number in range(ROUNDS):
            first = turn_number < 2
            width, slack = (6.0 * scale, 3.0) if first else (2.0 * scale, 1.0)
            normal, right = _normal(
                self.picture, self._rows, self._columns, picture, self.weights, params,
                self.centre[0], self.centre[1], width * TUKEY, slack,
            )  # fmt: skip
            hold = scale**2 / HELD**2
            try:
                step = np.linalg.solve(normal + np.diag(hold), right - hold * (params - USUAL))
            except np.linalg.LinAlgError:
                break
            params += step
            if not np.all(np.isfinite(params)) or abs(params[0]) > 0.2 or abs(params[1]) > 0.35:
                return Move(start.matrix, start.gain, start.offset, 0.0)
            if abs(step[2]) < STILL_PX and abs(step[3]) < STILL_PX and turn_number > 2:
                break
        matrix = np.array([[1.0 + params[0], -params[1]], [params[1], 1.0 + params[0]]])
        shift = self.centre + params[2:4] - matrix @ self.centre
        whole = np.hstack([matrix, shift[:, None]])
        back = warped(picture, whole)
        slope = params[6:8]
        offset = float(params[5] - slope @ self.centre)
        return Move(whole, float(params[4]), offset, self.likeness(back), (float(slope[0]), float(slope[1])))

    def likeness(self, back: FloatImage) -> float:
        """Correlation with a picture that is laid on this one, over the mask, slow changes left out."""
        a, b = _fine(self.picture), _fine(back)
        held = (self.weights > 0) & ~self._apart & np.isfinite(b)
        if held.sum() < 50:
            return 0.0
        x, y = a[held] - a[held].mean(), b[held] - b[held].mean()
        under = float(np.sqrt((x @ x) * (y @ y)))
        return float(x @ y) / under if under > 0 else 0.0


def _fine(picture: FloatImage) -> FloatImage:
    from scipy import ndimage

    WIDE_PX = 13
    known = np.isfinite(picture)
    filled = np.where(known, picture, np.float32(0.0))
    if known.all():
        around = ndimage.uniform_filter(filled, WIDE_PX)
    else:
        # Where a laid picture ends, the mean of what is there: a zero in logarithms would be a bright edge.
        share = ndimage.uniform_filter(known.astype(np.float32), WIDE_PX)
        around = ndimage.uniform_filter(filled, WIDE_PX) / np.maximum(share, 1e-6)
    fine: FloatImage = np.where(known, filled - around, np.float32(np.nan))
    return fine


def warped(picture: FloatImage, matrix: FloatArray) -> FloatImage:
    """The picture on the reference's pixels; not a number where the picture does not reach."""
    laid: FloatImage = _bilinear(np.ascontiguousarray(picture), np.ascontiguousarray(matrix))
    return laid


@njit(cache=True)
def _bilinear(image: Any, m: Any) -> Any:
    rows, columns = image.shape
    out = np.full((rows, columns), np.nan, np.float32)
    for i in range(rows):
        for j in range(columns):
            r = m[0, 0] * i + m[0, 1] * j + m[0, 2]
            c = m[1, 0] * i + m[1, 1] * j + m[1, 2]
            if r < 0.0 or c < 0.0 or r > rows - 1.0 or c > columns - 1.0:
                continue
            a, b = min(int(r), rows - 2), min(int(c), columns - 2)
            f, g = r - a, c - b
            upper = image[a, b] * (1 - g) + image[a, b + 1] * g
            lower = image[a + 1, b] * (1 - g) + image[a + 1, b + 1] * g
            out[i, j] = upper * (1 - f) + lower * f
    return out


@njit(cache=True)
def _normal(
    ref: Any,
    grow: Any,
    gcol: Any,
    image: Any,
    weights: Any,
    p: Any,
    rc: float,
    cc: float,
    cut: float,
    slack: float,
) -> Any:
    """Normal equations of one round, over pixels with a weight, in a fixed order."""
    rows, columns = ref.shape
    normal = np.zeros((8, 8))
    right = np.zeros(8)
    jac = np.empty(8)
    for i in range(rows):
        for j in range(columns):
            w = weights[i, j]
            if w <= 0.0:
                continue
            y, x = i - rc, j - cc
            r = (1.0 + p[0]) * y - p[1] * x + rc + p[2]
            c = p[1] * y + (1.0 + p[0]) * x + cc + p[3]
            if r < 0.0 or c < 0.0 or r > rows - 1.0 or c > columns - 1.0:
                continue
            a, b = min(int(r), rows - 2), min(int(c), columns - 2)
            f, g = r - a, c - b
            upper = image[a, b] * (1 - g) + image[a, b + 1] * g
            lower = image[a + 1, b] * (1 - g) + image[a + 1, b + 1] * g
            value = upper * (1 - f) + lower * f
            e = ref[i, j] - p[4] * value - p[5] - p[6] * y - p[7] * x
            # Where the slope is steep a small movement makes a large difference: that is no outlier.
            u = e / (cut + slack * (abs(grow[i, j]) + abs(gcol[i, j])))
            if not abs(u) < 1.0:
                continue
            t = w * (1.0 - u * u) ** 2
            jac[0] = grow[i, j] * y + gcol[i, j] * x
            jac[1] = -grow[i, j] * x + gcol[i, j] * y
            jac[2], jac[3], jac[4], jac[5] = grow[i, j], gcol[i, j], value, 1.0
            jac[6], jac[7] = y, x
            for k in range(8):
                right[k] += t * jac[k] * e
                for n in range(k, 8):
                    normal[k, n] += t * jac[k] * jac[n]
    for k in range(8):
        for n in range(k):
            normal[k, n] = normal[n, k]
    return normal, right


def on_frame(move: Move, mask: BoolArray, shape: tuple[int, int], factor: int) -> BoolArray:
    """A mask of the reference on the pixels of the frame as it was given, ``factor`` times finer."""
    inverse = np.linalg.inv(np.vstack([move.matrix, [0.0, 0.0, 1.0]]))[:2]
    placed: BoolArray = _nearest(np.ascontiguousarray(mask), np.ascontiguousarray(inverse), *shape, factor)
    return placed


@njit(cache=True)
def _nearest(mask: Any, m: Any, rows: int, columns: int, factor: int) -> Any:
    out = np.zeros((rows, columns), np.bool_)
    for i in range(rows):
        y = (i - (factor - 1) / 2) / factor
        for j in range(columns):
            x = (j - (factor - 1) / 2) / factor
            r = int(np.rint(m[0, 0] * y + m[0, 1] * x + m[0, 2]))
            c = int(np.rint(m[1, 0] * y + m[1, 1] * x + m[1, 2]))
            if 0 <= r < mask.shape[0] and 0 <= c < mask.shape[1]:
                out[i, j] = mask[r, c]
    return out


def coarse_shift(reference: FloatImage, picture: FloatImage, weights: FloatImage) -> FloatArray:
    """Shift of the mask's content by phase correlation, (rows, columns) in pixels: a start after a jump."""
    from scipy import fft, ndimage

    soft = ndimage.gaussian_filter(weights, 4.0)
    one = fft.rfft2(np.nan_to_num(_fine(reference)) * soft)
    two = fft.rfft2(np.nan_to_num(_fine(picture)))
    cross = np.conj(one) * two
    surface = fft.irfft2(cross / (np.abs(cross) + 1e-3 * np.abs(cross).max()), s=reference.shape)
    smooth = ndimage.gaussian_filter(surface, 1.0, mode="wrap")
    peak = np.array(np.unravel_index(int(np.argmax(smooth)), smooth.shape), float)
    size = np.array(reference.shape)
    shift: FloatArray = np.where(peak > size / 2, peak - size, peak)
    return shift
