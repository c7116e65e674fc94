"""DICOM Segmentation as a label map: any frame order, cropped frames, BINARY, FRACTIONAL and LABELMAP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from thecal.anatomy.backends.segment_names import CORD_ID, Code3, paint_order, segment_id
from thecal.dicom.codecs import DAMAGED_FRAME
from thecal.dicom.elements import MALFORMED
from thecal.errors import InputError
from thecal.quality import QualityNote
from thecal.terms import EPIDURAL_SPACE, THECAL_SAC
from thecal.volume import FloatArray, Grid, LabelArray

SEGMENTATION: Final = "1.2.840.10008.5.1.4.1.1.66.4"
LABEL_MAP_SEGMENTATION: Final = "1.2.840.10008.5.1.4.1.1.66.7"
# Planes nearer than this are one plane.
SAME_PLANE_MM: Final = 0.01
# A plane off the even stack by more than this share of a step makes it uneven.
UNEVEN_SHARE: Final = 0.05
# A stack finer than this many planes between two neighbours is no stack of slices.
MOST_PLANES: Final = 4000


@dataclass(frozen=True, eq=False)
class SegMap:
    """A DICOM Segmentation as one label map.

    Attributes
    ----------
    labels : (plane, row, column) uint16
        Ids of the contract; `segment_names.CORD_ID` for a cord.
    grid : Grid
    series_uid : str or None
        Of the images that it was drawn on.
    quality : tuple of QualityNote
    """

    labels: LabelArray
    grid: Grid
    series_uid: str | None
    quality: tuple[QualityNote, ...]


def read_dicom_seg(path: Path) -> SegMap:
    """The segments of a DICOM Segmentation that are vertebrae, sacrum, discs, sac, canal or cord.

    A frame is placed by its own position; planes may be in any order, be sheared (gantry tilt), or be missing
    where nothing was drawn. Fractions and probabilities count from one half.

    Parameters
    ----------
    path : Path

    Raises
    ------
    InputError
        Where the file is no DICOM Segmentation, names nothing of the spine, or does not say where its
        frames lie.
    """
    import pydicom
    from pydicom.errors import InvalidDicomError

    name = path.name
    try:
        dataset = pydicom.dcmread(path)
    except (*MALFORMED, EOFError, AttributeError, KeyError, InvalidDicomError) as error:
        raise InputError(f"{name} cannot be read as DICOM") from error
    if str(dataset.get("SOPClassUID", "")) not in (SEGMENTATION, LABEL_MAP_SEGMENTATION):
        raise InputError(f"{name} is DICOM, but not a DICOM segmentation")
    try:
        return _read(dataset, name)
    except (*MALFORMED, AttributeError, KeyError) as error:
        raise InputError(
            f"{name} is a DICOM segmentation that lacks or garbles what it must state"
        ) from error


def _read(dataset: Any, name: str) -> SegMap:
    notes: list[QualityNote] = []
    form = str(dataset.SegmentationType)
    meaning = _meanings(dataset, notes)
    if not meaning:
        raise InputError(f"{name} names no vertebra, canal or disc among its segments")
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    placed = _placed_frames(dataset, name)
    stack = _stack([affine for affine, _ in placed], (rows, columns), name, notes)
    half = 1
    if form == "FRACTIONAL":
        most = int(dataset.MaximumFractionalValue)
        half = (most + 1) // 2
        kind = str(dataset.get("SegmentationFractionalType", "fraction")).lower()
        notes.append(
            QualityNote(
                "fractional_labels",
                "warning",
                f"The given segmentation holds fractions ({kind}); from one half on a voxel is inside.",
            )
        )
    labels = np.zeros((stack.planes, rows, columns), np.uint16)
    rank = np.zeros(labels.shape, np.uint16)
    order = {label: k for k, label in enumerate(paint_order(meaning.values()), start=1)}
    solid = [label for label in order if label not in (CORD_ID, EPIDURAL_SPACE, THECAL_SAC)]
    overlapping = 0
    for frame, pixels in enumerate(_pixels(dataset, name)):
        plane, number = stack.plane_of[frame], placed[frame][1]
        drawn = (
            [(n, pixels == n) for n in np.unique(pixels).tolist() if n]
            if form == "LABELMAP"
            else [(number, pixels >= half)]
        )
        for n, mask in drawn:
            label = meaning.get(int(n))
            if label is None:
                continue
            over = mask & (rank[plane] < order[label])
            if label in solid:
                there = labels[plane][mask]
                overlapping += int((np.isin(there, solid) & (there != label)).sum())
            labels[plane][over] = label
            rank[plane][over] = order[label]
    if overlapping:
        notes.append(
            QualityNote(
                "segments_overlap",
                "warning",
                f"{overlapping} voxels of the given segmentation belong to two vertebrae or discs at once; "
                "each was given to one of them.",
            )
        )
    labels = _without_gaps(labels, stack, notes)
    return SegMap(labels, stack.grid, _series_of(dataset), tuple(notes))


def _meanings(dataset: Any, notes: list[QualityNote]) -> dict[int, int]:
    """Segment number to the contract's id, of those that have one; the others are noted."""
    meaning: dict[int, int] = {}
    without = 0
    for segment in dataset.SegmentSequence:
        number = int(segment.SegmentNumber)
        if number == 0:  # the background of a label map
            continue
        kinds = list(segment.get("SegmentedPropertyTypeCodeSequence") or [])
        found: list[Any] = list(kinds)
        for kind in kinds:
            found += kind.get("SegmentedPropertyTypeModifierCodeSequence") or []
        for keyword in ("PrimaryAnatomicStructureSequence", "AnatomicRegionSequence"):
            found += segment.get(keyword) or []
        categories = segment.get("SegmentedPropertyCategoryCodeSequence") or []
        label = segment_id(
            str(segment.get("SegmentLabel", "")),
            category=_code(categories[0]) if categories else None,
            codes=[_code(item) for item in found],
        )
        if label is None:
            without += 1
        else:
            meaning[number] = label
    if without and meaning:
        notes.append(
            QualityNote(
                "segments_left_out",
                "info",
                f"{without} segments of the given segmentation are no vertebra, disc, sac or canal and were "
                "left out.",
            )
        )
    return meaning


