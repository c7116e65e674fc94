"""What was read, against the registry: what is new, what is there already, and what goes in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from thecal.registry.case import Case
from thecal.registry.exchange.drafts import ROW, Incoming, Problem
from thecal.registry.exchange.fields import IDENTIFYING

if TYPE_CHECKING:
    from thecal.registry.store import Store

NAMES: Final = tuple(name for _, name in IDENTIFYING)


def against(store: Store, incoming: Incoming) -> Incoming:
    """The same without what the registry cannot take, and with the reasons among its problems.

    A pseudonym that is in the registry already, withdrawn or not; an addition to a case that is not, or that
    holds it already; a name or a birth where the registry has no key.
    """
    from thecal.registry.store.tables import cases as table

    with store.reading() as connection:
        found = connection.execute(select(table.c.pseudonym, table.c.withdrawn)).all()
    known = {row.pseudonym: bool(row.withdrawn) for row in found}
    problems = list(incoming.problems)

    def wrong(pseudonym: str, column: str, sentence: str) -> None:
        file, row = incoming.places[pseudonym]
        problems.append(Problem(file, row, column, "", sentence))

    new = []
    for case in incoming.cases:
        name = case.patient.pseudonym
        said = [each for each in NAMES if getattr(case.patient, each) is not None]
        if name in known:
            state = "was withdrawn from the registry" if known[name] else "is in the registry already"
            wrong(name, ROW, f"case {name} {state}")
        elif said and store.keeper.key_id is None:
            wrong(name, f"patient.{said[0]}", "only a registry with a key keeps it")
        else:
            new.append(case)
    additions = {}
    for name, parts in incoming.additions.items():
        if name not in known:
            wrong(name, ROW, f"case {name} is not in the registry, and no row makes it")
        elif known[name]:
            wrong(name, ROW, f"case {name} was withdrawn from the registry")
        elif not (left := _not_there(store.case(name), parts)):
            wrong(name, ROW, f"case {name} has all of this already")
        else:
            additions[name] = left
    return replace(
        incoming,
        cases=new,
        additions=additions,
        problems=sorted(problems, key=lambda p: (p.file, p.row)),
    )


def bring_in(store: Store, incoming: Incoming, *, who: str) -> tuple[int, int]:
    """Take everything in, in one transaction; how many cases were added and how many got more."""
    edits = {name: _adding(parts) for name, parts in incoming.additions.items()}
    return store.take_in(incoming.cases, edits, who=who)


def _not_there(case: Case, parts: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    left = {part: tuple(e for e in new if e not in getattr(case, part)) for part, new in parts.items()}
    return {part: new for part, new in left.items() if new}


def _adding(parts: dict[str, tuple[Any, ...]]) -> Callable[[Case], Case]:
    def edit(case: Case) -> Case:
        return case.model_copy(update={part: (*getattr(case, part), *new) for part, new in parts.items()})

    return edit
