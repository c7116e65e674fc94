"""The C-arm and the clock of an Enhanced XA or XRF object, as the classic objects state them.

In the enhanced forms each frame has functional groups of its own, or shares them with the others (PS3.3
A.47 and A.48, C.8.19.6).
"""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from thecal.errors import InputError

ENHANCED: Final = ("1.2.840.10008.5.1.4.1.1.12.1.1", "1.2.840.10008.5.1.4.1.1.12.2.1")
"""Enhanced XA and Enhanced XRF Image Storage."""
ONCE: Final = {
    "DistanceSourceToDetector": ("XRayGeometrySequence", "DistanceSourceToDetector"),
    "DistanceSourceToPatient": ("XRayGeometrySequence", "DistanceSourceToIsocenter"),
    "ImagerPixelSpacing": ("FramePixelDataPropertiesSequence", "ImagerPixelSpacing"),
    "FieldOfViewRotation": ("FieldOfViewSequence", "FieldOfViewRotation"),
    "FieldOfViewHorizontalFlip": ("FieldOfViewSequence", "FieldOfViewHorizontalFlip"),
    "PixelIntensityRelationshipSign": ("FramePixelDataPropertiesSequence", "PixelIntensityRelationshipSign"),
}
"""What the classic forms state once: the sequence and the attribute in it. Their Distance Source to Patient
is that to the isocentre (PS3.3 C.8.7.5)."""
DIGITS: Final = 6
"""Behind the point: so a Decimal String holds degrees and ms in its 16 characters."""
ANGLES: Final = ("PositionerPrimaryAngle", "PositionerSecondaryAngle")
CHANGES: Final = "The C-arm, its pixels or their meaning change during this run; they must stay"


def as_classic(header: Any) -> Any:
    """A header whose C-arm and times stand where the classic XA and RF objects have them.

    Parameters
    ----------
    header : pydicom.dataset.Dataset
        Any other object than an enhanced one is given back as it is.

    Raises
    ------
    InputError
        Where what a classic object states once differs between frames.
    """
    if str(header.get("SOPClassUID", "")) not in ENHANCED:
        return header
    from pydicom.dataset import Dataset

    shared = _first(header, "SharedFunctionalGroupsSequence")
    frames = list(header.get("PerFrameFunctionalGroupsSequence") or [])
    count = int(header.get("NumberOfFrames") or 1)
    if len(frames) not in (0, count):
        raise InputError(f"The picture describes {len(frames)} frames, but holds {count}.")
    stated = Dataset()
    stated.update(header)
    stated.file_meta = header.file_meta
    for name, (sequence, attribute) in ONCE.items():
        values = _of_frames(shared, frames, sequence, attribute)
        if values and any(value != values[0] for value in values):
            raise InputError(CHANGES)
        if values:
            setattr(stated, name, values[0])
    for name in ANGLES:
        angles = [float(v) for v in _of_frames(shared, frames, "PositionerPositionSequence", name)]
        if angles:
            setattr(stated, name, angles[0])
        if len(angles) > 1:
            setattr(stated, f"{name}Increment", [round(angle - angles[0], DIGITS) for angle in angles])
    times = _times_ms(frames)
    if times:
        steps = (b - a for a, b in pairwise(times))
        stated.FrameTimeVector = [0.0, *(round(step, DIGITS) for step in steps)]
    elif count > 1 and float(header.get("AcquisitionDuration") or 0.0) > 0:
        stated.FrameTime = round(float(header.AcquisitionDuration) / count, DIGITS)
    return stated


def _of_frames(shared: Any, frames: list[Any], sequence: str, attribute: str) -> list[Any]:
    """The values of an attribute: one that all frames share, else one of each frame; empty where unstated."""
    held = _first(shared, sequence)
    if held is not None and held.get(attribute) not in (None, ""):
        return [held.get(attribute)]
    own = [_first(frame, sequence) for frame in frames]
    values = [None if one is None else one.get(attribute) for one in own]
    return values if values and all(value not in (None, "") for value in values) else []


def _times_ms(frames: list[Any]) -> list[float]:
    """When each frame was taken, ms after the first; empty where one does not say or they do not ascend."""
    from pydicom.valuerep import DT

    for name in ("FrameReferenceDateTime", "FrameAcquisitionDateTime"):
        held = [_first(frame, "FrameContentSequence") for frame in frames]
        written = [one.get(name) for one in held if one is not None]
        if len(written) != len(frames) or not all(written):
            continue
        try:
            moments: list[datetime] = [DT(str(one)) for one in written]
            after = [1000.0 * (moment - moments[0]).total_seconds() for moment in moments]
        except (TypeError, ValueError):
            continue
        if len(after) > 1 and all(b > a for a, b in pairwise(after)):
            return after
    return []


def _first(held: Any, sequence: str) -> Any:
    """The only item of a sequence; None where there is none."""
    items = None if held is None else held.get(sequence)
    return items[0] if items else None
