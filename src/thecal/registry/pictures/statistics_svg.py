"""Pictures of the statistics' page as SVG, by hand; `thecal.registry.pictures` has the reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from math import ceil, isfinite, log10
from typing import Final

import numpy as np

from thecal.registry.grades import GRADES
from thecal.registry.statistics.decompression import Delay
from thecal.registry.statistics.kaplan_meier import Curve
from thecal.registry.statistics.leak_rates import RateTable
from thecal.registry.statistics.strength import COURSES, Point
from thecal.registry.statistics.turnbull import Turnbull
from thecal.registry.statistics.waiting import Waiting

Place = Callable[[float, float], tuple[float, float]]
"""A day and a share to a place in the picture."""
WIDTH: Final = 360.0
"""Of a picture, in its own units: a phone's, where letters of 12 are still read."""
LEFT: Final = 110.0
ROW: Final = 22.0
INK: Final = "#1f2430"
MUTED: Final = "#5d6678"
LINE: Final = "#c9cfda"
MARK: Final = "#12618f"
BAND: Final = "#12618f26"
SECOND: Final = "#b4560f"
# Told apart without colour too: every curve has its own dashes.
DASHES: Final = ("", "5 3", "1.5 3", "8 3 2 3", "2 2", "10 3", "4 2 1 2", "6 6", "3 5")
TICKS: Final = 5
CURVE_HEIGHT: Final = 180.0
RIGHT: Final = 14.0
LABEL: Final = 26.0
"""What a number below an axis needs."""


def forest(table: RateTable) -> str:
    """Shares with their intervals, a row each; empty where every row is under ten."""
    rows = table.rows
    if all(row.value is None for row in rows):
        return ""
    most = max((row.high or 0.0) for row in rows) if rows else 1.0
    top = _round_up(most) if most > 0 else 1.0
    across = WIDTH - LEFT - RIGHT - 74.0
    height = ROW * len(rows) + 34.0
    parts = []
    for step in range(TICKS):
        share = top * step / (TICKS - 1)
        x = LEFT + across * share / top
        parts.append(_line(x, 4.0, x, height - 28.0, LINE))
        parts.append(_text(x, height - 12.0, f"{100 * share:.3g}", "middle", MUTED))
    parts.append(_text(LEFT + across + 8, height - 12.0, "%", "start", MUTED))
    for at, row in enumerate(rows):
        y = ROW * at + 16.0
        parts.append(_text(LEFT - 8.0, y + 4.0, row.name, "end"))
        if row.low is None or row.high is None or row.value is None:
            parts.append(_text(LEFT + 4.0, y + 4.0, "too few to estimate", "start", MUTED))
        else:
            low, middle, high = (LEFT + across * value / top for value in (row.low, row.value, row.high))
            parts.append(_line(low, y, high, y, MARK, 2.0))
            parts += [_line(end, y - 4, end, y + 4, MARK, 1.5) for end in (low, high)]
            parts.append(f'<circle cx="{middle:.1f}" cy="{y:.1f}" r="4" fill="{MARK}"/>')
        parts.append(_text(WIDTH - 4.0, y + 4.0, f"{row.events}/{row.total}", "end", MUTED))
    return _svg(height, f"Leaks by {table.by}, share with interval", parts)


