"""Alembic's way in: migrations run on the connection that `thecal.registry.store.migrate` hands over."""

from __future__ import annotations

from alembic import context

from thecal.registry.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # One transaction around everything: a migration is whole or never was.
    transactional_ddl=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
