"""Names for files, folders and log lines that say nothing of the patient."""

from __future__ import annotations

import hashlib
import re
from typing import Final

_UID_IN_TEXT: Final = re.compile(r"\d+(?:\.\d+){4,}")


def short_name(uid: str) -> str:
    """Twelve hexadecimal digits that stand for a UID; the UID cannot be read from them."""
    return hashlib.sha256(uid.encode()).hexdigest()[:12]


def without_uids(sentence: str) -> str:
    """A sentence with its UIDs replaced by their short names, for a log."""
    return _UID_IN_TEXT.sub(lambda match: short_name(match[0]), sentence)
