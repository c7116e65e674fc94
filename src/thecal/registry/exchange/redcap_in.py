"""Cases from a REDCap export: data and dictionary, raw or labelled, with repeating instruments."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from thecal.errors import InputError
from thecal.registry.exchange.csv_in import read_table
from thecal.registry.exchange.drafts import ROW, Drafts, Incoming
from thecal.registry.exchange.fields import LISTS, PARTS, fields_of
from thecal.registry.exchange.mapping import Mapping, TableMap
from thecal.registry.exchange.redcap_dictionary import RECORD, Variable, read_dictionary, variable_of
from thecal.registry.exchange.table_rows import TablePlan

INSTRUMENT: Final = "redcap_repeat_instrument"
INSTANCE: Final = "redcap_repeat_instance"
EVENT: Final = "redcap_event_name"
SYSTEM: Final = {
    "Event Name": EVENT,
    "Repeat Instrument": INSTRUMENT,
    "Repeat Instance": INSTANCE,
    "Data Access Group": "redcap_data_access_group",
    "Survey Identifier": "redcap_survey_identifier",
}
"""REDCap's own columns: their head in a labelled export, and in a raw one."""
CHECKED: Final = {"Checked": "1", "Unchecked": "0"}
_CHECKBOX: Final = re.compile(r"(?P<label>.*) \(choice=(?P<choice>.*)\)")


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
    labelled, rows = read_table(path)
    head = [_variable_name(name, variables, path.name) for name in labelled]
    codes = [_codes(name, variables) for name in head]
    by_label = _forms_by_label(variables, mapping)
    tables = _own_tables(variables) if mapping is None else mapping.table
    plans = [(table, TablePlan(table, head, path.name)) for table in tables]
    drafts = Drafts()
    taken: set[str] = set()
    for table, plan in plans:
        taken |= set(head) - set(plan.not_taken) - {table.pseudonym}
    ours = {EVENT, INSTRUMENT, INSTANCE, *SYSTEM.values(), *(table.pseudonym for table in tables)}
    drafts.not_taken = [
        name
        for name in head
        if name not in taken | ours and not name.endswith(("_complete", "_timestamp", "Complete?"))
    ]
    places = {name: head.index(name) for name in (EVENT, INSTRUMENT, INSTANCE) if name in head}
    for line, cells in enumerate(rows, start=2):
        row = [known.get(cell.strip(), cell) for cell, known in zip(cells, codes, strict=False)]
        row += cells[len(row) :]
        said = {name: row[at].strip() if at < len(row) else "" for name, at in places.items()}
        form = said.get(INSTRUMENT, "")
        form = by_label.get(form, form)
        instance = said.get(INSTANCE, "")
        read = False
        for table, plan in plans:
            if (table.instrument or "") != form or (table.event and table.event != said.get(EVENT)):
                continue
            if not form and table.rows == "deficit" and not _says(table, row, head):
                continue
            number = int(instance) if instance.isdecimal() and int(instance) > 0 else None
            plan.read(drafts, row, line, number if table.rows in LISTS and mapping is None else None)
            read = True
        if not read and any(row) and mapping is None:
            drafts.wrong(None, path.name, line, ROW, "", "belongs to an instrument that no table reads")
    return drafts.finish()


def _says(table: TableMap, row: list[str], head: list[str]) -> bool:
    """Whether a row that holds several instruments says anything of this one."""
    return any(row[head.index(column)].strip() for column in table.columns if head.index(column) < len(row))


def _variable_name(column: str, variables: dict[str, Variable], file: str) -> str:
    """The variable that a head means, whether it is its name or its label."""
    if column in SYSTEM:
        return SYSTEM[column]
    if column in SYSTEM.values() or column.partition("___")[0] in variables:
        return column
    box = _CHECKBOX.fullmatch(column)
    label = box["label"] if box else column
    found = [v for v in variables.values() if v.label == label and (v.kind == "checkbox") == bool(box)]
    if len(found) > 1:
        raise InputError(
            f"{file} has a column {column!r}, the label of several variables: export it with variable names"
        )
    if not found:
        return column
    if box:
        codes = [code for code, word in found[0].choices.items() if word == box["choice"]]
        return f"{found[0].name}___{codes[0].lower()}" if codes else column
    return found[0].name


def _codes(name: str, variables: dict[str, Variable]) -> dict[str, str]:
    """Label to raw code of a column; a code stays what it is."""
    if "___" in name:
        return CHECKED
    variable = variables.get(name)
    if variable is None or not variable.choices:
        return {}
    return {
        label: code
        for code, label in reversed(list(variable.choices.items()))
        if label not in variable.choices
    }


def _forms_by_label(variables: dict[str, Variable], mapping: Mapping | None) -> dict[str, str]:
    """An instrument's label in a labelled export to its name, as far as the name shows in it."""
    forms = {v.form for v in variables.values()} | {
        t.instrument for t in (mapping.table if mapping else ()) if t.instrument
    }
    return {form.replace("_", " ").title(): form for form in forms} | {
        form.replace("_", " ").capitalize(): form for form in forms
    }


def _own_tables(variables: dict[str, Variable]) -> tuple[TableMap, ...]:
    tables = []
    for part in PARTS:
        fields = [f for f in fields_of(part).values() if variable_of(f) in variables]
        columns = {variable_of(f): f"{part}.{f.name}" for f in fields if variable_of(f) != RECORD}
        said = {"rows": "case" if part == "patient" else part, "pseudonym": RECORD, "columns": columns}
        if part in LISTS:
            said["instrument"] = part
        tables.append(TableMap.model_validate({**said, "missing": [""]}))
    return tuple(tables)
