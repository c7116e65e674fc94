"""A DICOM series to a volume: choose it, lay it out, decode it, turn it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from thecal.dicom.headers import Frame
from thecal.dicom.hounsfield import clipped_at, gaps_between_slices, judge, shows_bone, thick_slices
from thecal.dicom.layout import lay_out, place, same_place_runs
from thecal.dicom.members import members_of
from thecal.dicom.orient import nearest_axes, orientation_code, turned, turned_grid
from thecal.dicom.pixels import Progress, check_readable, check_whole, decode_frames
from thecal.dicom.series import Found, Series, Stack, choose, find_series, pick
from thecal.dicom.simulated import is_simulated
from thecal.dicom.straighten import straighten
from thecal.errors import InputError
from thecal.quality import QualityNote
from thecal.volume import Grid, Source, SourceImage, Volume

# Slices looked at to tell whether a series shows bone.
BONE_SAMPLE = 5


def read_dicom(path: Path, series: str | None, progress: Progress | None) -> Volume:
    """The chosen series of a DICOM folder, zip or file.

    Raises
    ------
    InputError
        Where no series can be used, or the chosen one is not whole.
    """
    with members_of(path) as members:
        found = find_series(members)
        _refuse_if_nothing(found, path)
        if series is None:
            stack, why = _choose(found, path)
        else:
            stack, why = pick(found.stacks, series), "the one asked for"
        volume = _read_stack(stack, progress)
    notes = _choice_notes(found, stack, why) + _damage_notes(found)
    return replace(volume, quality=notes + volume.quality)


def list_dicom(path: Path) -> list[Series]:
    """All series of a DICOM folder, zip or file, usable ones first.

    The one that would be taken is tried as far as that is quick: its layout, its files' length, the values of
    a few slices. Where it would be refused, none is ``chosen`` and its ``reason`` says why.
    """
    with members_of(path) as members:
        found = find_series(members)
        _refuse_if_nothing(found, path)
        usable = [stack for stack in found.stacks if stack.summary.usable]
        chosen = choose(usable, _has_bone)[0] if usable else None
        refused = _refusal(chosen) if chosen is not None else ""
    listed = [
        replace(stack.summary, chosen=not refused, usable=not refused, reason=refused)
        if stack is chosen
        else stack.summary
        for stack in found.stacks
    ]
    return sorted(listed, key=lambda s: (not s.chosen, not s.usable, s.number or 0, s.uid))


def _refuse_if_nothing(found: Found, path: Path) -> None:
    if found.stacks:
        return
    if found.damaged:
        raise InputError(f"{found.damaged[0]} is a DICOM file that is damaged or truncated.")
    raise InputError(f"{path.name} holds no DICOM images.")


def _choose(found: Found, path: Path) -> tuple[Stack, str]:
    usable = [stack for stack in found.stacks if stack.summary.usable]
    if not usable:
        counts: dict[str, int] = {}
        for stack in found.stacks:
            counts[stack.summary.reason] = counts.get(stack.summary.reason, 0) + 1
        seen = ", ".join(reason if n == 1 else f"{n} x {reason}" for reason, n in sorted(counts.items()))
        raise InputError(f"{path.name} holds no CT series that can be used ({seen}).")
    return choose(usable, _has_bone)


def _has_bone(stack: Stack) -> bool:
    """Whether a few slices of the stack show bone; False where they cannot be decoded."""
    frames = stack.frames
    at = np.unique(np.linspace(0, len(frames) - 1, BONE_SAMPLE + 2).astype(int)[1:-1])
    try:
        return shows_bone(decode_frames([frames[i] for i in at], stack.name).hu)
    except InputError:
        return False


def _refusal(stack: Stack) -> str:
    """Why the stack would be refused, in a few words; empty where nothing quick speaks against it."""
    frames = stack.frames
    try:
        for header in {frame.header for frame in frames}:
            check_whole(header, stack.name)
        at = np.array([frame.position @ frames[0].normal for frame in frames])
        each = tuple(frames[start] for start, _ in same_place_runs(at))
        lay_out(each, stack.name)
        few = np.unique(np.linspace(0, len(each) - 1, BONE_SAMPLE + 2).astype(int)[1:-1])
        decoded = decode_frames([each[i] for i in few], stack.name)
        judge(decoded.hu, stack.name, decoded.padding_fraction)
    except InputError as error:
        words = str(error).removeprefix(f"S{stack.name[1:]} ").replace(f" of {stack.name}", "")
        return (words[0].lower() + words[1:]).rstrip(".")
    return ""


def _read_stack(stack: Stack, progress: Progress | None) -> Volume:
    for header in {frame.header for frame in stack.frames}:
        check_readable(header, stack.name)
    frames, notes = _each_place_once(stack)
    notes += _unplaced_note(stack)
    layout = lay_out(frames, stack.name)
    decoded = decode_frames(layout.frames, stack.name, progress)
    slices, padding, ceiling = decoded.hu, decoded.padding_fraction, decoded.ceiling_hu
    del decoded
    straight = layout.as_read
    resampled = layout.tilted or not layout.even
    if resampled:
        slices, straight = straighten(slices, layout)
    as_read = layout.as_read if layout.one_line else straight
    # As read, the axes are (column, row, slice): the order in which every other program counts them.
    axes, flips = nearest_axes(straight.affine)
    hu = turned(slices.transpose(2, 1, 0), axes, flips)
    del slices
    grid = turned_grid(straight, axes, flips)
    judged = judge(hu, stack.name, padding)
    clipped, clip_notes = clipped_at(hu, ceiling)
    header = layout.frames[0].header
    source = Source(
        kind="dicom",
        grid=as_read,
        axes=axes,
        flips=flips,
        resampled=resampled,
        orientation=orientation_code(as_read.affine),
        series_uid=header.series_uid or None,
        slice_thickness_mm=stack.summary.slice_thickness_mm,
        kvp=header.kvp,
        kernel=header.kernel,
        age=header.age,
        sex=header.sex,
        patient_name=header.patient_name,
        hu_clipped_at=clipped,
        simulated=is_simulated(header.maker),
        padding_fraction=padding,
        files=_files(layout.frames),
        images=tuple(_image(frame) for frame in layout.frames),
        study_uid=header.study_uid or None,
    )
    judged += thick_slices(max(layout.spacing_mm, stack.summary.slice_thickness_mm or 0.0))
    judged += gaps_between_slices(layout.spacing_mm, stack.summary.slice_thickness_mm)
    return Volume(hu, grid, source, notes + layout.notes + judged + clip_notes)


def _files(frames: Sequence[Frame]) -> tuple[str, ...]:
    """Paths on disk in slice order; a multi-frame file once, and none for a zip."""
    members = [frame.header.member for frame in frames]
    if any(member.archive is not None for member in members):
        return ()
    return tuple(dict.fromkeys(member.path for member in members))


def _image(frame: Frame) -> SourceImage:
    header = frame.header
    affine = np.eye(4)
    affine[:3, 0] = frame.along_row * frame.spacing_mm[1]
    affine[:3, 1] = frame.along_column * frame.spacing_mm[0]
    affine[:3, 2] = frame.normal
    affine[:3, 3] = frame.position
    archive = header.member.archive
    return SourceImage(
        path=header.member.path,
        archive=None if archive is None else archive.filename,
        frame=frame.number if header.multi_frame else None,
        sop_class=header.sop_class,
        sop_instance=header.sop_instance,
        plane=Grid((header.columns, header.rows, 1), affine),
    )


def _each_place_once(stack: Stack) -> tuple[tuple[Frame, ...], tuple[QualityNote, ...]]:
    """The frames with copies of one slice dropped.

    Raises
    ------
    InputError
        Where two different images lie at one place.
    """
    frames = stack.frames
    at = np.array([frame.position @ frames[0].normal for frame in frames])
    kept, copies = [], 0
    for start, stop in same_place_runs(at):
        kept.append(frames[start])
        for k in range(start + 1, stop):
            pair = decode_frames([frames[start], frames[k]], stack.name).hu
            if not np.array_equal(pair[0], pair[1]):
                raise InputError(
                    f"S{stack.name[1:]} holds two different images at {place(frames[k])} and does not say "
                    "which belongs to the scan."
                )
            copies += 1
    if len(kept) < 2:
        raise InputError(f"S{stack.name[1:]} holds a single slice; give the folder with all of them.")
    if not copies:
        return tuple(kept), ()
    note = QualityNote(
        "duplicate_slices", "info", f"{copies} slices of {stack.name} were there twice and were read once."
    )
    return tuple(kept), (note,)


def _unplaced_note(stack: Stack) -> tuple[QualityNote, ...]:
    if not stack.unplaced:
        return ()
    note = QualityNote(
        "unplaced_images",
        "warning",
        f"Images of {stack.name} that do not say where they lie, or are in colour, were left out: "
        f"{stack.unplaced}.",
    )
    return (note,)


def _choice_notes(found: Found, stack: Stack, why: str) -> tuple[QualityNote, ...]:
    others = [other for other in found.stacks if other is not stack]
    if not others:
        return ()
    message = f"Of {len(found.stacks)} series {_told(stack.summary)} was taken, {why}; not taken: "
    message += "; ".join(_told(other.summary) for other in others) + "."
    return (QualityNote("series_chosen", "info", message),)


def _told(series: Series) -> str:
    """A series in a few words."""
    words = series.uid
    if series.spacing_mm is not None:
        thickness = series.slice_thickness_mm or series.spacing_mm[2]
        words += f" ({series.plane}, {series.images} slices of {thickness:g} mm"
        words += f" every {series.spacing_mm[2]:g} mm"
        words += f", kernel {series.kernel})" if series.kernel else ")"
    return words + (f" ({series.reason})" if series.reason else "")


def _damage_notes(found: Found) -> tuple[QualityNote, ...]:
    if not found.damaged:
        return ()
    many = len(found.damaged)
    count = "1 DICOM file is" if many == 1 else f"{many} DICOM files are"
    note = QualityNote(
        "damaged_files",
        "warning",
        f"{count} damaged or truncated and left out.",
    )
    return (note,)
