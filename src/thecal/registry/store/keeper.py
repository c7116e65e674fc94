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
from thecal.registry.hidden import put_back, taken_out
from thecal.registry.store.audit import SHIFT, Entry, Hide, new_blind
from thecal.registry.store.letters import is_letter, posted, read_letter
from thecal.registry.store.noted_texts import set_texts, text_digest
from thecal.registry.store.rows import PATIENT, case_of
from thecal.registry.store.seal import Key, Secret
from thecal.registry.store.tables import PARTS, leak_signs

TABLES: Final = {**PARTS, "leak_signs": leak_signs}
"""In the order in which they are filled: signs after the leaks that they belong to."""

NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""A NUL character as JSON writes it. PostgreSQL keeps none, so neither database does."""


@dataclass(frozen=True)
class Kept:
    """A case as it is stored, without what is hidden, and what is encrypted beside it.

    ``secret`` is None where there is a key that was not given.
    """

    case: Case
    secret: Secret | None


@dataclass(frozen=True)
class Keeper:
    """Hides and shows the cases of one registry.

    ``key_id`` is which key the registry has; ``key`` is None where it has none, or was not given. ``box`` is
    the public half of its key.
    """

    registry: str
    where: str
    key_id: str | None
    key: Key | None
    box: bytes | None = None

    @property
    def locked(self) -> bool:
        """Whether there is a key that was not given."""
        return self.key_id is not None and self.key is None

    def must_have_key(self) -> None:
        """Refuse to write into a registry whose key was not given."""
        if self.locked:
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
        bare, texts = taken_out(case.model_copy(update={"patient": plain}))
        return Kept(shifted(bare, shift_days), Secret(shift_days, patient.name, patient.born, texts))

    def shown(self, row: Row[Any], stored: Case) -> Case:
        """The case as it was given; where the key is not there, as it is stored."""
        secret = self.secret(row)
        if self.key is None or secret is None:
            return stored
        case = put_back(shifted(stored, -secret.shift_days), secret.texts)
        if secret.name is None and secret.born is None:
            return case
        patient = case.patient.model_copy(update={"name": secret.name, "born": secret.born})
        return case.model_copy(update={"patient": patient})

    def patient_row(self, kept: Kept) -> dict[str, Any]:
        """Her row in ``cases``, but for its number."""
        patient, secret = kept.case.patient, kept.secret
        assert secret is not None
        return {name: getattr(patient, name) for name in PATIENT} | {
            "sealed": self.key and self.key.seal(secret.content(), self.place(patient.pseudonym)),
            "shift_days": None if self.key else secret.shift_days,
            "withdrawn": int(kept.case.withdrawn),
            "erased": 0,
        }

    def noted(self, kept: Kept, blind: str = "") -> str:
        """The case as the audit keeps it, JSON: of what is encrypted a keyed hash.

        ``blind`` is the secret of the audit's row, with which its free texts and UIDs are hashed: whether
        one changed is seen, what it was is not.
        """
        text = kept.case.model_dump_json(exclude_none=True)
        secret = kept.secret
        if NUL.search(text) or (secret and any("\0" in each for each in secret.texts.values())):
            raise InputError(f"Case {kept.case.patient.pseudonym!r} holds a NUL character, which is no text")
        if self.key_id is None and secret is not None:
            return f'{text[:-1]},"{SHIFT}":{secret.shift_days}}}'
        if self.key is None or secret is None or not (secret.name or secret.born or secret.texts):
            return text
        noted = json.loads(text)
        place = self.place(kept.case.patient.pseudonym)
        for name, value in (("name", secret.name), ("born", secret.born)):
            if value is not None:
                noted["patient"][name] = self.key.digest(str(value), f"{place}/{name}")
        set_texts(noted, {at: text_digest(blind, at, said) for at, said in secret.texts.items()})
        return json.dumps(noted, ensure_ascii=False, separators=(",", ":"))

    def entry(self, pseudonym: str, before: Kept | None, after: Kept | None) -> Entry:
        """A change of a case for the audit; what is encrypted of it lies beside, where the key was given."""
        blind = new_blind()
        old, new = (None if kept is None else self.noted(kept, blind) for kept in (before, after))
        texts = tuple(kept.secret.texts if kept and kept.secret else None for kept in (before, after))
        return Entry(pseudonym, old, new, blind, texts if self.key is not None and any(texts) else None)

    def hide(self) -> Hide | None:
        """How the audit encrypts; None where the registry has no key."""
        if self.key is not None:
            key = self.key
            return lambda content, place: key.seal(content, self.place(place))
        if self.key_id is None or self.box is None:
            return None
        box = self.box
        return lambda content, place: posted(box, content, self.place(place))

    def opened(self, sealed: bytes, place: str) -> dict[str, Any]:
        """What the audit encrypted, with the key."""
        key = self.key
        if key is None:
            raise InputError(f"The registry {self.where} is kept with a key: give it with --key FILE")
        at = self.place(place)
        return read_letter(key, sealed, at) if is_letter(sealed) else key.open(sealed, at)

    def secret(self, row: Row[Any]) -> Secret | None:
        """What is encrypted of a case; None where the key was not given."""
        if row.sealed is None:
            return Secret(row.shift_days or 0)
        if self.key is None:
            return None
        return Secret.of(self.key.open(row.sealed, self.place(row.pseudonym)))

    def report_kept(self, pseudonym: str, sha256: str, content: bytes) -> bytes:
        """An attached report as it is stored: encrypted where there is a key."""
        return self.key.seal_bytes(content, self.report_place(pseudonym, sha256)) if self.key else content

    def report(self, pseudonym: str, sha256: str, kept: bytes) -> bytes:
        """An attached report, compressed, as it was given."""
        self.must_have_key()
        return self.key.open_bytes(kept, self.report_place(pseudonym, sha256)) if self.key else kept

    def report_place(self, pseudonym: str, sha256: str) -> str:
        """What an attached report's seal is bound to."""
        return self.place(f"report/{sha256}/{pseudonym}")

    def place(self, of: str) -> str:
        """What a seal is bound to: the registry, and a case or what else it is of."""
        return f"{self.registry}/{of}"


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
