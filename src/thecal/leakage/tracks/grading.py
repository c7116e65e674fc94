"""What a breach is called, and the angle that is published for a level."""

from __future__ import annotations

from typing import Final

from thecal.terms import Grade

GRADE_LIMITS_MM: Final = (2.0, 4.0, 6.0)
"""Gertzbein-Robbins, as in J Robot Surg 2024, doi 10.1007/s11701-024-02001-w: A none, B below 2 mm, C below
4, D below 6, E from 6 mm."""

TRANSVERSE_DEGREES: Final[dict[str, float]] = {
    "T1": 27.0,
    "T2": 19.0,
    "T3": 17.0,
    "T4": 14.0,
    "T5": 13.0,
    "T6": 10.0,
    "T7": 10.0,
    "T8": 10.0,
    "T9": 8.0,
    "T10": 5.0,
    "T11": 1.0,
    "T12": -4.0,
    "L1": 11.0,
    "L2": 12.0,
    "L3": 14.0,
    "L4": 18.0,
    "L5": 30.0,
}
"""Mean transverse angle of the pedicles, towards the midline, after Zindrick 1987. These are quoted from
memory and not checked against the paper; series differ by ten degrees (T1 35, T12 -10 on CT: Kaur 2016). They
are shown beside a track's angle and decide nothing."""


def gertzbein_robbins(breach_mm: float) -> Grade:
    """The grade of a breach; 0 or less is A."""
    if breach_mm <= 0.0:
        return "A"
    grades: tuple[Grade, Grade, Grade] = ("B", "C", "D")
    for grade, limit in zip(grades, GRADE_LIMITS_MM, strict=True):
        if breach_mm < limit:
            return grade
    return "E"


def published_angle(level: str | None) -> float | None:
    """Mean transverse angle of a level's pedicles, degrees towards the midline; None where it has none."""
    return TRANSVERSE_DEGREES.get(level) if level is not None else None
