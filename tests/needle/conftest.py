"""A toy patient whose T12 is planned, and the folder of that plan."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import toy_patient
from plans import plain_plan

from thecal.anatomy.spine import Spine, Vertebra
from thecal.needle.outputs.folder import plan_files, write_plan
from thecal.needle.plan_value import LevelPlan
from thecal.volume import Volume


@dataclass(frozen=True)
class Case:
    """A scan, its spine, and the plan of its T12: both sides free."""

    volume: Volume
    spine: Spine
    vertebra: Vertebra
    plan: LevelPlan


@pytest.fixture(scope="session")
def case() -> Case:
    spine = toy_patient.spine()
    volume = toy_patient.volume(spine)
    vertebra = next(v for v in spine.vertebrae if v.level == "T12")
    return Case(volume, spine, vertebra, plain_plan(volume, spine, vertebra))


@pytest.fixture(scope="session")
def blocked(case: Case) -> LevelPlan:
    """The same level where only the left offers a path."""
    return plain_plan(case.volume, case.spine, case.vertebra, blocked=("right",))


@pytest.fixture(scope="session")
def hopeless(case: Case) -> LevelPlan:
    """The same level where no side offers one."""
    return plain_plan(case.volume, case.spine, case.vertebra, blocked=("left", "right"))


@pytest.fixture(scope="session")
def folder(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the plan."""
    out = tmp_path_factory.mktemp("plan") / "plan"
    files = list(plan_files([case.plan], case.volume))
    plan_json = json.dumps({"schema": "thecal.plan/1", "files": files})
    write_plan(out, case.volume, case.spine, [case.plan], plan_json=plan_json)
    return out
