"""DICOM Structured Report after TID 1500, its groups tied to segments (TID 1411), by highdicom."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from thecal.dicom.codes import COMMENT, Code
from thecal.dicom.originals import Originals
from thecal.dicom.segmentation import (
    MANUFACTURER,
    RESEARCH,
    Segmentation,
    coded,
    private_scheme,
)
from thecal.dicom.segments import Algorithm
from thecal.dicom.stamps import without_clock
from thecal.dicom.uids import uid_from
from thecal.volume import Source

SERIES_NUMBER: Final = 9602


@dataclass(frozen=True)
class Measure:
    """One number of a group, with its UCUM unit."""

    name: Code
    value: float
    unit: Code
    derivation: Code | None = None
    method: Code | None = None


@dataclass(frozen=True)
class Group:
    """What is said of one segment.

    Attributes
    ----------
    tracking_id : str
        That of its segment.
    finding, category : Code
    sites : tuple of (Code, laterality or None)
    measures : tuple of Measure
    evaluations : tuple of (name, value)
    algorithm : Algorithm
    """

    tracking_id: str
    finding: Code
    category: Code
    sites: tuple[tuple[Code, Code | None], ...]
    measures: tuple[Measure, ...]
    evaluations: tuple[tuple[Code, Code], ...]
    algorithm: Algorithm


def make_measurement_report(
    groups: Sequence[Group],
    comments: Sequence[str],
    segmentation: Segmentation,
    originals: Originals,
    *,
    version: str,
) -> Any:
    """A TID 1500 report as a dataset that is ready to be saved.

    Parameters
    ----------
    groups : sequence of Group
        Those whose segment lies on no image are measurement groups without a region (TID 1501).
    comments : sequence of str
        Sentences for a person, in the root of the report.
    segmentation : Segmentation
    originals : Originals
    version : str
        Of thecal.

    Returns
    -------
    highdicom.sr.EnhancedSR
        Preliminary and unverified, as only a person can verify.
    """
    from highdicom import sr
    from pydicom.sr.codedict import codes

    seg = segmentation.dataset
    identity = (str(seg.SOPInstanceUID), version, repr((tuple(groups), tuple(comments))))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        content = sr.MeasurementReport(
            observation_context=device_context(version),
            procedure_reported=codes.LN.CTUnspecifiedBodyRegion,
            imaging_measurements=[_group(group, segmentation, originals.source) for group in groups],
            title=codes.DCM.ImagingMeasurementReport,
        )
        add_comments(content, comments)
        dataset = sr.EnhancedSR(
            evidence=[*originals.images, seg],
            content=content[0],
            series_instance_uid=uid_from("report series", *identity),
            series_number=SERIES_NUMBER,
            sop_instance_uid=uid_from("report", *identity),
            **stamp(originals, version),
        )
    without_clock(dataset)
    return dataset


def add_comments(content: Any, comments: Sequence[str]) -> None:
    """Put sentences for a person into the root of a ``MeasurementReport``."""
    from highdicom import sr

    for comment in comments:
        content[0].ContentSequence.append(
            sr.TextContentItem(coded(COMMENT), comment, relationship_type="CONTAINS")
        )


def stamp(originals: Originals, version: str) -> dict[str, Any]:
    """What every structured report says of its maker and day, as arguments of highdicom's classes."""
    return {
        "instance_number": 1,
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": "thecal",
        "software_versions": version,
        "device_serial_number": "0",
        "series_description": RESEARCH,
        "is_complete": True,
        "content_date": originals.header.ContentDate,
        "content_time": originals.header.ContentTime,
        "coding_schemes": [private_scheme()],
    }


def device_context(version: str) -> Any:
    """Who observed: the program, in its version."""
    from highdicom import sr
    from pydicom.sr.codedict import codes

    return sr.ObservationContext(
        observer_device_context=sr.ObserverContext(
            observer_type=codes.DCM.Device,
            observer_identifying_attributes=sr.DeviceObserverIdentifyingAttributes(
                uid=uid_from("device", version),
                name="thecal",
                manufacturer_name=MANUFACTURER,
                model_name=f"thecal {version}",
            ),
        )
    )


def _group(group: Group, segmentation: Segmentation, source: Source) -> Any:
    from highdicom import sr

    parts: dict[str, Any] = {
        "tracking_identifier": sr.TrackingIdentifier(
            uid=segmentation.tracking_uids[group.tracking_id], identifier=group.tracking_id
        ),
        "finding_type": coded(group.finding),
        "finding_category": coded(group.category),
        "algorithm_id": sr.AlgorithmIdentification(
            name=group.algorithm.name, version=group.algorithm.version, family=coded(group.algorithm.family)
        ),
        "finding_sites": [
            sr.FindingSite(coded(site), laterality=None if side is None else coded(side))
            for site, side in group.sites
        ],
        "measurements": [
            sr.Measurement(
                name=coded(m.name),
                value=m.value,
                unit=coded(m.unit),
                derivation=None if m.derivation is None else coded(m.derivation),
                method=None if m.method is None else coded(m.method),
            )
            for m in group.measures
        ],
        "qualitative_evaluations": [
            sr.QualitativeEvaluation(coded(name), coded(value)) for name, value in group.evaluations
        ],
    }
    number = segmentation.numbers.get(group.tracking_id)
    if number is None:
        return sr.MeasurementsAndQualitativeEvaluations(**parts)
    seg = segmentation.dataset
    return sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        referenced_segment=sr.ReferencedSegment(
            sop_class_uid=seg.SOPClassUID,
            sop_instance_uid=seg.SOPInstanceUID,
            segment_number=number,
            source_series=sr.SourceSeriesForSegmentation(source.series_uid),
        ),
        **parts,
    )
