"""A page of the registry: which cases there are, by level, procedure, compartment and deficit."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, Select, Table, func, select, union

from thecal.registry.store.tables import cases, deficits, fractures, leaks, outcomes, procedures

if TYPE_CHECKING:
    from thecal.registry.store.store import Store

PAGE: Final = 50
"""Cases on a page unless another number is asked for."""


@dataclass(frozen=True)
class Wanted:
    """What a list is narrowed to; None does not narrow. ``level`` is one of a fracture or a procedure."""

    level: str | None = None
    kind: str | None = None
    compartment: str | None = None
    deficit: str | None = None


@dataclass(frozen=True)
class Line:
    """One case in a list: what was done where, what leaked into which compartments, what was lost."""

    pseudonym: str
    age_years: float | None
    sex: str | None
    levels: tuple[str, ...]
    kinds: tuple[str, ...]
    compartments: tuple[str, ...]
    deficit: str | None
    outcomes: int


@dataclass(frozen=True)
class Page:
    """Some of the cases that are wanted, by pseudonym; ``total`` is how many there are."""

    total: int
    first: int
    lines: tuple[Line, ...]

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


def page(store: Store, wanted: Wanted, first: int = 0, size: int = PAGE) -> Page:
    """The cases from number ``first`` (0 is the first) on; withdrawn ones are not among them."""
    chosen = [cases.c.withdrawn == 0, *_conditions(wanted)]
    with store.reading() as connection:
        total = connection.execute(select(func.count()).select_from(cases).where(*chosen)).scalar_one()
        rows = connection.execute(
            select(cases).where(*chosen).order_by(cases.c.pseudonym).limit(size).offset(first)
        ).all()
        numbers = [row.id for row in rows]

        def words(table: Table, column: str) -> dict[int, tuple[str, ...]]:
            found: dict[int, list[str]] = {}
            for number, word in connection.execute(_of(table, table.c[column], numbers)):
                if word is not None and word not in found.setdefault(number, []):
                    found[number].append(word)
            return {number: tuple(each) for number, each in found.items()}

        broken, treated = words(fractures, "level"), words(procedures, "level")
        kinds, leaked = words(procedures, "kind"), words(leaks, "compartment")
        lost = words(deficits, "present")
        counted = select(outcomes.c.case_id, func.count()).where(outcomes.c.case_id.in_(numbers))
        followed = {number: many for number, many in connection.execute(counted.group_by(outcomes.c.case_id))}
    lines = tuple(
        Line(
            row.pseudonym,
            row.age_years,
            row.sex,
            tuple(dict.fromkeys((*broken.get(row.id, ()), *treated.get(row.id, ())))),
            kinds.get(row.id, ()),
            leaked.get(row.id, ()),
            lost.get(row.id, (None,))[0],
            followed.get(row.id, 0),
        )
        for row in rows
    )
    return Page(total, first, lines)


def _of(table: Table, column: ColumnElement[Any], numbers: list[int]) -> Select[Any]:
    return (
        select(table.c.case_id, column)
        .where(table.c.case_id.in_(numbers))
        .order_by(table.c.case_id, table.c.position)
    )


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    def those(table: Table, column: str, word: str) -> Select[tuple[int]]:
        return select(table.c.case_id).where(table.c[column] == word)

    found: list[ColumnElement[bool]] = []
    if wanted.level is not None:
        either = union(those(fractures, "level", wanted.level), those(procedures, "level", wanted.level))
        found.append(cases.c.id.in_(either))
    if wanted.kind is not None:
        found.append(cases.c.id.in_(those(procedures, "kind", wanted.kind)))
    if wanted.compartment is not None:
        found.append(cases.c.id.in_(those(leaks, "compartment", wanted.compartment)))
    if wanted.deficit is not None:
        found.append(cases.c.id.in_(those(deficits, "present", wanted.deficit)))
    return found
