"""What the structured report says of each deposit, each vertebra and the canal."""

from __future__ import annotations

from collections.abc import Sequence

from thecal.dicom import codes
from thecal.dicom.codes import Code
from thecal.dicom.measurement_report import Group, Measure
from thecal.dicom.segments import Segment
from thecal.report.schema import Deposit, Report, Vertebra
from thecal.terms import RESEARCH_USE

_SIDES = {"left": codes.LEFT, "right": codes.RIGHT}
# A structured report is read without the page: what weakens a statement goes with it.
_TOLD = ("critical", "warning")


def groups(report: Report, segments: Sequence[Segment]) -> list[Group]:
    """One measurement group a segment that something was measured of."""
    deposits = {f"thecal-deposit-{d.id}": d for d in report.deposits}
    vertebrae = {f"thecal-vertebra-{v.id}": v for v in report.vertebrae}
    made = []
    for segment in segments:
        if segment.tracking_id in deposits:
            made.append(_deposit(deposits[segment.tracking_id], segment))
        elif segment.tracking_id in vertebrae:
            made.append(_vertebra(vertebrae[segment.tracking_id], segment))
        elif segment.kind == codes.VERTEBRAL_CANAL:
            made.append(_canal(report, segment))
    return made


def comments(report: Report) -> list[str]:
    """Sentences that a reader of the structured report must not miss."""
    told = [note.message for note in report.quality if note.severity in _TOLD]
    return [RESEARCH_USE, *told]


def _deposit(deposit: Deposit, segment: Segment) -> Group:
    across, deep, high = deposit.extent_mm
    evaluations = [(codes.COMPARTMENT, codes.COMPARTMENTS[deposit.compartment])]
    if deposit.compartment != "intravertebral":
        evaluations.append((codes.ROUTE, codes.ROUTES[deposit.route]))
    if deposit.yeom is not None:
        evaluations.append((codes.YEOM, codes.YEOM_TYPES[deposit.yeom]))
    sites: list[tuple[Code, Code | None]] = []
    if segment.region is not None:
        sites.append((segment.region, _SIDES.get(deposit.side)))
    if segment.structure is not None:
        sites.append((segment.structure, None))
    return Group(
        tracking_id=segment.tracking_id,
        finding=codes.BONE_CEMENT,
        category=codes.PHYSICAL_OBJECT,
        sites=tuple(sites),
        measures=_known(
            (codes.VOLUME, deposit.volume_ml, codes.MILLILITRE, None, codes.SUM_OF_FRACTIONS),
            (
                codes.VOLUME,
                deposit.volume_sd_ml,
                codes.MILLILITRE,
                codes.STANDARD_DEVIATION,
                codes.SUM_OF_FRACTIONS,
            ),
            (codes.MEAN_ATTENUATION, deposit.mean_hu, codes.HOUNSFIELD, None, None),
            (codes.EXTENT_LEFT_RIGHT, across, codes.MILLIMETRE, None, None),
            (codes.EXTENT_BACK_FRONT, deep, codes.MILLIMETRE, None, None),
            (codes.EXTENT_UP, high, codes.MILLIMETRE, None, None),
            (codes.CLIPPED, deposit.clipped_fraction, codes.ONE, None, None),
        ),
        evaluations=tuple(evaluations),
        algorithm=segment.algorithm,
    )


def _vertebra(vertebra: Vertebra, segment: Segment) -> Group:
    heights = vertebra.heights_mm
    return Group(
        tracking_id=segment.tracking_id,
        finding=segment.kind,
        category=codes.ANATOMICAL_STRUCTURE,
        sites=((segment.kind, None),),
        measures=_known(
            (codes.CEMENT_VOLUME, vertebra.cement_ml, codes.MILLILITRE, None, codes.SUM_OF_FRACTIONS),
            (codes.FILL_FRACTION, vertebra.fill_fraction, codes.ONE, None, None),
            (codes.BODY_VOLUME, vertebra.body_volume_ml, codes.MILLILITRE, None, None),
            (codes.TRABECULAR, vertebra.trabecular_hu, codes.HOUNSFIELD, None, None),
            (codes.HEIGHT_ANTERIOR, heights.anterior, codes.MILLIMETRE, None, None),
            (codes.HEIGHT_MIDDLE, heights.middle, codes.MILLIMETRE, None, None),
            (codes.HEIGHT_POSTERIOR, heights.posterior, codes.MILLIMETRE, None, None),
            (codes.CANAL_AREA, vertebra.canal_area_mm2, codes.SQUARE_MILLIMETRE, None, None),
        ),
        evaluations=(),
        algorithm=segment.algorithm,
    )


def _canal(report: Report, segment: Segment) -> Group:
    canal, worst, dura = report.canal, report.canal.max_occlusion, report.intradural
    low, high = dura.interval or (None, None)
    evaluations = [(codes.INTRADURAL_CEMENT, codes.INTRADURAL_FINDINGS[dura.finding])]
    # A sign that could not be read is no finding.
    for sign in dura.signs:
        if sign.state != "not_assessable":
            state = codes.PRESENT if sign.state == "present" else codes.ABSENT
            evaluations.append((codes.SIGN_NAMES[sign.name], state))
    sites: list[tuple[Code, Code | None]] = [(codes.VERTEBRAL_CANAL, None)]
    if worst is not None and worst.level is not None:
        sites.append((codes.vertebra_code(worst.level), None))
    return Group(
        tracking_id=segment.tracking_id,
        finding=codes.VERTEBRAL_CANAL,
        category=codes.ANATOMICAL_STRUCTURE,
        sites=tuple(sites),
        measures=_known(
            (codes.CANAL_CEMENT, canal.cement_ml, codes.MILLILITRE, None, codes.SUM_OF_FRACTIONS),
            (codes.OCCLUSION, worst.fraction if worst else None, codes.ONE, None, None),
            (codes.RESIDUAL_DEPTH, worst.residual_ap_mm if worst else None, codes.MILLIMETRE, None, None),
            (codes.DETECTION_LIMIT, dura.detection_limit_mm3, codes.CUBIC_MILLIMETRE, None, None),
            (codes.PROBABILITY, dura.probability, codes.ONE, None, None),
            (codes.PROBABILITY_LOW, low, codes.ONE, None, None),
            (codes.PROBABILITY_HIGH, high, codes.ONE, None, None),
            (codes.PRIOR, None if dura.probability is None else dura.prior, codes.ONE, None, None),
        ),
        evaluations=tuple(evaluations),
        algorithm=segment.algorithm,
    )


def _known(*measures: tuple[Code, float | None, Code, Code | None, Code | None]) -> tuple[Measure, ...]:
    """The measures that have a value: what could not be measured is left out, never 0."""
    return tuple(
        Measure(name, value, unit, derivation, method)
        for name, value, unit, derivation, method in measures
        if value is not None
    )
