"""``docs/plan.md`` names every key of ``plan.json``, every word a key may hold, and no other key."""

from __future__ import annotations

import re

from pages import ROOT

from thecal.needle.outputs.schema import json_schema

PAGE = (ROOT / "docs" / "plan.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("## `plan.json`")[2]


def keys_and_words() -> tuple[set[str], set[str]]:
    """The keys of the schema, and the words that a key may hold (grades are explained above the table)."""
    schema = json_schema()
    keys: set[str] = set()
    words: set[str] = set()

    def collect(part: object) -> None:
        if isinstance(part, dict):
            keys.update(part.get("properties", {}))
            words.update(w for w in part.get("enum", []) if isinstance(w, str) and len(w) > 1)
            for value in part.values():
                collect(value)
        elif isinstance(part, list):
            for value in part:
                collect(value)

    collect(schema)
    return keys, words


def named() -> set[str]:
    """What the table has in code, without the brackets of lists."""
    return {span.removesuffix("[]") for span in re.findall(r"`([^`\n]+)`", TABLE)}


def test_every_key_and_every_word_of_the_schema_is_named() -> None:
    keys, words = keys_and_words()
    # Words of types that the plan shares with the report, and explained there; no needle is of the midline.
    shared = {"info", "warning", "critical", "midline"}
    assert (keys | words) - named() - shared == set()


def test_no_key_is_named_that_the_schema_does_not_have() -> None:
    keys, words = keys_and_words()
    said = {name for name in named() if re.fullmatch(r"[a-z_]+", name)}
    assert said - keys - words - {"null"} == set()
