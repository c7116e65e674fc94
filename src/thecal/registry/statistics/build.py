"""All that the registry answers, in one value; the page and the JSON say the same."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from thecal import __version__
from thecal.registry.grades import CONVENTION
from thecal.registry.statistics.columns import PRESENT, Columns
from thecal.registry.statistics.decompression import Decompression, decompression
from thecal.registry.statistics.leak_rates import RateTable, leak_rates
from thecal.registry.statistics.strength import Strength, strength
from thecal.registry.statistics.waiting import Waiting, sphincters_again, walking_again
from thecal.terms import RESEARCH_USE

SCHEMA = "thecal.registry-statistics/1"


@dataclass(frozen=True)
class Missing:
    """How many of so many do not say it."""

    what: str
    missing: int
    of: int


@dataclass(frozen=True)
class Statistics:
    """What the registry answers.

    Attributes
    ----------
    cases : int
        Without those withdrawn.
    missing : tuple of Missing
    leaks : tuple of RateTable
    strength : Strength
    decompression : Decompression
    walking, sphincters : Waiting
    """

    cases: int
    missing: tuple[Missing, ...]
    leaks: tuple[RateTable, ...]
    strength: Strength
    decompression: Decompression
    walking: Waiting
    sphincters: Waiting

    def to_json(self) -> str:
        """Everything, with the conventions that it rests on; UTF-8 JSON."""
        content = {
            "schema": SCHEMA,
            "software": {"name": "thecal", "version": __version__},
            "research_use": RESEARCH_USE,
            "grades": CONVENTION,
            **asdict(self),
        }
        return json.dumps(_plain(content), ensure_ascii=False, indent=1) + "\n"


def registry_statistics(columns: Columns) -> Statistics:
    """Work out everything that the registry answers."""
    found = strength(columns)
    return Statistics(
        cases=columns.cases,
        missing=_missing(columns),
        leaks=leak_rates(columns),
        strength=found,
        decompression=decompression(columns, found),
        walking=walking_again(columns),
        sphincters=sphincters_again(columns),
    )


def _missing(columns: Columns) -> tuple[Missing, ...]:
    total = columns.cases
    operated, followed = (np.zeros(total, bool) for _ in range(2))
    operated[columns.procedure_case] = True
    followed[columns.finding_case] = True
    lost = columns.deficit == PRESENT.index("yes")
    without_time = columns.deficits_without_time
    unsure = int((columns.deficit < 0).sum() + (columns.deficit == PRESENT.index("unknown")).sum())
    return (
        *(Missing(what, count, total) for what, count in columns.missing.items()),
        Missing("any procedure", total - int(operated.sum()), total),
        Missing("picture or leak", int((~columns.looked).sum()), total),
        Missing("viscosity", int((columns.procedure_viscosity < 0).sum()), columns.procedure_viscosity.size),
        Missing("whether there was a deficit", unsure, total),
        Missing("strength, walking or sphincters of any day", total - int(followed.sum()), total),
        Missing("the same where there was a deficit", int((lost & ~followed).sum()), int(lost.sum())),
        Missing(
            "when the deficit came, where nerves were followed", without_time, int((lost & followed).sum())
        ),
    )


def _plain(value: Any) -> Any:
    """Arrays as lists, and NaN as null."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, np.ndarray):
        return [_plain(each) for each in value.tolist()]
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
