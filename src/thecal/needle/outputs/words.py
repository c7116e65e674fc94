"""A plan in words: what stands at the top of its page and in the structured report."""

from __future__ import annotations

from typing import Final

from thecal.anatomy.spine import Vertebra
from thecal.needle.outputs.needles import PlannedNeedle, depth_marks, level_words, needles_of
from thecal.needle.plan_value import EMBOLISM_RISES_ML, CementRange, ExecutedNeedle, LevelPlan, Trajectory
from thecal.terms import vertebra_name

APPROACH_WORDS: Final = {
    "transpedicular": "through the pedicle",
    "extrapedicular": "beside the pedicle",
}
STRAIGHT_DEG: Final = 0.5
"""A smaller angle is written as straight ahead."""
NOTHING_SAFE: Final = "no safe path"


def answer(plan: LevelPlan) -> str:
    """The plan of a level in one sentence."""
    at = capital(level_words(plan))
    if plan.single is not None:
        way = plan.single
        return (
            f"{at}: one {way.gauge.name} needle from the {way.side}, {APPROACH_WORDS[way.approach]}, to the "
            "middle of the anterior third."
        )
    sides = [a.side for a in plan.sides if a.best is not None]
    if sides:
        # Two needles are then the plan.
        return (
            f"{at}: no path for one needle to the middle; a needle from the {' and the '.join(sides)} "
            "reaches its own half of the body."
        )
    looked = [a.side for a in plan.sides]
    where = "on either side" if len(looked) > 1 else f"on the {looked[0]}" if looked else ""
    return f"{at}: {NOTHING_SAFE} {where}.".replace(" .", ".")


def first_needle(plan: LevelPlan) -> PlannedNeedle | None:
    """The needle that the top of the page tells of."""
    return next(iter(needles_of(plan)), None)


def skin_words(vertebra: Vertebra, way: Trajectory) -> tuple[str, str]:
    """Where the needle enters the skin: a figure, and what it is."""
    if way.skin_mm is None or way.skin_from_midline_mm is None:
        return "not in the scan", "depths count from the bone"
    left = float(vertebra.frame.to_local(way.skin_mm)[0]) > 0
    return f"{abs(way.skin_from_midline_mm):.0f} mm", f"{'left' if left else 'right'} of the midline"


def transverse_words(degrees: float) -> str:
    """A transverse angle in words."""
    if abs(degrees) < STRAIGHT_DEG:
        return "straight ahead"
    return f"{abs(degrees):.0f}° {'towards' if degrees > 0 else 'away from'} the midline"


def craniocaudal_words(degrees: float) -> str:
    """A cranio-caudal angle in words."""
    if abs(degrees) < STRAIGHT_DEG:
        return "neither up nor down"
    return f"{abs(degrees):.0f}° towards the {'head' if degrees > 0 else 'feet'}"


def depth_words(way: Trajectory) -> str:
    """The depth marks in one line."""
    marks = [f"{mark.words} {mark.depth_mm:.0f}" for mark in depth_marks(way)]
    return f"{' · '.join(marks)} mm"


def aim_words(way: Trajectory) -> str:
    """The share of safe outcomes over the aiming errors that were tried, from the smallest error on."""
    from thecal.needle.pictures.aim_plot import safe_words

    if not way.aim:
        return "not tried"
    said = [safe_words(aim) for aim in way.aim]
    return said[0] if len(said) == 1 else f"{said[0]} to {said[-1]}"


def aim_errors_words(way: Trajectory) -> str:
    """Which aiming errors those were."""
    if not way.aim:
        return ""
    first, last = way.aim[0], way.aim[-1]
    if first is last:
        return f"with {first.entry_sd_mm:g} mm and {first.angle_sd_deg:g}° of error"
    return (
        f"with {first.entry_sd_mm:g} mm and {first.angle_sd_deg:g}° up to {last.entry_sd_mm:g} mm and "
        f"{last.angle_sd_deg:g}° of error"
    )


def cement_words(cement: CementRange) -> str:
    """The range of cement, with its limit."""
    return f"{cement.low_ml:.1f} to {cement.high_ml:.1f} mL"


def cement_limit_words(cement: CementRange) -> str:
    """What the limit is."""
    return (
        f"{100 * cement.low_share:.0f} to {100 * cement.high_share:.0f} % of a body of "
        f"{cement.body_ml:.0f} mL; the limit is {cement.limit_ml:.1f} mL, the lower of that share and of the "
        f"{EMBOLISM_RISES_ML:.0f} mL above which embolism rises, and less where cement nears the posterior "
        "third; 2 mL restored strength in cadavers"
    )


def unknown_words(plan: LevelPlan) -> str:
    """What the plan cannot keep away from; never that there is nothing."""
    if not plan.unknown:
        return "Vessels, roots outside the foramina and the dura itself are not seen on CT."
    return f"{capital('; '.join(plan.unknown))}."


def executed(needle: ExecutedNeedle) -> str:
    """A needle of a later CT against the plan, in one sentence."""
    name = capital(vertebra_name(needle.level, needle.vertebra_id))
    at = f"{name}, {needle.side}, {SEEN_WORDS[needle.seen_as]}"
    off = "nothing was planned for it"
    if needle.angle_error_deg is not None and needle.entry_error_mm is not None:
        off = f"{needle.entry_error_mm:.1f} mm and {needle.angle_error_deg:.0f}° off the plan at its entry"
    planned = (
        ""
        if needle.planned_medial_margin_mm is None
        else f"; planned were {needle.planned_medial_margin_mm:.1f} mm"
    )
    if needle.medial_margin_mm < 0:
        wall = f"through the medial pedicle wall by {-needle.medial_margin_mm:.1f} mm{planned}"
    else:
        wall = f"{needle.medial_margin_mm:.1f} mm from the medial pedicle wall{planned}"
    return f"{at}, {width_words(needle)}: {off}; {wall}. Grade {needle.grade}{breach_words(needle)}."


def width_words(needle: ExecutedNeedle) -> str:
    """How wide a needle was, or is taken to have been."""
    wide = f"{needle.outer_mm:.1f} mm wide"
    if needle.outer_from == "planned":
        return f"taken as {wide}"
    if needle.outer_error_mm is None:
        return f"at most {wide} in the metal's glare"
    return f"{wide} (± {needle.outer_error_mm:.1f})"


SEEN_WORDS: Final = {
    "metal": "a needle in place",
    "cement": "a track filled with cement",
    "air": "a track filled with air",
    "empty": "an empty track",
}


def breach_words(needle: ExecutedNeedle) -> str:
    """Where a needle left its pedicle."""
    if needle.breach == "none":
        return ", no breach seen"
    return f", {needle.breach} breach of {needle.breach_mm:.1f} mm"


def capital(text: str) -> str:
    """A sentence's first letter."""
    return text[:1].upper() + text[1:]
