"""Cases from a REDCap export: data and dictionary, raw or labelled, with repeating instruments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from thecal.errors import InputError
from thecal.registry.exchange.csv_in import read_table
from thecal.registry.exchange.drafts import ROW, Drafts, Incoming
from thecal.registry.exchange.fields import LISTS, PARTS, fields_of
from thecal.registry.exchange.mapping import Mapping, TableMap
from thecal.registry.exchange.redcap_dictionary import RECORD, Variable, read_dictionary, variable_of
from thecal.registry.exchange.redcap_heads import (
    EVENT,
    INSTANCE,
    INSTRUMENT,
    SYSTEM,
    codes_of,
    same_event,
    same_form,
    variable_names,
)
from thecal.registry.exchange.table_rows import TablePlan

STATES: Final = ("_complete", "_timestamp", "Complete?", "Survey Timestamp")
"""How the columns end that say of each form whether it is done, and when a survey was."""


def read_redcap(path: Path, dictionary: Path, mapping: Mapping | None = None) -> Incoming:
    """Read one export.

    Parameters
    ----------
    path : Path
        The data, CSV.
    dictionary : Path
        The project's data dictionary, CSV. Labels are turned into raw codes by it.
    mapping : Mapping or None
        By names of variables and raw codes; None for a project made from this program's own dictionary.

    Raises
    ------
    InputError
        Where a file cannot be read, or data and dictionary do not belong together.
    """
    variables = read_dictionary(dictionary)
    if mapping is None and not {RECORD, "procedures_kind"} <= set(variables):
        raise InputError(
            f"{dictionary.name} is not the dictionary that thecal registry export writes: such a project "
            "needs a mapping (--mapping)"
        )
    said_tables = mapping.table if mapping else ()
    first = said_tables[0] if said_tables else TableMap(rows="case", pseudonym=RECORD)
    labelled, rows = read_table(path, encoding=first.encoding, delimiter=first.delimiter, twice=True)
    wanted = _named(said_tables) if mapping else set(variables)
    head = variable_names(labelled, variables, wanted, path.name)
    tables = said_tables or _own_tables(variables, head)
    codes = [codes_of(name, variables) for name in head]
    plans = [(table, TablePlan(table, head, path.name)) for table in tables]
    drafts = Drafts()
    taken: set[str] = set()
    for table, plan in plans:
        taken |= set(head) - set(plan.not_taken) - {table.pseudonym}
    ours = {EVENT, INSTRUMENT, INSTANCE, *SYSTEM.values(), *(table.pseudonym for table in tables)}
    drafts.not_taken = [
        name for name in dict.fromkeys(head) if name not in taken | ours and not name.endswith(STATES)
    ]
    places = {name: head.index(name) for name in (EVENT, INSTRUMENT, INSTANCE) if name in head}
    whole = _OneEvent(path.name)
    unread: Counter[str] = Counter()
    for line, cells in enumerate(rows, start=2):
        row = [known.get(cell.strip(), cell) for cell, known in zip(cells, codes, strict=False)]
        row += cells[len(row) :]
        said = {name: row[at].strip() if at < len(row) else "" for name, at in places.items()}
        form, event = said.get(INSTRUMENT, ""), said.get(EVENT, "")
        instance = said.get(INSTANCE, "")
        read = False
        for table, plan in plans:
            if not same_form(table.instrument or "", form) or (
                table.event and not same_event(table.event, event)
            ):
                continue
            if not form and table.rows == "deficit" and not _says(table, row, head):
                continue
            if table.rows == "case" and not table.event:
                whole.see(row, head.index(table.pseudonym), event)
            number = int(instance) if instance.isdecimal() and int(instance) > 0 else None
            plan.read(drafts, row, line, number if table.rows in LISTS and mapping is None else None)
            read = True
        if not read and any(row):
            if mapping is None:
                drafts.wrong(None, path.name, line, ROW, "", "belongs to an instrument that no table reads")
            unread[f"of the instrument {form}" if form else f"of the event {event}" if event else ""] += 1
    if mapping is not None:
        drafts.not_taken += [f"{many} rows {which}".strip() for which, many in unread.items()]
    return drafts.finish()


class _OneEvent:
    """Sees to it that a case is not read anew from each event of a longitudinal project."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._events: dict[str, str] = {}

    def see(self, row: list[str], at: int, event: str) -> None:
        """Note the event of a row that is a case."""
        pseudonym = row[at].strip() if at < len(row) else ""
        if self._events.setdefault(pseudonym, event) != event:
            raise InputError(
                f"{self._file} has a row for each event: say with event = ... in the mapping which event's "
                "row is the case"
            )


def _named(tables: Sequence[TableMap]) -> set[str]:
    """Every column that a mapping names."""
    found = {table.pseudonym for table in tables}
    for table in tables:
        for column, said in table.columns.items():
            times = () if isinstance(said, str) else (said.days_from, said.on_from)
            found |= {column, *(each for each in times if each)}
    return found


def _says(table: TableMap, row: list[str], head: list[str]) -> bool:
    """Whether a row that holds several instruments says anything of this one."""
    return any(row[head.index(column)].strip() for column in table.columns if head.index(column) < len(row))


def _own_tables(variables: dict[str, Variable], head: list[str]) -> tuple[TableMap, ...]:
    """How this program's own project is read; who exports may have left out fields, identifying ones say."""
    there = set(variables) & set(head)
    tables = []
    for part in PARTS:
        fields = [f for f in fields_of(part).values() if variable_of(f) in there]
        columns = {variable_of(f): f"{part}.{f.name}" for f in fields if variable_of(f) != RECORD}
        if not columns and part != "patient":
            continue
        said = {"rows": "case" if part == "patient" else part, "pseudonym": RECORD, "columns": columns}
        if part in LISTS:
            said["instrument"] = part
        tables.append(TableMap.model_validate({**said, "missing": [""]}))
    return tuple(tables)
