"""``docs/report-json.md`` explains every key of the schema, every word a key may hold, and every code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

import pytest
from pages import ROOT

from thecal.report.schema import json_schema

PAGE = (ROOT / "docs" / "report-json.md").read_text(encoding="utf-8")
SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| (`[^|]+?) \| ([^|]*) \|$", re.MULTILINE)


def schema_keys() -> set[str]:
    """Each key as a path, ``deposits[].side``; what a list holds stands under the list's key and ``[]``."""
    schema = json_schema()
    return set(_keys(schema, schema["$defs"], ""))


def _keys(part: dict[str, Any], known: dict[str, Any], prefix: str) -> Iterator[str]:
    for key, value in part.get("properties", {}).items():
        yield prefix + key
        for inner, suffix in _inner(value, known):
            yield from _keys(inner, known, f"{prefix}{key}{suffix}.")


def _inner(value: dict[str, Any], known: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    if "$ref" in value:
        yield known[value["$ref"].rpartition("/")[2]], ""
    for option in value.get("anyOf", []):
        yield from _inner(option, known)
    if value.get("type") == "array" and "items" in value:
        for inner, _ in _inner(value["items"], known):
            yield inner, "[]"


def page_keys() -> dict[str, str]:
    """Each key that the page explains, with its explanation."""
    found = {}
    for heading, body in SECTION.findall(PAGE):
        named = re.fullmatch(r"`([\w\[\]]+)`", heading)
        if heading != "Top level" and not named:
            continue
        prefix = f"{named[1]}." if named else ""
        table = body.partition("\n### ")[0].partition("| sign |")[0]
        for key, meaning in ROW.findall(table):
            found[prefix + key.strip("`")] = meaning.strip()
    return found


def words() -> set[str]:
    """Every word that a key of the schema may hold."""
    found: set[str] = set()

    def collect(part: object) -> None:
        if isinstance(part, dict):
            found.update(w for w in part.get("enum", []) if isinstance(w, str))
            if isinstance(part.get("const"), str):
                found.add(part["const"])
            for value in part.values():
                collect(value)
        elif isinstance(part, list):
            for value in part:
                collect(value)

    collect(json_schema())
    return found


def codes() -> set[str]:
    """Every code of a quality note that the program can write."""
    found = set()
    for path in (ROOT / "src" / "thecal").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "QualityNote":
                given = [*node.args, *(k.value for k in node.keywords if k.arg == "code")]
                found |= {
                    leaf.value
                    for leaf in ast.walk(given[0])
                    if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str)
                }
    return found


def test_every_key_of_the_schema_is_explained() -> None:
    assert schema_keys() - set(page_keys()) == set()


def test_no_key_is_explained_that_the_schema_does_not_have() -> None:
    assert set(page_keys()) - schema_keys() == set()


@pytest.mark.parametrize("key", sorted(schema_keys()))
def test_an_explanation_says_something(key: str) -> None:
    assert len(page_keys().get(key, "")) > 5 or page_keys()[key].startswith("`")


def test_every_word_that_a_key_may_hold_is_named() -> None:
    assert {word for word in words() if f"`{word}`" not in PAGE} == set()


def test_every_code_of_a_quality_note_is_explained() -> None:
    section = PAGE.partition("### Codes")[2].partition("\n## ")[0]
    assert {code for code in codes() if f"`{code}`" not in section} == set()


def test_no_code_is_explained_that_the_program_does_not_write() -> None:
    section = PAGE.partition("### Codes")[2].partition("\n## ")[0]
    cells = " ".join(re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE))
    assert set(re.findall(r"`(\w+)`", cells)) - codes() == set()
