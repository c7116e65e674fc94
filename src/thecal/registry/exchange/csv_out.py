"""Cases as CSV: wide, one row a case, and long, one row a part."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import IO, Final

from thecal.registry.case import Case
from thecal.registry.exchange.fields import LISTS, PARTS, all_fields, fields_of
from thecal.registry.exchange.parts import part_rows
from thecal.registry.exchange.texts import to_text

LONG_HEAD: Final = ("pseudonym", "part", "number")


def write_wide(cases: Iterable[Case], stream: IO[str]) -> int:
    """One row a case: columns "patient.age_years", "procedures.1.volume_ml", "outcomes.12.as_written".

    Only columns that hold something are written. How many cases were.
    """
    rows: list[dict[str, str]] = []
    for case in cases:
        row = {}
        for part in part_rows(case):
            place = f"{part.part}.{part.number}" if part.part in LISTS else part.part
            for name, value in part.values.items():
                text = to_text(value)
                if text:
                    row[f"{place}.{name}"] = text
        rows.append(row)
    used = {column for row in rows for column in row} | {"patient.pseudonym"}
    writer = csv.DictWriter(stream, sorted(used, key=_order), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return len(rows)


def write_long(cases: Iterable[Case], stream: IO[str]) -> int:
    """One row a part: "pseudonym", "part", "number", then every field. How many cases were written."""
    names = list(dict.fromkeys(field.name for field in all_fields() if field.name != "pseudonym"))
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*LONG_HEAD, *names])
    count = 0
    for case in cases:
        count += 1
        for part in part_rows(case):
            texts = [to_text(part.values.get(name)) for name in names]
            writer.writerow([case.patient.pseudonym, part.part, part.number, *texts])
    return count


def _order(column: str) -> tuple[int, int, int]:
    words = column.split(".")
    number = int(words[1]) if len(words) == 3 else 1
    return PARTS.index(words[0]), number, list(fields_of(words[0])).index(words[-1])
