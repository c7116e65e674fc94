"""How fast cement's shadow grows, and whether cement can do that."""

from __future__ import annotations

from typing import Final

GROWTH_S: Final = 1.0
FASTEST_MM2_S: Final = 300.0
SHRINKS_MM2_S: Final = 150.0
"""Cement's shadow grows by less in a second (by about 40 mm2 at half a mL a second, in simulated injections),
and does not shrink: what does is soft tissue in a phase of the breath that was not seen before."""
MOST_MM2: Final = 200.0
MOST_MM2_S: Final = 100.0
"""Cement's shadow covers no more than the first, and the second for each second since it was first seen (at
1.4 mL a second, faster than anybody injects, the first stayed below 140 in simulated injections)."""


class ShadowGrowth:
    """Follows the area of cement's shadow.

    Attributes
    ----------
    mm2_s : float or None
        Growth over about the last second; None on a first picture.
    """

    def __init__(self) -> None:
        self._areas: list[tuple[float, float]] = []
        self._first_s: float | None = None
        self.mm2_s: float | None = None

    def see(self, time_s: float, area_mm2: float) -> str:
        """Take a picture's area; why it cannot be cement's, or nothing."""
        self._areas.append((time_s, area_mm2))
        while len(self._areas) > 2 and self._areas[1][0] < time_s - GROWTH_S:
            self._areas.pop(0)
        first_s, first = self._areas[0]
        self.mm2_s = None if time_s <= first_s else (area_mm2 - first) / (time_s - first_s)
        if self.mm2_s is not None and not -SHRINKS_MM2_S <= self.mm2_s <= FASTEST_MM2_S:
            return "What is dark changes faster than cement flows: soft tissue moves."
        if area_mm2 and self._first_s is None:
            self._first_s = time_s
        if self._first_s is not None and area_mm2 > MOST_MM2 + MOST_MM2_S * (time_s - self._first_s):
            return "More is dark than can have been injected: soft tissue moves."
        return ""
