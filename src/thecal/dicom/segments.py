"""What a DICOM Segmentation is asked to hold: its segments, and what drew them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from thecal.dicom.codes import Code

# One bit a pixel is read by every viewer; label maps (2024) are smaller, and not.
SegForm = Literal["binary", "labelmap"]


@dataclass(frozen=True)
class Algorithm:
    """What drew a segment; not ``automatic`` where a person may have had a hand in it."""

    name: str
    version: str
    family: Code
    automatic: bool = True


@dataclass(frozen=True)
class Segment:
    """One segment: what it is, and which values of which map it takes.

    Attributes
    ----------
    tracking_id : str
        By which the structured report refers to it.
    label : str
        For people, at most 64 characters.
    category, kind : Code
    region, structure : Code or None
        Where it lies.
    colour : str or None
        "#rrggbb".
    algorithm : Algorithm
    layer : int
        Index into ``PlaneMaps.maps``.
    values : tuple of int
    """

    tracking_id: str
    label: str
    category: Code
    kind: Code
    region: Code | None
    structure: Code | None
    colour: str | None
    algorithm: Algorithm
    layer: int
    values: tuple[int, ...]
