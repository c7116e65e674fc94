"""Lists and filters by index; answers of a wizard that was not finished.

Revision ID: r0002
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.sqlite import BLOB

revision = "r0002"
down_revision = "r0001"
branch_labels = None
depends_on = None

INDICES: Final[dict[str, tuple[str, list[str]]]] = {
    "fractures_level": ("fractures", ["level", "case_id"]),
    "procedures_kind": ("procedures", ["kind", "case_id"]),
    "procedures_level": ("procedures", ["level", "case_id"]),
    "leaks_compartment": ("leaks", ["compartment", "case_id"]),
    "deficits_present": ("deficits", ["present", "case_id"]),
    "imaging_series": ("imaging", ["series_uid"]),
    "audit_pseudonym": ("audit", ["pseudonym"]),
    "cases_listed": ("cases", ["withdrawn", "pseudonym"]),
}


def upgrade() -> None:
    """Add the indices and the table of drafts."""
    for name, (table, columns) in INDICES.items():
        op.create_index(name, table, columns)
    op.create_table(
        "drafts",
        sa.Column(
            "pseudonym", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), primary_key=True
        ),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary().with_variant(BLOB(), "sqlite"), nullable=False),
        sqlite_strict=True,
    )


def downgrade() -> None:
    """Take both away; unfinished answers go with them, cases stay."""
    op.drop_table("drafts")
    for name, (table, _) in INDICES.items():
        op.drop_index(name, table)