def waiting_curve(found: Waiting) -> str:
    """The share that recovered, by day: Turnbull's estimate, both bounds, and the numbers at risk."""
    late, early, between = found.late, found.early, found.between
    if late is None or early is None or between is None:
        return ""
    last = max([*(w.first_with or w.last_without for w in found.patients), 1.0])
    end = _round_up(last)
    bottom, left = CURVE_HEIGHT, 44.0
    across = WIDTH - left - RIGHT

    def at(day: float, share: float) -> tuple[float, float]:
        return left + across * day / end, 10.0 + (bottom - 10.0) * (1.0 - share)

    parts = _frame(left, bottom, end, at)
    parts.append(_band(late, last, at))
    parts.append(_steps(late, last, at, MARK, "1.5 3", 1.2))
    parts.append(_steps(early, last, at, SECOND, "5 3", 1.2))
    parts.append(_boxes(between, last, at))
    parts.append(_text(left, bottom + 34.0, "days since the visit that first found it lost", "start", MUTED))
    parts.append(_text(2.0, bottom + 54.0, "still waiting, of those looked at:", "start", MUTED))
    before = 0.0
    for day, count in found.at_risk:
        x = at(day, 0)[0]
        if day <= end and x - before >= LABEL:
            before = x
            parts.append(_line(x, bottom, x, bottom + 4, MUTED))
            parts.append(_text(x, bottom + 72.0, str(count), "middle"))
            parts.append(_text(x, bottom + 86.0, f"d{day}", "middle", MUTED))
    return _svg(bottom + 94.0, f"Share of patients with {found.what} again, by day", parts)


