"""The series of a folder or zip, sorted into stacks, and which of them to take."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from thecal.dicom.headers import Frame, Header
from thecal.dicom.layout import SAME_PLACE_MM, same_place_runs
from thecal.dicom.members import Member
from thecal.dicom.phases import one_phase_stacks
from thecal.dicom.read_header import read_header
from thecal.errors import InputError

FEWEST_SLICES = 3
# Below this a stack holds no whole vertebra (thoracic bodies are about 20 mm high).
USEFUL_COVERAGE_MM = 30.0
# Series that a message names.
MOST_NAMED = 8
LOCALIZER_WORDS = {"LOCALIZER", "SCOUT", "TOPOGRAM"}
PROJECTION_WORDS = {"MIP", "MINIP", "MAX_IP", "MIN_IP", "PROJECTION IMAGE", "VRT", "VOLUME_RENDER"}
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
HU_TYPES = {"", "HU", "US", "HU_MOD"}


@dataclass(frozen=True)
class Series:
    """What ``thecal info`` says of one series, or of one part of it.

    Attributes
    ----------
    uid : str
        What ``--series`` takes: the series' UID, a stand-in where the files have none, and ``#2`` after it
        for the second part of a series that holds several (phases, stacks).
    number : int or None
    description, modality, plane, kernel : str
        ``plane`` is "axial", "sagittal", "coronal", or "" where there is none.
    images : int
    shape : (3,) ints or None
        Columns, rows, slices.
    spacing_mm : (3,) floats or None
        Between columns, rows and slices.
    slice_thickness_mm, kvp : float or None
    coverage_mm : (2,) floats or None
        From and to along the patient axis nearest to the stack's normal.
    usable : bool
    reason : str
        Why it cannot be used, empty where it can.
    chosen : bool
        Whether ``thecal assess`` would take it without ``--series``.
    """

    uid: str
    number: int | None
    description: str
    modality: str
    images: int
    plane: str = ""
    shape: tuple[int, int, int] | None = None
    spacing_mm: tuple[float, float, float] | None = None
    slice_thickness_mm: float | None = None
    kernel: str = ""
    kvp: float | None = None
    coverage_mm: tuple[float, float] | None = None
    usable: bool = False
    reason: str = ""
    chosen: bool = False


@dataclass(frozen=True, eq=False)
class Stack:
    """Parallel slices of one series: a candidate volume, or a series that is none.

    ``unplaced`` counts the images of the series that say no position or are in colour, and are in no stack.
    """

    summary: Series
    frames: tuple[Frame, ...]
    unplaced: int = 0

    @property
    def resolution_mm(self) -> float:
        """The coarser of slice spacing and slice thickness."""
        spacing = self.summary.spacing_mm[2] if self.summary.spacing_mm else np.inf
        return max(spacing, self.summary.slice_thickness_mm or 0.0)

    @property
    def length_mm(self) -> float:
        """Coverage along the normal."""
        span = self.summary.coverage_mm
        return span[1] - span[0] if span else 0.0

    @property
    def name(self) -> str:
        """How a message names the series."""
        return f"series {self.summary.uid}"


@dataclass(frozen=True, eq=False)
class Found:
    """All series of an input, and the files that begin as DICOM but cannot be read."""

    stacks: tuple[Stack, ...]
    damaged: tuple[str, ...]


def find_series(members: Sequence[Member], progress: Callable[[int, int], None] | None = None) -> Found:
    """Every series among the files, in a fixed order."""
    by_series: dict[tuple[str, ...], list[tuple[Header, list[Frame]]]] = defaultdict(list)
    damaged = []
    for done, member in enumerate(members, start=1):
        try:
            read = read_header(member)
        except EOFError:
            damaged.append(member.name)
            continue
        finally:
            if progress is not None:
                progress(done, len(members))
        if read is not None and _is_image(read[0]):
            by_series[_key(read[0])].append(read)
    stacks: list[Stack] = []
    unnamed = 0
    for key in sorted(by_series):
        uid = by_series[key][0][0].series_uid
        if not uid:
            unnamed += 1
            uid = f"without-uid-{unnamed}"
        stacks += _stacks(uid, by_series[key])
    return Found(tuple(stacks), tuple(damaged))


def choose(stacks: Sequence[Stack], bone: Callable[[Stack], bool]) -> tuple[Stack, str]:
    """The thinnest axial stack that shows bone, and why it is that one.

    Parameters
    ----------
    stacks : sequence of Stack
        Usable ones, at least one.
    bone : callable
        Whether a stack shows bone; asked only as far as needed.
    """
    long = [stack for stack in stacks if stack.length_mm >= USEFUL_COVERAGE_MM] or list(stacks)
    axial = [stack for stack in long if stack.summary.plane == "axial"]
    ranked = sorted(
        axial or long,
        key=lambda s: (round(s.resolution_mm, 1), -round(s.length_mm), _sharpness(s), s.summary.uid),
    )
    which = "the thinnest axial one" if axial else "the thinnest one (none is axial)"
    if len(ranked) == 1:
        return ranked[0], which
    for stack in ranked:
        if bone(stack):
            return stack, f"{which} that shows bone"
    return ranked[0], f"{which}; none shows bone"


def _sharpness(stack: Stack) -> int:
    """0 for a soft kernel, 1 for a sharp one: bone kernels overshoot at cement's edges."""
    kernel = stack.summary.kernel.upper()
    digits = "".join(c for c in kernel if c.isdigit())[:2]
    if "BONE" in kernel or "EDGE" in kernel or "LUNG" in kernel or "SHARP" in kernel:
        return 1
    return int(kernel[:1] in {"B", "H", "I", "Q"} and len(digits) == 2 and int(digits) >= 55)


