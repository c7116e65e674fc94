"""A plan that was written earlier, read back from its folder to be held against what was done."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from thecal import __version__
from thecal.anatomy.spine import Spine
from thecal.errors import InputError
from thecal.needle.outputs.folder import PLAN_JSON
from thecal.needle.outputs.schema import PlanDocument, PlannedCorridor, PlannedLevel, PlannedSide, PlannedWay
from thecal.needle.plan import Wish
from thecal.needle.plan_value import (
    AimShare,
    CementRange,
    Clearance,
    Corridor,
    Gauge,
    LevelPlan,
    SideAnswer,
    Trajectory,
)
from thecal.quality import QualityNote
from thecal.terms import vertebra_name
from thecal.volume import Volume


@dataclass(frozen=True, eq=False)
class StoredPlan:
    """What a plan's folder holds.

    Attributes
    ----------
    wish : Wish
        What was asked for then.
    version : str
        Of the thecal that made it.
    anatomy : (str, str)
        The anatomy's name and version.
    series_uid : str or None
        Of the CT that was planned on.
    levels : tuple of LevelPlan
        As they were written, rounded.
    """

    wish: Wish
    version: str
    anatomy: tuple[str, str]
    series_uid: str | None
    levels: tuple[LevelPlan, ...]


def read_plan(folder: Path) -> StoredPlan:
    """The plan in a folder.

    Raises
    ------
    InputError
        Where there is none, or it is damaged or of another version of the contract.
    """
    path = folder / PLAN_JSON
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path} is damaged: it is no JSON") from error
    try:
        # What was audited in it does not matter to the plan.
        document = PlanDocument.model_validate_json(json.dumps(told | {"audit": None}))
    except (ValidationError, TypeError) as error:
        raise InputError(f"{path} is no plan of thecal, or of another version of plan.json") from error
    asked = document.asked
    return StoredPlan(
        Wish(asked.sides, asked.approach, asked.needle, asked.margin_mm),
        document.software.version,
        (document.scan.anatomy, document.scan.anatomy_version),
        document.scan.series_uid,
        tuple(_level(level) for level in document.levels),
    )


def pin_of(stored: StoredPlan) -> str | None:
    """What names the levels of the CT as the plan did: "T12@79.6"; None where the plan knew no name."""
    for plan in stored.levels:
        way = plan.single or next((a.best for a in plan.sides if a.best is not None), None)
        if plan.level is not None and way is not None:
            return f"{plan.level}@{way.tip_mm[2]:g}"
    return None


def placed(stored: StoredPlan, spine: Spine, volume: Volume) -> tuple[LevelPlan, ...]:
    """The plan's levels on the spine that was found anew in the same CT.

    Each is given the vertebra that its needles' tips lie in, whatever number it has now.

    Raises
    ------
    InputError
        Where the plan is of another series, or a needle's tip lies in no vertebra of this CT.
    """
    series = volume.source.series_uid
    if None not in (series, stored.series_uid) and series != stored.series_uid:
        raise InputError("The stored plan was made on another series than this CT")
    return tuple(_on(plan, spine) for plan in stored.levels)


def differences(stored: StoredPlan, wish: Wish, spine: Spine) -> tuple[QualityNote, ...]:
    """What the stored plan was made with that differs from what is asked for, or installed, now."""
    said = []
    if stored.version != __version__ or stored.anatomy != (spine.backend, spine.backend_version):
        said.append(
            QualityNote(
                "plan_of_other_version",
                "warning",
                f"The stored plan is of thecal {stored.version} with anatomy {' '.join(stored.anatomy)}; "
                f"this is thecal {__version__} with anatomy {spine.backend} {spine.backend_version}: walls "
                "may be drawn otherwise than they were for the plan.",
            )
        )
    then, now = stored.wish, wish
    if (then.needle, then.margin_mm) != (now.needle, now.margin_mm):
        said.append(
            QualityNote(
                "plan_of_other_options",
                "warning",
                f"The stored plan is for a {then.needle} needle with {then.margin_mm:g} mm to the medial "
                f"wall, and holds; --needle {now.needle} and --margin {now.margin_mm:g} were not used.",
            )
        )
    return tuple(said)


def _on(plan: LevelPlan, spine: Spine) -> LevelPlan:
    ways = [way for way in (plan.single, *(answer.best for answer in plan.sides)) if way is not None]
    if not ways:
        known = [v for v in spine.vertebrae if v.id == plan.vertebra_id]
        if not known:
            name = vertebra_name(plan.level, plan.vertebra_id)
            raise InputError(f"The stored plan's {name} is not among the vertebrae of this CT")
        return plan
    tips = np.rint(spine.grid.to_index(np.array([way.tip_mm for way in ways]))).astype(int)
    inside = ((tips >= 0) & (tips < np.array(spine.labels.shape))).all(1)
    numbers = {int(spine.labels[tuple(tip)]) for tip in tips[inside]}
    held = [v for v in spine.vertebrae if v.id in numbers]
    if not inside.all() or len(held) != 1:
        name = vertebra_name(plan.level, plan.vertebra_id)
        raise InputError(f"The needles planned for {name} end in no one vertebra of this CT: is it another?")
    return replace(plan, vertebra_id=held[0].id)


def _level(level: PlannedLevel) -> LevelPlan:
    cement = level.cement
    return LevelPlan(
        vertebra_id=level.vertebra_id,
        level=level.level,
        single=None if level.single is None else _way(level.single),
        sides=tuple(_side(side) for side in level.sides),
        cement=CementRange(
            cement.body_ml,
            cement.low_share,
            cement.high_share,
            cement.low_ml,
            cement.high_ml,
            tuple(cement.sources),
        ),
        unknown=tuple(level.unknown),
        seconds=level.seconds,
        single_reason=level.single_reason,
    )


def _side(side: PlannedSide) -> SideAnswer:
    return SideAnswer(
        side.side,
        None if side.corridor is None else _corridor(side.corridor),
        None if side.best is None else _way(side.best),
        tuple(_way(way) for way in side.others),
        side.reason,
        side.tried,
    )


def _corridor(found: PlannedCorridor) -> Corridor:
    held = {name: getattr(found, name) for name in PlannedCorridor.model_fields}
    held["axis"] = np.array(held["axis"])
    held["outline"] = np.array(held.pop("outline_mm"), float).reshape(-1, 3)
    held["medial_wall"] = np.array(held.pop("medial_wall_mm"), float).reshape(-1, 3)
    return Corridor(**held)


def _way(way: PlannedWay) -> Trajectory:
    held = {name: getattr(way, name) for name in PlannedWay.model_fields}
    held["gauge"] = Gauge(**held.pop("needle").model_dump())
    held["aim"] = tuple(AimShare(**aim.model_dump()) for aim in way.aim)
    held["clearance"] = Clearance(
        np.array([point.depth_mm for point in way.clearance]),
        np.array([np.nan if point.free_mm is None else point.free_mm for point in way.clearance]),
        tuple(point.nearest for point in way.clearance),
    )
    return Trajectory(**held)