def strength_curves(curves: dict[str, tuple[Point, ...]]) -> str:
    """The median muscle of each patient by day, few patients."""
    if not curves:
        return ""
    last = max([point.day for points in curves.values() for point in points] + [1.0])
    first = min([point.day for points in curves.values() for point in points] + [0.0])
    end = _round_up(last)
    bottom, left = CURVE_HEIGHT, 34.0
    across = WIDTH - left - RIGHT
    ranks = len(GRADES) - 1
    whole = {grade: GRADES.index(grade) for grade in "012345"}

    def at(day: float, rank: float) -> tuple[float, float]:
        return left + across * (day - first) / (end - first), 10.0 + (bottom - 10.0) * (1.0 - rank / ranks)

    parts = []
    for grade, rank in whole.items():
        _, y = at(first, rank)
        parts.append(_line(left, y, WIDTH - RIGHT, y, LINE))
        parts.append(_text(left - 6.0, y + 4.0, grade, "end", MUTED))
    for day in np.linspace(first, end, TICKS):
        parts.append(_text(at(day, 0)[0], bottom + 16.0, f"{day:.3g}", "middle", MUTED))
    parts.append(_text(left, bottom + 32.0, "days after the deficit", "start", MUTED))
    for number, (name, points) in enumerate(curves.items()):
        dash = DASHES[number % len(DASHES)]
        places = [at(p.day, GRADES.index(p.grade)) for p in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        parts.append(f'<polyline points="{path}" fill="none" stroke="{MARK}" stroke-width="1.8"{dashed}/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{MARK}"/>' for x, y in places]
        y = bottom + 52.0 + 16.0 * number
        parts.append(
            f'<line x1="{left}" x2="{left + 30}" y1="{y - 4}" y2="{y - 4}" stroke="{MARK}"{dashed}/>'
        )
        parts.append(_text(left + 38.0, y, name, "start"))
    return _svg(bottom + 46.0 + 16.0 * len(curves), "Strength of each patient's median muscle, by day", parts)


def delays(patients: Sequence[Delay]) -> str:
    """Hours to decompression, a dot for each patient, by what became of her."""
    if not patients:
        return ""
    least = max(min(p.hours for p in patients), 0.5)
    most = max(*(p.hours for p in patients), 2 * least) if len(patients) > 1 else max(patients[0].hours, 1.0)
    low, high = log10(least), log10(max(most, 2 * least))
    left = 60.0
    across = WIDTH - left - RIGHT
    height = 34.0 * len(COURSES) + 40.0
    parts = []

    def place(hours: float) -> float:
        return left + across * (log10(max(hours, least)) - low) / (high - low)

    for hours, words in ((1, "1 h"), (6, "6 h"), (24, "1 d"), (168, "1 wk"), (720, "30 d"), (8760, "1 y")):
        if least <= hours <= most:
            parts.append(_line(place(hours), 6.0, place(hours), height - 34.0, LINE))
            parts.append(_text(place(hours), height - 18.0, words, "middle", MUTED))
    for at, course in enumerate(reversed(COURSES)):
        y = 34.0 * at + 22.0
        mine = [p for p in patients if p.course == course]
        parts.append(_text(left - 8.0, y + 4.0, course, "end"))
        for number, patient in enumerate(mine):
            # Spread up and down in a fixed order, so that dots do not hide each other.
            dy = ((number * 7) % 11 - 5) * 2.0 if len(mine) > 1 else 0.0
            x = place(patient.hours)
            parts.append(f'<circle cx="{x:.1f}" cy="{y + dy:.1f}" r="3" fill="{MARK}" fill-opacity="0.55"/>')
    parts.append(_text(left, height - 2.0, "from the deficit to the decompression", "start", MUTED))
    return _svg(height, "Time to decompression by the course of strength", parts)


def _frame(left: float, bottom: float, end: float, place: Place) -> list[str]:
    parts = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        _, y = place(0.0, share)
        parts.append(_line(left, y, WIDTH - RIGHT, y, LINE))
        parts.append(_text(left - 6.0, y + 4.0, f"{100 * share:.0f} %", "end", MUTED))
    for day in np.linspace(0.0, end, TICKS)[1:]:
        x, _ = place(day, 0.0)
        parts.append(_text(x, bottom + 16.0, f"{day:.3g}", "middle", MUTED))
    return parts


def _boxes(found: Turnbull, last: float, place: Place) -> str:
    """Level where the data tell the share; a box wherever it rises and they do not tell how."""
    parts: list[str] = []
    day, share = 0.0, 0.0
    for left, right, mass in zip(found.left, found.right, found.mass, strict=True):
        (x, y), (begin, _) = place(day, share), place(left, 0.0)
        parts.append(_line(x, y, begin, y, INK, 2.2))
        if not isfinite(right):
            break
        day, share = float(right), share + float(mass)
        end, top = place(day, share)
        parts.append(
            f'<rect x="{begin:.1f}" y="{top:.1f}" width="{end - begin:.1f}" height="{y - top:.1f}" '
            f'fill="{INK}" fill-opacity="0.16" stroke="{INK}" stroke-width="0.6"/>'
        )
    else:
        (x, y), (end, _) = place(day, share), place(last, 0.0)
        parts.append(_line(x, y, end, y, INK, 2.2))
    return "".join(parts)


def _steps(curve: Curve, last: float, place: Place, colour: str, dash: str, width: float) -> str:
    x, y = place(0.0, 0.0)
    path = [f"M{x:.1f} {y:.1f}"]
    for day, waiting in zip(curve.times, curve.waiting, strict=True):
        x, y = place(day, 1.0 - waiting)
        path.append(f"H{x:.1f}V{y:.1f}")
    path.append(f"H{place(last, 0.0)[0]:.1f}")
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="{"".join(path)}" fill="none" stroke="{colour}" stroke-width="{width:g}"{dashed}/>'


def _band(curve: Curve, last: float, place: Place) -> str:
    known = np.isfinite(curve.low)
    if not known.any():
        return ""
    days = [*curve.times[known].tolist(), last]
    upper: list[str] = []
    lower: list[str] = []
    for number, (low, high) in enumerate(zip(curve.low[known], curve.high[known], strict=True)):
        for day in (days[number], days[number + 1]):
            x, top = place(day, 1.0 - low)
            _, foot = place(day, 1.0 - high)
            upper.append(f"{x:.1f},{top:.1f}")
            lower.append(f"{x:.1f},{foot:.1f}")
    return f'<polygon points="{" ".join(upper + lower[::-1])}" fill="{BAND}"/>'


def _round_up(value: float) -> float:
    """The next number that divides into four even parts."""
    if value <= 0:
        return 1.0
    size = 10.0 ** np.floor(log10(value))
    return float(
        next(step * size for step in (1.0, 2.0, 4.0, 6.0, 8.0, 10.0) if step * size >= value - 1e-12)
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1.0) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width:g}"/>'
    )


def _text(x: float, y: float, words: str, anchor: str, colour: str = INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'


def _svg(height: float, label: str, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH:g} {ceil(height)}" role="img" aria-label="{escape(label)}" '
        f'font-family="system-ui, sans-serif" font-size="12">{"".join(parts)}</svg>'
    )
