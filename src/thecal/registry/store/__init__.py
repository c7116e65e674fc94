"""Where cases are kept: SQLite or PostgreSQL, every change audited, names only encrypted."""

from thecal.registry.store.opening import init_store, open_store
from thecal.registry.store.store import Store

__all__ = ["Store", "init_store", "open_store"]
