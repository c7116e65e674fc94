"""What the pages point at is there: links, files, commands, options, make targets."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from pages import FENCE, PAGES, ROOT, SPAN, blocks, spans
from typer.main import get_command

from thecal.cli import COMMANDS, _app

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
TARGET = re.compile(r"^([a-z]+):", re.MULTILINE)
SHELL = (">", "|", "&&", ";", "||")
# Options of other programs that the pages name.
FOREIGN = {"--no-deps", "--editable", "--strict"}


def commands(page: Path) -> Iterator[list[str]]:
    """Every call of thecal that a page names, as words, from its code spans and its commands."""
    lines = [line for block in blocks(page) if block.language == "bash" for line in block.text.splitlines()]
    for text in (*spans(page), *lines):
        words = re.split(r"\s+", text.strip())
        for i, word in enumerate(words):
            if re.fullmatch(r"(\S*/)?thecal", word) and i + 1 < len(words):
                end = next((k for k in range(i + 1, len(words)) if words[k] in SHELL), len(words))
                yield words[i + 1 : end]


@cache
def options(command: str, sub: str = "") -> set[str]:
    """The options of a command; a KeyError where there is none of that name."""
    found = get_command(_app(command)).commands[command]  # type: ignore[attr-defined]
    if sub:
        found = found.commands[sub]
    named = [(*parameter.opts, *parameter.secondary_opts) for parameter in found.params]
    return {option for words in named for option in words} | {"--help"}


@cache
def subcommands(command: str) -> frozenset[str]:
    """The commands of a group; none of a command that is no group."""
    return frozenset(getattr(get_command(_app(command)).commands[command], "commands", {}))  # type: ignore[attr-defined]


def all_options() -> set[str]:
    known = {"--version", "--debug", "--help"}
    for command in COMMANDS:
        subs = getattr(get_command(_app(command)).commands[command], "commands", {})  # type: ignore[attr-defined]
        for sub in ("", *subs):
            known |= options(command, sub)
    return known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_of_the_project_resolves(page: Path) -> None:
    text = SPAN.sub("", FENCE.sub("", page.read_text(encoding="utf-8")))
    for target in LINK.findall(text):
        if re.match(r"https?://", target):
            continue
        path = target.partition("#")[0]
        assert not path or (page.parent / path).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_of_the_project_that_is_named_exists(page: Path) -> None:
    for span in spans(page):
        if re.fullmatch(r"(docs|tests|benchmarks|src|\.ci)(/[\w.]+)*/?|[A-Z]+\.md|[\w.-]+\.lock", span):
            assert (ROOT / span).exists(), f"{page.name} names {span}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_is_named_exists_with_its_options(page: Path) -> None:
    for words in commands(page):
        if words[0].startswith("--"):
            assert words[0] in all_options(), words
            continue
        assert words[0] in COMMANDS, f"{page.name}: thecal {shlex.join(words)}"
        sub = words[1] if len(words) > 1 and words[1] in subcommands(words[0]) else ""
        known = options(words[0], sub)
        for word in words[1:]:
            if word.startswith("--"):
                assert word in known, f"{page.name}: thecal {shlex.join(words)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_option_that_is_named_exists(page: Path) -> None:
    known = all_options() | FOREIGN
    for span in spans(page):
        for word in re.findall(r"(?<!\S)--[a-z][a-z-]*", span):
            assert word in known, f"{page.name} names {word}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    targets = set(TARGET.findall((ROOT / "Makefile").read_text()))
    text = "\n".join([*spans(page), *(block.text for block in blocks(page) if block.language == "bash")])
    for target in re.findall(r"(?:^|\s)make ([a-z]+)", text):
        assert target in targets, f"{page.name} names make {target}"


def test_ci_runs_what_the_readme_says_passes_the_tests() -> None:
    assert "make test" in (ROOT / "README.md").read_text()
    ci = (ROOT / ".ci" / "run").read_text()
    assert "make test" in ci
    assert "make lint" in ci


def test_the_site_loads_nothing_from_elsewhere() -> None:
    settings = (ROOT / "mkdocs.yml").read_text()
    assert "font: false" in settings
    assert not re.search(r"https?://", settings)
    for page in PAGES:
        assert not re.search(r"!\[[^\]]*\]\(https?://", page.read_text(encoding="utf-8")), page.name
