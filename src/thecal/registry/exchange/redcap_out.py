"""Cases in the form in which REDCap imports and exports them, raw, for this program's dictionary."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import IO

from thecal.registry.case import Case
from thecal.registry.exchange.fields import LISTS, all_fields, fields_of
from thecal.registry.exchange.parts import part_rows
from thecal.registry.exchange.redcap_dictionary import RECORD, variable_of
from thecal.registry.exchange.redcap_heads import INSTANCE, INSTRUMENT
from thecal.registry.exchange.texts import to_text


def write_redcap(cases: Iterable[Case], stream: IO[str]) -> int:
    """One row for the patient and her deficit, one for each part that repeats. How many cases."""
    fields = [field for field in all_fields() if variable_of(field) != RECORD]
    head = [RECORD, INSTRUMENT, INSTANCE, *(variable_of(field) for field in fields)]
    writer = csv.DictWriter(stream, head, restval="", lineterminator="\n")
    writer.writeheader()
    count = 0
    for case in cases:
        count += 1
        first: dict[str, str] = {RECORD: case.patient.pseudonym}
        repeating = []
        for part in part_rows(case):
            row = {
                variable_of(fields_of(part.part)[name]): to_text(value) for name, value in part.values.items()
            }
            if part.part in LISTS:
                repeating.append(
                    {
                        **row,
                        RECORD: case.patient.pseudonym,
                        INSTRUMENT: part.part,
                        INSTANCE: str(part.number),
                    }
                )
            else:
                first |= row
        writer.writerow(first)
        writer.writerows(repeating)
    return count
