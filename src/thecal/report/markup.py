"""The page's own HTML as a tree, so that it can be set on paper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset({"meta", "img", "br", "line", "rect", "link", "hr"})


@dataclass
class Node:
    """An element of the page: its tag, its attributes, and what stands in it."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Node | str] = field(default_factory=list)

    @property
    def classes(self) -> frozenset[str]:
        """The words of its class attribute."""
        return frozenset(self.attributes.get("class", "").split())

    def nodes(self, *tags: str) -> list[Node]:
        """The elements directly in it, of these tags where any are named."""
        return [c for c in self.children if isinstance(c, Node) and (not tags or c.tag in tags)]

    def every(self, tag: str) -> Iterator[Node]:
        """All elements of a tag within it, in their order."""
        for child in self.nodes():
            if child.tag == tag:
                yield child
            yield from child.every(tag)

    def text(self) -> str:
        """All words in it, a space for any white."""
        said = "".join(c if isinstance(c, str) else f" {c.text()} " for c in self.children)
        return " ".join(said.split())


def read_page(html: str) -> Node:
    """The tree of a page that is well formed, as ours are.

    Raises
    ------
    ValueError
        Where a tag is closed that is not the last one opened.
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.root


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Node("page")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(node)
        if tag not in _VOID:
            self._open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].children.append(Node(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if self._open[-1].tag != tag:
            raise ValueError(f"</{tag}> closes <{self._open[-1].tag}>")
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)
