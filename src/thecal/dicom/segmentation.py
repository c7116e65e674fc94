"""DICOM Segmentation: masks on the source images as one object, by highdicom."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from thecal.dicom.codes import PRIVATE_SCHEME, Code
from thecal.dicom.originals import image_datasets
from thecal.dicom.planes import PlaneMaps
from thecal.dicom.uids import uid_from
from thecal.volume import Source

MANUFACTURER: Final = "thecal"
SERIES_NUMBER: Final = 9601
RESEARCH: Final = "thecal: research use only"
# One bit a pixel is read by every viewer; label maps (2024) are smaller, and not.
SegForm = Literal["binary", "labelmap"]


@dataclass(frozen=True)
class Algorithm:
    """What drew a segment."""

    name: str
    version: str
    family: Code


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


@dataclass(frozen=True, eq=False)
class Segmentation:
    """A DICOM Segmentation that is ready to be saved, and what others refer to it by.

    Attributes
    ----------
    dataset : highdicom.seg.Segmentation
    numbers : dict
        Segment number by tracking id; segments that lie on no image have none.
    tracking_uids : dict
        By tracking id, of all segments that were asked for.
    """

    dataset: Any
    numbers: dict[str, int]
    tracking_uids: dict[str, str]


def make_segmentation(
    segments: Sequence[Segment],
    planes: PlaneMaps,
    source: Source,
    header: Any,
    *,
    version: str,
    form: SegForm = "binary",
    whole_frames: bool = False,
) -> Segmentation | None:
    """One DICOM Segmentation of all segments; None where none of them lies on an image.

    Parameters
    ----------
    segments : sequence of Segment
        In their order; where a label map can hold only one, the earlier one stays.
    planes : PlaneMaps
        On the images of ``source``.
    source : Source
        Its images can be referred to.
    header : pydicom dataset
        As ``originals.study_header`` gives it.
    version : str
        Of thecal.
    form : "binary" or "labelmap"
    whole_frames : bool
        Frames of the images' own rows and columns, in place of the rectangle that holds all segments.

    Returns
    -------
    Segmentation or None
        Frames on which a segment has no voxel are left out.
    """
    from highdicom import PixelMeasuresSequence, PlanePositionSequence
    from highdicom.seg import Segmentation as HighdicomSegmentation

    drawn = [(segment, _present(segment, planes)) for segment in segments]
    kept = [(segment, present) for segment, present in drawn if present.any()]
    if not kept:
        return None
    identity = _identity(segments, planes, source, version, form, whole_frames)
    tracking = {s.tracking_id: uid_from("tracking", *identity, s.tracking_id) for s in segments}
    canvas = _Canvas.of(planes, source, whole_frames)
    images = image_datasets(source, header)
    positions = [
        PlanePositionSequence("PATIENT", image.plane.to_lps([canvas.column, canvas.row, 0]).tolist())
        for image in source.images
    ]
    spacing = source.images[0].plane.spacing_mm
    binary = form == "binary"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = HighdicomSegmentation(
            source_images=images,
            # Frames of one pixel that say which segment is on which image: the pixels follow below, as
            # overlapping segments at full size would take gigabytes here.
            pixel_array=(
                np.stack([present for _, present in kept], axis=-1)[:, None, None, :].astype(np.uint8)
                if binary
                else _painted([segment for segment, _ in kept], planes, canvas)
            ),
            segmentation_type="BINARY" if binary else "LABELMAP",
            segment_descriptions=[
                _description(number, segment, tracking[segment.tracking_id])
                for number, (segment, _) in enumerate(kept, start=1)
            ],
            series_instance_uid=uid_from("segmentation series", *identity),
            sop_instance_uid=uid_from("segmentation", *identity),
            series_number=SERIES_NUMBER,
            instance_number=1,
            manufacturer=MANUFACTURER,
            manufacturer_model_name="thecal",
            software_versions=version,
            device_serial_number="0",
            content_label="THECAL",
            content_description=RESEARCH,
            series_description=RESEARCH,
            content_date=header.ContentDate,
            content_time=header.ContentTime,
            transfer_syntax_uid="1.2.840.10008.1.2.1" if binary else "1.2.840.10008.1.2.5",
            plane_positions=positions,
            pixel_measures=PixelMeasuresSequence(
                pixel_spacing=(float(spacing[1]), float(spacing[0])),
                slice_thickness=float(images[0].get("SliceThickness") or source.grid.spacing_mm[2])
                if source.images[0].frame is None
                else float(source.slice_thickness_mm or source.grid.spacing_mm[2]),
            ),
            coding_schemes=[private_scheme()],
        )
    if binary:
        order = _frame_order(dataset, positions)
        dataset.Rows, dataset.Columns = canvas.rows, canvas.columns
        dataset.SegmentsOverlap = "YES"
        dataset.PixelData = _packed(
            canvas.placed(_mask(kept[number - 1][0], planes, plane)) for number, plane in order
        )
    _settle(dataset, source, identity, exact=whole_frames)
    numbers = {segment.tracking_id: number for number, (segment, _) in enumerate(kept, start=1)}
    return Segmentation(dataset, numbers, tracking)


def private_scheme() -> Any:
    """The item that says whose codes ``99THECAL`` are."""
    from highdicom.coding_schemes import CodingSchemeIdentificationItem

    return CodingSchemeIdentificationItem(
        designator=PRIVATE_SCHEME, name="thecal's own codes", responsible_organization="thecal"
    )


def coded(code: Code) -> Any:
    """A code as highdicom takes it."""
    from highdicom.sr import CodedConcept

    return CodedConcept(code.value, code.scheme, code.meaning)


@dataclass(frozen=True)
class _Canvas:
    """The rectangle of the images that frames cover, and where the maps lie in it."""

    row: int
    column: int
    rows: int
    columns: int
    inner: tuple[slice, slice]

    @classmethod
    def of(cls, planes: PlaneMaps, source: Source, whole: bool) -> _Canvas:
        rows, columns = planes.maps[0].shape[1:]
        if not whole:
            return cls(planes.first_row, planes.first_column, rows, columns, (slice(None), slice(None)))
        inner = (
            slice(planes.first_row, planes.first_row + rows),
            slice(planes.first_column, planes.first_column + columns),
        )
        all_columns, all_rows, _ = source.images[0].plane.shape
        return cls(0, 0, all_rows, all_columns, inner)

    def placed(self, mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
        frame = np.zeros((self.rows, self.columns), np.uint8)
        frame[self.inner] = mask
        return frame


def _mask(segment: Segment, planes: PlaneMaps, plane: int | slice) -> npt.NDArray[np.bool_]:
    labels = planes.maps[segment.layer][plane]
    mask = np.zeros(labels.shape, bool)
    for value in segment.values:
        mask |= labels == value
    return mask


def _present(segment: Segment, planes: PlaneMaps) -> npt.NDArray[np.bool_]:
    return np.asarray(_mask(segment, planes, slice(None)).any(axis=(1, 2)), bool)


def _painted(segments: Sequence[Segment], planes: PlaneMaps, canvas: _Canvas) -> npt.NDArray[Any]:
    shape = (len(planes.maps[0]), canvas.rows, canvas.columns)
    painted = np.zeros(shape, np.uint8 if len(segments) < 256 else np.uint16)
    window = painted[(slice(None), *canvas.inner)]
    for number, segment in reversed(list(enumerate(segments, start=1))):
        window[_mask(segment, planes, slice(None))] = number
    return painted


def _frame_order(dataset: Any, positions: Sequence[Any]) -> list[tuple[int, int]]:
    """Segment number and index of the image of each frame."""
    plane_of = {tuple(at[0].ImagePositionPatient): k for k, at in enumerate(positions)}
    single = int(dataset.SegmentSequence[0].SegmentNumber) if len(dataset.SegmentSequence) == 1 else None
    order = []
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        number = single or int(frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
        order.append((number, plane_of[tuple(frame.PlanePositionSequence[0].ImagePositionPatient)]))
    return order


def _packed(frames: Iterable[npt.NDArray[np.uint8]]) -> bytes:
    """Frames at one bit a pixel, first pixel lowest, without gaps between frames (PS3.5 section 8.1.1)."""

    def chunks() -> Iterator[bytes]:
        rest = np.empty(0, np.uint8)
        for frame in frames:
            flat = np.concatenate([rest, frame.ravel()]) if len(rest) else frame.ravel()
            full = len(flat) - len(flat) % 8
            yield np.packbits(flat[:full], bitorder="little").tobytes()
            rest = flat[full:]
        yield np.packbits(rest, bitorder="little").tobytes()

    packed = b"".join(chunks())
    return packed + b"\0" * (len(packed) % 2)


def _description(number: int, segment: Segment, tracking_uid: str) -> Any:
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.seg import SegmentDescription

    return SegmentDescription(
        segment_number=number,
        segment_label=segment.label[:64],
        segmented_property_category=coded(segment.category),
        segmented_property_type=coded(segment.kind),
        algorithm_type="AUTOMATIC",
        algorithm_identification=AlgorithmIdentificationSequence(
            name=segment.algorithm.name[:64],
            family=coded(segment.algorithm.family),
            version=segment.algorithm.version,
            source=MANUFACTURER,
        ),
        tracking_uid=tracking_uid,
        tracking_id=segment.tracking_id,
        anatomic_regions=None if segment.region is None else [coded(segment.region)],
        primary_anatomic_structures=None if segment.structure is None else [coded(segment.structure)],
        display_color=None if segment.colour is None else _lab(segment.colour),
    )


def _lab(colour: str) -> Any:
    from highdicom.color import CIELabColor

    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return CIELabColor.from_rgb(red, green, blue)


def _identity(
    segments: Sequence[Segment],
    planes: PlaneMaps,
    source: Source,
    version: str,
    form: str,
    whole: bool,
) -> tuple[str, ...]:
    digest = hashlib.sha256()
    for labels in planes.maps:
        digest.update(np.ascontiguousarray(labels).data)
    digest.update(repr((segments, planes.first_row, planes.first_column)).encode())
    for image in source.images:
        digest.update(f"{image.sop_instance} {image.frame}\n".encode())
    return (source.study_uid or "", source.series_uid or "", version, form, str(whole), digest.hexdigest())


def _settle(dataset: Any, source: Source, identity: tuple[str, ...], *, exact: bool) -> None:
    """Take the clock and chance out, and name the frames of a multi-frame source by their own numbers."""
    from thecal.dicom.stamps import without_clock

    without_clock(dataset)
    organization = uid_from("dimensions", *identity)
    dataset.DimensionOrganizationSequence[0].DimensionOrganizationUID = organization
    for index in dataset.DimensionIndexSequence:
        index.DimensionOrganizationUID = organization
    multi = source.images[0].frame is not None
    # Frames of several segments on one image share its item.
    items = {
        id(item): item
        for frame in dataset.PerFrameFunctionalGroupsSequence
        for derivation in frame.DerivationImageSequence
        for item in derivation.SourceImageSequence
    }
    for item in items.values():
        if exact:
            item.SpatialLocationsPreserved = "YES"
        if multi:
            read_as = source.images[int(item.ReferencedFrameNumber) - 1].frame or 0
            item.ReferencedFrameNumber = read_as + 1
