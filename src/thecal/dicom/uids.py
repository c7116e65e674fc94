"""Identifiers that follow from what they identify, so that the same input gives the same bytes."""

from __future__ import annotations

import uuid
from typing import Final

_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_DNS, "thecal.report")


def uid_from(*parts: str) -> str:
    """A DICOM UID under 2.25 (PS3.5 annex B.2) from a name-based UUID of the parts."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, chr(0).join(parts)).int}"
