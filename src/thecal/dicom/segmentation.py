"""DICOM Segmentation: masks on the source images as one object, by highdicom."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from thecal.dicom.codes import PRIVATE_SCHEME, Code
from thecal.dicom.originals import Originals
from thecal.dicom.planes import PlaneMaps
from thecal.dicom.segment_pixels import Canvas, mask_of, packed_bits, painted_label_map, presence
from thecal.dicom.segments import SegForm, Segment
from thecal.dicom.stamps import without_clock
from thecal.dicom.uids import uid_from
from thecal.volume import Source

MANUFACTURER: Final = "thecal"
SERIES_NUMBER: Final = 9601
RESEARCH: Final = "thecal: research use only"


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
    originals: Originals,
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
        On the images of ``originals``, on their pixels for whole frames.
    originals : Originals
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

    drawn = [(segment, presence(segment, planes)) for segment in segments]
    kept = [(segment, present) for segment, present in drawn if present.any()]
    if not kept:
        return None
    source, header = originals.source, originals.header
    identity = _identity(segments, planes, source, version, form, whole_frames)
    tracking = {s.tracking_id: uid_from("tracking", *identity, s.tracking_id) for s in segments}
    canvas = Canvas.of(planes, source, whole_frames)
    positions = [PlanePositionSequence("PATIENT", corner.tolist()) for corner in canvas.corners]
    spacing = source.images[0].plane.spacing_mm
    binary = form == "binary"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = HighdicomSegmentation(
            source_images=originals.images,
            # Frames of one pixel that say which segment is on which image: the pixels follow below, as
            # overlapping segments at full size would take gigabytes here.
            pixel_array=(
                np.stack([present for _, present in kept], axis=-1)[:, None, None, :].astype(np.uint8)
                if binary
                else painted_label_map([segment for segment, _ in kept], planes, canvas)
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
                slice_thickness=originals.slice_thickness_mm,
            ),
            coding_schemes=[private_scheme()],
        )
    if binary:
        order = _frame_order(dataset, positions)
        dataset.Rows, dataset.Columns = canvas.rows, canvas.columns
        dataset.SegmentsOverlap = "YES"
        dataset.PixelData = packed_bits(
            canvas.placed(mask_of(kept[number - 1][0], planes, plane)) for number, plane in order
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


def _frame_order(dataset: Any, positions: Sequence[Any]) -> list[tuple[int, int]]:
    """Segment number and index of the image of each frame."""
    plane_of = {tuple(at[0].ImagePositionPatient): k for k, at in enumerate(positions)}
    single = int(dataset.SegmentSequence[0].SegmentNumber) if len(dataset.SegmentSequence) == 1 else None
    order = []
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        number = single or int(frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
        order.append((number, plane_of[tuple(frame.PlanePositionSequence[0].ImagePositionPatient)]))
    return order


def _description(number: int, segment: Segment, tracking_uid: str) -> Any:
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.seg import SegmentDescription

    return SegmentDescription(
        segment_number=number,
        segment_label=segment.label[:64],
        segmented_property_category=coded(segment.category),
        segmented_property_type=coded(segment.kind),
        algorithm_type="AUTOMATIC" if segment.algorithm.automatic else "SEMIAUTOMATIC",
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
