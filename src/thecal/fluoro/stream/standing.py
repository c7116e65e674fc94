"""How the C-arm stands: as the source states it, as the user says, or as is assumed and said to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from thecal.errors import InputError
from thecal.fluoro.projection.c_arm import AP_DEGREES, LATERAL_DEGREES, PRONE_AP_DEGREES, CArm
from thecal.fluoro.projection.view import View
from thecal.fluoro.sources.arrival import SourceGeometry
from thecal.fluoro.stream.options import WatchOptions
from thecal.fluoro.target import Target
from thecal.volume import FloatArray

USUAL: Final = CArm()
DETECTOR_MM: Final = USUAL.pitch_mm * USUAL.shape[1]
"""Width of the detector where no pixel pitch is known: of pictures with black bars, their smaller side."""


OF_THAT_VIEW_DEG: Final = 45.0
"""Stated angles that are so near a lateral or antero-posterior view are taken for one."""


@dataclass(frozen=True, eq=False)
class Standing:
    """The view, in words what of it was assumed, and what of the source an option overruled."""

    view: View
    assumed: tuple[str, ...]
    overruled: tuple[str, ...] = ()

    @property
    def size_assumed(self) -> tuple[str, ...]:
        """Of what was assumed, the lengths: the size of things on the picture rests on them."""
        return tuple(words for words in self.assumed if words.endswith(" mm"))


def standing(
    target: Target, options: WatchOptions, geometry: SourceGeometry | None, shape: tuple[int, int]
) -> Standing:
    """The C-arm of a watch, with the body's middle in its isocentre or where the options say it is seen.

    Parameters
    ----------
    target : Target
    options : WatchOptions
        Go before what the source states, since some C-arms state angles that nobody measured.
    geometry : SourceGeometry or None
    shape : (int, int)
        Rows and columns of the first picture.

    Returns
    -------
    Standing
        Of pictures that are not mirrored: those that are must be turned over first.

    Raises
    ------
    InputError
        Where nobody says how the C-arm stands or whether a picture is mirrored, where a distance, an angle
        or a place is impossible, or an option would do nothing.
    """
    if options.supine and options.view != "ap":
        raise InputError("--supine goes with --view ap: it says from which side that view is taken")
    said = geometry or SourceGeometry(None, None, None, None, None, shape)
    assumed: list[str] = []
    overruled: list[str] = []

    def known(stated: float | None, option: float | None, usual: float, words: str) -> float:
        if option is not None:
            if stated is not None and abs(stated - option) > 1e-6 * abs(stated):
                overruled.append(f"{words} {option:g} mm (stated: {stated:g} mm)")
            return option
        if stated is not None:
            return stated
        assumed.append(f"{words} {usual:g} mm")
        return usual

    sid = known(said.sid_mm, options.sid_mm, USUAL.sid_mm, "source to detector")
    sod = known(said.sod_mm, options.sod_mm, 0.62 * sid, "source to patient")
    pitch = known(said.pitch_mm, options.pitch_mm, round(DETECTOR_MM / min(shape), 4), "pixel pitch")
    if not (0.0 < sod < sid < 5000.0 and 0.0 < pitch < 10.0):
        raise InputError("The C-arm's distances are impossible: 0 < source to patient < source to detector")
    if said.mirrored and options.flip is None:
        raise InputError(
            "The file says that its pictures were flipped (Field of View Horizontal Flip): --flip where they "
            "are mirrored left to right, --no-flip where they are not"
        )
    degrees = _degrees(options, said, assumed, overruled)
    middle = target.frame.to_lps((0.0, 0.5 * target.depth_mm, 0.0))
    arm = CArm(sid, sod, pitch, shape)
    return Standing(_placed(arm, middle, degrees, options), tuple(assumed), tuple(overruled))


def _degrees(
    options: WatchOptions, said: SourceGeometry, assumed: list[str], overruled: list[str]
) -> tuple[float, float]:
    """Primary and secondary angle; adds to what was assumed and overruled."""
    stated = None if said.primary_deg is None else (said.primary_deg, said.secondary_deg or 0.0)
    if options.primary_deg is not None or options.secondary_deg is not None:
        base = stated or _of_view(options.view or "ap", options.supine)
        if options.primary_deg is None and stated is None and options.view is None:
            raise InputError("--secondary needs --primary, or --view, where the source states no angle")
        primary = base[0] if options.primary_deg is None else options.primary_deg
        secondary = base[1] if options.secondary_deg is None else options.secondary_deg
        if not (abs(primary) <= 180.0 and abs(secondary) <= 90.0):
            raise InputError("--primary lies between -180 and 180 degrees, --secondary between -90 and 90")
        degrees = (primary, secondary)
    elif options.view is not None and (
        stated is None or _unmeasured(stated, options) or not _is_of_view(stated, options.view)
    ):
        degrees = _of_view(options.view, options.supine)
        if stated is None:
            kind = "lateral" if options.view == "lateral" else "antero-posterior"
            assumed.append(f"an exactly {kind} view")
        if options.view == "ap" and not options.supine:
            assumed.append("a patient who lies prone (--supine says otherwise)")
    elif stated is not None:
        degrees = stated
    else:
        raise InputError(
            "The source does not state how the C-arm stands: --view lateral or --view ap says it"
        )
    if stated is not None and degrees != stated:
        overruled.append(
            f"angles {degrees[0]:g} and {degrees[1]:g} degrees (stated: {stated[0]:g} and {stated[1]:g})"
        )
    return degrees


def _of_view(view: str, supine: bool) -> tuple[float, float]:
    if view == "lateral":
        return LATERAL_DEGREES
    return AP_DEGREES if supine else PRONE_AP_DEGREES


def _unmeasured(stated: tuple[float, float], options: WatchOptions) -> bool:
    """Whether stated zeros are those of a C-arm that measures no angle, of a patient who lies prone."""
    return options.view == "ap" and not options.supine and stated == (0.0, 0.0)


def _is_of_view(degrees: tuple[float, float], view: str) -> bool:
    """Whether stated angles are of that view, from either side."""
    sideways = abs(np.sin(np.radians(degrees[0]))) * np.cos(np.radians(degrees[1]))
    least = np.cos(np.radians(OF_THAT_VIEW_DEG))
    return bool(sideways >= least if view == "lateral" else abs(sideways) <= least)


def _placed(arm: CArm, middle: FloatArray, degrees: tuple[float, float], options: WatchOptions) -> View:
    """The view in which the body's middle is drawn where it is seen."""
    view = arm.view(middle, *degrees)
    clicked = clicked_places(options, arm.shape)
    if not clicked:
        return view
    rows, columns = arm.shape
    row, column = np.mean(clicked, axis=0)
    off = (column - (columns - 1) / 2) * view.along_row + (row - (rows - 1) / 2) * view.along_column
    # The middle stays in the isocentre's plane, so that this is exact.
    return arm.view(middle - off * arm.sod_mm / arm.sid_mm, *degrees)


def clicked_places(options: WatchOptions, shape: tuple[int, int]) -> list[tuple[float, float]]:
    """Rows and columns of what the user sees, on pictures that are not mirrored.

    The middle of the body alone (``at``), or of its posterior and anterior wall (``walls``), or nothing.

    Raises
    ------
    InputError
        Where a place lies outside the picture.
    """
    if options.walls is not None:
        name, places = "--walls", [options.walls[:2], options.walls[2:]]
    else:
        name, places = "--at", [] if options.at is None else [options.at]
    rows, columns = shape
    for row, column in places:
        if not (0.0 <= row <= rows - 1 and 0.0 <= column <= columns - 1):
            raise InputError(
                f"{name} {row:g},{column:g} lies outside the picture of {rows} x {columns} pixels"
            )
    return [(row, columns - 1 - column if options.flip else column) for row, column in places]
