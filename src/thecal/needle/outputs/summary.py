"""A plan in a few sentences, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from thecal.needle.plan_value import EMBOLISM_RISES_ML, Audit, ExecutedNeedle, LevelPlan, Trajectory
from thecal.terms import RESEARCH_USE, vertebra_name


def summary(plans: Sequence[LevelPlan], audit: Audit | None = None) -> list[str]:
    """What was planned level by level; never says that a way is safe, only what it keeps."""
    said = [RESEARCH_USE]
    if not plans:
        said.append("No vertebra was planned: none of those asked for is whole in the scan.")
    for plan in plans:
        name = vertebra_name(plan.level, plan.vertebra_id)
        name = name[0].upper() + name[1:]
        if plan.single is not None:
            said.append(f"{name}, one needle from the {plan.single.side}: {_way(plan.single)}.")
        else:
            said.append(f"{name}, one needle: no way to the middle keeps the rules.")
        for answer in plan.sides:
            if answer.best is not None:
                said.append(f"{name}, {answer.side}: {_way(answer.best)}.")
            else:
                said.append(f"{name}, {answer.side}: no safe path on this side. {answer.reason}")
        said.append(
            f"{name}: {plan.cement.low_ml:.1f} to {plan.cement.high_ml:.1f} mL of cement are "
            f"{100 * plan.cement.low_share:.0f} to {100 * plan.cement.high_share:.0f} % of its body, the "
            "range of the literature. 2 mL restored strength in cadavers, and embolism rises above "
            f"{EMBOLISM_RISES_ML:.0f} mL: the limit is {plan.cement.limit_ml:.1f} mL. Less leaks less."
        )
    if plans:
        said += _unknown(plans)
    if audit is not None:
        said += [_executed(needle) for needle in audit.needles]
        said += list(audit.notes)
    return said


def _unknown(plans: Sequence[LevelPlan]) -> list[str]:
    """What holds for all levels once, then what is peculiar to some of them."""
    shared = [words for words in plans[0].unknown if all(words in plan.unknown for plan in plans)]
    said = [f"Not known, so not kept away from: {'; '.join(shared)}."] if shared else []
    for plan in plans:
        own = [words for words in plan.unknown if words not in shared]
        if own:
            name = vertebra_name(plan.level, plan.vertebra_id)
            said.append(f"Nor, at {name}: {'; '.join(own)}.")
    return said


def _way(way: Trajectory) -> str:
    toward = "towards the midline" if way.transverse_deg >= 0 else "outward"
    other = "right" if way.side == "left" else "left"
    side = way.side if (way.skin_from_midline_mm or 0.0) >= 0.0 else other
    skin = (
        "the scan does not reach the skin"
        if way.skin_from_midline_mm is None
        else f"skin {abs(way.skin_from_midline_mm):.0f} mm {side} of the midline"
    )
    return (
        f"{way.approach}, {way.gauge.name}, {abs(way.transverse_deg):.0f} degrees {toward}, {skin}; "
        f"{way.medial_margin_mm:.1f} mm from the medial pedicle wall, nearest {way.nearest} at "
        f"{way.least_mm:.1f} mm"
    )


def _executed(needle: ExecutedNeedle) -> str:
    name = vertebra_name(needle.level, needle.vertebra_id)
    name = name[0].upper() + name[1:]
    off = (
        "no planned needle to compare with"
        if needle.angle_error_deg is None
        else f"{needle.angle_error_deg:.0f} degrees and {needle.entry_error_mm:.1f} mm off the plan at its "
        "entry"
    )
    wall = (
        f"through the medial wall by {-needle.medial_margin_mm:.1f} mm"
        if needle.medial_margin_mm < 0
        else f"{needle.medial_margin_mm:.1f} mm from the medial pedicle wall"
    )
    return f"{name}, {needle.side}, seen as {needle.seen_as}: {off}; {wall}, grade {needle.grade}."
