"""The best way among all: every entry against every tip, then refined.

A way is the line from a point of a plane across the pedicle to a tip. The plane is filled densely, from
the midline to far beside the pedicle, and so is the room for the tip; every pair is judged exactly. The best
that differ are then moved in small steps while they get better.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

from thecal.needle.search.candidates import Room
from thecal.needle.search.judge import BONE_LEFT, NO_ENTRY, OK, Ground, judged
from thecal.needle.search.keep_away import (
    FAR_LOW_MM,
    FAR_STEP_MM,
    NEAR,
    NEAR_LOW_MM,
    NEAR_STEP_MM,
    SAC,
    KeepAway,
)
from thecal.needle.search.rules import (
    BODY_MARGIN_MM,
    LEAST_BODY_MM,
    LOW_MM,
    PEDICLE_BACK_MM,
    STEEPEST_SAGITTAL,
    TIP_MARGIN_MM,
    TIP_SHARES,
    WALL_SHARE,
    Rules,
)
from thecal.volume import BoolArray, FloatArray

TERMS: Final = ("clearance", "bone around the needle", "tip depth", "tip to its place", "tilt", "turn")
WEIGHTS: Final = (1.0, 0.8, 0.3, 0.12, 0.06, 0.03)
"""Of the ranking's terms. A millimetre of least clearance, up to 2.5, is worth 1; a millimetre of bone around
the needle in pedicle and body, up to 1.5, 0.8. Taken off are: for a tenth of the body's depth off the aim
0.3; for a millimetre of the tip off its place to the side or in height 0.12; for a degree of tilt to head or
feet 0.06; for a degree of turn off straight ahead, beyond 15, 0.03. Clearance leads: the others choose among
ways that are about as safe. Chosen by looking at plans; no outcome of a patient stands behind them."""
KEPT: Final = 14
"""Ways that are refined."""
DIFFERENT_MM: Final = 2.5
FINE_STEPS_MM: Final = (0.6, 0.3, 0.15)


@dataclass(frozen=True, eq=False)
class Way:
    """One way that keeps the rules, in the vertebra's frame.

    Attributes
    ----------
    tip, ahead : (3,) float64
        Tip, and unit direction from back to front.
    least_mm, medial_mm, bone_mm : float
        Least free distance, that from the medial pedicle wall, least bone around the needle.
    to_bone_mm, to_wall_mm : float
        From the tip back to where it meets bone, and to the plane of the posterior wall.
    terms : dict
        The ranking's.
    """

    tip: FloatArray
    ahead: FloatArray
    least_mm: float
    medial_mm: float
    bone_mm: float
    to_bone_mm: float
    to_wall_mm: float
    terms: dict[str, float]


@dataclass(frozen=True, eq=False)
class Searched:
    """What a search gave.

    Attributes
    ----------
    ways : tuple of Way
        Best first.
    tried : int
        Pairs of entry and tip.
    ended : dict of int to int
        How many each reason ended.
    """

    ways: tuple[Way, ...]
    tried: int
    ended: dict[int, int]


def search(keep: KeepAway, rule: Rules, room: Room) -> Searched:
    """Search one side of a vertebra.

    Parameters
    ----------
    keep : KeepAway
    rule : Rules
    room : Room
        The entries and tips to try.
    """
    ground = ground_of(keep, rule, room)
    codes = np.empty((len(room.crossings), len(room.tips)), np.int64)
    scores = np.full(codes.shape, -np.inf)
    hopeless = _hopeless(keep, rule, room)
    codes[hopeless] = BONE_LEFT if ground.through else NO_ENTRY
    _all_pairs(ground, room.crossings, room.tips, hopeless, codes, scores)
    numbers, counts = np.unique(codes, return_counts=True)
    ended = {int(n): int(c) for n, c in zip(numbers, counts, strict=True) if n != OK}
    ways: list[Way] = []
    for start in _apart(scores, room):
        row = np.concatenate([room.crossings[start[0]], room.tips[start[1]]])
        for step in FINE_STEPS_MM:
            _climb(ground, row, step)
        ways.append(_way(ground, row))
    ways.sort(key=lambda way: -way.terms["total"])
    return Searched(tuple(ways), codes.size, ended)


def ground_of(keep: KeepAway, rule: Rules, room: Room) -> Ground:
    """What every way of one side is judged by."""
    kinds = [k for k, name in enumerate(NEAR) if name != SAC]
    need = rule.need_far.astype(np.float32)[:, None, None, None]
    soft = rule.need_far > 0.0
    return Ground(
        np.ascontiguousarray(keep.near[kinds]),
        np.array(NEAR_LOW_MM),
        NEAR_STEP_MM,
        (keep.far - need).min(axis=0),
        keep.far[soft].min(axis=0),
        np.array(FAR_LOW_MM),
        FAR_STEP_MM,
        keep.solid,
        rule.radius_mm,
        rule.need_near[kinds],
        rule.approach == "transpedicular",
        PEDICLE_BACK_MM,
        BODY_MARGIN_MM,
        TIP_MARGIN_MM,
        np.array(
            [
                room.side,
                room.pedicle_mm[0],
                room.pedicle_mm[1] - LOW_MM,
                room.wall_mm + WALL_SHARE * room.depth_mm,
                LEAST_BODY_MM,
            ]
        ),
        np.array([*room.aim_mm, room.wall_mm, room.depth_mm, room.side]),
        np.array([*rule.transverse_deg, STEEPEST_SAGITTAL, *TIP_SHARES, *room.aside_mm]),
        np.array(WEIGHTS),
    )


def _hopeless(keep: KeepAway, rule: Rules, room: Room) -> BoolArray:
    """Crossings through which no way can go: not in the pedicle, or not beside it, or in the canal."""
    depth = keep.depth_in_bone(room.crossings)
    canal = keep.distance(NEAR[0], room.crossings) < rule.radius_mm + rule.need_near[0]
    if rule.approach == "transpedicular":
        out: BoolArray = (depth < rule.radius_mm) | canal
        return out
    beside: BoolArray = canal | (room.side * room.crossings[:, 0] < room.pedicle_mm[0])
    return beside


def _apart(scores: FloatArray, room: Room) -> list[tuple[int, int]]:
    """The best pairs whose crossings differ from better ones."""
    best = scores.max(axis=1)
    order = np.argsort(-best)
    kept: list[tuple[int, int]] = []
    for row in order:
        if not np.isfinite(best[row]) or len(kept) >= KEPT:
            break
        here = room.crossings[row]
        if all(np.linalg.norm(here - room.crossings[k]) >= DIFFERENT_MM for k, _ in kept):
            kept.append((int(row), int(scores[row].argmax())))
    return kept


def _way(ground: Ground, row: FloatArray) -> Way:
    """The way of one pair of crossing and tip."""
    out, terms = np.zeros(5), np.zeros(len(TERMS))
    judged(ground, row, out, terms)
    ahead = (row[3:] - row[:3]) / np.linalg.norm(row[3:] - row[:3])
    named = dict(zip(TERMS, terms.tolist(), strict=True)) | {"total": float(terms.sum())}
    least, medial, bone, to_bone, to_wall = out.tolist()
    return Way(row[3:].copy(), ahead, least, medial, bone, to_bone, to_wall, named)


@njit(cache=True)
def _all_pairs(
    ground: Ground,
    crossings: FloatArray,
    tips: FloatArray,
    hopeless: BoolArray,
    codes: npt.NDArray[np.int64],
    scores: FloatArray,
) -> None:
    out, terms, row = np.zeros(5), np.zeros(6), np.zeros(6)
    for i in range(len(crossings)):
        if hopeless[i]:
            continue
        for j in range(len(tips)):
            row[:3] = crossings[i]
            row[3:] = tips[j]
            code = judged(ground, row, out, terms)
            codes[i, j] = code
            if code == OK:
                scores[i, j] = terms.sum()


@njit(cache=True)
def _climb(ground: Ground, row: FloatArray, step: float) -> None:
    """Move crossing and tip by steps along each axis while the score grows; ``row`` is changed."""
    out, terms = np.zeros(5), np.zeros(6)
    judged(ground, row, out, terms)
    best = terms.sum()
    for _ in range(30):
        better = False
        for axis in (0, 2, 3, 4, 5):
            for sign in (-1.0, 1.0):
                kept = row[axis]
                row[axis] = kept + sign * step
                if judged(ground, row, out, terms) == OK and terms.sum() > best + 1e-6:
                    best = terms.sum()
                    better = True
                else:
                    row[axis] = kept
        if not better:
            break
