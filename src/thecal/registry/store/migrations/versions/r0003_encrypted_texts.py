"""With a key: free text, UIDs, attached reports and the times of changes are encrypted.

Where the registry has a key, the audit is written anew: its texts and times are encrypted, and its rows are
chained again. A row says so, and names the hash with which the chain ended before. Without a key nothing but
columns is added.

Revision ID: r0003
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects.sqlite import BLOB

from thecal.registry.store.migrations.encrypt_texts import decrypt, encrypt

revision = "r0003"
down_revision = "r0002"
branch_labels = None
depends_on = None

REFUSED: Final = "the audit only grows"
COLUMNS: Final = (
    ("registry", "box"),
    ("registry", "sealed"),
    ("audit", "sealed"),
    ("audit_content", "sealed"),
)
FIXED: Final = {
    "audit": "id, at, who, what, pseudonym, before_sha256, after_sha256, hash",
    "audit_content": "id, salt, before, after",
}
"""What no statement may change; what is encrypted may be encrypted with another key."""


def upgrade() -> None:
    """Add the columns, encrypt what is there, and let only what is encrypted be changed."""
    _drop_guards()
    for table, column in COLUMNS:
        op.add_column(table, sa.Column(column, sa.LargeBinary().with_variant(BLOB(), "sqlite")))
    connection = op.get_bind()
    if _has_key(connection):
        attributes = context.config.attributes
        encrypt(connection, attributes.get("key"), attributes.get("who"))
    postgres = connection.dialect.name == "postgresql"
    for table, columns in FIXED.items():
        _guard(f"{table}_no_update", f"UPDATE OF {columns}", table, postgres=postgres)
        never = "(OLD.sealed IS NULL) <> (NEW.sealed IS NULL)"
        _guard(f"{table}_stays_sealed", "UPDATE OF sealed", table, never, postgres=postgres)
    if postgres:
        _guard("audit_no_delete", "DELETE", "audit", postgres=True)


def downgrade() -> None:
    """Decrypt everything, and take the columns away."""
    connection = op.get_bind()
    postgres = connection.dialect.name == "postgresql"
    _drop_guards(made_here=True)
    if _has_key(connection):
        decrypt(connection, context.config.attributes.get("key"))
    for table, column in COLUMNS:
        op.drop_column(table, column)
    if postgres:
        for table, changes in (("audit", "UPDATE OR DELETE"), ("audit_content", "UPDATE")):
            _guard(f"{table}_grows", changes, table, postgres=True)
    else:
        for table in FIXED:
            _guard(f"{table}_no_update", "UPDATE", table, postgres=False)


def _has_key(connection: sa.Connection) -> bool:
    return connection.execute(sa.text("SELECT key_id FROM registry")).scalar() is not None


def _drop_guards(*, made_here: bool = False) -> None:
    postgres = op.get_bind().dialect.name == "postgresql"
    names = {table: [f"{table}_no_update"] for table in FIXED}
    if made_here:
        for table in FIXED:
            names[table].append(f"{table}_stays_sealed")
        if postgres:
            names["audit"].append("audit_no_delete")
    elif postgres:
        names = {table: [f"{table}_grows"] for table in FIXED}
    for table, triggers in names.items():
        for trigger in triggers:
            op.execute(f"DROP TRIGGER IF EXISTS {trigger}" + (f" ON {table}" if postgres else ""))


def _guard(name: str, change: str, table: str, when: str = "", *, postgres: bool) -> None:
    """A trigger that refuses a change."""
    where = f" WHEN ({when})" if when else ""
    begin = f"CREATE TRIGGER {name} BEFORE {change} ON {table}"
    if postgres:
        op.execute(f"{begin} FOR EACH ROW{where} EXECUTE FUNCTION thecal_audit_grows()")
    else:
        op.execute(f"{begin}{where} BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END")
