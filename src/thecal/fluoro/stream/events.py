"""What is said while an injection is watched: one JSON object a line."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from thecal.fluoro.reading import Level, Reading
from thecal.fluoro.stream.watchdog import FaultKind
from thecal.terms import RESEARCH_USE

SCHEMA: Final = "thecal.watch/1"


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    at_s: float
    """Seconds since the watch began, by the computer's clock; with ``--speed full`` by the source's."""


class Start(_Event):
    """The first line."""

    event: Literal["start"] = "start"
    # "schema" is a name that pydantic keeps for itself.
    schema_: str = Field(default=SCHEMA, alias="schema")
    research_use: str = RESEARCH_USE
    thecal: str
    source: str
    level: str
    posterior: Literal["third", "quarter"]
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)


class Figures(_Event):
    """What a picture said; null where it could not be told."""

    picture: int | None
    source_s: float | None
    why: str
    view: Literal["lateral", "ap", "other"] | None
    front: float | None
    to_posterior_wall_mm: float | None
    area_mm2: float | None
    growth_mm2_s: float | None
    leaks: tuple[str, ...]
    also: tuple[Level, ...]
    error_mm: float | None


class LevelChange(Figures):
    """Another level than before, or the same with more: a leak elsewhere, or another level beside it.

    The first is always ``lost``, until a picture was read.
    """

    event: Literal["level"] = "level"
    level: Level
    was: Level | None


class PictureRead(Figures):
    """One picture's reading, with ``--every-frame``."""

    event: Literal["reading"] = "reading"
    level: Level


class FaultBegins(_Event):
    """Something is wrong with the stream from this picture on (``missing``: before it)."""

    event: Literal["fault"] = "fault"
    kind: FaultKind
    text: str
    picture: int | None


class FaultEnds(_Event):
    """The next picture without that fault came, after so many pictures with it."""

    event: Literal["fault_over"] = "fault_over"
    kind: FaultKind
    pictures: int


class PassedOver(_Event):
    """Pictures that newer ones overtook before they were read; ``in_all`` since the start."""

    event: Literal["passed_over"] = "passed_over"
    pictures: int
    in_all: int


class End(_Event):
    """The last line."""

    event: Literal["end"] = "end"
    why: str
    pictures: int
    read: int
    passed_over: int


Event = Start | LevelChange | PictureRead | FaultBegins | FaultEnds | PassedOver | End
_ANY: Final[TypeAdapter[Event]] = TypeAdapter(Annotated[Event, Field(discriminator="event")])


def to_line(event: Event) -> str:
    """The event as one line, without its end."""
    values = event.model_dump(mode="json", by_alias=True)
    return json.dumps({"event": values.pop("event"), **values}, separators=(",", ":"))


def from_line(line: str) -> Event:
    """The event of a line; raises ``ValueError`` where it is none."""
    return _ANY.validate_json(line)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a line."""
    return _ANY.json_schema()


def figures(reading: Reading | None) -> dict[str, Any]:
    """A reading's figures, rounded to what they are worth; all null without one."""
    if reading is None:
        empty = dict.fromkeys(
            (
                "picture",
                "source_s",
                "view",
                "front",
                "to_posterior_wall_mm",
                "area_mm2",
                "growth_mm2_s",
                "error_mm",
            )
        )
        return empty | {"leaks": (), "also": ()}
    return {
        "picture": reading.number,
        "source_s": round(reading.time_s, 4),
        "view": reading.view,
        "front": _rounded(reading.front, 3),
        "to_posterior_wall_mm": _rounded(reading.to_posterior_wall_mm, 2),
        "area_mm2": _rounded(reading.area_mm2, 1),
        "growth_mm2_s": _rounded(reading.growth_mm2_s, 2),
        "leaks": tuple(reading.leaks),
        "also": tuple(reading.also),
        "error_mm": _rounded(reading.error_mm, 2),
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(float(value), digits) + 0.0
