"""The registry: cases in, cases out, and every change of one written down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from types import TracebackType
from typing import Any, Final, Self

from sqlalchemy import Connection, Engine, Row, delete, func, insert, select, update

from thecal.errors import InputError
from thecal.registry.case import Case
from thecal.registry.store import audit
from thecal.registry.store.asking import Asking
from thecal.registry.store.audit import Change, Entry, What
from thecal.registry.store.changes import erase as erase_case
from thecal.registry.store.changes import forget, insert_parts, refuse_known, stored
from thecal.registry.store.drafts import drop
from thecal.registry.store.engine import Place, reading, truncate_log, writing
from thecal.registry.store.history import history
from thecal.registry.store.insert_rows import insert_rows
from thecal.registry.store.keeper import TABLES, Keeper, Kept, stored_cases
from thecal.registry.store.letters import letter_box
from thecal.registry.store.rekey import reseal_all
from thecal.registry.store.seal import Key, draw_shift, refuse_other_key
from thecal.registry.store.tables import cases, registry, report_files

CHUNK: Final = 500
"""Cases that are read or written at a time."""


class Store:
    """An open registry. Use it in a ``with`` block, or `close` it."""

    def __init__(self, place: Place, engine: Engine, key: Key | None) -> None:
        self.place = place
        self.engine = engine
        with reading(engine, place) as connection:
            row = connection.execute(select(registry)).one_or_none()
        if row is None:
            raise InputError(f"The registry {place} is damaged: thecal registry check says where")
        refuse_other_key(key, row.key_id, place)
        self.keeper = Keeper(row.uuid, str(place), row.key_id, key, row.box)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    def cases(self, *, withdrawn: bool = False) -> Iterator[Case]:
        """Every case in the order of entry, as of one moment; withdrawn ones only where asked for.

        What is encrypted and true dates come with the key only.
        """
        with self.reading() as connection:
            last = -1
            while True:
                chosen = select(cases).where(cases.c.id > last, cases.c.erased == 0)
                if not withdrawn:
                    chosen = chosen.where(cases.c.withdrawn == 0)
                found = connection.execute(chosen.order_by(cases.c.id).limit(CHUNK)).all()
                if not found:
                    return
                last = found[-1].id
                for row, stored in stored_cases(connection, found):
                    yield self.keeper.shown(row, stored)

    def case(self, pseudonym: str, *, withdrawn: bool = False) -> Case:
        """One case.

        Raises
        ------
        InputError
            Where there is none, or consent was taken back and ``withdrawn`` ones were not asked for.
        """
        with self.reading() as connection:
            row = self._row(connection, pseudonym)
            if row.withdrawn and not withdrawn:
                raise InputError(f"Case {pseudonym} was withdrawn")
            return self.keeper.shown(row, stored(connection, row))

    def knows(self, pseudonym: str) -> bool:
        """Whether there is or was a case of that pseudonym."""
        with self.reading() as connection:
            return (
                connection.execute(select(cases.c.id).where(cases.c.pseudonym == pseudonym)).first()
                is not None
            )

    def rows(self, part: str, *columns: str) -> list[tuple[Any, ...]]:
        """Columns of one part of all cases that were not withdrawn, with the pseudonym before them.

        For counting over many cases: no `Case` is made. ``part`` is a field of `Case`, or ``cases`` for the
        patient; dates are as they are stored, shifted where the registry has a key.
        """
        table = cases if part == "cases" else TABLES[part]
        chosen = select(cases.c.pseudonym, *(table.c[name] for name in columns)).where(cases.c.withdrawn == 0)
        if table is not cases:
            chosen = chosen.join(table, table.c.case_id == cases.c.id)
        with self.reading() as connection:
            return [tuple(row) for row in connection.execute(chosen.order_by(cases.c.id))]

    def history(self, pseudonym: str) -> list[Change]:
        """Every change of a case, oldest first; of an erased one what was done when, without contents."""
        with self.reading() as connection:
            self._row(connection, pseudonym, erased=True)
            return history(connection, self.keeper, pseudonym)

    def shift_days(self, case: Case) -> int:
        """By how many days an export moves the dates of this case: the same each time, another for each case.

        0 where the registry has a key that was not given: the dates come shifted already.
        """
        with self.reading() as connection:
            return self._shift(self._row(connection, case.patient.pseudonym))

    def all_shifts(self) -> Callable[[Case], int]:
        """`shift_days` for many cases: all are looked up at once."""
        with self.reading() as connection:
            rows = connection.execute(select(cases).where(cases.c.erased == 0)).all()
            shifts = {row.pseudonym: self._shift(row) for row in rows}

        def shift(case: Case) -> int:
            """The case's own; one that came in since is looked up by itself."""
            name = case.patient.pseudonym
            return shifts[name] if name in shifts else self.shift_days(case)

        return shift

    def add(self, case: Case, *, who: str, draft: str | None = None) -> None:
        """Keep a new case.

        Parameters
        ----------
        draft : str, optional
            Whose unfinished answers became this case: they go as it comes.

        Raises
        ------
        InputError
            Where one of that pseudonym is there, or it is identifying and the registry has no key.
        """
        with self.writing() as connection:
            self._insert(connection, [case], who, "add")
            if draft is not None:
                drop(connection, draft)

    def add_many(self, new: Iterable[Case], *, who: str) -> int:
        """Keep new cases, all of them or none; how many they are."""
        with self.writing() as connection:
            return self._insert(connection, new, who, "import")

    def take_in(
        self, new: Iterable[Case], edits: Mapping[str, Callable[[Case], Case]], *, who: str
    ) -> tuple[int, int]:
        """Keep new cases and change known ones, by pseudonym, all of it or nothing; how many were of each."""
        with self.writing() as connection:
            added = self._insert(connection, new, who, "import")
            for pseudonym, edit in edits.items():
                self._change(connection, pseudonym, edit, who, "import")
            return added, len(edits)

    def replace(self, case: Case, *, who: str) -> None:
        """Put a case in the place of the one with its pseudonym."""
        self.change(case.patient.pseudonym, lambda _: case, who=who)

    def change(
        self,
        pseudonym: str,
        edit: Callable[[Case], Case],
        *,
        who: str,
        what: What = "replace",
        files: Sequence[tuple[str, bytes]] = (),
        gone: Sequence[str] = (),
    ) -> Case:
        """Change one case by a function of it; nobody else writes meanwhile. What it is then.

        Parameters
        ----------
        files : sequence of (str, bytes)
            Reports to keep with it: SHA-256 and compressed content.
        gone : sequence of str
            Reports to keep no more, by SHA-256.
        """
        with self.writing() as connection:
            case = self._change(connection, pseudonym, edit, who, what, files)
            if gone:
                number = select(cases.c.id).where(cases.c.pseudonym == pseudonym).scalar_subquery()
                of_case = report_files.c.case_id == number
                connection.execute(delete(report_files).where(of_case, report_files.c.sha256.in_(gone)))
            return case

    def withdraw(self, pseudonym: str, *, who: str, erase: bool = False) -> bool:
        """Consent was taken back: the case is gone from lists, statistics and exports.

        With ``erase`` all that it held goes too, from the tables and from the contents of the audit; that
        there was a case of this pseudonym, and what was done to it when, stays. Earlier backups keep it.
        Erasing it once more only empties the log again.

        Returns
        -------
        bool
            Whether it is gone from the file's write-ahead log too: while another program reads the registry
            the log cannot be emptied.
        """
        with self.writing() as connection:
            row = self._row(connection, pseudonym, erased=True)
            if row.withdrawn and not erase:
                raise InputError(f"Case {pseudonym} was {'erased' if row.erased else 'withdrawn'} before")
            if not row.withdrawn:
                before = Kept(stored(connection, row), self.keeper.secret(row))
                after = replace(before, case=before.case.model_copy(update={"withdrawn": True}))
                connection.execute(update(cases).where(cases.c.id == row.id).values(withdrawn=1))
                self._note(connection, [self.keeper.entry(pseudonym, before, after)], who, "withdraw")
            if erase and not row.erased:
                erase_case(connection, row)
                self._note(connection, [Entry(pseudonym)], who, "erase")
        return not erase or truncate_log(self.engine, self.place)

    def rekey(self, new: Key, *, who: str) -> int:
        """Encrypt everything with another key; how many cases that were. The old key opens nothing after it.

        Raises
        ------
        InputError
            Where the registry has no key, or it was not given.
        """
        if self.keeper.key is None:
            raise InputError("Only a registry that has a key, and is opened with it, can get another one")
        with self.writing() as connection:
            many = reseal_all(connection, self.keeper, new)
            keeper = replace(self.keeper, key=new, key_id=new.id, box=letter_box(new))
            audit.append(connection, [Entry(None)], who=who, what="rekey", hide=keeper.hide())
        self.keeper = keeper
        return many

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state of the registry throughout."""
        with reading(self.engine, self.place) as connection:
            yield connection

    @contextmanager
    def asking(self) -> Iterator[Asking]:
        """Plain statements about one state of the registry, for lists and counts."""
        with self.reading() as connection:
            yield Asking(connection.connection, sqlite=connection.dialect.name == "sqlite")

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction of the only one who writes: kept where the block ends well, else not at all."""
        with writing(self.engine, self.place) as connection:
            yield connection

    def _change(
        self,
        connection: Connection,
        pseudonym: str,
        edit: Callable[[Case], Case],
        who: str,
        what: What,
        files: Sequence[tuple[str, bytes]] = (),
    ) -> Case:
        row = self._row(connection, pseudonym)
        if row.withdrawn:
            raise InputError(f"Case {pseudonym} was withdrawn: it is not changed any more")
        self.keeper.must_have_key()
        before = Kept(stored(connection, row), self.keeper.secret(row))
        case = edit(self.keeper.shown(row, before.case))
        if case.patient.pseudonym != pseudonym:
            raise InputError(f"Case {pseudonym} keeps its pseudonym")
        after = self.keeper.hidden(case, self._shift(row))
        entry = self.keeper.entry(pseudonym, before, after)
        forget(connection, row.id)
        connection.execute(update(cases).where(cases.c.id == row.id).values(self.keeper.patient_row(after)))
        insert_parts(connection, [(row.id, after.case)])
        for sha256, content in files:
            holder = connection.execute(
                select(cases.c.pseudonym)
                .join(report_files, report_files.c.case_id == cases.c.id)
                .where(report_files.c.sha256 == sha256, cases.c.id != row.id)
            ).scalar()
            if holder is not None:
                raise InputError(f"This report is attached to case {holder} already: it is of one patient")
            kept = self.keeper.report_kept(pseudonym, sha256, content)
            connection.execute(insert(report_files).values(case_id=row.id, sha256=sha256, content=kept))
        self._note(connection, [entry], who, what)
        return case

    def _insert(self, connection: Connection, new: Iterable[Case], who: str, what: What) -> int:
        count, left = 0, iter(new)
        number = connection.execute(select(func.coalesce(func.max(cases.c.id), 0))).scalar_one()
        while chunk := list(islice(left, CHUNK)):
            refuse_known(connection, chunk)
            kept = [self.keeper.hidden(case, draw_shift()) for case in chunk]
            entries = [self.keeper.entry(k.case.patient.pseudonym, None, k) for k in kept]
            numbered = list(enumerate(kept, number + 1))
            patients = [{"id": at, **self.keeper.patient_row(each)} for at, each in numbered]
            insert_rows(connection, cases, patients)
            insert_parts(connection, [(at, each.case) for at, each in numbered])
            self._note(connection, entries, who, what)
            number += len(chunk)
            count += len(chunk)
        return count

    def _note(self, connection: Connection, entries: Sequence[Entry], who: str, what: What) -> None:
        audit.append(connection, entries, who=who, what=what, hide=self.keeper.hide())

    def _shift(self, row: Row[Any]) -> int:
        secret = self.keeper.secret(row)
        return secret.shift_days if secret else 0

    def _row(self, connection: Connection, pseudonym: str, *, erased: bool = False) -> Row[Any]:
        row = connection.execute(select(cases).where(cases.c.pseudonym == pseudonym)).first()
        if row is None:
            raise InputError(f"There is no case {pseudonym} in the registry {self.place}")
        if row.erased and not erased:
            raise InputError(f"Case {pseudonym} was withdrawn and erased")
        return row
