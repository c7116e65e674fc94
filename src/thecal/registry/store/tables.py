"""The registry's tables: one for the patient, one for each part of a case, the audit, and what is attached.

The same on SQLite (``STRICT``) and PostgreSQL. A column has the name and the unit of its field in
`thecal.registry.case`. A change here needs a migration in ``migrations/versions``; a test compares both.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    Dialect,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.dialects.sqlite import BLOB, REAL
from sqlalchemy.types import TypeDecorator, TypeEngine

HEAD: Final = "r0003"
"""The revision of the database that this program reads and writes."""


class Day(TypeDecorator[date]):
    """A date: DATE on PostgreSQL, an ISO text on SQLite, whose strict tables know no dates."""

    impl = Date
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column's type on either database."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else Date())

    def process_bind_param(self, value: date | None, dialect: Dialect) -> Any:
        """What is stored."""
        return value.isoformat() if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> date | None:
        """What is read."""
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        try:
            return date.fromisoformat(value)
        except ValueError:  # damaged; the case is named where it is read
            return value  # type: ignore[return-value]


REAL_NUMBER: Final[TypeEngine[float]] = Double().with_variant(REAL(), "sqlite")
BYTES: Final = LargeBinary().with_variant(BLOB(), "sqlite")
# Ordered by code point on both, whatever the server's language is.
NAME: Final = Text().with_variant(Text(collation="C"), "postgresql")

metadata = MetaData()


def _number(name: str) -> Column[Any]:
    return Column(name, REAL_NUMBER)


def _text(name: str, *, needed: bool = False) -> Column[Any]:
    return Column(name, Text, nullable=not needed)


def _part(name: str, *columns: Column[Any]) -> Table:
    """A table whose rows are the parts of one kind, in their order within the case."""
    return Table(
        name,
        metadata,
        Column("case_id", Integer, ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True),
        Column("position", Integer, primary_key=True, autoincrement=False),
        *columns,
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


registry = Table(
    "registry",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    _text("uuid", needed=True),
    _text("created", needed=True),
    _text("key_id"),
    Column("box", BYTES),
    Column("sealed", BYTES),
    sqlite_strict=True,
)
"""One row: which registry this is, and which key it is encrypted with, if any.

With a key ``created`` says nothing and ``sealed`` holds the time; ``box`` is the key's public half.
"""

cases = Table(
    "cases",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("pseudonym", NAME, nullable=False, unique=True),
    _number("age_years"),
    _text("sex"),
    _number("bone_t_score"),
    _number("bone_hu"),
    Column("sealed", BYTES),
    Column("shift_days", Integer),
    Column("withdrawn", Integer, CheckConstraint("withdrawn IN (0, 1)"), nullable=False),
    Column("erased", Integer, CheckConstraint("erased IN (0, 1)"), nullable=False),
    sqlite_strict=True,
)
"""The patient.

