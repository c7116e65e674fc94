"""Figures as the contracts write them: rounded to what they are worth, null where unknown."""

from __future__ import annotations

from collections.abc import Sequence

from thecal.leakage.findings import WorstOcclusion
from thecal.report.schema import MaxOcclusion, Point
from thecal.volume import FloatArray


def rounded(value: float | None, digits: int) -> float | None:
    """A figure to so many digits; None stays None."""
    return None if value is None else round(float(value), digits)


def point(at_mm: Sequence[float] | FloatArray) -> Point:
    """Three lengths to a hundredth of a millimetre."""
    x, y, z = (round(float(v), 2) for v in at_mm)
    return (x, y, z)


def max_occlusion_of(worst: WorstOcclusion | None) -> MaxOcclusion | None:
    """The narrowest plane of the canal, where there is cement in it."""
    if worst is None:
        return None
    return MaxOcclusion(
        fraction=round(float(worst.fraction), 4),
        cement_area_mm2=round(float(worst.cement_area_mm2), 2),
        canal_area_mm2=round(float(worst.canal_area_mm2), 2),
        residual_ap_mm=rounded(worst.residual_ap_mm, 2),
        at_mm=round(float(worst.at_mm), 2),
        level=worst.level,
        vertebra_id=worst.vertebra_id,
    )
