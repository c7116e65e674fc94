"""Keys, and what is encrypted with them: names, births, free text, UIDs, reports, and the shift of dates.

AES-256-GCM of the library ``cryptography``. Each seal is bound to its registry and its place: a row that was
put in another case's place does not open.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import os
import secrets
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from thecal.errors import InputError
from thecal.extras import load_extra
from thecal.registry.hidden import Texts

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
"""NIST SP 800-38D recommends 96 bits; drawn at random for each seal."""
FORMAT: Final = b"\x01"
FILE_MARK: Final = "thecal-registry-key-1 "
PRIVATE: Final = 0o600
SHIFT_DAYS: Final = range(30, 366)
"""By how many days a case's dates are moved, either way: far enough that a month is no hint."""


@dataclass(frozen=True)
class Key:
    """The key of a registry; ``id`` names it and tells nothing of it."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """Which key this is, 16 hexadecimal digits."""
        return self.derived(b"id").hex()[:16]

    def seal(self, content: dict[str, Any], place: str) -> bytes:
        """Encrypt ``content`` for one place: it opens there and nowhere else."""
        return self.seal_bytes(json.dumps(content).encode(), place)

    def seal_bytes(self, content: bytes, place: str) -> bytes:
        """The same for a file."""
        nonce = os.urandom(NONCE_BYTES)
        body: bytes = self._cipher.encrypt(nonce, content, place.encode())
        return FORMAT + nonce + body

    def open(self, sealed: bytes, place: str) -> dict[str, Any]:
        """What was sealed for this place.

        Raises
        ------
        InputError
            Where it was sealed for another place or with another key, or was changed since.
        """
        content: dict[str, Any] = json.loads(self.open_bytes(sealed, place))
        return content

    def open_bytes(self, sealed: bytes, place: str) -> bytes:
        """The same for a file."""
        nonce, body = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        invalid = load_extra("cryptography.exceptions", "crypt").InvalidTag
        try:
            if sealed[:1] != FORMAT:
                raise ValueError("another format")
            content: bytes = self._cipher.decrypt(nonce, body, place.encode())
        except (invalid, ValueError, TypeError) as error:
            raise does_not_open(place) from error
        return content

    def digest(self, text: str, place: str) -> str:
        """A keyed hash of an identifying text: whether it changed is seen, what it was is not."""
        mac = hmac.digest(self.derived(b"audit"), f"{place}\n{text}".encode(), "sha256")
        return f"hmac-sha256:{mac.hex()[:32]}"

    def derived(self, purpose: bytes) -> bytes:
        """A key of 32 bytes for one purpose."""
        return hmac.digest(self.secret, b"thecal.registry/1/" + purpose, "sha256")

    @cached_property
    def _cipher(self) -> Any:
        return load_extra("cryptography.hazmat.primitives.ciphers.aead", "crypt").AESGCM(
            self.derived(b"seal")
        )


def does_not_open(place: str) -> InputError:
    """What is said where a seal was changed or moved; the last word of a place says whose it is."""
    return InputError(
        f"What is encrypted for {place.rpartition('/')[2]} does not open: it was changed or moved"
    )


def new_key(path: Path) -> Key:
    """Make a key in a new file that only its owner can read.

    Raises
    ------
    InputError
        Where the file is there already, or cannot be made.
    """
    key = Key(secrets.token_bytes(KEY_BYTES))
    text = FILE_MARK + base64.urlsafe_b64encode(key.secret).decode() + "\n"
    try:
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
        with os.fdopen(opened, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise InputError(f"{path} is there already: a key is never overwritten") from error
    except OSError as error:
        raise InputError(f"The key {path} cannot be written: {error.strerror}") from error
    return key


def read_key(path: Path) -> Key:
    """The key in a file that `new_key` made.

    Raises
    ------
    InputError
        Where there is none, or others can read it too.
    """
    try:
        text = path.read_text(encoding="ascii")
        mode = path.stat().st_mode
    except OSError as error:
        raise InputError(f"The key {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no key of a registry") from error
    if os.name == "posix" and mode & 0o077:
        raise InputError(f"Others can read the key {path}: chmod 600 {path}")
    try:
        secret = base64.urlsafe_b64decode(text.removeprefix(FILE_MARK).strip())
    except (binascii.Error, ValueError):
        secret = b""
    if not text.startswith(FILE_MARK) or len(secret) != KEY_BYTES:
        raise InputError(f"{path} is no key of a registry")
    return Key(secret)


def draw_shift() -> int:
    """By how many days a new case's dates are moved: drawn once, by the system's own randomness."""
    days = SHIFT_DAYS.start + secrets.randbelow(len(SHIFT_DAYS))
    return days if secrets.randbelow(2) else -days


def refuse_other_key(key: Key | None, key_id: str | None, where: object) -> None:
    """Refuse a key that is not the registry's, which has the key ``key_id`` or None."""
    if key is not None and key_id is None:
        raise InputError(f"The registry {where} was made without a key, so it holds nothing encrypted")
    if key is not None and key.id != key_id:
        raise InputError(f"This is not the key of the registry {where}")


@dataclass(frozen=True)
class Secret:
    """What is sealed of one case."""

    shift_days: int
    name: str | None = None
    born: date | None = None
    texts: Texts = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        """As it is encrypted."""
        return {
            "shift_days": self.shift_days,
            "name": self.name,
            "born": self.born and self.born.isoformat(),
            "texts": self.texts,
        }

    @classmethod
    def of(cls, content: dict[str, Any]) -> Secret:
        """As it was encrypted."""
        born = content["born"]
        return cls(
            content["shift_days"], content["name"], born and date.fromisoformat(born), content["texts"]
        )
