"""What an archive means by the status of a C-STORE (PS3.4 annex B.2.3, PS3.7 annex C)."""

from __future__ import annotations

from typing import Final

SUCCESS: Final = 0x0000
# Of the class of warnings, PS3.7 table C-1: stored, with something coerced, left out or noted.
WARNINGS: Final = frozenset({0x0001, 0x0107, 0x0116})
DUPLICATE: Final = 0x0111
_EXACT: Final = {
    0x0122: "it does not take objects of this class",
    0x0124: "it does not allow this",
    0x0110: "it had a fault of its own",
    0x0211: "it does not know this operation",
}


def is_stored(status: int) -> bool:
    """Whether an object with this status is in the archive.

    One that is refused as a duplicate is there as well: the same UID means the same object.
    """
    return status in (SUCCESS, DUPLICATE) or status in WARNINGS or status & 0xF000 == 0xB000


def meaning_of(status: int) -> str:
    """A status as a clause."""
    meaning = _EXACT.get(status)
    if meaning is None:
        if status & 0xFF00 == 0xA700:
            meaning = "it has no room"
        elif status & 0xFF00 == 0xA900:
            meaning = "the object is not of the class that it says"
        elif status & 0xF000 == 0xC000:
            meaning = "it cannot understand the object"
        else:
            meaning = "it gives no reason"
    return f"{meaning} (status {status:04X})"
