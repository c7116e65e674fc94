"""Free texts and UIDs in a case as the audit quotes it: there as hashes, encrypted beside it."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from typing import Any

from thecal.registry.hidden import HIDDEN, Texts

Quoted = dict[str, Any]
"""A case as JSON."""


def text_digest(blind: str, place: str, text: str) -> str:
    """A hash of a text under the secret of the audit's row."""
    mac = hmac.digest(blind.encode(), f"{place}\n{text}".encode(), "sha256")
    return f"hmac-sha256:{mac.hex()[:32]}"


def set_texts(quoted: Quoted, texts: Mapping[str, str]) -> None:
    """Put texts into a case by their places.

    Raises
    ------
    LookupError
        Where a part that one belongs to is not there.
    """
    for place, text in texts.items():
        field, *index, name = place.split(".")
        (quoted[field][int(index[0])] if index else quoted[field])[name] = text


def texts_of(quoted: Quoted) -> Texts:
    """The texts of a case by their places, or what stands there for them."""
    return {f"{place}.{name}": part[name] for place, part, name in _said(quoted)}


def take_texts(quoted: Quoted) -> None:
    """Take them away."""
    for _, part, name in list(_said(quoted)):
        del part[name]


def _said(quoted: Quoted) -> Iterator[tuple[str, Quoted, str]]:
    for field, names in HIDDEN.items():
        value = quoted.get(field)
        if not value:
            continue
        many = isinstance(value, list)
        for index, part in enumerate(value if many else [value]):
            for name in names:
                if part.get(name) is not None:
                    yield (f"{field}.{index}" if many else field), part, name
