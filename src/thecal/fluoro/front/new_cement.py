"""What is new and dark: cement on the picture, told from noise and from what moves."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage

from thecal.fluoro.front.baseline import Baseline
from thecal.fluoro.front.log_picture import FloatImage
from thecal.volume import BoolArray, FloatArray

MEMORY: Final = 0.5
"""Weight of the newest picture in the running mean."""
LONG_S: Final = 0.5
"""Time constant of a second, longer mean: what is too faint for one picture and stays is seen in it."""
LEAST_LONG: Final = 0.35
"""What the longer mean wavers by at least, in standard deviations of one picture: not all of it is quanta."""
WEAK_SIGMA: Final = 3.0
STRONG_SIGMA: Final = 5.5
"""Cement is darker than before by the first everywhere, by the second somewhere: in standard
deviations of a smoothed picture."""
LEAST_LOG: Final = 0.03
"""And by so much of the logarithm: less is brightness, not cement."""
EDGE_SHARE: Final = 0.3
"""A pixel is cement where it has this share of the darkest change within a mm: blur has dark tails."""
NEAR_MM: Final = 5.0
"""New cement lies so near to the needle's tip or to cement seen before; elsewhere it must persist."""
TIP_MM2: Final = 10.0
"""With so much cement in sight, new cement is no longer looked for at the tip."""
FIRST_S: Final = 0.4
"""Time for which the first cement must be seen: less of it is a breath, or noise."""
NEEDLE_SLIP_PX: Final = 0.4
"""The needle's steep edges are laid on each other no better than this."""
NEAR_MM2: Final = 1.5
"""Least shadow of cement that is near but does not touch, which must be seen on two pictures."""
TOUCHING_PX: Final = 2
PERSIST_S: Final = 1.0
"""Time for which cement that touches no other must be seen."""
UNBEGUN_S: Final = 2.5
"""The same while none is seen at the tip: what leaks has come out of the needle first, and a breath or a
table that moves shows edges for a second or two."""
APART_MM2: Final = 3.0
"""And its least area."""
APART_SIGMA: Final = 8.0
"""And its least darkness."""
APART_SHARE: Final = 0.5
"""And the least share of it in body, canal or foramen, or near cement: edges of soft tissue run on beyond."""
GLARE_MM: Final = 12.0
"""How far cement's shadow is spread as lost scatter."""
BORE_VARIES: Final = 0.3
"""Cement in the needle's bore darkens it by so much more in one place than in another, as a share,"""
BORE_LOG: Final = 0.03
"""and by so much of the logarithm anyhow."""
BESIDE_MM: Final = 0.8
"""Over the needle's middle cement is only believed where cement lies so near beside its shadow."""
SLIP_ROOM_PX: Final = 3
SLIP_MOST_PX: Final = 3.0
SLIP_EXPLAINS: Final = 0.5
"""Dark pieces away from cement are edges that moved where a shift by less than so many pixels explains this
share of the change in and round them."""
LEAST_FAR_PX: Final = 20
COARSE_PX: Final = 4
"""Slow changes are read from blocks of so many pixels each way."""
WAVER_MM: Final = 5.0
"""Radius (one sigma) within which a picture wavers alike."""
CALM_SHARE: Final = 0.97
CALM_SIGMA: Final = 2.17
"""Of normal noise, so large a share lies within so many standard deviations."""
LEAST_CALM_PX: Final = 200
CALM_FROM_CEMENT_PX: Final = 8
"""Neighbours are calm so far from cement: glare and blur end within."""
GONE_SIGMA: Final = 1.0
"""Cement that was seen is given up where the change sinks below."""


