"""Answers of a wizard that was not finished: kept in the registry, encrypted where it has a key."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, delete, func, insert, select, update

from thecal.errors import InputError
from thecal.registry.store.tables import drafts

if TYPE_CHECKING:
    from thecal.registry.store.keeper import Keeper
    from thecal.registry.store.seal import Key
    from thecal.registry.store.store import Store

ORDER: Final = "{:012d}"
Answers = dict[str, str]
"""What was answered to each question, verbatim, by the question's path."""


def save_draft(store: Store, pseudonym: str, answers: Answers) -> None:
    """Keep the answers so far in the place of earlier ones."""
    content = _hidden(store.keeper.key, answers, _place(store.keeper, pseudonym))
    with store.writing() as connection:
        connection.execute(delete(drafts).where(drafts.c.pseudonym == pseudonym))
        at = _now(connection, store.keeper)
        connection.execute(insert(drafts).values(pseudonym=pseudonym, at=at, content=content))


def draft(store: Store, pseudonym: str) -> Answers | None:
    """The answers so far; None where there is no draft.

    Raises
    ------
    InputError
        Where they are encrypted and the key was not given.
    """
    with store.reading() as connection:
        content = connection.execute(select(drafts.c.content).where(drafts.c.pseudonym == pseudonym)).scalar()
    if content is None:
        return None
    if store.keeper.key_id is not None and store.keeper.key is None:
        raise InputError(f"The draft of {pseudonym} is kept with a key: give it with --key FILE")
    return _shown(store.keeper.key, content, _place(store.keeper, pseudonym))


def draft_names(store: Store) -> list[str]:
    """Whose drafts there are, the latest first."""
    with store.reading() as connection:
        latest = select(drafts.c.pseudonym).order_by(drafts.c.at.desc(), drafts.c.pseudonym)
        return list(connection.execute(latest).scalars())


def drop_draft(store: Store, pseudonym: str) -> None:
    """Forget a draft: it was begun by mistake."""
    with store.writing() as connection:
        drop(connection, pseudonym)


def drop(connection: Connection, pseudonym: str) -> None:
    """Forget a draft, within the transaction that adds its case."""
    connection.execute(delete(drafts).where(drafts.c.pseudonym == pseudonym))


def reseal(connection: Connection, keeper: Keeper, new: Key) -> None:
    """Encrypt every draft with another key."""
    for row in connection.execute(select(drafts)).all():
        place = _place(keeper, row.pseudonym)
        content = _hidden(new, _shown(keeper.key, row.content, place), place)
        connection.execute(update(drafts).where(drafts.c.pseudonym == row.pseudonym).values(content=content))


def readable(keeper: Keeper, pseudonym: str, content: bytes) -> bool:
    """Whether a draft can be read, with the key or where there is none."""
    try:
        answers = _shown(keeper.key, content, _place(keeper, pseudonym))
    except (InputError, ValueError):
        return False
    return all(isinstance(answer, str) for answer in answers.values())


def _now(connection: Connection, keeper: Keeper) -> str:
    """The time; where there is a key the order only, for the day of an entry tells of the dates' shift."""
    if keeper.key_id is None:
        return datetime.now(UTC).isoformat(timespec="microseconds")
    latest = connection.execute(select(func.max(drafts.c.at))).scalar()
    return ORDER.format(int(latest or 0) + 1)


def _place(keeper: Keeper, pseudonym: str) -> str:
    return keeper.place(f"draft/{pseudonym}")


def _hidden(key: Key | None, answers: Answers, place: str) -> bytes:
    return key.seal(answers, place) if key else json.dumps(answers, ensure_ascii=False).encode()


def _shown(key: Key | None, content: bytes, place: str) -> Answers:
    answers: Answers = key.open(content, place) if key else json.loads(content)
    return answers