def _code(item: Any) -> Code3:
    value = item.get("CodeValue") or item.get("LongCodeValue") or item.get("URNCodeValue") or ""
    return Code3(str(item.get("CodingSchemeDesignator", "")), str(value))


def _placed_frames(dataset: Any, name: str) -> list[tuple[FloatArray, int]]:
    """Of each frame: its affine (row, column, normal to LPS mm), and the number of its segment (0: none)."""
    frames = int(dataset.get("NumberOfFrames", 1))
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [{}])[0]
    own = list(dataset.get("PerFrameFunctionalGroupsSequence") or [])
    if len(own) != frames:
        raise InputError(f"{name} does not say where each of its frames lies")
    placed = []
    for item in own:

        def group(keyword: str, item: Any = item) -> Any:
            held = item.get(keyword) or shared.get(keyword)
            return held[0] if held else {}

        position = group("PlanePositionSequence").get("ImagePositionPatient")
        turn = group("PlaneOrientationSequence").get("ImageOrientationPatient")
        spacing = group("PixelMeasuresSequence").get("PixelSpacing")
        if position is None or turn is None or spacing is None:
            raise InputError(f"{name} does not say where its frames lie in the patient")
        along_row, along_column = np.asarray(turn[:3], float), np.asarray(turn[3:], float)
        affine = np.eye(4)
        affine[:3, 0] = along_column * float(spacing[0])
        affine[:3, 1] = along_row * float(spacing[1])
        affine[:3, 2] = np.cross(along_row, along_column)
        affine[:3, 3] = np.asarray(position, float)
        if not np.isfinite(affine).all() or abs(np.linalg.det(affine)) < 1e-9:
            raise InputError(f"{name} does not say where its frames lie in the patient")
        number = group("SegmentIdentificationSequence").get("ReferencedSegmentNumber")
        placed.append((affine, int(number) if number is not None else 0))
    return placed


@dataclass(frozen=True, eq=False)
class _Stack:
    """The frames' planes as one grid; ``seen`` marks those that some frame lies on."""

    grid: Grid
    plane_of: list[int]
    seen: npt.NDArray[np.bool_]

    @property
    def planes(self) -> int:
        return self.grid.shape[0]