class CementFinder:
    """Follows cement from picture to picture, on the reference's pixels.

    Parameters
    ----------
    baseline : Baseline
    blind : (rows, columns) bool
        Where nothing can be seen: the needle's shadow.
    core, far : (rows, columns) bool
        The middle of that shadow, and the part of it that no cement can lie over. Cement in the bore darkens
        all of it alike; what darkens the middle more lies over it.
    within : (rows, columns) bool
        Where cement may be looked for.
    apart : (rows, columns) bool
        Where it may appear without touching other cement.
    tips_px : tuple of (2,) float64
        The needles' tips.
    pixel_mm : float
    across : tuple of (2,) float64
        Unit vectors (row, column) across each needle.
    calm : (rows, columns) bool, optional
        The neighbours, where nothing new is expected: by how much a picture wavers there beyond the
        baseline's noise, it wavers everywhere.
    """

    def __init__(
        self,
        baseline: Baseline,
        blind: BoolArray,
        core: BoolArray,
        far: BoolArray,
        within: BoolArray,
        apart: BoolArray,
        tips_px: tuple[FloatArray, ...],
        pixel_mm: float,
        across: tuple[FloatArray, ...] = (),
        calm: BoolArray | None = None,
    ) -> None:
        beside = _slip(baseline.picture, blind, pixel_mm)
        self._noise: FloatImage = np.hypot(baseline.noise, beside).astype(np.float32)
        slopes = np.gradient(np.nan_to_num(baseline.picture))
        self._down: FloatImage = slopes[0]
        self._across: FloatImage = slopes[1]
        self._far = baseline.valid & far & core
        over = baseline.valid & within & core & (int(self._far.sum()) >= LEAST_FAR_PX)
        clear = baseline.valid & ~blind & within
        self._core = over
        self._open = clear
        width_px = _half_width(blind & ~core, core)
        steps = np.arange(-width_px, width_px + 1)[:, None]
        self._ways = [np.unique(np.rint(steps * way).astype(int), axis=0) for way in across]
        self._beside_px = 2 * max(1, round(BESIDE_MM / pixel_mm)) + 1
        self._apart = apart
        self._calm = np.zeros(baseline.picture.shape, bool) if calm is None else calm & clear
        self._open_share = ndimage.gaussian_filter(
            _blocks(clear.astype(np.float32)), WAVER_MM / pixel_mm / COARSE_PX, truncate=2.5
        )
        self._slow = SlowPart(clear, baseline.noise, pixel_mm)
        self._pixel_mm = pixel_mm
        self._mean = np.zeros(baseline.picture.shape, np.float32)
        self._long = np.zeros(baseline.picture.shape, np.float32)
        self._last_s = 0.0
        self._variance = self._long_variance = 1.0
        self._change = np.zeros(baseline.picture.shape, np.float32)
        self._pictures = 0
        self._since = np.full(baseline.picture.shape, np.inf, np.float32)
        self.cement: BoolArray = np.zeros(baseline.picture.shape, bool)
        self._link: BoolArray = np.zeros(baseline.picture.shape, bool)
        self._tip = np.zeros(baseline.picture.shape, bool)
        rows, columns = np.indices(baseline.picture.shape)
        for tip in tips_px:
            self._tip |= np.hypot(rows - tip[0], columns - tip[1]) * pixel_mm <= NEAR_MM

    def update(self, change: FloatImage, time_s: float) -> BoolArray:
        """Take a picture's change (baseline less picture, logarithms; not a number where it is not seen).

        Cement over the needle's middle is only drawn near cement that is seen beside the needle; see
        ``beside`` for what may be a leak.
        """
        seen = np.isfinite(change) & (self._open | self._core)
        change = np.nan_to_num(change)
        value = change - self._slow.of(change, self.cement, self._mean)
        if self._core.any():
            bore = max(0.0, float(np.median(value[self._far])))
            value[self._core] -= np.float32((1.0 + BORE_VARIES) * bore + BORE_LOG)
        value = np.where(seen, value, np.float32(0.0))
        sigma = self._averaged(value, seen, time_s)
        width = 2 * max(1, round(1.0 / self._pixel_mm)) + 1
        dark = np.zeros(seen.shape, bool)
        held = np.zeros(seen.shape, bool)
        for mean, by in zip((self._mean, self._long), sigma, strict=True):
            edge = mean > EDGE_SHARE * ndimage.maximum_filter(mean, width)
            dark |= (by > WEAK_SIGMA) & (mean > LEAST_LOG) & edge
            held |= (by > GONE_SIGMA) & edge
        kept = self._link & held
        most = np.maximum(*sigma)
        self._link = self._accepted((dark | kept) & (self._open | self._core), most, time_s)
        found = self._link & self._open
        if self._core.any() and found.any():
            found |= self._link & self._core & self._between(found)
        self.cement = found
        return self.cement

    def _averaged(self, value: FloatImage, seen: BoolArray, time_s: float) -> tuple[FloatImage, FloatImage]:
        """Take a picture's change into both means; each in standard deviations of its own."""
        first = self._pictures == 0
        weight = np.float32(1.0 if first else MEMORY)
        longer = np.float32(1.0 if first else min(MEMORY, -np.expm1(-(time_s - self._last_s) / LONG_S)))
        self._pictures += 1
        self._last_s = time_s
        self._variance = _next_variance(self._variance, weight)
        self._long_variance = _next_variance(self._long_variance, longer)
        self._mean = np.where(seen, (1 - weight) * self._mean + weight * value, self._mean)
        self._long = np.where(seen, (1 - longer) * self._long + longer * value, self._long)
        sigma = self._mean / (self._noise * np.float32(np.sqrt(self._variance)))
        long_sigma = self._long / (self._noise * np.float32(max(np.sqrt(self._long_variance), LEAST_LONG)))
        sigma /= self._wavers(sigma)
        long_sigma /= self._wavers(long_sigma)
        return sigma, long_sigma

    def _wavers(self, sigma: FloatImage) -> FloatImage:
        """How many times more than the baseline's noise a picture wavers about each place; at least 1.

        Cement only darkens: what has become brighter round a place tells how much else changes there. Off
        the body, canal and foramina, where soft tissue moves, what the neighbours waver by counts too.
        """
        near = ndimage.maximum_filter(self._link.view(np.uint8), 2 * CALM_FROM_CEMENT_PX + 1) > 0
        calm = np.abs(sigma[self._calm & ~near])
        least = 1.0
        if len(calm) >= LEAST_CALM_PX:
            least = max(1.0, float(np.percentile(calm, 100.0 * CALM_SHARE)) / CALM_SIGMA)
        brighter = _blocks(np.where(self._open, np.minimum(sigma, 0.0), np.float32(0.0)) ** 2)
        around = ndimage.gaussian_filter(brighter, WAVER_MM / self._pixel_mm / COARSE_PX, truncate=2.5)
        share = np.sqrt(2.0 * around / np.maximum(self._open_share, 0.2))
        fine = np.kron(np.maximum(share, 1.0), np.ones((COARSE_PX, COARSE_PX), np.float32))
        whole: FloatImage = np.ones(sigma.shape, np.float32)
        whole[: fine.shape[0], : fine.shape[1]] = fine
        return np.where(self._apart, whole, np.maximum(whole, np.float32(least)))

    def _between(self, found: BoolArray) -> BoolArray:
        """Where cement lies beside the needle at the same depth along it: not where it has yet to come."""
        there = found.copy()
        for way in self._ways:
            for step in way:
                there |= _shifted(found, int(step[0]), int(step[1]))
        near: BoolArray = ndimage.maximum_filter(there.view(np.uint8), self._beside_px) > 0
        return near

    @property
    def open(self) -> BoolArray:
        """Where cement can be seen: not clipped before the injection, and clear of the needle."""
        return self._open

    @property
    def beside(self) -> BoolArray:
        """Cement that is seen clear of the needle: it alone is a leak."""
        beside: BoolArray = self.cement & self._open
        return beside

    def _accepted(self, dark: BoolArray, sigma: FloatImage, time_s: float) -> BoolArray:
        """Pieces of what is dark that touch cement or the tip, or have stayed."""
        pieces, count = ndimage.label(dark, np.ones((3, 3), bool))
        self._since = np.where(dark, np.minimum(self._since, np.float32(time_s)), np.float32(np.inf))
        if count == 0:
            return dark

        def holds(mask: BoolArray) -> BoolArray:
            return np.bincount(pieces[mask], minlength=count + 1) > 0

        begun = self._link.sum() * self._pixel_mm**2 > TIP_MM2
        known = self._link if begun else self._link | self._tip
        away = _distance(known)
        area = np.bincount(pieces.ravel(), minlength=count + 1) * self._pixel_mm**2
        lasting = self._since < time_s if begun else self._since <= time_s - FIRST_S
        stays = (self._since <= time_s - (PERSIST_S if begun else UNBEGUN_S)) & (sigma > APART_SIGMA)
        close = away * self._pixel_mm <= NEAR_MM
        inside = np.bincount(pieces[self._apart | close], minlength=count + 1) * self._pixel_mm**2
        old = holds(stays & (self._apart | close)) & (area >= APART_MM2) & (inside >= APART_SHARE * area)
        # The first cement lies round the tip; what only reaches there does not come from it.
        round_tip = begun | (
            np.bincount(pieces[close], minlength=count + 1) * self._pixel_mm**2 >= APART_SHARE * area
        )
        near = round_tip & holds(close & self._apart) & (area >= NEAR_MM2) & holds(lasting)
        touching = round_tip & holds((away <= TOUCHING_PX) & (begun | lasting))
        good = holds(sigma > STRONG_SIGMA) & (touching | near | old)
        good[0] = False
        boxes = ndimage.find_objects(pieces)
        for k in np.flatnonzero(good & ~(touching & begun)):
            box = tuple(
                slice(max(0, part.start - SLIP_ROOM_PX), part.stop + SLIP_ROOM_PX) for part in boxes[k - 1]
            )
            good[k] = not self._slipped(pieces[box] == k, box)
        taken: BoolArray = good[pieces]
        return taken

    def _slipped(self, piece: BoolArray, box: tuple[slice, ...]) -> bool:
        """Whether a small shift of what was there explains a piece: its edges moved, nothing is new."""
        near = ndimage.binary_dilation(piece, iterations=SLIP_ROOM_PX) & self._open[box]
        slopes = np.stack([self._down[box][near], self._across[box][near]], axis=1).astype(np.float64)
        change = self._mean[box][near].astype(np.float64)
        total = float(change @ change)
        shift = np.linalg.lstsq(slopes, change, rcond=None)[0]
        left = change - slopes @ shift
        return bool(
            total > 0 and np.hypot(*shift) < SLIP_MOST_PX and left @ left < (1.0 - SLIP_EXPLAINS) * total
        )

    @property
    def thick(self) -> BoolArray:
        """Cement that is dark enough to spoil the laying of pictures on each other."""
        thick: BoolArray = self.cement & (self._mean > 4.0 * LEAST_LOG)
        return thick

    @property
    def change(self) -> FloatImage:
        """Running mean of the change, logarithms."""
        return self._mean


