"""Which vertebra of the earlier CT is which of the later one, named or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from thecal.anatomy.spine import Vertebra
from thecal.compare.register import Bone, Registered, Rigid, register
from thecal.compare.scanned import Scanned
from thecal.volume import FloatArray

TRIED: Final = 3
"""Pairs that are laid over each other for each way of pairing the rows."""
SAME_NAME: Final = 0.05
"""What equal level names on both scans are worth, against agreement of the bone (a correlation)."""
FILL_DIFFERS: Final = 0.10
"""What it costs where one of a pair holds cement in its body and the other none."""
AGREES: Final = 0.6
"""Correlation from which a vertebra counts as laid over itself. A choice of ours: in phantoms the right pairs
reach 0.95 and neighbours stay below it."""


@dataclass(frozen=True, eq=False)
class Pair:
    """One vertebra on both scans; ``registered`` is None where the bone did not agree."""

    before: Vertebra
    after: Vertebra
    registered: Registered | None


def match_vertebrae(before: Scanned, after: Scanned) -> tuple[Pair, ...]:
    """Pair the two rows of vertebrae, and lay each pair over each other.

    The rows are shifted against each other; for each shift the middle pairs are compared, and the shift whose
    bone agrees best is taken.

    Returns
    -------
    tuple of Pair
        Caudal to cranial; empty where the scans share no vertebra.
    """
    own, theirs = _bones(before), _bones(after)
    best: tuple[float, int] | None = None
    for shift in range(-(len(own) - 1), len(theirs)):
        rows = [i for i in range(len(own)) if 0 <= i + shift < len(theirs)]
        if len(rows) < min(2, len(own), len(theirs)):
            continue
        middle = sorted(rows, key=lambda i: abs(i - (rows[0] + rows[-1]) / 2))[:TRIED]
        score = float(np.mean([_likeness(own[i], theirs[i + shift], before, after) for i in middle]))
        if best is None or score > best[0]:
            best = (score, shift)
    if best is None:
        return ()
    pairs = []
    for i, bone in enumerate(own):
        k = i + best[1]
        if 0 <= k < len(theirs):
            found = register(bone, theirs[k])
            pairs.append(
                Pair(bone.vertebra, theirs[k].vertebra, found if found.agreement >= AGREES else None)
            )
    return tuple(pairs)


def _bones(case: Scanned) -> list[Bone]:
    return [Bone(case.volume, case.spine, case.cement, v) for v in case.spine.vertebrae if v.complete]


def _likeness(own: Bone, theirs: Bone, before: Scanned, after: Scanned) -> float:
    score = register(own, theirs, rough=True).agreement
    a, b = own.vertebra, theirs.vertebra
    if a.level is not None and a.level == b.level:
        score += SAME_NAME
    if _filled(before, a) != _filled(after, b):
        score -= FILL_DIFFERS
    return score


def _filled(case: Scanned, vertebra: Vertebra) -> bool:
    return any(m.id == vertebra.id and bool(m.cement_ml) for m in case.leakage.vertebrae)


BLEND_MM: Final = 5.0
"""This much farther from one vertebra than from its neighbour, its move counts e times less in pictures."""


class Moves:
    """For each place of either scan the move of the vertebra that is nearest to it."""

    def __init__(self, pairs: tuple[Pair, ...]) -> None:
        good = [p for p in pairs if p.registered is not None]
        self.moves: list[Rigid] = [p.registered.move for p in good if p.registered is not None]
        # The middle of the vertebra, some 8 mm before the posterior wall's.
        self._before = np.array([p.before.frame.to_lps((0.0, 8.0, 0.0)) for p in good]).reshape(-1, 3)
        self._after = np.array([p.after.frame.to_lps((0.0, 8.0, 0.0)) for p in good]).reshape(-1, 3)

    def __bool__(self) -> bool:
        """Whether any vertebra was laid over itself."""
        return bool(self.moves)

    def forward(self, points: FloatArray) -> FloatArray:
        """Points of the earlier scan (m, 3) in the later one."""
        return self._moved(points, self._before, forward=True)

    def back(self, points: FloatArray) -> FloatArray:
        """Points of the later scan (m, 3) in the earlier one."""
        return self._moved(points, self._after, forward=False)

    def blended(self, points: FloatArray) -> FloatArray:
        """As ``forward``, without a step between two vertebrae: each move weighed by how near its bone is."""
        away = np.stack([np.linalg.norm(points - m, axis=-1) for m in self._before])
        weight = np.exp((away.min(0) - away) / BLEND_MM)
        weight /= weight.sum(0)
        out = np.zeros_like(points)
        for share, move in zip(weight, self.moves, strict=True):
            out += share[:, None] * move(points)
        return out

    def _moved(self, points: FloatArray, middles: FloatArray, *, forward: bool) -> FloatArray:
        out = np.empty_like(points)
        away = np.stack([((points - m) ** 2).sum(-1) for m in middles])
        nearest = np.argmin(away, axis=0)
        for k, move in enumerate(self.moves):
            here = nearest == k
            out[here] = move(points[here]) if forward else move.back(points[here])
        return out
