"""Where cases are kept: SQLite or PostgreSQL, every change audited, names only encrypted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thecal.registry.store.opening import init_store, open_store
    from thecal.registry.store.store import Store

__all__ = ["Store", "init_store", "open_store"]


def __getattr__(name: str) -> Any:
    """Each as it is asked for: lists and statistics of a file do without SQLAlchemy."""
    if name in ("init_store", "open_store"):
        from thecal.registry.store import opening

        return getattr(opening, name)
    if name == "Store":
        from thecal.registry.store.store import Store

        return Store
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
