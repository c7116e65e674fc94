"""What stands for a patient and a UID: the same for the same, and not to be undone without the secret."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from thecal.errors import InputError

SECRET_IN_ENVIRONMENT: Final = "THECAL_DEIDENTIFY_SECRET"
FEWEST_BYTES: Final = 16
# Far enough that no date of the time of treatment is left to guess from.
LARGEST_SHIFT_DAYS: Final = 3650


@dataclass(frozen=True)
class Secret:
    """The key of all pseudonyms."""

    key: bytes

    def __repr__(self) -> str:
        return "Secret(...)"

    def digest(self, *parts: str) -> bytes:
        """32 bytes that follow from the parts and the key."""
        return hmac.new(self.key, "\0".join(parts).encode(), hashlib.sha256).digest()

    def uid(self, uid: str) -> str:
        """A UID under 2.25 (PS3.5 annex B.2) in place of another."""
        return f"2.25.{uuid.UUID(bytes=self.digest('uid', uid)[:16], version=4).int}"

    def patient(self, identity: str) -> str:
        """A name in place of a patient."""
        return "THECAL-" + base64.b32encode(self.digest("patient", identity))[:12].decode()

    def days(self, identity: str) -> int:
        """By how many days all dates of a patient are moved back."""
        return 1 + int.from_bytes(self.digest("days", identity)[:8], "big") % LARGEST_SHIFT_DAYS

    def moved(self, text: str, identity: str) -> str:
        """A DICOM date, or the date of a date and time, moved back; empty where it is none."""
        text = text.strip()
        try:
            day = date(int(text[:4]), int(text[4:6]), int(text[6:8]))
            return f"{day - timedelta(self.days(identity)):%Y%m%d}" + text[8:]
        except (ValueError, OverflowError):
            return ""


def read_secret(path: Path | None) -> Secret | None:
    """The user's secret: from a file, else from the environment; None where neither is given.

    Raises
    ------
    InputError
        Where the file cannot be read, or the secret is too short.
    """
    if path is not None:
        try:
            key = path.read_bytes().strip()
        except OSError as error:
            raise InputError(f"--secret {path} cannot be read: {error.strerror}") from error
    else:
        key = os.environ.get(SECRET_IN_ENVIRONMENT, "").strip().encode()
        if not key:
            return None
    if len(key) < FEWEST_BYTES:
        raise InputError(f"The secret has {len(key)} bytes; give it {FEWEST_BYTES} at least")
    return Secret(key)


def secret_of_this_run() -> Secret:
    """A secret that nobody knows and that ends with the run."""
    return Secret(os.urandom(32))
