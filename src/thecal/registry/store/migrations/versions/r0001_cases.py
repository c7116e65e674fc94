"""Cases, their parts, and the audit of every change.

Revision ID: r0001
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.sqlite import BLOB, REAL
from sqlalchemy.types import TypeEngine

revision = "r0001"
down_revision = None
branch_labels = None
depends_on = None

REFUSED = "the audit only grows"
KEPT = "the content of the audit goes only with an erased case"


def upgrade() -> None:
    """Make the first tables, and the triggers that keep the audit."""
    real: TypeEngine[float] = sa.Double().with_variant(REAL(), "sqlite")
    raw = sa.LargeBinary().with_variant(BLOB(), "sqlite")
    name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    day = sa.Date().with_variant(sa.Text(), "sqlite")

    def number(*names: str) -> list[sa.Column[Any]]:
        return [sa.Column(each, real) for each in names]

    def text(*names: str, nullable: bool = True) -> list[sa.Column[Any]]:
        return [sa.Column(each, sa.Text, nullable=nullable) for each in names]

    def on() -> sa.Column[Any]:
        return sa.Column("on", day)

    def flag(which: str) -> sa.Column[Any]:
        return sa.Column(which, sa.Integer, sa.CheckConstraint(f"{which} IN (0, 1)"), nullable=False)

    def whole(which: str = "id", *more: Any) -> sa.Column[Any]:
        return sa.Column(which, sa.Integer, *more, primary_key=True, autoincrement=False)

    def part(table: str, *columns: sa.Column[Any]) -> None:
        op.create_table(
            table,
            whole("case_id", sa.ForeignKey("cases.id", ondelete="CASCADE")),
            whole("position"),
            *columns,
            sqlite_strict=True,
            sqlite_with_rowid=False,
        )

    op.create_table(
        "registry",
        whole("id", sa.CheckConstraint("id = 1")),
        *text("uuid", "created", nullable=False),
        *text("key_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "cases",
        whole(),
        sa.Column("pseudonym", name, nullable=False, unique=True),
        *number("age_years"),
        *text("sex"),
        *number("bone_t_score", "bone_hu"),
        sa.Column("sealed", raw),
        sa.Column("shift_days", sa.Integer),
        flag("withdrawn"),
        flag("erased"),
        sqlite_strict=True,
    )
    part(
        "fractures",
        *text("level", nullable=False),
        *text("cause"),
        *number("age_days"),
        *text("posterior_wall", "cleft", nullable=False),
    )
    part(
        "procedures",
        *text("kind", "level", nullable=False),
        on(),
        *text("approach", "side"),
        *number("needle_gauge"),
        *text("cement_brand", "viscosity"),
        *number("since_mixing_s", "volume_ml"),
        *text("notes"),
    )
    part(
        "imaging",
        *text("modality", nullable=False),
        on(),
        *text("study_uid", "series_uid", "report_sha256"),
    )
    part(
        "leaks",
        *text("compartment", nullable=False),
        *text("level", "side"),
        *number("volume_ml"),
        *text("yeom"),
        *number("occlusion"),
        *text("intradural"),
        *number("probability"),
        *text("seen_on", "report_sha256"),
    )
    op.create_table(
        "leak_signs",
        whole("case_id"),
        whole("leak"),
        whole("position"),
        *text("name", "state", nullable=False),
        sa.ForeignKeyConstraint(["case_id", "leak"], ["leaks.case_id", "leaks.position"], ondelete="CASCADE"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    part("deficits", *text("present", nullable=False), on(), *number("delay_h"), *text("description"))
    part(
        "revisions",
        on(),
        *number("delay_h"),
        *text("laminectomy_levels", "durotomy", "corpectomy", "fixation_levels", "fixation", nullable=False),
        *number("residual_ml"),
        *text("monitoring_events", "notes"),
    )
    part(
        "outcomes",
        *text("scale", "as_written", nullable=False),
        *number("value"),
        *text("choice", "side", "muscle"),
        on(),
        *number("days"),
    )
    part("events", *text("kind", nullable=False), *text("level"), on(), *number("days"), *text("notes"))
    op.create_table(
        "report_files",
        sa.Column("case_id", sa.Integer, sa.ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("sha256", sa.Text, primary_key=True),
        sa.Column("content", raw, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "audit",
        whole(),
        *text("at", "who", "what", nullable=False),
        sa.Column("pseudonym", name),
        *text("before_sha256", "after_sha256"),
        *text("hash", nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "audit_content",
        whole("id", sa.ForeignKey("audit.id")),
        *text("salt", nullable=False),
        *text("before", "after"),
        sqlite_strict=True,
    )
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgres()


def downgrade() -> None:
    """Take everything away."""
    tables = "audit_content audit report_files events outcomes revisions deficits leak_signs leaks imaging"
    for table in (*tables.split(), "procedures", "fractures", "cases", "registry"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION thecal_audit_grows()")
        op.execute("DROP FUNCTION thecal_audit_content_stays()")


# A row of content may go where its case is erased, and only there.
ERASED = (
    "EXISTS (SELECT 1 FROM audit JOIN cases ON cases.pseudonym = audit.pseudonym "
    "WHERE audit.id = OLD.id AND cases.erased = 1)"
)


def _guard_sqlite() -> None:
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_no_{change.lower()} BEFORE {change} ON audit "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
        )
    op.execute(
        "CREATE TRIGGER audit_content_no_update BEFORE UPDATE ON audit_content "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
    )
    op.execute(
        f"CREATE TRIGGER audit_content_no_delete BEFORE DELETE ON audit_content WHEN NOT {ERASED} "
        f"BEGIN SELECT RAISE(ABORT, '{KEPT}'); END"
    )


def _guard_postgres() -> None:
    op.execute(
        "CREATE FUNCTION thecal_audit_grows() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSED}'; END $$"
    )
    op.execute(
        "CREATE FUNCTION thecal_audit_content_stays() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF NOT {ERASED} THEN RAISE EXCEPTION '{KEPT}'; END IF; RETURN OLD; END $$"
    )
    for table, changes in (("audit", "UPDATE OR DELETE"), ("audit_content", "UPDATE")):
        op.execute(
            f"CREATE TRIGGER {table}_grows BEFORE {changes} ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION thecal_audit_grows()"
        )
    op.execute(
        "CREATE TRIGGER audit_content_stays BEFORE DELETE ON audit_content "
        "FOR EACH ROW EXECUTE FUNCTION thecal_audit_content_stays()"
    )
    for table in ("audit", "audit_content"):
        op.execute(
            f"CREATE TRIGGER {table}_not_emptied BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION thecal_audit_grows()"
        )
