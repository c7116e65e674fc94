"""What the profile wants done with each element: PS3.15 table E.1-1, as dicom-anonymizer keeps it.

Only its table is used. Its own engine leaves nested items untouched and draws new UIDs in each run, and
neither will do here.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Final

from thecal.dicom.network.extra import load

EDITION: Final = "2026c"


class Action(Enum):
    """What becomes of an element."""

    REMOVE = "removed"
    EMPTY = "emptied"
    DUMMY = "replaced by a value that says nothing"
    MAP = "its UIDs replaced, the same by the same"


# Codes of table E.1-1a. Where the profile leaves a choice by the type of the element, the middle one is
# taken, which suits every type: emptied for X/Z, a dummy for X/D, Z/D and X/Z/D.
_ACTIONS: Final[Mapping[str, Action]] = {
    "X_TAGS": Action.REMOVE,
    "Z_TAGS": Action.EMPTY,
    "X_Z_TAGS": Action.EMPTY,
    "D_TAGS": Action.DUMMY,
    "Z_D_TAGS": Action.DUMMY,
    "X_D_TAGS": Action.DUMMY,
    "X_Z_D_TAGS": Action.DUMMY,
    "U_TAGS": Action.MAP,
    "X_Z_U_STAR_TAGS": Action.MAP,
}


@cache
def table() -> Mapping[int, Action]:
    """Tag to action. Of repeating groups the table names parts only; they are removed as a whole elsewhere.

    Raises
    ------
    InputError
        Where the library is not installed.
    """
    selector = load("dicomanonymizer.dicomfields_selector")
    kept = selector.dicom_anonymization_database_selector(f"dicomfields_{EDITION}")
    return {
        tag[0] << 16 | tag[1]: action
        for name, action in _ACTIONS.items()
        for tag in kept[name]
        if len(tag) == 2
    }
