"""The mapping file: which column of somebody's table is which field of a case. TOML.

A file says one or several tables, ``[[table]]``, each with what a row of it is (``rows``) and its
``columns``. docs/registry-exchange.md has every key with an example that runs.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from thecal.errors import InputError
from thecal.registry.case import Scale
from thecal.registry.exchange.texts import MISSING

RowKind = Literal[
    "case",
    "visit",
    "deficit",
    "fractures",
    "procedures",
    "imaging",
    "leaks",
    "revisions",
    "outcomes",
    "events",
]
LARGEST_BYTES: Final = 1_000_000
"""Of a mapping file."""


class ColumnMap(BaseModel):
    """What one column holds: a ``field`` or several, or a finding on a ``scale``.

    ``values`` turns what is written into the registry's word ("" to leave it out), ``unit`` is the column's
    own. A finding takes the cell verbatim; ``side = "left/right"`` reads "5/2" as two. Its time is ``days``
    after the procedure, or stands in the column ``days_from``, or its date in ``on_from``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    field: str | tuple[str, ...] | None = None
    values: dict[str, str] = Field(default_factory=dict)
    unit: str | None = None
    date_format: str | None = None
    decimal: Literal[".", ","] | None = None
    scale: Scale | None = None
    muscle: str | None = None
    side: Literal["left", "right", "left/right"] | None = None
    days: float | None = None
    days_from: str | None = None
    on_from: str | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.field is None) == (self.scale is None):
            raise ValueError("a column has a field or a scale")
        return self


class TableMap(BaseModel):
    """One table: what a row is, where its pseudonym stands, how it writes dates and numbers, and its columns.

    ``rows`` is "case" (a row is a case, which it adds), "visit" (a row adds findings to a case), or the name
    of a list ("outcomes": a row is one of them). ``file`` names the file where there are several; of REDCap
    ``instrument`` names the repeating instrument and ``event`` the event. ``constants`` are the same in every
    row.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    rows: RowKind
    pseudonym: str
    file: str | None = None
    instrument: str | None = None
    event: str | None = None
    encoding: str = "utf-8-sig"
    delimiter: str | None = None
    decimal: Literal[".", ","] = "."
    date_format: str = ""
    missing: tuple[str, ...] = MISSING
    columns: dict[str, str | ColumnMap] = Field(default_factory=dict)
    constants: dict[str, str | float] = Field(default_factory=dict)


class Mapping(BaseModel):
    """A whole mapping file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    table: tuple[TableMap, ...] = Field(min_length=1)


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file.

    Raises
    ------
    InputError
        Where it cannot be read, or says something that no mapping says.
    """
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise InputError(f"{path.name} is too large for a mapping file")
        return Mapping.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The mapping file {path.name} cannot be read") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"The mapping file {path.name} is not TOML: {error}") from error
    except ValidationError as error:
        # Of a column that is neither a word nor a table, what is wrong with the table says more.
        first = max(error.errors(), key=lambda each: "ColumnMap" in str(each["loc"]))
        where = ".".join(str(word) for word in first["loc"] if "ColumnMap" not in str(word))
        raise InputError(f"The mapping file {path.name} says at {where}: {first['msg']}") from error
