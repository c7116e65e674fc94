"""What a database says of itself, as one sentence that holds no values of a patient."""

from __future__ import annotations

from typing import Any, Final

# SQLite says it in words; PostgreSQL in a code (its manual, appendix A).
SAID: Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    (("database or disk is full", "53100"), "The disk is full: nothing of this was kept"),
    (("disk I/O error", "58030"), "The disk could not be read or written: nothing of this was kept"),
    (("database is locked", "55P03"), "Another program is writing to the registry {where}: try again"),
    (("readonly database", "25006"), "The registry {where} cannot be written to"),
    (("unable to open database",), "The registry {where} cannot be opened"),
    (("not a database",), "{where} is no registry, or its beginning is damaged"),
    (
        ("malformed", "corrupt", "XX001", "XX002", "no such table", "no such column", "UndefinedTable"),
        "The registry {where} is damaged: thecal registry check says where",
    ),
)


def plain_sentence(error: Any, where: object) -> str | None:
    """The sentence for an error of a database's driver; None for one that is not known."""
    words = f"{error} {getattr(error, 'sqlstate', '')} {type(error).__name__}"
    for marks, sentence in SAID:
        if any(mark in words for mark in marks):
            return sentence.format(where=where)
    return None


def damaged(where: object) -> str:
    """The sentence where what stands in a registry makes no sense."""
    return f"The registry {where} is damaged: thecal registry check says where"