class SlowPart:
    """What of a change is brightness, scatter or soft tissue: fitted to what is not cement.

    A quadratic surface, and the cement's own shadow spread wide: cement takes away scatter round it.

    Parameters
    ----------
    seen : (rows, columns) bool
        Pixels that can be read.
    noise : (rows, columns) float32
    """

    def __init__(self, seen: BoolArray, noise: FloatImage, pixel_mm: float) -> None:
        shape = (seen.shape[0] // COARSE_PX, seen.shape[1] // COARSE_PX)
        self._held = _blocks(seen.astype(np.float32)) > 0.6
        noisy = _blocks(noise)
        rows, columns = np.indices(shape)
        y, x = rows / shape[0] - 0.5, columns / shape[1] - 0.5
        terms = np.stack([np.ones(shape), y, x, y * y, x * y, x * x], axis=-1)
        self._terms = np.concatenate([terms[self._held], np.zeros((int(self._held.sum()), 1))], axis=1)
        self._glare_px = GLARE_MM / pixel_mm / COARSE_PX
        self._hold = np.diag([1e-6] * 6 + [1e2])
        self._weight = 1.0 / (noisy[self._held] ** 2 + 0.01**2)
        size = COARSE_PX * np.array(shape)
        self._y = ((np.arange(seen.shape[0])[:, None] + 0.5) / size[0] - 0.5 - 0.5 / shape[0]).astype(
            np.float32
        )
        self._x = ((np.arange(seen.shape[1])[None] + 0.5) / size[1] - 0.5 - 0.5 / shape[1]).astype(np.float32)

    def of(self, change: FloatImage, cement: BoolArray, shadow: FloatImage) -> FloatImage:
        """The surface of a change, on its pixels."""
        if len(self._terms) < 40:
            return np.zeros_like(change)
        values = _blocks(change)[self._held].astype(np.float64)
        clear = _blocks(cement.astype(np.float32))[self._held] < 0.05
        keep = clear if clear.sum() >= 40 else np.ones(len(values), bool)
        spread = ndimage.gaussian_filter(_blocks(np.where(cement, shadow, np.float32(0.0))), self._glare_px)
        self._terms[:, 6] = spread[self._held]
        share = np.zeros(7)
        for _ in range(4):
            weighted = self._terms[keep] * self._weight[keep, None]
            share = np.linalg.solve(weighted.T @ self._terms[keep] + self._hold, weighted.T @ values[keep])
            off = values - self._terms @ share
            width = max(1.4826 * float(np.median(np.abs(off[keep]))), 1e-4)
            # New cement lies to one side: what is darker is left out sooner.
            keep = clear & (off < 1.8 * width) & (off > -3.0 * width)
            if keep.sum() < 20:
                break
        s = share.astype(np.float32)
        y, x = self._y, self._x
        surface: FloatImage = s[0] + s[1] * y + s[3] * y * y + (s[2] * x + s[5] * x * x) + s[4] * y * x
        if share[6] > 0:
            rows, columns = (n // COARSE_PX * COARSE_PX for n in change.shape)
            fine = np.kron(spread, np.ones((COARSE_PX, COARSE_PX), np.float32))
            surface[:rows, :columns] += s[6] * fine
        return surface


def _blocks(values: FloatImage) -> FloatImage:
    """Means of blocks of ``COARSE_PX`` each way; what is left over at the end is dropped."""
    rows, columns = (n // COARSE_PX for n in values.shape)
    cut = values[: rows * COARSE_PX, : columns * COARSE_PX]
    mean: FloatImage = cut.reshape(rows, COARSE_PX, columns, COARSE_PX).mean(axis=(1, 3))
    return mean


def _next_variance(variance: float, weight: np.float32) -> float:
    """Variance of a running mean, in that of one picture, after the next."""
    return float((1.0 - weight) ** 2 * variance + weight**2)


def _slip(picture: FloatImage, blind: BoolArray, pixel_mm: float) -> FloatImage:
    """Noise beside the needle, from its edges that do not lie on each other."""
    SIDE_MM = 2.0
    down, across = np.gradient(np.nan_to_num(picture))
    steep = ndimage.maximum_filter(np.hypot(down, across), 5)
    beside = ndimage.maximum_filter(blind.view(np.uint8), 2 * round(SIDE_MM / pixel_mm) + 1) > 0
    slip: FloatImage = np.where(beside & ~blind, np.float32(NEEDLE_SLIP_PX) * steep, np.float32(0.0))
    return slip


def _shifted(mask: BoolArray, down: int, right: int) -> BoolArray:
    """The mask moved by whole pixels; what comes in at the edge is empty."""
    moved = np.zeros_like(mask)
    rows, columns = mask.shape
    to = (slice(max(down, 0), rows + min(down, 0)), slice(max(right, 0), columns + min(right, 0)))
    of = (slice(max(-down, 0), rows + min(-down, 0)), slice(max(-right, 0), columns + min(-right, 0)))
    moved[to] = mask[of]
    return moved


def _half_width(edges: BoolArray, core: BoolArray) -> int:
    """Pixels from the needle's middle to beside its shadow."""
    if not core.any() or not edges.any():
        return 0
    return int(ndimage.distance_transform_cdt(core | edges, "chessboard")[core].max())


def _distance(mask: BoolArray) -> FloatArray:
    """Pixels to the nearest marked one, as a chamfer counts them."""
    if not mask.any():
        return np.full(mask.shape, np.inf)
    distance: FloatArray = ndimage.distance_transform_cdt(~mask, "chessboard").astype(float)
    return distance
