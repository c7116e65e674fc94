"""From the values of a plan to the document of the contract."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thecal import __version__
from thecal.anatomy.spine import Spine
from thecal.needle.outputs.schema import (
    SCHEMA_NAME,
    Aim,
    Asked,
    AuditedNeedle,
    AuditPart,
    ClearancePoint,
    LevelAgreement,
    NeedleSize,
    PlanDocument,
    PlannedCement,
    PlannedCorridor,
    PlannedLevel,
    PlannedScan,
    PlannedSide,
    PlannedWay,
    PlanSoftware,
    Point,
)
from thecal.needle.plan import Wish
from thecal.needle.plan_value import Audit, Corridor, LevelPlan, SideAnswer, Trajectory
from thecal.quality import QualityNote
from thecal.report.schema import Quality
from thecal.terms import RESEARCH_USE
from thecal.volume import FloatArray, Volume


def plan_document(
    volume: Volume,
    spine: Spine,
    wish: Wish,
    plans: Sequence[LevelPlan],
    audit: Audit | None = None,
    notes: Sequence[QualityNote] = (),
    files: Sequence[str] = (),
) -> PlanDocument:
    """The document of a plan, rounded to what is worth writing."""
    source = volume.source
    return PlanDocument(
        schema=SCHEMA_NAME,
        software=PlanSoftware(name="thecal", version=__version__),
        research_use=RESEARCH_USE,
        scan=PlannedScan(
            kind=source.kind,
            series_uid=source.series_uid,
            spacing_mm=_point(source.grid.spacing_mm, 4),
            anatomy=spine.backend,
            anatomy_version=spine.backend_version,
        ),
        asked=Asked(sides=wish.sides, approach=wish.approach, needle=wish.needle, margin_mm=wish.margin_mm),
        levels=[_level(plan) for plan in plans],
        audit=None if audit is None else _audit(audit),
        quality=[Quality(code=n.code, severity=n.severity, message=n.message) for n in dict.fromkeys(notes)],
        files=list(files),
    )


def _level(plan: LevelPlan) -> PlannedLevel:
    cement = plan.cement
    return PlannedLevel(
        vertebra_id=plan.vertebra_id,
        level=plan.level,
        single=None if plan.single is None else _way(plan.single),
        single_reason=plan.single_reason,
        sides=[_side(answer) for answer in plan.sides],
        cement=PlannedCement(
            body_ml=round(cement.body_ml, 2),
            low_share=cement.low_share,
            high_share=cement.high_share,
            low_ml=round(cement.low_ml, 2),
            high_ml=round(cement.high_ml, 2),
            limit_ml=round(cement.limit_ml, 2),
            sources=list(cement.sources),
        ),
        unknown=list(plan.unknown),
        seconds=round(plan.seconds, 2),
    )


def _side(answer: SideAnswer) -> PlannedSide:
    return PlannedSide(
        side=answer.side,
        corridor=None if answer.corridor is None else _corridor(answer.corridor),
        best=None if answer.best is None else _way(answer.best),
        others=[_way(way) for way in answer.others],
        reason=answer.reason,
        tried=answer.tried,
    )


def _corridor(found: Corridor) -> PlannedCorridor:
    return PlannedCorridor(
        side=found.side,
        isthmus_mm=_point(found.isthmus_mm),
        axis=_point(found.axis, 4),
        width_mm=round(found.width_mm, 2),
        height_mm=round(found.height_mm, 2),
        inner_width_mm=_rounded(found.inner_width_mm),
        transverse_deg=round(found.transverse_deg, 1),
        sagittal_deg=round(found.sagittal_deg, 1),
        outline_mm=[_point(p) for p in found.outline],
        medial_wall_mm=[_point(p) for p in found.medial_wall],
    )


def _way(way: Trajectory) -> PlannedWay:
    profile = zip(way.clearance.depth_mm, way.clearance.free_mm, way.clearance.nearest, strict=True)
    return PlannedWay(
        side=way.side,
        approach=way.approach,
        needle=NeedleSize(
            name=way.gauge.name,
            outer_mm=way.gauge.outer_mm,
            inner_mm=way.gauge.inner_mm,
            source=way.gauge.source,
        ),
        widest_gauge=way.widest_gauge,
        skin_mm=None if way.skin_mm is None else _point(way.skin_mm),
        entry_mm=_point(way.entry_mm),
        tip_mm=_point(way.tip_mm),
        transverse_deg=round(way.transverse_deg, 1),
        sagittal_deg=round(way.sagittal_deg, 1),
        patient_transverse_deg=round(way.patient_transverse_deg, 1),
        patient_craniocaudal_deg=round(way.patient_craniocaudal_deg, 1),
        skin_from_midline_mm=_rounded(way.skin_from_midline_mm),
        skin_depth_mm=_rounded(way.skin_depth_mm),
        wall_depth_mm=round(way.wall_depth_mm, 1),
        tip_depth_mm=round(way.tip_depth_mm, 1),
        tip_share=round(way.tip_share, 3),
        least_mm=round(way.least_mm, 2),
        nearest=way.nearest,
        medial_margin_mm=round(way.medial_margin_mm, 2),
        grade=way.grade,
        aim=[
            Aim(
                entry_sd_mm=a.entry_sd_mm,
                angle_sd_deg=a.angle_sd_deg,
                trials=a.trials,
                safe=round(a.safe, 4),
                grades={grade: round(share, 4) for grade, share in a.grades.items()},
            )
            for a in way.aim
        ],
        clearance=[
            ClearancePoint(
                depth_mm=round(float(d), 1), free_mm=None if np.isnan(f) else round(float(f), 2), nearest=n
            )
            for d, f, n in profile
        ],
        score={name: round(value, 3) for name, value in way.score.items()},
    )


def _audit(audit: Audit) -> AuditPart:
    return AuditPart(
        series_uid=audit.series_uid,
        needles=[
            AuditedNeedle(
                vertebra_id=n.vertebra_id,
                level=n.level,
                side=n.side,
                seen_as=n.seen_as,
                against=n.against,
                chosen_by=n.chosen_by,
                agreement=_rounded(n.agreement, 3),
                entry_mm=_point(n.entry_mm),
                tip_mm=_point(n.tip_mm),
                outer_mm=round(n.outer_mm, 2),
                outer_from=n.outer_from,
                outer_error_mm=_rounded(n.outer_error_mm, 2),
                entry_error_mm=_rounded(n.entry_error_mm, 2),
                tip_error_mm=_rounded(n.tip_error_mm, 2),
                angle_error_deg=_rounded(n.angle_error_deg),
                transverse_error_deg=_rounded(n.transverse_error_deg),
                sagittal_error_deg=_rounded(n.sagittal_error_deg),
                medial_margin_mm=round(n.medial_margin_mm, 2),
                least_mm=round(n.least_mm, 2),
                nearest=n.nearest,
                breach=n.breach,
                breach_mm=round(n.breach_mm, 2),
                grade=n.grade,
                planned_medial_margin_mm=_rounded(n.planned_medial_margin_mm, 2),
            )
            for n in audit.needles
        ],
        notes=list(audit.notes),
        agreements=[
            LevelAgreement(vertebra_id=a.vertebra_id, level=a.level, agreement=_rounded(a.agreement, 3))
            for a in audit.agreements
        ],
        plan_version=audit.plan_version,
    )


def _rounded(value: float | None, digits: int = 1) -> float | None:
    return None if value is None else round(value, digits)


def _point(values: FloatArray | Point, digits: int = 2) -> Point:
    x, y, z = (round(float(v), digits) for v in np.asarray(values, float))
    return x, y, z
