"""Cases from CSV files: somebody's own by a mapping, or this program's without one."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from thecal.errors import InputError
from thecal.registry.exchange.drafts import ROW, Drafts, Incoming
from thecal.registry.exchange.fields import LISTS, PARTS, field_at, fields_of
from thecal.registry.exchange.mapping import Mapping, TableMap
from thecal.registry.exchange.table_rows import TablePlan, read_rows

WIDE_KEY: Final = "patient.pseudonym"
LONG_KEYS: Final = ("pseudonym", "part", "number")
DELIMITERS: Final = (",", ";", "\t", "|", "^")


def read_csv(paths: Sequence[Path], mapping: Mapping | None = None) -> Incoming:
    """Read CSV files.

    Parameters
    ----------
    paths : sequence of Path
    mapping : Mapping or None
        None for files that `thecal registry export` wrote, which say themselves what they hold.

    Raises
    ------
    InputError
        Where a file cannot be read at all, or does not fit the mapping. What is wrong in single rows is in
        ``problems``.
    """
    drafts = Drafts()
    for path in paths:
        if mapping is None:
            _read_own(path, drafts)
            continue
        tables = [t for t in mapping.table if t.file is None or fnmatch(path.name, t.file)]
        if not tables:
            raise InputError(f"No table of the mapping is for {path.name}: name it by file = ...")
        for table in tables:
            head, rows = read_table(path, encoding=table.encoding, delimiter=table.delimiter)
            read_rows(TablePlan(table, head, path.name), rows, drafts)
    return drafts.finish()


def read_table(
    path: Path, *, encoding: str = "utf-8-sig", delimiter: str | None = None, twice: bool = False
) -> tuple[list[str], Iterator[list[str]]]:
    """The head and the rows of a CSV file; what parts its cells is seen in its head where it is not said.

    ``twice`` lets several columns have one name.

    Raises
    ------
    InputError
        Where it cannot be read, or has no head; of the rows when they are come to.
    """
    rows = _rows(path, encoding, delimiter)
    head = [name.strip() for name in next(rows, [])]
    if not any(head):
        raise InputError(f"{path.name} has no head")
    same = next((at for at, name in enumerate(head) if name and name in head[:at]), None)
    if same is not None and not twice:
        first = head.index(head[same]) + 1
        raise InputError(f"{path.name} names columns {first} and {same + 1} alike in its first row")
    return head, rows


def _rows(path: Path, encoding: str, delimiter: str | None) -> Iterator[list[str]]:
    try:
        with path.open(encoding=encoding, newline="") as stream:
            first = stream.readline()
            mark = delimiter or max(DELIMITERS, key=first.count)
            stream.seek(0)
            yield from csv.reader(stream, delimiter=mark)
    except (UnicodeDecodeError, LookupError) as error:
        raise InputError(
            f"{path.name} is not text in {encoding.removesuffix('-sig')}: say its encoding in the mapping, "
            "for instance latin-1 or gb18030"
        ) from error
    except csv.Error as error:
        raise InputError(f"{path.name} is no CSV file: {error}") from error
    except OSError as error:
        raise InputError(f"{path.name} cannot be read") from error


def _read_own(path: Path, drafts: Drafts) -> None:
    head, rows = read_table(path)
    if WIDE_KEY in head:
        read_rows(TablePlan(_wide_map(head), head, path.name), rows, drafts)
    elif tuple(head[: len(LONG_KEYS)]) == LONG_KEYS:
        _read_long(head, rows, path.name, drafts)
    else:
        raise InputError(
            f"{path.name} is not a file that thecal registry export wrote: it needs a mapping (--mapping)"
        )


def _wide_map(head: list[str]) -> TableMap:
    columns = {}
    for name in head:
        try:
            field_at(name)
        except KeyError:
            continue
        if name != WIDE_KEY:
            columns[name] = name
    return TableMap.model_validate(
        {"rows": "case", "pseudonym": WIDE_KEY, "columns": columns, "missing": [""]}
    )


def _read_long(head: list[str], rows: Iterable[list[str]], file: str, drafts: Drafts) -> None:
    plans = {}
    for part in PARTS:
        columns = {name: f"{part}.{name}" for name in fields_of(part) if name in head and name != "pseudonym"}
        kind = "case" if part == "patient" else part
        table = {"rows": kind, "pseudonym": "pseudonym", "columns": columns, "missing": [""]}
        plans[part] = TablePlan(TableMap.model_validate(table), head, file)
    known = {name for part in PARTS for name in fields_of(part)}
    drafts.not_taken += [name for name in head if name not in known and name not in LONG_KEYS]
    for line, row in enumerate(rows, start=2):
        if not any(row):
            continue
        part, number = (row[1], row[2]) if len(row) > 2 else ("", "")
        if part not in plans or not (number.isdecimal() and int(number) > 0):
            drafts.rows += 1
            drafts.wrong(None, file, line, ROW, "", f"needs a part ({', '.join(PARTS)}) and its number")
            continue
        plans[part].read(drafts, row, line, int(number) if part in LISTS else None)
