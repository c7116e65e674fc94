"""A case as rows of the tables, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import ValidationError

from thecal.errors import InputError
from thecal.registry.case import (
    Case,
    Deficit,
    Event,
    Fracture,
    Imaging,
    Leak,
    Outcome,
    Part,
    Patient,
    Procedure,
    Revision,
    Sign,
)

Row = dict[str, Any]
KINDS: Final[dict[str, type[Part]]] = {
    "fractures": Fracture,
    "procedures": Procedure,
    "imaging": Imaging,
    "leaks": Leak,
    "deficit": Deficit,
    "revisions": Revision,
    "outcomes": Outcome,
    "events": Event,
}
LISTS: Final = ("laminectomy_levels", "fixation_levels")
"""Fields that hold several levels: JSON in one column."""
PATIENT: Final = ("pseudonym", "age_years", "sex", "bone_t_score", "bone_hu")
"""What of a patient is kept in clear."""


def case_rows(case: Case, case_id: int) -> dict[str, list[Row]]:
    """The rows of a case by table: the parts', and ``leak_signs``. Name and birth are not among them."""
    rows: dict[str, list[Row]] = {}
    for field in KINDS:
        parts = case.__dict__[field]
        if not parts:
            continue
        rows[field] = [
            {"case_id": case_id, "position": position, **part.__dict__}
            for position, part in enumerate(parts if isinstance(parts, tuple) else (parts,))
        ]
    for row in rows.get("revisions", ()):
        row.update({name: json.dumps(row[name]) for name in LISTS})
    signs = [
        {"case_id": case_id, "leak": row["position"], "position": position, **sign.__dict__}
        for row in rows.get("leaks", ())
        for position, sign in enumerate(row.pop("signs"))
    ]
    if signs:
        rows["leak_signs"] = signs
    return rows


def case_of(patient: Mapping[str, Any], parts: Mapping[str, Iterable[Row]]) -> Case:
    """The case of a patient's row and of the rows of her parts by table, each in order.

    Raises
    ------
    InputError
        Where the rows are no case: the registry is damaged, or was changed by something else.
    """
    try:
        fields: dict[str, Any] = {
            field: tuple(_part(field, row) for row in parts.get(field, ())) for field in KINDS
        }
        for row in parts.get("leak_signs", ()):
            leaks = list(fields["leaks"])
            leak = leaks[row["leak"]]
            leaks[row["leak"]] = leak.model_copy(
                update={"signs": (*leak.signs, Sign(name=row["name"], state=row["state"]))}
            )
            fields["leaks"] = tuple(leaks)
        fields["deficit"] = fields["deficit"][0] if fields["deficit"] else None
        return Case(
            patient=Patient(**{name: patient[name] for name in PATIENT}),
            withdrawn=bool(patient["withdrawn"]),
            **fields,
        )
    except (ValidationError, ValueError, LookupError, TypeError) as error:
        raise InputError(
            f"Case {patient['pseudonym']} of the registry cannot be read: thecal registry check says more"
        ) from error


def _part(field: str, row: Row) -> Part:
    values = {name: value for name, value in row.items() if name not in ("case_id", "position")}
    if field == "revisions":
        values.update({name: tuple(json.loads(values[name])) for name in LISTS})
    return KINDS[field](**values)
