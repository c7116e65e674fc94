"""Whether the source still sends new pictures of the same scene, not held, zoomed, dimmed or turned ones."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage

from thecal.fluoro.front.in_plane import Move
from thecal.fluoro.front.log_picture import FloatImage

HELD_SHARE: Final = 0.3
"""A picture stands still where it differs from the one before by less than this share of what pictures
before the injection did,"""
HELD_S: Final = 0.9
"""for so long."""
FINE_PX: Final = 13
SCALE: Final = 0.02
"""The picture's scale may differ from the baseline's by so much."""
FALL: Final = 0.2
"""Likeness to the baseline (a correlation) that falls by so much within a few pictures: another view."""
BRIGHTNESS_LOG: Final = 0.35
"""Brightness may step by so much of the logarithm."""
RECENT: Final = 0.1
"""Weight of the newest picture in the recent likeness and brightness."""
MOST: Final = 512


class Steadiness:
    """Keeps how much pictures differ, and what they recently were."""

    def __init__(self) -> None:
        self._before: FloatImage | None = None
        self._changes: list[tuple[float, float]] = []
        self._flicker: float | None = None
        self._stirred_s = 0.0
        self._likeness: float | None = None
        self._brightness: float | None = None

    def learn(self, picture: FloatImage, weights: FloatImage, time_s: float) -> None:
        """Take a picture before the injection."""
        self._stirred_s = time_s
        change = self._change(picture, weights)
        if change is not None and len(self._changes) < MOST:
            self._changes.append((time_s, change))

    def held(self, picture: FloatImage, weights: FloatImage, time_s: float) -> bool:
        """Whether the picture has stood still but for noise of its storing, or a clock in its corner."""
        if self._flicker is None:
            self._flicker = self._usual()
        change = self._change(picture, weights)
        if change is None or change >= HELD_SHARE * self._flicker:
            self._stirred_s = time_s
        return time_s - self._stirred_s > HELD_S

    def other(self, picture: FloatImage, weights: FloatImage, move: Move) -> str:
        """Why a picture is not of the same scene as the baseline; or empty."""
        scale = float(np.sqrt(abs(np.linalg.det(move.matrix[:, :2]))))
        if abs(scale - 1.0) > SCALE:
            return f"The picture's scale has changed by {100.0 * (scale - 1.0):+.0f} %."
        brightness = float(np.median(picture[weights > 0])) if (weights > 0).any() else 0.0
        if self._brightness is not None and abs(brightness - self._brightness) > BRIGHTNESS_LOG:
            return "The picture's brightness has changed in one step."
        if self._likeness is not None and move.likeness < self._likeness - FALL:
            return "The picture has become unlike those before: the view or the patient has moved."
        self._brightness = _recent(self._brightness, brightness)
        self._likeness = _recent(self._likeness, move.likeness)
        return ""

    @property
    def least_likely(self) -> float:
        """A picture of the same scene that is laid right is hardly less like the baseline than this."""
        return 0.0 if self._likeness is None else self._likeness - FALL / 2.0

    def _change(self, picture: FloatImage, weights: FloatImage) -> float | None:
        before, self._before = self._before, picture
        if before is None:
            return None
        change = picture - before
        fine = change - ndimage.uniform_filter(change, FINE_PX)
        held = weights > 0
        return float(np.median(np.abs(fine[held]))) if held.any() else None

    def _usual(self) -> float:
        """The least that pictures before the injection changed within ``HELD_S``."""
        if not self._changes:
            return 0.0
        first = self._changes[0][0]
        most = [
            max(v for t, v in self._changes if end - HELD_S < t <= end)
            for end, _ in self._changes
            if end - first >= HELD_S
        ]
        return min(most) if most else max(v for _, v in self._changes)


def _recent(before: float | None, now: float) -> float:
    return now if before is None else (1.0 - RECENT) * before + RECENT * now
