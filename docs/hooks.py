"""Draws a page's Mermaid chain as plain HTML, so that the site needs no script from elsewhere."""

from __future__ import annotations

import html
import re
from itertools import pairwise
from typing import Any

FENCE = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NODE = re.compile(r'(\w+)\["(.+?)"\]')
ARROW = re.compile(r'(\w+)(?:\[".+?"\])? *-->\|(.+?)\| *(\w+)')
BOX = (
    "border:1px solid var(--md-default-fg-color--lighter);border-radius:.3rem;padding:.4rem .8rem;"
    "width:max-content;max-width:100%;background:var(--md-code-bg-color)"
)
LINE = "padding:.1rem 0 .1rem 1.4rem;color:var(--md-default-fg-color--light)"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Called by mkdocs for each page before it is rendered."""
    return FENCE.sub(lambda match: chain(match[1]), markdown)


def chain(source: str) -> str:
    """A flowchart that is one chain of boxes, from top to bottom.

    Raises
    ------
    ValueError
        Where it is anything else.
    """
    labels = dict(NODE.findall(source))
    arrows = ARROW.findall(source)
    if not arrows or any(a[2] != b[0] for a, b in pairwise(arrows)):
        raise ValueError("only a single chain of boxes can be drawn")
    drawn = [_box(labels, arrows[0][0])]
    for _, by, to in arrows:
        drawn.append(f'<div style="{LINE}">&darr; <code>{html.escape(by)}</code></div>')
        drawn.append(_box(labels, to))
    return f'<div class="chain">\n{"".join(drawn)}\n</div>'


def _box(labels: dict[str, str], name: str) -> str:
    return f'<div style="{BOX}">{labels.get(name, name)}</div>'
