"""How the C-arm stands: as the source states it, as the user says, or as is assumed and said to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from thecal.errors import InputError
from thecal.fluoro.projection.c_arm import AP_DEGREES, LATERAL_DEGREES, CArm
from thecal.fluoro.projection.view import View
from thecal.fluoro.sources.arrival import SourceGeometry
from thecal.fluoro.stream.options import WatchOptions
from thecal.fluoro.target import Target

USUAL: Final = CArm()
DETECTOR_MM: Final = USUAL.pitch_mm * USUAL.shape[1]
"""Width of the detector where no pixel pitch is known."""


@dataclass(frozen=True, eq=False)
class Standing:
    """The view, and in words what of it was assumed."""

    view: View
    assumed: tuple[str, ...]


def standing(
    target: Target, options: WatchOptions, geometry: SourceGeometry | None, shape: tuple[int, int]
) -> Standing:
    """The C-arm of a watch, with the body's middle in its isocentre.

    Parameters
    ----------
    target : Target
    options : WatchOptions
    geometry : SourceGeometry or None
        What the source states goes before what the options say.
    shape : (int, int)
        Rows and columns of the first picture.

    Raises
    ------
    InputError
        Where nobody says how the C-arm stands, or a distance is impossible.
    """
    said = geometry or SourceGeometry(None, None, None, None, None, shape)
    assumed: list[str] = []

    def known(stated: float | None, option: float | None, usual: float, words: str) -> float:
        for value in (stated, option):
            if value is not None:
                return value
        assumed.append(f"{words} {usual:g} mm")
        return usual

    sid = known(said.sid_mm, options.sid_mm, USUAL.sid_mm, "source to detector")
    sod = known(said.sod_mm, options.sod_mm, 0.62 * sid, "source to patient")
    pitch = known(said.pitch_mm, options.pitch_mm, round(DETECTOR_MM / shape[1], 4), "pixel pitch")
    if not (0.0 < sod < sid < 5000.0 and 0.0 < pitch < 10.0):
        raise InputError("The C-arm's distances are impossible: 0 < source to patient < source to detector")
    if said.primary_deg is not None:
        degrees = (said.primary_deg, said.secondary_deg or 0.0)
    elif options.view is not None:
        degrees = LATERAL_DEGREES if options.view == "lateral" else AP_DEGREES
        assumed.append(f"an exactly {'lateral' if options.view == 'lateral' else 'antero-posterior'} view")
    else:
        raise InputError(
            "The source does not state how the C-arm stands: --view lateral or --view ap says it"
        )
    middle = target.frame.to_lps((0.0, 0.5 * target.depth_mm, 0.0))
    return Standing(CArm(sid, sod, pitch, shape).view(middle, *degrees), tuple(assumed))
