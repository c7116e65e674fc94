"""The plan of a vertebra: for either side the safest way, or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Final, Literal

import numpy as np

from thecal.anatomy.spine import Spine, Vertebra
from thecal.cement.deposit_map import Cement
from thecal.leakage.body import Body, bodies
from thecal.leakage.pedicles import pedicles
from thecal.leakage.tracks.grading import gertzbein_robbins
from thecal.needle.aiming import aim_shares, breach_mm
from thecal.needle.corridor import corridor
from thecal.needle.gauges import GAUGES, USUAL, gauge
from thecal.needle.plan_value import Approach, Corridor, LevelPlan, RoomBeside, SideAnswer, Trajectory
from thecal.needle.reasons import CANAL_NOT_FOUND, why_none
from thecal.needle.room_beside import room_beside
from thecal.needle.search.around import Around
from thecal.needle.search.candidates import Needles, Room, room_of
from thecal.needle.search.clearance import clearance_along, least_along
from thecal.needle.search.find_ways import Searched, Way, ground_of, search
from thecal.needle.search.judge import OK, judge
from thecal.needle.search.keep_away import KeepAway, keep_away
from thecal.needle.search.rules import MARGIN_MM, Rules, rules
from thecal.needle.skin import skin_of
from thecal.needle.unknown import unknown_structures
from thecal.needle.volume_range import cement_range
from thecal.terms import Side
from thecal.volume import BoolArray, FloatArray, Volume

Sides = Literal["both", "left", "right"]
ApproachChoice = Literal["auto", "transpedicular", "extrapedicular"]
OTHERS: Final = 2
OTHER_DEG: Final = 4.0
OTHER_MM: Final = 3.0
"""A way that differs by so much at its entry or in its direction is another way."""


@dataclass(frozen=True)
class Wish:
    """What is asked for.

    Attributes
    ----------
    sides : "both", "left" or "right"
    approach : "auto", "transpedicular" or "extrapedicular"
    needle : str
        Its gauge.
    margin_mm : float
        From the medial pedicle wall.
    """

    sides: Sides = "both"
    approach: ApproachChoice = "auto"
    needle: str = USUAL
    margin_mm: float = MARGIN_MM


@dataclass(frozen=True, eq=False)
class Ready:
    """What is looked for once in a scan, for all its levels."""

    volume: Volume
    spine: Spine
    around: Around
    bodies: dict[int, Body]
    pedicles: dict[tuple[int, int], tuple[float, float]]
    foreign: BoolArray | None = None


def ready(volume: Volume, spine: Spine, cement: Cement | None = None) -> Ready:
    """Look at a scan once, before its levels are planned.

    Parameters
    ----------
    volume : Volume
    spine : Spine
    cement : Cement or None
        What hides bone; None where none was looked for.
    """
    shape = spine.labels.shape
    hidden: BoolArray = np.zeros(shape, bool) if cement is None else (cement.pieces > 0) | cement.metal
    found = pedicles(spine, hidden, (slice(0, shape[0]), slice(0, shape[1]), slice(0, shape[2])))
    middles = {key: (abs(float(p.centre_mm[0])), float(p.centre_mm[1])) for key, p in found.items()}
    return Ready(volume, spine, Around.of(volume, spine), bodies(spine), middles, hidden)


def plan_levels(
    scan: Ready,
    vertebrae: Sequence[Vertebra],
    wish: Wish,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[LevelPlan, ...]:
    """Plan several levels; those that the scan cuts or whose body was not found are left out."""
    plans = []
    for number, vertebra in enumerate(vertebrae):
        if progress is not None:
            progress(number, len(vertebrae))
        if vertebra.complete and vertebra.id in scan.bodies:
            plans.append(plan_level(scan, vertebra, wish))
    return tuple(plans)


def plan_level(scan: Ready, vertebra: Vertebra, wish: Wish) -> LevelPlan:
    """Plan one level.

    Parameters
    ----------
    scan : Ready
    vertebra : Vertebra
        Whole in the scan, with a body that was found.
    wish : Wish
    """
    started = perf_counter()
    keep = keep_away(scan.volume, scan.spine, vertebra, scan.around, scan.foreign)
    sides: tuple[Side, ...] = ("left", "right")
    wanted = [s for s in sides if wish.sides in ("both", s)]
    side_plans = [_Side.of(scan, keep, side) for side in wanted]
    answers = tuple(replace(one.answer(wish, "two"), beside=one.beside()) for one in side_plans)
    middle = [one.answer(wish, "one") for one in side_plans]
    safest = max(
        (answer.best for answer in middle if answer.best is not None),
        key=lambda way: (way.approach == "transpedicular", way.score["total"]),
        default=None,
    )
    ways = [way for way in (safest, *(answer.best for answer in answers)) if way is not None]
    return LevelPlan(
        vertebra_id=vertebra.id,
        level=vertebra.level,
        single=safest,
        sides=answers,
        cement=cement_range(scan.bodies[vertebra.id].volume_mm3 / 1000.0),
        unknown=unknown_structures(keep, ways),
        seconds=perf_counter() - started,
        single_reason="" if safest else " ".join(f"From the {a.side}: {a.reason}" for a in middle),
    )


@dataclass(frozen=True, eq=False)
class _Side:
    """One side of a vertebra, ready to be searched."""

    scan: Ready
    keep: KeepAway
    side: Side
    sign: float
    pedicle_mm: tuple[float, float]
    corridor: Corridor | None

    @classmethod
    def of(cls, scan: Ready, keep: KeepAway, side: Side) -> _Side:
        sign = 1.0 if side == "left" else -1.0
        vertebra = keep.vertebra
        body = scan.bodies[vertebra.id]
        half = (body.left_mm - body.right_mm) / 2.0
        middle = scan.pedicles.get((vertebra.id, int(sign)), (PEDICLE_ASIDE * half, 4.0))
        pixel = float(max(scan.spine.grid.spacing_mm[1:]))
        found = corridor(keep, side, middle, pixel)
        if found is not None:
            at = vertebra.frame.to_local(found.isthmus_mm)
            middle = (abs(float(at[0])), float(at[2]))
        return cls(scan, keep, side, sign, middle, found)

    def beside(self) -> RoomBeside | None:
        """The room beside this pedicle."""
        return room_beside(self.keep, self.side, self.pedicle_mm) if self.keep.canal_found else None

    def answer(self, wish: Wish, needles: Needles) -> SideAnswer:
        """The best way of this side for one or for two needles."""
        if not self.keep.canal_found:
            return SideAnswer(self.side, self.corridor, None, (), CANAL_NOT_FOUND, 0)
        room = self._room(needles)
        outer = gauge(wish.needle).outer_mm
        both: tuple[Approach, ...] = ("transpedicular", "extrapedicular")
        tried = 0
        reasons = []
        for approach in both:
            if wish.approach not in ("auto", approach):
                continue
            rule = rules(approach, outer, wish.margin_mm)
            found = search(self.keep, rule, room)
            if not found.ways and approach == "transpedicular":
                finer = search(self.keep, rule, self._room(needles, fine=True))
                found = Searched(finer.ways, found.tried + finer.tried, found.ended)
            tried += found.tried
            if found.ways:
                ways = [self._trajectory(way, rule, wish, room) for way in _differing(found)]
                return SideAnswer(self.side, self.corridor, ways[0], tuple(ways[1:]), "", tried)
            reasons.append(why_none(found, rule, self.corridor, wish))
        thinner = self._thinner(wish, room)
        if thinner is not None:
            reasons.append(f"A {thinner} needle has a way through the pedicle.")
        return SideAnswer(self.side, self.corridor, None, (), " ".join(reasons), tried)

    def _room(self, needles: Needles, *, fine: bool = False) -> Room:
        body = self.scan.bodies[self.keep.vertebra.id]
        return room_of(body, self.sign, self.pedicle_mm, needles, fine=fine)

    def _thinner(self, wish: Wish, room: Room) -> str | None:
        """The widest of the thinner needles that has a way through the pedicle."""
        if wish.approach == "extrapedicular":
            return None
        outer = gauge(wish.needle).outer_mm
        for name, size in GAUGES.items():
            if size.outer_mm < outer:
                rule = rules("transpedicular", size.outer_mm, wish.margin_mm)
                if search(self.keep, rule, room).ways:
                    return name
        return None

    def _trajectory(self, way: Way, rule: Rules, wish: Wish, room: Room) -> Trajectory:
        vertebra = self.keep.vertebra
        frame = vertebra.frame
        entry = way.tip - way.to_bone_mm * way.ahead
        entry_lps, tip_lps = frame.to_lps(entry), frame.to_lps(way.tip)
        ahead = (tip_lps - entry_lps) / np.linalg.norm(tip_lps - entry_lps)
        skin = skin_of(self.scan.around, self.scan.volume.grid, vertebra, entry_lps, ahead, self.sign)
        before = skin.to_entry_mm if skin is not None else 0.0
        size = gauge(wish.needle)
        body = self.scan.bodies[vertebra.id]
        breach = float(breach_mm(self.keep, rule.approach, entry[None], way.tip[None], size.outer_mm)[0])
        profile = clearance_along(self.keep, entry, way.tip, before, size.outer_mm)
        least, nearest = least_along(self.keep, entry, way.tip, before, size.outer_mm)
        return Trajectory(
            side=self.side,
            approach=rule.approach,
            gauge=size,
            skin_mm=skin.point_mm if skin is not None else None,
            entry_mm=_point(entry_lps),
            tip_mm=_point(tip_lps),
            transverse_deg=_turn(-self.sign * way.ahead[0], way.ahead[1]),
            sagittal_deg=_turn(way.ahead[2], way.ahead[1]),
            patient_transverse_deg=_turn(-self.sign * ahead[0], -ahead[1]),
            patient_craniocaudal_deg=_turn(ahead[2], -ahead[1]),
            skin_from_midline_mm=skin.from_midline_mm if skin is not None else None,
            skin_depth_mm=before if skin is not None else None,
            wall_depth_mm=before + way.to_bone_mm - way.to_wall_mm,
            tip_depth_mm=before + way.to_bone_mm,
            widest_gauge=self._widest(way, rule, wish, room),
            least_mm=least,
            nearest=nearest,
            medial_margin_mm=way.medial_mm,
            grade=gertzbein_robbins(breach),
            aim=aim_shares(self.keep, rule.approach, entry, way.tip, size.outer_mm),
            clearance=profile,
            tip_share=float((way.tip[1] - body.posterior_mm) / body.depth_mm),
            score=way.terms,
        )

    def _widest(self, way: Way, rule: Rules, wish: Wish, room: Room) -> str:
        """The widest needle for which the same way keeps every rule."""
        out = np.zeros(5)
        for name, size in GAUGES.items():
            if size.outer_mm / 2.0 > rule.radius_mm:
                wider = rules(rule.approach, size.outer_mm, wish.margin_mm)
                if judge(ground_of(self.keep, wider, room), way.tip, way.ahead, out) == OK:
                    return name
        return wish.needle


PEDICLE_ASIDE: Final = 0.6
"""Where a pedicle was not found: its middle as a share of the body's half width."""


def _differing(found: Searched) -> list[Way]:
    """The best way, and the next best that differ from it and from each other."""
    kept: list[Way] = []
    for way in found.ways:
        if all(_apart(way, other) for other in kept):
            kept.append(way)
        if len(kept) > OTHERS:
            break
    return kept


def _apart(a: Way, b: Way) -> bool:
    angle = float(np.degrees(np.arccos(np.clip(a.ahead @ b.ahead, -1.0, 1.0))))
    entry = [w.tip - w.to_bone_mm * w.ahead for w in (a, b)]
    return angle >= OTHER_DEG or float(np.linalg.norm(entry[0] - entry[1])) >= OTHER_MM


def _turn(aside: float, forward: float) -> float:
    return float(np.degrees(np.arctan2(aside, forward)))


def _point(values: FloatArray) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
