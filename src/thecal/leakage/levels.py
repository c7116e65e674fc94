"""Which vertebra a place along the spine belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from thecal.anatomy.spine import Spine, Vertebra
from thecal.volume import FloatArray

USUAL_PITCH_MM: Final = 30.0
"""From one vertebra to the next, where only one is seen."""
NEAR_SPINE_MM: Final = 60.0
"""Farther than this from the canal, cement is not told to belong to a vertebra."""


@dataclass(frozen=True, eq=False)
class Levels:
    """The vertebrae's shares of the canal: each reaches to half way to the next.

    Attributes
    ----------
    vertebrae : tuple of Vertebra
        Caudal to cranial.
    s_mm : (n,) float64
        Where along the canal each vertebra's posterior wall has its middle.
    edges_mm : (n + 1,) float64
        Borders between the shares.
    """

    spine: Spine
    vertebrae: tuple[Vertebra, ...]
    s_mm: FloatArray
    edges_mm: FloatArray

    @classmethod
    def of(cls, spine: Spine) -> Levels:
        """The shares of one spine's vertebrae."""
        if not spine.vertebrae:
            return cls(spine, (), np.zeros(0), np.zeros(0))
        # Not held to the curve's ends: a vertebra beyond the canal's end keeps its distance.
        origins = np.array([v.frame.origin for v in spine.vertebrae])
        s = _along(spine, origins)
        order = np.argsort(s)
        s = s[order]
        pitch = np.diff(s) if len(s) > 1 else np.array([USUAL_PITCH_MM])
        edges = np.concatenate([[s[0] - pitch[0] / 2], (s[:-1] + s[1:]) / 2, [s[-1] + pitch[-1] / 2]])
        return cls(spine, tuple(spine.vertebrae[i] for i in order), s, edges)

    def along(self, points: FloatArray) -> FloatArray:
        """Arc length along the canal (m,) of LPS points (m, 3), carried on straight beyond its ends."""
        return _along(self.spine, points)

    def index_at(self, s_mm: npt.ArrayLike) -> npt.NDArray[np.intp]:
        """Index of the vertebra at each arc length, -1 beyond the first and the last."""
        index = np.searchsorted(self.edges_mm, np.asarray(s_mm, float), side="right") - 1
        return np.where((index >= 0) & (index < len(self.vertebrae)), index, -1).astype(np.intp)

    def at(self, s_mm: float) -> Vertebra | None:
        """The vertebra at an arc length, or None beyond the first and the last."""
        index = int(self.index_at(s_mm))
        return self.vertebrae[index] if index >= 0 else None

    def spanned(self, points: FloatArray, share: float = 0.05) -> tuple[Vertebra, ...]:
        """Vertebrae whose share of the spine holds at least ``share`` of the points, caudal to cranial."""
        index = self.index_at(self.along(points))
        counts = np.bincount(index[index >= 0], minlength=len(self.vertebrae))
        return tuple(v for v, n in zip(self.vertebrae, counts, strict=True) if n and n >= share * len(points))


def _along(spine: Spine, points: FloatArray) -> FloatArray:
    frame = spine.canal.frame
    s, _, _ = frame.locate(points)
    for end in (0, -1):
        beyond = (points - frame.points[end]) @ frame.cranial[end]
        past = beyond < 0 if end == 0 else beyond > 0
        at_end = past & np.isclose(s, frame.s_mm[end])
        s = np.where(at_end, frame.s_mm[end] + beyond, s)
    return s
