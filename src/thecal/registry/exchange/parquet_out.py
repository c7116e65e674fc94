"""Cases as Parquet (extra ``[parquet]``): one file a part, typed, with units in its metadata."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from thecal.extras import load_extra
from thecal.registry.case import Case
from thecal.registry.exchange.fields import PARTS, PartField, fields_of
from thecal.registry.exchange.parts import part_rows
from thecal.registry.exchange.texts import to_text
from thecal.terms import RESEARCH_USE

FILES: Final = tuple(f"{part}.parquet" for part in PARTS)


def write_parquet(cases: Iterable[Case], folder: Path) -> int:
    """Write ``patient.parquet``, ``procedures.parquet`` and the rest into a folder; how many cases.

    Every file has ``pseudonym`` and ``number`` (the place in its list, from 1) before its fields.

    Raises
    ------
    InputError
        Where the extra is not installed.
    """
    arrow = load_extra("pyarrow", "parquet")
    parquet = load_extra("pyarrow.parquet", "parquet")
    columns: dict[str, dict[str, list[Any]]] = {part: {name: [] for name in _names(part)} for part in PARTS}
    count = 0
    for case in cases:
        count += 1
        for row in part_rows(case):
            held = columns[row.part]
            held["pseudonym"].append(case.patient.pseudonym)
            held["number"].append(row.number)
            for name, field in fields_of(row.part).items():
                if name != "pseudonym":
                    held[name].append(_value(field, row.values[name]))
    for part, held in columns.items():
        fields = fields_of(part)
        types = [
            arrow.field("pseudonym", arrow.string(), nullable=False),
            arrow.field("number", arrow.int32(), nullable=False),
            *(
                arrow.field(name, _type(arrow, f), metadata={"unit": f.unit} if f.unit else None)
                for name, f in fields.items()
                if name != "pseudonym"
            ),
        ]
        schema = arrow.schema(types, metadata={"research_use": RESEARCH_USE})
        parquet.write_table(arrow.table(held, schema=schema), folder / f"{part}.parquet")
    return count


def _names(part: str) -> list[str]:
    return ["pseudonym", "number", *(name for name in fields_of(part) if name != "pseudonym")]


def _type(arrow: Any, field: PartField) -> Any:
    if field.kind == "number":
        return arrow.float64()
    if field.kind == "date":
        return arrow.date32()
    return arrow.list_(arrow.string()) if field.kind in ("levels", "signs") else arrow.string()


def _value(field: PartField, value: Any) -> Any:
    return [to_text((each,)) for each in value] if field.kind in ("levels", "signs") else value
