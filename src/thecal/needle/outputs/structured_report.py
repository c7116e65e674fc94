"""The plan for the archive: a Comprehensive 3D SR after TID 1500, points in the CT's frame of reference."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from thecal.dicom import codes
from thecal.dicom.codes import COMMENT, Code
from thecal.dicom.measurement_report import add_comments, device_context, stamp
from thecal.dicom.originals import Originals
from thecal.dicom.segmentation import coded
from thecal.dicom.stamps import without_clock
from thecal.dicom.uids import uid_from
from thecal.needle.outputs import words
from thecal.needle.outputs.needles import (
    PlannedNeedle,
    depth_marks,
    level_key,
    level_words,
    needles_of,
    start_mm,
)
from thecal.needle.plan_value import LevelPlan, SideAnswer
from thecal.terms import RESEARCH_USE

SERIES_NUMBER: Final = 9604
DIGITS: Final = 4
"""Of a number: a tenth of a micrometre, and within what a decimal string holds."""
_SIDES: Final = {"left": codes.LEFT, "right": codes.RIGHT}
_POINTS: Final = {
    "skin": codes.SKIN_POINT,
    "bone": codes.BONE_POINT,
    "posterior wall": codes.WALL_POINT,
    "tip": codes.TIP_POINT,
}


def make_plan_report(plans: Sequence[LevelPlan], originals: Originals, *, version: str) -> Any:
    """A report with a group for each needle, each side without a safe path, and each body.

    Parameters
    ----------
    plans : sequence of LevelPlan
    originals : Originals
        The images that were planned on.
    version : str
        Of thecal.

    Returns
    -------
    highdicom.sr.Comprehensive3DSR
        Preliminary and unverified, as only a person can verify.
    """
    from highdicom import sr
    from pydicom.sr.codedict import codes as known

    frame = str(originals.header.FrameOfReferenceUID)
    source = originals.source
    identity = (source.series_uid or "", version, repr([_identity(plan) for plan in plans]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        groups: list[Any] = []
        for plan in plans:
            groups += [_needle(plan, needle, frame, identity) for needle in needles_of(plan)]
            groups += [_blocked(plan, answer, identity) for answer in plan.sides if answer.best is None]
            groups.append(_body(plan, identity))
        content = sr.MeasurementReport(
            observation_context=device_context(version),
            procedure_reported=known.LN.CTUnspecifiedBodyRegion,
            imaging_measurements=groups,
            title=known.DCM.ImagingMeasurementReport,
        )
        add_comments(content, _comments(plans))
        dataset = sr.Comprehensive3DSR(
            evidence=originals.images,
            content=content[0],
            series_instance_uid=uid_from("plan series", *identity),
            series_number=SERIES_NUMBER,
            sop_instance_uid=uid_from("plan", *identity),
            **stamp(originals, version),
        )
    without_clock(dataset)
    return dataset


def _identity(plan: LevelPlan) -> tuple[object, ...]:
    ways = tuple((n.key, n.way.entry_mm, n.way.tip_mm, n.way.gauge.name) for n in needles_of(plan))
    return (plan.vertebra_id, plan.level, ways, tuple(a.reason for a in plan.sides))


def _comments(plans: Sequence[LevelPlan]) -> list[str]:
    """Sentences that a reader of the structured report must not miss."""
    said = [RESEARCH_USE]
    for plan in plans:
        said.append(words.answer(plan))
        said.append(
            f"{words.capital(level_words(plan))}: not known to this plan: {words.unknown_words(plan)}"
        )
        said += [
            f"{words.capital(level_words(plan))}, {a.side}: no safe path: {a.reason}"
            for a in plan.sides
            if a.best is None
        ]
    return said


def _needle(plan: LevelPlan, needle: PlannedNeedle, frame: str, identity: tuple[str, ...]) -> Any:
    from highdicom import sr

    way = needle.way
    path = sr.CoordinatesForMeasurement3D(
        graphic_type="POLYLINE",
        graphic_data=np.stack([start_mm(way), np.asarray(way.tip_mm, float)]),
        frame_of_reference_uid=frame,
        purpose=coded(codes.PLANNED_PATH),
    )
    measured: list[tuple[Code, float | None, Code]] = [
        (codes.DEPTH_TO_BONE, way.skin_depth_mm, codes.MILLIMETRE),
        (codes.DEPTH_TO_WALL, way.wall_depth_mm if way.wall_depth_mm >= 0.0 else None, codes.MILLIMETRE),
        (codes.SKIN_FROM_MIDLINE, way.skin_from_midline_mm, codes.MILLIMETRE),
        (codes.TRANSVERSE_TO_PATIENT, way.patient_transverse_deg, codes.DEGREE),
        (codes.CRANIOCAUDAL_TO_PATIENT, way.patient_craniocaudal_deg, codes.DEGREE),
        (codes.TRANSVERSE_TO_VERTEBRA, way.transverse_deg, codes.DEGREE),
        (codes.CRANIOCAUDAL_TO_VERTEBRA, way.sagittal_deg, codes.DEGREE),
        (codes.LEAST_CLEARANCE, way.least_mm, codes.MILLIMETRE),
        (codes.MEDIAL_MARGIN, way.medial_margin_mm, codes.MILLIMETRE),
        (codes.TIP_SHARE, way.tip_share, codes.ONE),
    ]
    measures = [
        _number(codes.NEEDLE_GAUGE, float(way.gauge.name.rstrip("G")), codes.ONE),
        sr.Measurement(
            name=coded(codes.NEEDLE_LENGTH),
            value=round(way.tip_depth_mm, DIGITS),
            unit=coded(codes.MILLIMETRE),
            method=coded(codes.AS_PLANNED),
            referenced_coordinates=[path],
        ),
        *(_number(name, value, unit) for name, value, unit in measured if value is not None),
    ]
    group = _group(
        f"thecal-plan-{level_key(plan)}-{needle.key}",
        identity,
        finding=codes.PLANNED_NEEDLE,
        sites=[(codes.vertebra_code(plan.level), _SIDES.get(way.side))]
        + ([(codes.PEDICLE, None)] if way.approach == "transpedicular" else []),
        measures=measures,
        evaluations=[
            (codes.SAFE_PATH, codes.SAFE_PATHS[True]),
            (codes.APPROACH, codes.APPROACHES[way.approach]),
            (codes.BREACH_GRADE, codes.BREACH_GRADES[way.grade]),
        ],
    )
    inside = group[0].ContentSequence
    for mark in depth_marks(way):
        inside.append(_point(_POINTS[mark.words], mark.at_mm, frame))
    inside.append(
        sr.TextContentItem(
            coded(COMMENT),
            f"{words.capital(needle.words)}; nearest structure: {way.nearest}; depths count from the "
            f"{'bone: no skin is in the scan' if way.skin_mm is None else 'skin'}",
            relationship_type="CONTAINS",
        )
    )
    return group


def _blocked(plan: LevelPlan, answer: SideAnswer, identity: tuple[str, ...]) -> Any:
    from highdicom import sr

    group = _group(
        f"thecal-plan-{level_key(plan)}-{answer.side}",
        identity,
        finding=codes.PLANNED_NEEDLE,
        sites=[(codes.vertebra_code(plan.level), _SIDES.get(answer.side))],
        measures=[],
        evaluations=[(codes.SAFE_PATH, codes.SAFE_PATHS[False])],
    )
    group[0].ContentSequence.append(
        sr.TextContentItem(coded(COMMENT), answer.reason or words.NOTHING_SAFE, relationship_type="CONTAINS")
    )
    return group


def _body(plan: LevelPlan, identity: tuple[str, ...]) -> Any:
    cement = plan.cement
    return _group(
        f"thecal-plan-{level_key(plan)}-cement",
        identity,
        finding=codes.vertebra_code(plan.level),
        category=codes.ANATOMICAL_STRUCTURE,
        sites=[(codes.vertebra_code(plan.level), None)],
        measures=[
            _number(codes.BODY_VOLUME, cement.body_ml, codes.MILLILITRE),
            _number(codes.CEMENT_LOW, cement.low_ml, codes.MILLILITRE),
            _number(codes.CEMENT_LIMIT, cement.limit_ml, codes.MILLILITRE),
        ],
        evaluations=[],
    )


def _group(
    tracking_id: str,
    identity: tuple[str, ...],
    *,
    finding: Code,
    sites: Sequence[tuple[Code, Code | None]],
    measures: Sequence[Any],
    evaluations: Sequence[tuple[Code, Code]],
    category: Code = codes.PHYSICAL_OBJECT,
) -> Any:
    from highdicom import sr

    return sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(
            uid=uid_from("plan tracking", *identity, tracking_id), identifier=tracking_id
        ),
        finding_type=coded(finding),
        finding_category=coded(category),
        finding_sites=[
            sr.FindingSite(coded(site), laterality=None if side is None else coded(side))
            for site, side in sites
        ],
        measurements=list(measures),
        qualitative_evaluations=[
            sr.QualitativeEvaluation(coded(name), coded(value)) for name, value in evaluations
        ],
    )


def _number(name: Code, value: float, unit: Code) -> Any:
    from highdicom import sr

    return sr.Measurement(name=coded(name), value=round(float(value), DIGITS), unit=coded(unit))


def _point(name: Code, at: npt.ArrayLike, frame: str) -> Any:
    from highdicom import sr

    return sr.Scoord3DContentItem(
        name=coded(name),
        graphic_type="POINT",
        graphic_data=np.asarray(at, float)[None],
        frame_of_reference_uid=frame,
        relationship_type="CONTAINS",
    )
