"""Rows of a table, read by its mapping into drafts: the same for CSV and REDCap."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, compress
from typing import Any, Final

from thecal.errors import InputError
from thecal.registry.case import Scale
from thecal.registry.exchange.drafts import ROW, Draft, Drafts, Origin
from thecal.registry.exchange.fields import LISTS, PARTS, PartField, field_at, fields_of
from thecal.registry.exchange.mapping import ColumnMap, TableMap
from thecal.registry.exchange.texts import FACTORS, from_text, kind_of
from thecal.registry.readings import read_finding

Convert = Callable[[str], Any]
REMEMBERED: Final = 4096
"""Texts of a column whose meaning is kept: ages, words and grades come again and again."""


@dataclass(frozen=True)
class _Cell:
    """One column that is a field: where it goes and how it is read."""

    at: int
    column: str
    part: str
    number: int | None
    name: str
    convert: Convert
    key: tuple[str, int | None]


@dataclass(frozen=True)
class _Finding:
    """One column that is a finding on a scale."""

    at: int
    column: str
    scale: Scale
    spec: ColumnMap
    days_at: int | None
    on_at: int | None


class TablePlan:
    """How the rows of one table with one head are read.

    Raises
    ------
    InputError
        Where the mapping names a column, a field or a unit that is not there.
    """

    def __init__(self, table: TableMap, head: list[str], file: str) -> None:
        self.table, self.file = table, file
        self._places = {name: at for at, name in reversed(list(enumerate(head)))}
        self.head = head
        self._pseudonym = self._at(table.pseudonym)
        self._missing = frozenset(word.strip() for word in table.missing) | {""}
        self._cells: list[_Cell] = []
        self._findings: list[_Finding] = []
        named = {table.pseudonym}
        for column, said in table.columns.items():
            spec = ColumnMap(field=said) if isinstance(said, str) else said
            at = self._at(column)
            named |= {column, spec.days_from or column, spec.on_from or column}
            if spec.scale is not None:
                days_at = None if spec.days_from is None else self._at(spec.days_from)
                on_at = None if spec.on_from is None else self._at(spec.on_from)
                self._findings.append(_Finding(at, column, spec.scale, spec, days_at, on_at))
            else:
                fields = (spec.field,) if isinstance(spec.field, str) else spec.field or ()
                self._cells += [self._cell(at, column, spec, field) for field in fields]
        self._at_column = [tuple(cell for cell in self._cells if cell.at == at) for at in range(len(head))]
        self._constants = self._read_constants()
        self.not_taken = [column for column in head if column and column not in named]
        self._columns: dict[tuple[str, int | None], dict[str, str]] = {}
        for cell in self._cells:
            self._columns.setdefault((cell.part, cell.number), {})[cell.name] = cell.column
        own = {cell.name for cell in self._cells if cell.part == "outcomes" and cell.number is None}
        self._reads_findings = table.rows == "outcomes" and not own & {"value", "choice"}

    def read(self, drafts: Drafts, row: list[str], line: int, number: int | None = None) -> None:
        """Put one row into the drafts, or what is wrong with it; ``number`` is its place in its list."""
        if not any(row):
            return
        drafts.rows += 1
        if len(row) > len(self.head):
            drafts.wrong(None, self.file, line, ROW, "", "has more cells than the head has columns")
            return
        pseudonym = row[self._pseudonym].strip() if self._pseudonym < len(row) else ""
        if not pseudonym:
            drafts.wrong(None, self.file, line, self.table.pseudonym, "nothing", "needs a pseudonym")
            return
        if self.table.rows == "case":
            draft = drafts.begin_case(pseudonym, self.file, line)
        else:
            draft = drafts.of(pseudonym)
        self._put(drafts, draft, row, line, number)

    def _put(self, drafts: Drafts, draft: Draft, row: list[str], line: int, place: int | None) -> None:
        missing = self._missing
        single: dict[str, Any] | None = None
        opened: dict[tuple[str, int | None], dict[str, Any]] = {}
        if self.table.rows in LISTS:
            origin = Origin(self.file, line, self._columns.get((self.table.rows, None), {}))
            single = draft.part(self.table.rows, place, origin)
        for part, number, name, value in self._constants:
            (single if single is not None else self._part(draft, part, number, line, opened))[name] = value
        # Most cells of a wide table are empty: they are passed over in one go.
        for cell in chain.from_iterable(compress(self._at_column, row)):
            text = row[cell.at]
            if text in missing or (text := text.strip()) in missing:
                continue
            try:
                value = cell.convert(text)
            except InputError as error:
                drafts.wrong(draft, self.file, line, cell.column, kind_of(text), str(error))
                continue
            if value is None:
                continue
            values = single
            if values is None:
                values = opened.get(cell.key) or self._part(draft, cell.part, cell.number, line, opened)
            values[cell.name] = value
        if single is not None and self._reads_findings:
            self._read_one(drafts, draft, single, line)
        for found in self._findings:
            self._put_finding(drafts, draft, found, row, line)

    def _part(
        self,
        draft: Draft,
        part: str,
        number: int | None,
        line: int,
        opened: dict[tuple[str, int | None], dict[str, Any]],
    ) -> dict[str, Any]:
        """A part of this row's case: the same for all columns of the row that speak of it."""
        key = (part, number)
        if key not in opened:
            opened[key] = draft.part(part, number, Origin(self.file, line, self._columns.get(key, {})))
        return opened[key]

    def _read_one(self, drafts: Drafts, draft: Draft, outcome: dict[str, Any], line: int) -> None:
        """The number or the word of an outcome's row that gives only what was written."""
        scale, written = outcome.get("scale"), outcome.get("as_written")
        if scale is None or written is None:
            return
        try:
            value, choice = read_finding(scale, written)
        except InputError as error:
            column = self._columns.get(("outcomes", None), {}).get("as_written", ROW)
            drafts.wrong(draft, self.file, line, column, kind_of(written), str(error))
            return
        outcome.update({"value": value} if choice is None else {"choice": choice})

    def _put_finding(self, drafts: Drafts, draft: Draft, found: _Finding, row: list[str], line: int) -> None:
        text = row[found.at].strip() if found.at < len(row) else ""
        if text in self._missing:
            return
        spec = found.spec
        text = spec.values.get(text, text)
        if not text:
            return
        sides: list[tuple[str | None, str]] = [(spec.side, text)]
        if spec.side == "left/right":
            halves = text.split("/")
            if len(halves) != 2:
                sentence = "must be two findings written left/right, like 5/2"
                drafts.wrong(draft, self.file, line, found.column, kind_of(text), sentence)
                return
            sides = [("left", halves[0].strip()), ("right", halves[1].strip())]
        times = self._times(drafts, draft, found, row, line)
        for side, written in sides:
            if written in self._missing:
                continue
            try:
                value, choice = read_finding(found.scale, written)
            except InputError as error:
                drafts.wrong(draft, self.file, line, found.column, kind_of(written), str(error))
                continue
            origin = Origin(self.file, line, {"as_written": found.column, "value": found.column})
            outcome = draft.part("outcomes", None, origin)
            outcome.update({"scale": found.scale, "as_written": written, **times})
            outcome.update({"value": value} if choice is None else {"choice": choice})
            outcome.update({k: v for k, v in (("side", side), ("muscle", spec.muscle)) if v is not None})

    def _times(
        self, drafts: Drafts, draft: Draft, found: _Finding, row: list[str], line: int
    ) -> dict[str, Any]:
        times: dict[str, Any] = {} if found.spec.days is None else {"days": found.spec.days}
        for name, at in (("days", found.days_at), ("on", found.on_at)):
            text = row[at].strip() if at is not None and at < len(row) else ""
            if at is None or text in self._missing:
                continue
            try:
                field = fields_of("outcomes")[name]
                times[name] = from_text(
                    field, text, decimal=self.table.decimal, date_format=self.table.date_format
                )
            except InputError as error:
                drafts.wrong(draft, self.file, line, self.head[at], kind_of(text), str(error))
        return times

    def _at(self, column: str) -> int:
        if column not in self._places:
            raise InputError(
                f"The mapping names a column {column!r} that {self.file} has not: of the {len(self.head)} in "
                "its first row, which must be the heads, none is written so"
            )
        return self._places[column]

    def _target(self, path: str) -> tuple[str, int | None, PartField]:
        rows = self.table.rows
        try:
            if rows in PARTS:
                number = None if rows in LISTS else 1
                return rows, number, fields_of(rows)[path.removeprefix(f"{rows}.")]
            part, number, field = field_at(path)
        except KeyError as error:
            part = rows if rows in PARTS else path.split(".")[0]
            known = ", ".join(fields_of(part)) if part in PARTS else ", ".join(PARTS)
            raise InputError(f"The mapping names a field {path!r} that a case has not: {known}") from error
        if rows == "visit":
            if part not in LISTS:
                raise InputError(f"A row that is a visit cannot say {path}: that comes with the case")
            return part, None, field
        return part, number, field

    def _cell(self, at: int, column: str, spec: ColumnMap, path: str) -> _Cell:
        part, number, field = self._target(path)
        convert = lru_cache(REMEMBERED)(self._converter(column, field, spec))
        return _Cell(at, column, part, number, field.name, convert, (part, number))

    def _converter(self, column: str, field: PartField, spec: ColumnMap) -> Convert:
        factor = 1.0
        if spec.unit is not None:
            known = FACTORS.get(field.unit, {})
            if field.kind != "number" or spec.unit not in known:
                raise InputError(
                    f"The mapping gives column {column!r} the unit {spec.unit!r}; {field.name} takes "
                    f"{', '.join(known) if field.kind == 'number' else 'no unit'}"
                )
            factor = known[spec.unit]
        decimal = spec.decimal or self.table.decimal
        date_format = self.table.date_format if spec.date_format is None else spec.date_format
        values = spec.values
        if field.kind == "text" and not values:
            return str

        def convert(text: str) -> Any:
            text = values.get(text, text)
            if not text:
                return None
            return from_text(field, text, decimal=decimal, date_format=date_format, factor=factor)

        return convert

    def _read_constants(self) -> list[tuple[str, int | None, str, Any]]:
        read = []
        for path, value in self.table.constants.items():
            part, number, field = self._target(path)
            try:
                read.append((part, number, field.name, from_text(field, str(value))))
            except InputError as error:
                raise InputError(f"The mapping's constant {path} {error}") from error
        return read


def read_rows(plan: TablePlan, rows: Iterable[list[str]], drafts: Drafts) -> None:
    """Put rows into the drafts; the first is row 2, as a spreadsheet counts below a head."""
    for line, row in enumerate(rows, start=2):
        plan.read(drafts, row, line)
    drafts.not_taken += plan.not_taken
