"""Cement against bone, metal and contrast, and how much of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thecal.cement.find import find_cement

__all__ = ["find_cement"]


def __getattr__(name: str) -> Any:
    """Import the search only when it is asked for: it brings scipy's image tools."""
    if name == "find_cement":
        from thecal.cement.find import find_cement

        return find_cement
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
