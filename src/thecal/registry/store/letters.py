"""What is written without the key and read with it: when consent was taken back, which needs no key.

X25519, HMAC-SHA-256 and AES-256-GCM of the library ``cryptography``: a key pair for each letter, whose secret
half is forgotten (as in RFC 9180, but not its format). Anybody who has the registry can write one.
"""

from __future__ import annotations

import hmac
import json
import os
from typing import Any, Final

from thecal.extras import load_extra
from thecal.registry.store.seal import NONCE_BYTES, Key, does_not_open

FORMAT: Final = b"\x02"
PUBLIC_BYTES: Final = 32


def letter_box(key: Key) -> bytes:
    """The public half of a registry's key, which lies in the registry: it closes and does not open."""
    box: bytes = _pair(key).public_key().public_bytes_raw()
    return box


def posted(box: bytes, content: dict[str, Any], place: str) -> bytes:
    """Encrypt a content for one place, for whoever has the key."""
    pairs = load_extra("cryptography.hazmat.primitives.asymmetric.x25519", "crypt")
    mine = pairs.X25519PrivateKey.generate()
    public: bytes = mine.public_key().public_bytes_raw()
    shared = mine.exchange(pairs.X25519PublicKey.from_public_bytes(box))
    nonce = os.urandom(NONCE_BYTES)
    body: bytes = _cipher(shared, public, box).encrypt(nonce, json.dumps(content).encode(), place.encode())
    return FORMAT + public + nonce + body


def is_letter(sealed: bytes) -> bool:
    """Whether it was written without the key."""
    return sealed[:1] == FORMAT


def read_letter(key: Key, letter: bytes, place: str) -> dict[str, Any]:
    """What was written for this place.

    Raises
    ------
    InputError
        Where it was written for another place or registry, or was changed since.
    """
    pairs = load_extra("cryptography.hazmat.primitives.asymmetric.x25519", "crypt")
    invalid = load_extra("cryptography.exceptions", "crypt").InvalidTag
    public, rest = letter[1 : 1 + PUBLIC_BYTES], letter[1 + PUBLIC_BYTES :]
    try:
        shared = _pair(key).exchange(pairs.X25519PublicKey.from_public_bytes(public))
        cipher = _cipher(shared, public, letter_box(key))
        content: dict[str, Any] = json.loads(
            cipher.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], place.encode())
        )
    except (invalid, ValueError) as error:
        raise does_not_open(place) from error
    return content


def _pair(key: Key) -> Any:
    pairs = load_extra("cryptography.hazmat.primitives.asymmetric.x25519", "crypt")
    return pairs.X25519PrivateKey.from_private_bytes(key.derived(b"letters"))


def _cipher(shared: bytes, public: bytes, box: bytes) -> Any:
    secret = hmac.digest(shared, b"thecal.registry/1/letter" + public + box, "sha256")
    return load_extra("cryptography.hazmat.primitives.ciphers.aead", "crypt").AESGCM(secret)
