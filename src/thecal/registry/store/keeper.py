"""What is kept of a case, and what is encrypted of it: between cases and what the tables hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from sqlalchemy import Connection, Row, select

from thecal.errors import InputError
from thecal.registry.case import Case
from thecal.registry.date_shift import shifted
from thecal.registry.store.audit import SHIFT
from thecal.registry.store.rows import PATIENT, case_of
from thecal.registry.store.seal import Key, Secret
from thecal.registry.store.tables import PARTS, leak_signs

TABLES: Final = {**PARTS, "leak_signs": leak_signs}
"""In the order in which they are filled: signs after the leaks that they belong to."""

NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""A NUL character as JSON writes it. PostgreSQL keeps none, so neither database does."""


@dataclass(frozen=True)
class Kept:
    """A case as it is stored, without name and birth, and what is encrypted beside it."""

    case: Case
    secret: Secret


@dataclass(frozen=True)
class Keeper:
    """Hides and shows the cases of one registry.

    ``key_id`` is which key the registry has; ``key`` is None where it has none, or was not given.
    """

    registry: str
    where: str
    key_id: str | None
    key: Key | None

    def must_have_key(self) -> None:
        """Refuse to write into a registry whose key was not given."""
        if self.key_id is not None and self.key is None:
            raise InputError(f"The registry {self.where} is kept with a key: give it with --key FILE")

    def hidden(self, case: Case, shift_days: int) -> Kept:
        """The case as it is stored.

        Raises
        ------
        InputError
            Where it is identifying, and there is no key to encrypt it with.
        """
        self.must_have_key()
        patient = case.patient
        if self.key is None and (patient.name is not None or patient.born is not None):
            raise InputError(
                f"Case {patient.pseudonym} gives the patient's name or birth, which only a registry with a "
                "key keeps: thecal registry key NEW makes a key, thecal registry init --key FILE the registry"
            )
        if self.key is None:
            return Kept(case, Secret(shift_days))
        plain = patient.model_copy(update={"name": None, "born": None})
        stored = shifted(case.model_copy(update={"patient": plain}), shift_days)
        return Kept(stored, Secret(shift_days, patient.name, patient.born))

    def shown(self, row: Row[Any], stored: Case) -> Case:
        """The case as it was given; where the key is not there, as it is stored."""
        if self.key is None:
            return stored
        secret = self.secret(row)
        case = shifted(stored, -secret.shift_days)
        if secret.name is None and secret.born is None:
            return case
        patient = case.patient.model_copy(update={"name": secret.name, "born": secret.born})
        return case.model_copy(update={"patient": patient})

    def patient_row(self, kept: Kept) -> dict[str, Any]:
        """Her row in ``cases``, but for its number."""
        patient = kept.case.patient
        return {name: getattr(patient, name) for name in PATIENT} | {
            "sealed": self.key and self.key.seal(kept.secret.content(), self.place(patient.pseudonym)),
            "shift_days": None if self.key else kept.secret.shift_days,
            "withdrawn": int(kept.case.withdrawn),
            "erased": 0,
        }

    def noted(self, kept: Kept) -> str:
        """The case as the audit keeps it, JSON: of name and birth a keyed hash."""
        text = kept.case.model_dump_json(exclude_none=True)
        if NUL.search(text):
            raise InputError(f"Case {kept.case.patient.pseudonym!r} holds a NUL character, which is no text")
        named = {"name": kept.secret.name, "born": kept.secret.born}
        if self.key_id is None:
            return f'{text[:-1]},"{SHIFT}":{kept.secret.shift_days}}}'
        if self.key is None or not any(named.values()):
            return text
        noted = json.loads(text)
        place = self.place(kept.case.patient.pseudonym)
        for name, value in named.items():
            if value is not None:
                noted["patient"][name] = self.key.digest(str(value), f"{place}/{name}")
        return json.dumps(noted, ensure_ascii=False, separators=(",", ":"))

    def secret(self, row: Row[Any]) -> Secret:
        """What is encrypted of a case; where the key is not there, nothing, and no shift."""
        if row.sealed is None:
            return Secret(row.shift_days or 0)
        return (
            Secret(0) if self.key is None else Secret.of(self.key.open(row.sealed, self.place(row.pseudonym)))
        )

    def place(self, pseudonym: str) -> str:
        """What a seal is bound to."""
        return f"{self.registry}/{pseudonym}"


def stored_cases(connection: Connection, found: Sequence[Row[Any]]) -> Iterator[tuple[Row[Any], Case]]:
    """The cases of rows of ``cases``, which lie in order of their numbers, as they are stored."""
    numbers = [row.id for row in found]
    parts: dict[int, dict[str, list[dict[str, Any]]]] = {number: {} for number in numbers}
    for field, table in TABLES.items():
        names = table.c.keys()  # the case's number is the first of every part
        chosen = select(table).where(table.c.case_id.in_(numbers)).order_by(*table.primary_key)
        for part in connection.execute(chosen):
            if part[0] in parts:
                parts[part[0]].setdefault(field, []).append(dict(zip(names, part, strict=True)))
    for row in found:
        yield row, case_of(cast("Mapping[str, Any]", row._mapping), parts[row.id])