def _is_image(header: Header) -> bool:
    """Reports, dose records, presentation states and the like have no rows."""
    return header.rows > 0 and header.columns > 0


def _key(header: Header) -> tuple[str, ...]:
    if header.series_uid:
        return (header.study_uid, header.series_uid)
    number = "" if header.series_number is None else f"{header.series_number:09d}"
    return (header.study_uid, "", number, header.modality, header.description, header.kernel or "")


def _stacks(uid: str, files: list[tuple[Header, list[Frame]]]) -> list[Stack]:
    headers = tuple(header for header, _ in files)
    first = headers[0]
    base = Series(uid, first.series_number, first.description, first.modality, len(headers))
    problem = _problem(headers, files)
    frames = tuple(frame for _, found in files for frame in found if not _is_scout(frame))
    if problem or not frames:
        return [Stack(replace(base, reason=problem or "localizer"), ())]
    unplaced = sum(not found or header.samples != 1 for header, found in files)
    parts = sorted(one_phase_stacks(frames), key=lambda part: -len(part))
    stacks = []
    for number, part in enumerate(parts, start=1):
        summary = _summary(replace(base, uid=uid if number == 1 else f"{uid}#{number}"), part)
        stacks.append(Stack(summary, part, unplaced))
    # One slice here and there beside a real stack is a scout or a reference image.
    large = [stack for stack in stacks if stack.summary.usable]
    return large or stacks[:1]


def _problem(headers: tuple[Header, ...], files: list[tuple[Header, list[Frame]]]) -> str:
    first = headers[0]
    if first.modality != "CT":
        return f"{first.modality or 'of no modality'}, not CT"
    if all(header.sop_class.startswith(SECONDARY_CAPTURE) for header in headers):
        return "secondary capture"
    if all(header.samples != 1 for header in headers):
        return "colour images"
    if not any(header.has_pixels for header in headers):
        return "no images in its files"
    if any(PROJECTION_WORDS & set(header.image_type) for header in headers):
        return "projection (MIP or rendering)"
    if first.rescale_type not in HU_TYPES:
        return f"values are {first.rescale_type}, not HU"
    if not any(found for _, found in files):
        return "no position in the patient"
    return ""


def _is_scout(frame: Frame) -> bool:
    header = frame.header
    return bool(
        (LOCALIZER_WORDS | PROJECTION_WORDS) & (set(frame.kind) | set(header.image_type))
        or header.samples != 1
        or header.sop_class.startswith(SECONDARY_CAPTURE)
    )


def _summary(base: Series, frames: tuple[Frame, ...]) -> Series:
    first = frames[0]
    at = np.array([frame.position @ first.normal for frame in frames])
    places = len(same_place_runs(np.sort(at)))
    steps = np.diff(np.sort(at))
    steps = steps[steps > 2 * SAME_PLACE_MM]
    axis = int(np.abs(first.normal).argmax())
    ends = sorted((float(frames[0].position[axis]), float(frames[-1].position[axis])))
    thickness = [frame.thickness_mm for frame in frames if frame.thickness_mm]
    reason = ""
    if places < FEWEST_SLICES:
        reason = "a single slice" if places == 1 else f"only {places} slices"
    return replace(
        base,
        images=len(frames),
        plane=("sagittal", "coronal", "axial")[axis],
        shape=(first.header.columns, first.header.rows, places),
        spacing_mm=(
            first.spacing_mm[1],
            first.spacing_mm[0],
            float(np.median(steps)) if len(steps) else first.thickness_mm or 0.0,
        ),
        slice_thickness_mm=float(np.median(thickness)) if thickness else None,
        kernel=first.header.kernel or "",
        kvp=first.header.kvp,
        coverage_mm=(round(ends[0], 2), round(ends[1], 2)),
        usable=not reason,
        reason=reason,
    )


def pick(stacks: Sequence[Stack], uid: str) -> Stack:
    """The stack that ``--series`` names.

    Raises
    ------
    InputError
        Where there is none, or it cannot be used.
    """
    named = [stack for stack in stacks if stack.summary.uid == uid]
    if not named:
        held = [_named(stack.summary) for stack in stacks[:MOST_NAMED]]
        more = " and others" if len(stacks) > MOST_NAMED else ""
        raise InputError(f"The input holds no series {uid}; it holds {', '.join(held)}{more}.")
    if not named[0].summary.usable:
        raise InputError(f"Series {uid} cannot be used: {named[0].summary.reason}.")
    return named[0]


def _named(series: Series) -> str:
    """A series by what --series takes, and why it cannot be used."""
    return f"{series.uid} ({series.reason})" if series.reason else series.uid
