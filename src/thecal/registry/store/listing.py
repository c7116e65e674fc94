"""A page of the registry: which cases there are, by level, procedure, compartment and deficit."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from thecal.registry.store.asking import Askable

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


def page(store: Askable, wanted: Wanted, first: int = 0, size: int = PAGE) -> Page:
    """The cases from number ``first`` (0 is the first) on; withdrawn ones are not among them."""
    narrowed, values = _conditions(wanted)
    with store.asking() as ask:
        [(total,)] = ask.rows(f"SELECT count(*) FROM cases WHERE {narrowed}", values)
        rows = ask.rows(
            f"SELECT id, pseudonym, age_years, sex FROM cases WHERE {narrowed} "
            "ORDER BY pseudonym LIMIT ? OFFSET ?",
            (*values, size, first),
        )
        numbers = ", ".join(str(int(row[0])) for row in rows) or "NULL"

        def words(table: str, column: str) -> dict[int, tuple[str, ...]]:
            found: dict[int, dict[str, None]] = {}
            for number, word in ask.rows(
                f"SELECT case_id, {column} FROM {table} WHERE case_id IN ({numbers}) "
                "ORDER BY case_id, position"
            ):
                if word is not None:
                    found.setdefault(number, {})[word] = None
            return {number: tuple(each) for number, each in found.items()}

        broken, treated = words("fractures", "level"), words("procedures", "level")
        kinds, leaked = words("procedures", "kind"), words("leaks", "compartment")
        lost = words("deficits", "present")
        followed = dict(
            ask.rows(f"SELECT case_id, count(*) FROM outcomes WHERE case_id IN ({numbers}) GROUP BY case_id")
        )
    lines = tuple(
        Line(
            pseudonym,
            age_years,
            sex,
            tuple(dict.fromkeys((*broken.get(number, ()), *treated.get(number, ())))),
            kinds.get(number, ()),
            leaked.get(number, ()),
            lost.get(number, (None,))[0],
            followed.get(number, 0),
        )
        for number, pseudonym, age_years, sex in rows
    )
    return Page(total, first, lines)


def _conditions(wanted: Wanted) -> tuple[str, list[str]]:
    """What a case must fulfil, and the values of its marks."""
    found, values = ["withdrawn = 0"], []

    def among(*tables: tuple[str, str], word: str | None) -> None:
        if word is not None:
            parts = [f"SELECT case_id FROM {table} WHERE {column} = ?" for table, column in tables]
            found.append(f"id IN ({' UNION '.join(parts)})")
            values.extend([word] * len(tables))

    among(("fractures", "level"), ("procedures", "level"), word=wanted.level)
    among(("procedures", "kind"), word=wanted.kind)
    among(("leaks", "compartment"), word=wanted.compartment)
    among(("deficits", "present"), word=wanted.deficit)
    return " AND ".join(found), values