def _stack(
    affines: list[FloatArray],
    size: tuple[int, int],
    name: str,
    notes: list[QualityNote],
) -> _Stack:
    """An even stack, sheared where the frames are; an uneven one goes to its finest step, and is noted."""
    first = affines[0]
    if any(not np.allclose(a[:3, :3], first[:3, :3], atol=1e-4) for a in affines):
        raise InputError(f"the frames of {name} are turned against each other")
    normal = first[:3, 2]
    corners = np.stack([a[:3, 3] for a in affines])
    depth = corners @ normal
    order = np.argsort(depth, kind="stable")
    group = np.concatenate([[0], np.cumsum(np.diff(depth[order]) > SAME_PLANE_MM)])
    at = np.array([depth[order][group == k].mean() for k in range(group[-1] + 1)])
    corner = np.stack([corners[order][group == k].mean(axis=0) for k in range(len(at))])
    if len(at) == 1:
        raise InputError(f"{name} has a single slice; a label map has several")
    gaps = np.diff(at)
    step = float(np.median(gaps[gaps < 1.5 * gaps.min()]))
    index = np.rint((at - at[0]) / step)
    fitted = np.polyfit(index, at, 1)
    if np.abs(np.polyval(fitted, index) - at).max() <= UNEVEN_SHARE * step:
        step = float(fitted[0])
    else:
        step = float(gaps.min())
        index = np.rint((at - at[0]) / step)
        if len(np.unique(index)) < len(at):
            raise InputError(f"the slices of {name} are too uneven to be put on one grid")
        notes.append(
            QualityNote(
                "uneven_labels",
                "warning",
                f"The slices of the given segmentation are {gaps.min():.2f} to {gaps.max():.2f} mm apart; "
                "each was put on the nearest plane of an even stack.",
            )
        )
    if index[-1] >= MOST_PLANES:
        raise InputError(f"the slices of {name} are too uneven to be put on one grid")
    pixel = float(np.linalg.norm(first[:3, :2], axis=0).min())
    # The step from slice to slice in the patient: not along the normal where the gantry was tilted.
    steps = np.stack([np.polyfit(index, corner[:, k], 1) for k in range(3)])
    if np.abs(steps[:, :1] * index + steps[:, 1:] - corner.T).max() > 0.5 * pixel:
        raise InputError(f"the frames of {name} do not stand over each other")
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = steps[:, 0], first[:3, 0], first[:3, 1]
    affine[:3, 3] = steps[:, 1]
    seen = np.zeros(int(index[-1]) + 1, bool)
    seen[index.astype(int)] = True
    plane_of = np.empty(len(affines), int)
    plane_of[order] = index[group].astype(int)
    return _Stack(Grid((len(seen), *size), affine), plane_of.tolist(), seen)


def _pixels(dataset: Any, name: str) -> Iterator[npt.NDArray[Any]]:
    """Frame by frame: all at once would take gigabytes."""
    from pydicom.pixels.utils import iter_pixels

    if int(dataset.BitsAllocated) == 1 and not dataset.file_meta.TransferSyntaxUID.is_compressed:
        yield from _bits(dataset, name)
        return
    try:
        for frame in iter_pixels(dataset, raw=True):
            yield np.asarray(frame)
    except (*MALFORMED, *DAMAGED_FRAME, EOFError, AttributeError) as error:
        raise InputError(f"the frames of {name} cannot be decoded") from error


def _bits(dataset: Any, name: str) -> Iterator[npt.NDArray[Any]]:
    """Frames of one bit a pixel that follow each other without regard for bytes (PS3.5 section 8.1.1)."""
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    size = rows * columns
    packed = np.frombuffer(dataset.PixelData, np.uint8)
    frames = int(dataset.NumberOfFrames)
    if 8 * len(packed) < frames * size:
        raise InputError(f"the frames of {name} cannot be decoded: it holds fewer pixels than it states")
    for k in range(frames):
        first = k * size
        few = np.unpackbits(packed[first // 8 : (first + size + 7) // 8], bitorder="little")
        yield few[first % 8 : first % 8 + size].reshape(rows, columns)


def _without_gaps(labels: LabelArray, stack: _Stack, notes: list[QualityNote]) -> LabelArray:
    """A single plane without any frame takes what both its neighbours are.

    Nothing drawn on a plane leaves it without a frame, too: there the neighbours differ.
    """
    filled = 0
    for k in np.flatnonzero(~stack.seen):
        if stack.seen[k - 1] and stack.seen[k + 1]:
            labels[k] = np.where(labels[k - 1] == labels[k + 1], labels[k - 1], 0)
            filled += bool(labels[k].any())
    if filled:
        notes.append(
            QualityNote(
                "label_slices_missing",
                "warning",
                f"{filled} slices are missing in the given segmentation; what their two neighbours agree on "
                "was taken.",
            )
        )
    return labels


def _series_of(dataset: Any) -> str | None:
    for item in dataset.get("ReferencedSeriesSequence") or []:
        if item.get("SeriesInstanceUID"):
            return str(item.SeriesInstanceUID)
    return None