With a key ``sealed`` holds name, birth, date shift, free texts and UIDs, and the columns of these are empty;
without one ``shift_days`` is the shift.
"""

fractures = _part(
    "fractures",
    _text("level", needed=True),
    _text("cause"),
    _number("age_days"),
    _text("posterior_wall", needed=True),
    _text("cleft", needed=True),
)
procedures = _part(
    "procedures",
    _text("kind", needed=True),
    _text("level", needed=True),
    Column("on", Day),
    _text("approach"),
    _text("side"),
    _number("needle_gauge"),
    _text("cement_brand"),
    _text("viscosity"),
    _number("since_mixing_s"),
    _number("volume_ml"),
    _text("notes"),
)
imaging = _part(
    "imaging",
    _text("modality", needed=True),
    Column("on", Day),
    _text("study_uid"),
    _text("series_uid"),
    _text("report_sha256"),
)
leaks = _part(
    "leaks",
    _text("compartment", needed=True),
    _text("level"),
    _text("side"),
    _number("volume_ml"),
    _text("yeom"),
    _number("occlusion"),
    _text("intradural"),
    _number("probability"),
    _text("seen_on"),
    _text("report_sha256"),
)
leak_signs = Table(
    "leak_signs",
    metadata,
    Column("case_id", Integer, primary_key=True, autoincrement=False),
    Column("leak", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    _text("name", needed=True),
    _text("state", needed=True),
    ForeignKeyConstraint(["case_id", "leak"], ["leaks.case_id", "leaks.position"], ondelete="CASCADE"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
deficits = _part(
    "deficits", _text("present", needed=True), Column("on", Day), _number("delay_h"), _text("description")
)
revisions = _part(
    "revisions",
    Column("on", Day),
    _number("delay_h"),
    _text("laminectomy_levels", needed=True),
    _text("durotomy", needed=True),
    _text("corpectomy", needed=True),
    _text("fixation_levels", needed=True),
    _text("fixation", needed=True),
    _number("residual_ml"),
    _text("monitoring_events"),
    _text("notes"),
)
outcomes = _part(
    "outcomes",
    _text("scale", needed=True),
    _text("as_written", needed=True),
    _number("value"),
    _text("choice"),
    _text("side"),
    _text("muscle"),
    Column("on", Day),
    _number("days"),
)
events = _part(
    "events",
    _text("kind", needed=True),
    _text("level"),
    Column("on", Day),
    _number("days"),
    _text("notes"),
)

report_files = Table(
    "report_files",
    metadata,
    Column("case_id", Integer, ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("content", BYTES, nullable=False),
    sqlite_strict=True,
)
"""Attached ``report.json`` files, zlib-compressed, with a key encrypted, by the file's SHA-256."""

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    _text("at", needed=True),
    _text("who", needed=True),
    _text("what", needed=True),
    Column("pseudonym", NAME),
    _text("before_sha256"),
    _text("after_sha256"),
    _text("hash", needed=True),
    Column("sealed", BYTES),
    sqlite_strict=True,
)
"""Every change, in order; triggers refuse to change or delete a row. ``hash`` chains each row to the last.

With a key ``at`` is a hash, and ``sealed`` holds the time: all that another key may change (`Store.rekey`).
"""

audit_content = Table(
    "audit_content",
    metadata,
    Column("id", Integer, ForeignKey("audit.id"), primary_key=True, autoincrement=False),
    Column("salt", Text, nullable=False),
    _text("before"),
    _text("after"),
    Column("sealed", BYTES),
    sqlite_strict=True,
)
"""The case before and after each change, JSON; with a key its texts lie in ``sealed``.

Goes only when a withdrawn case is erased; the hashes stay.
"""

drafts = Table(
    "drafts",
    metadata,
    Column("pseudonym", NAME, primary_key=True),
    _text("at", needed=True),
    Column("content", BYTES, nullable=False),
    sqlite_strict=True,
)
"""Answers of a wizard that was not finished; encrypted where the registry has a key.

``at`` is then the order only.
"""

# What is listed and filtered is found by these.
Index("fractures_level", fractures.c.level, fractures.c.case_id)
Index("procedures_kind", procedures.c.kind, procedures.c.case_id)
Index("procedures_level", procedures.c.level, procedures.c.case_id)
Index("leaks_compartment", leaks.c.compartment, leaks.c.case_id)
Index("deficits_present", deficits.c.present, deficits.c.case_id)
Index("imaging_series", imaging.c.series_uid)
Index("audit_pseudonym", audit.c.pseudonym)
Index("cases_listed", cases.c.withdrawn, cases.c.pseudonym)

PARTS: Final[dict[str, Table]] = {
    "fractures": fractures,
    "procedures": procedures,
    "imaging": imaging,
    "leaks": leaks,
    "deficit": deficits,
    "revisions": revisions,
    "outcomes": outcomes,
    "events": events,
}
"""The fields of a case that have a table of their own; a leak's signs have a further one."""
