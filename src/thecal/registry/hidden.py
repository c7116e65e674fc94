"""What of a case may tell who she is though it is no name: free text, and the images' UIDs.

A note may hold a name or a date. A UID leads back to the images in an archive, and scanners write the day of
the scan into it. Where a registry has a key both are taken out of a case before it is stored, and encrypted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from thecal.errors import InputError
from thecal.registry.case import Case, Part

FREE_TEXT: Final = ("notes", "description", "monitoring_events")
"""What somebody wrote in his own words."""
UIDS: Final = ("study_uid", "series_uid")
HIDDEN: Final[dict[str, tuple[str, ...]]] = {
    "procedures": ("notes",),
    "imaging": UIDS,
    "deficit": ("description",),
    "revisions": ("monitoring_events", "notes"),
    "events": ("notes",),
}
"""The fields, by part of a case."""

Texts = dict[str, str]
"""What was taken out, by its place: ``procedures.0.notes``, ``deficit.description``."""


def taken_out(case: Case) -> tuple[Case, Texts]:
    """The case without what is hidden, and what that was."""
    texts: Texts = {}
    bare: dict[str, Any] = {}
    for field, names in HIDDEN.items():
        value = case.__dict__[field]
        if not value:
            continue
        parts = list(value) if isinstance(value, tuple) else [value]
        for index, part in enumerate(parts):
            held = {name: text for name in names if (text := part.__dict__[name]) is not None}
            if held:
                place = f"{field}.{index}" if isinstance(value, tuple) else field
                texts.update({f"{place}.{name}": text for name, text in held.items()})
                parts[index] = part.model_copy(update=dict.fromkeys(held))
                bare[field] = tuple(parts) if isinstance(value, tuple) else parts[0]
    return (case.model_copy(update=bare), texts) if texts else (case, texts)


def put_back(case: Case, texts: Mapping[str, str]) -> Case:
    """The case with what was taken out of it.

    Raises
    ------
    InputError
        Where a part that it belongs to is not there.
    """
    if not texts:
        return case
    whole: dict[str, Any] = {}
    try:
        for place, text in texts.items():
            field, *index, name = place.split(".")
            value = whole.get(field, case.__dict__[field])
            if index:
                parts: list[Part] = list(value)
                parts[int(index[0])] = parts[int(index[0])].model_copy(update={name: text})
                whole[field] = tuple(parts)
            else:
                whole[field] = value.model_copy(update={name: text})
    except (LookupError, ValueError, AttributeError) as error:
        raise InputError(
            f"Case {case.patient.pseudonym} of the registry cannot be read: thecal registry check says more"
        ) from error
    return case.model_copy(update=whole)
