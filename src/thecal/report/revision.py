"""The plan for a revision as the report has it."""

from __future__ import annotations

from thecal.leakage.revision.plan_value import RevisionPlan
from thecal.report.schema import Durotomy, Fixation, FragmentMeasure, Lamina, PedicleSize, Revision
from thecal.terms import vertebra_name


def revision_of(plan: RevisionPlan | None) -> Revision | None:
    """The report's ``revision``; None where nothing is planned."""
    if plan is None:
        return None
    return Revision(
        levels=list(plan.levels),
        laminectomy_levels=[vertebra_name(a.level, a.vertebra_id) for a in plan.laminae],
        durotomy=Durotomy(
            from_mm=round(plan.durotomy.from_mm, 1),
            to_mm=round(plan.durotomy.to_mm, 1),
            length_mm=round(plan.durotomy.length_mm, 1),
            from_place=plan.durotomy.from_place,
            to_place=plan.durotomy.to_place,
        )
        if plan.durotomy
        else None,
        fragments=[f.deposit_id for f in plan.fragments],
        fixation_levels=list(plan.fixation),
        fragment_measures=[
            FragmentMeasure(
                id=f.deposit_id,
                intradural=f.intradural,
                level=f.level,
                vertebra_id=f.vertebra_id,
                side=f.side,
                volume_ml=round(f.volume_ml, 5),
                size_mm=(round(f.size_mm[0], 1), round(f.size_mm[1], 1), round(f.size_mm[2], 1)),
                from_mm=round(f.from_mm, 1),
                to_mm=round(f.to_mm, 1),
                depth_mm=_tenth(f.depth_mm),
                neural=f.neural,
                may_have_to_stay=f.may_have_to_stay,
            )
            for f in plan.fragments
        ],
        laminae=[
            Lamina(
                level=a.level,
                vertebra_id=a.vertebra_id,
                from_mm=round(a.from_mm, 1),
                to_mm=round(a.to_mm, 1),
                share=round(a.share, 2),
                measured=a.measured,
            )
            for a in plan.laminae
        ],
        margin_mm=plan.margin_mm,
        fixation=Fixation(asked=plan.fixation_asked, reason=plan.fixation_reason),
        pedicles=[
            PedicleSize(
                level=p.level,
                vertebra_id=p.vertebra_id,
                side=p.side,
                width_mm=_tenth(p.width_mm),
                height_mm=_tenth(p.height_mm),
                at_mm=None
                if p.at_mm is None
                else (round(p.at_mm[0], 1), round(p.at_mm[1], 1), round(p.at_mm[2], 1)),
            )
            for p in plan.pedicles
        ],
        conus=plan.conus,
        remarks=list(plan.remarks),
    )


def _tenth(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
