"""Where the C-arm stood, from the attributes of a DICOM XA or RF object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isclose
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from thecal.errors import InputError
from thecal.fluoro.projection.c_arm import CArm
from thecal.fluoro.projection.view import View

NAMES: Final = {
    "DistanceSourceToDetector": "the distance from source to detector",
    "DistanceSourceToPatient": "the distance from source to patient",
    "ImagerPixelSpacing": "the pixel spacing at the detector",
    "PositionerPrimaryAngle": "the LAO/RAO angle",
    "PositionerSecondaryAngle": "the CRAN/CAUD angle",
}


@dataclass(frozen=True)
class XaGeometry:
    """A C-arm and its angulation in each frame.

    Attributes
    ----------
    c_arm : CArm
    angles : tuple of (float, float)
        Primary and secondary angle of each frame, degrees, as ``CArm.view`` takes them. DICOM counts them
        from the patient, not from the table: one who lies prone under a detector above is at 180 degrees.
    patient_position : str
        Patient Position (0018,5100), such as "HFP"; empty where it is not stated.
    missing : str
        One sentence on what the object does not state and was taken as usual; empty where all is stated.
    flipped : bool
        Whether Field of View Horizontal Flip (0018,7034) says that the picture was mirrored.
    """

    c_arm: CArm
    angles: tuple[tuple[float, float], ...]
    patient_position: str = ""
    missing: str = ""
    flipped: bool = False

    def view(self, isocentre: npt.ArrayLike, frame: int = 0) -> View:
        """The view of a frame; where the isocentre lies in the patient (LPS mm) no XA object says."""
        return self.c_arm.view(isocentre, *self.angles[frame])


def xa_geometry(header: Any, usual: CArm | None = None) -> XaGeometry:
    """Read the geometry.

    Parameters
    ----------
    header : pydicom.dataset.Dataset
        Of an X-Ray Angiographic or Radiofluoroscopic Image; an enhanced one by way of `as_classic`.
    usual : CArm, optional
        Gives what is not stated, with an antero-posterior view where the angles are not; ``missing`` then
        says so. Without it that is an error.

    Raises
    ------
    InputError
        Where something is missing and ``usual`` is not given, or makes no sense.
    """
    absent = [words for name, words in NAMES.items() if _empty(header, name)]
    lacks = f"the picture does not state {_listed(absent)}" if absent else ""
    if absent and usual is None:
        raise InputError(f"The C-arm's place cannot be worked out: {lacks}.")
    arm = usual or CArm()
    sid = _number(header, "DistanceSourceToDetector", arm.sid_mm)
    sod = _number(header, "DistanceSourceToPatient", arm.sod_mm)
    # A usual distance beside an unusual one that is stated: their ratio is usual.
    if not 0 < sod < sid and _empty(header, "DistanceSourceToPatient"):
        sod = sid * arm.sod_mm / arm.sid_mm
    elif not 0 < sod < sid and _empty(header, "DistanceSourceToDetector"):
        sid = sod * arm.sid_mm / arm.sod_mm
    pitch = arm.pitch_mm
    if not _empty(header, "ImagerPixelSpacing"):
        spacing = [float(v) for v in np.atleast_1d(np.array(header.ImagerPixelSpacing, float))]
        if len(spacing) > 2:
            raise InputError(f"The picture states {len(spacing)} pixel spacings at the detector, not two.")
        tall, wide = spacing[0], spacing[-1]
        if not isclose(tall, wide, rel_tol=1e-3):
            raise InputError(f"The picture's pixels are not square: {tall:g} by {wide:g} mm.")
        pitch = wide
    if not 0 < sod < sid or pitch <= 0:
        raise InputError(
            f"The picture states a C-arm that cannot be: {sid:g} mm from source to detector, {sod:g} mm to "
            f"the patient, pixels of {pitch:g} mm."
        )
    frames = int(header.get("NumberOfFrames") or 1)
    primary = _per_frame(header, "PositionerPrimaryAngle", frames)
    secondary = _per_frame(header, "PositionerSecondaryAngle", frames)
    rotation = _number(header, "FieldOfViewRotation", 0.0) % 360.0
    if rotation:
        raise InputError(
            f"The picture was turned by {rotation:g} degrees against the detector (Field of View Rotation), "
            "which thecal does not undo."
        )
    return XaGeometry(
        CArm(sid, sod, pitch, (int(header.Rows), int(header.Columns))),
        tuple(zip(primary, secondary, strict=True)),
        str(header.get("PatientPosition") or ""),
        f"{lacks[0].upper()}{lacks[1:]}; a usual C-arm's was taken." if lacks else "",
        str(header.get("FieldOfViewHorizontalFlip") or "NO").upper() == "YES",
    )


def state_geometry(header: Any, c_arm: CArm, angles: Sequence[tuple[float, float]]) -> None:
    """Write the same attributes: ``angles`` for every frame, or one that holds for all.

    Offsets from the first frame's angle stand in Positioner Primary and Secondary Angle Increment where the
    C-arm turns (PS3.3 C.8.7.5.1.3).
    """
    header.DistanceSourceToDetector = _decimal(c_arm.sid_mm)
    header.DistanceSourceToPatient = _decimal(c_arm.sod_mm)
    header.EstimatedRadiographicMagnificationFactor = _decimal(c_arm.sid_mm / c_arm.sod_mm)
    header.ImagerPixelSpacing = [_decimal(c_arm.pitch_mm)] * 2
    header.Rows, header.Columns = c_arm.shape
    turned = np.array(angles, float)
    header.PositionerPrimaryAngle, header.PositionerSecondaryAngle = (_decimal(a) for a in turned[0])
    moving = bool((turned != turned[0]).any())
    header.PositionerMotion = "DYNAMIC" if moving else "STATIC"
    if moving:
        header.PositionerPrimaryAngleIncrement = [_decimal(a) for a in turned[:, 0] - turned[0, 0]]
        header.PositionerSecondaryAngleIncrement = [_decimal(a) for a in turned[:, 1] - turned[0, 1]]


def _per_frame(header: Any, name: str, frames: int) -> list[float]:
    """An angle in each frame: one increment is that from frame to frame, many are offsets from the first."""
    first = _number(header, name, 0.0)
    if _empty(header, f"{name}Increment"):
        return [first] * frames
    stated = np.atleast_1d(np.array(header.get(f"{name}Increment"), float))
    if len(stated) == 1:
        return [float(first + n * stated[0]) for n in range(frames)]
    if len(stated) != frames:
        raise InputError(
            f"The picture states {NAMES[name]} for {len(stated)} frames, but holds {frames} frames."
        )
    return [float(first + offset) for offset in stated]


def states(header: Any, name: str) -> bool:
    """Whether an object states an attribute and gives it a value."""
    return not _empty(header, name)


def _empty(header: Any, name: str) -> bool:
    value = header.get(name)
    return value is None or value == "" or (not isinstance(value, str | float | int) and len(value) == 0)


def _number(header: Any, name: str, otherwise: float) -> float:
    return otherwise if _empty(header, name) else float(header.get(name))


def _decimal(value: float) -> float:
    """A number that fits the 16 characters of a Decimal String."""
    return round(float(value), 6)


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
