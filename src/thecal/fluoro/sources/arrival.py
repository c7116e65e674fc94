"""What a source hands on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from thecal.fluoro.frame import Frame


@dataclass(frozen=True)
class SourceLost:
    """The source has no pictures any more, for now; it is tried again."""

    text: str


@dataclass(frozen=True)
class Unreadable:
    """Something came that is no picture."""

    text: str


Arrival = Frame | SourceLost | Unreadable


@dataclass(frozen=True)
class SourceGeometry:
    """The C-arm as the source states it; None where it does not.

    Attributes
    ----------
    sid_mm, sod_mm : float or None
        Distance Source to Detector, and to Patient.
    pitch_mm : float or None
        Imager Pixel Spacing.
    primary_deg, secondary_deg : float or None
        Positioner angles.
    shape : (int, int)
        Rows and columns of a picture.
    mirrored : bool
        Whether the source says that its pictures were mirrored left to right.
    """

    sid_mm: float | None
    sod_mm: float | None
    pitch_mm: float | None
    primary_deg: float | None
    secondary_deg: float | None
    shape: tuple[int, int]
    mirrored: bool = False


class Source(Protocol):
    """Pictures, one after the other.

    Attributes
    ----------
    name : str
        What kind it is: names of files may be patients', and this is kept.
    live : bool
        Whether pictures come at their own pace and are overtaken by newer ones.
    geometry : SourceGeometry or None
    states_times : bool
        Whether it says when its pictures were taken; where it does not, a rate is assumed, or given.
    """

    name: str
    live: bool
    geometry: SourceGeometry | None
    states_times: bool

    def arrivals(self) -> Iterator[Arrival]:
        """What comes, in order; ends where nothing can come any more."""
        ...

    def stop(self) -> None:
        """End ``arrivals`` soon, from another thread."""
        ...
