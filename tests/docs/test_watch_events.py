"""``docs/watch.md`` explains every key of every event, every level and every fault, and no other."""

from __future__ import annotations

import re
from typing import get_args

from pages import ROOT

from thecal.fluoro.reading import LEVELS
from thecal.fluoro.stream.events import Event, json_schema
from thecal.fluoro.stream.watchdog import FaultKind

PAGE = (ROOT / "docs" / "watch.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_every_key_of_every_event_is_explained() -> None:
    explained = set()
    kinds = {kind.model_fields["event"].default for kind in get_args(Event)}
    for events, key in re.findall(
        r"^\| ([^|]+) \| `(\w+)` \|", section("The events, key by key"), re.MULTILINE
    ):
        of = kinds if events == "all" else set(re.findall(r"`(\w+)`", events))
        explained |= {(event, key) for event in of}
    known = set()
    for definition in json_schema()["$defs"].values():
        (event,) = [definition["properties"]["event"]["const"]]
        known |= {(event, key) for key in definition["properties"]}
    assert explained == known


def test_every_fault_and_every_level_is_explained() -> None:
    faults = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`[^|]+) \|", section("Faults"), re.MULTILINE)))
    assert sorted(faults) == sorted(get_args(FaultKind))
    assert re.findall(r"^\| `(\w+)` \|", PAGE.partition("## Sources")[0], re.MULTILINE) == list(LEVELS)
