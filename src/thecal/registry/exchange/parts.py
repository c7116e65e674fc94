"""A case as rows, one for each of its parts: the shape that every table of an export has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from thecal.registry.case import Case
from thecal.registry.exchange.fields import LISTS, fields_of


@dataclass(frozen=True)
class PartRow:
    """One part of one case.

    Attributes
    ----------
    part : str
        "patient", "procedures".
    number : int
        Its place in the list, from 1; 1 for a part of which there is one.
    values : dict
        Field to value, as the contract has it.
    """

    part: str
    number: int
    values: dict[str, Any]


def part_rows(case: Case) -> Iterator[PartRow]:
    """The parts of a case in the order of the contract: the patient, the deficit, and each of the lists."""
    yield PartRow("patient", 1, _values("patient", case.patient))
    if case.deficit is not None:
        yield PartRow("deficit", 1, _values("deficit", case.deficit))
    for part in LISTS:
        for number, each in enumerate(getattr(case, part), start=1):
            yield PartRow(part, number, _values(part, each))


def _values(part: str, each: Any) -> dict[str, Any]:
    return {name: getattr(each, name) for name in fields_of(part)}
