"""Where cases are kept: SQLite or PostgreSQL, every change audited, names only encrypted."""

from thecal.registry.store.store import Store, init_store, open_store

__all__ = ["Store", "init_store", "open_store"]
