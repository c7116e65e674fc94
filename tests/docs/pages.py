"""The project's pages, and the blocks of code in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = tuple(
    sorted(
        [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
        # Written by the benchmark, which is its own check.
        + [page for page in (ROOT / "docs").glob("*.md") if page.name != "validation.md"]
    )
)
FENCE = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?<=\n\n)(?: {4}[^\n]+\n)+")
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


@dataclass(frozen=True)
class Block:
    """One block of code; ``title`` is the file it is to be saved as, or empty."""

    language: str
    title: str
    text: str
    line: int


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page in order; a block that is only indented is taken for a command."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(text):
        title = re.search(r'title="([^"]+)"', match[2])
        found.append(Block(match[1], title[1] if title else "", match[3], _line(text, match.start())))
    unfenced = FENCE.sub(lambda match: re.sub(r"[^\n]", "", match[0]), text)
    for match in INDENTED.finditer(unfenced):
        command = re.sub(r"^ {4}", "", match[0], flags=re.MULTILINE)
        found.append(Block("bash", "", command, _line(unfenced, match.start())))
    return sorted(found, key=lambda block: block.line)


def spans(page: Path) -> list[str]:
    """Code within the running text of a page."""
    return SPAN.findall(FENCE.sub("", page.read_text(encoding="utf-8")))


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
