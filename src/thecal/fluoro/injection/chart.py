"""The front and the shadow of the cement against time, with the levels as a band beneath."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from thecal.fluoro.injection.chronicle import Chronicle
from thecal.fluoro.reading import Level
from thecal.fluoro.screen.look import LEVEL_LOOKS
from thecal.fluoro.stream.events import LevelChange
from thecal.fluoro.stream.watch import LOST_AFTER_S
from thecal.report.drawing import STYLE, Picture, blank
from thecal.report.palette import FAINT, INK
from thecal.volume import FloatArray

SIZE_IN = (9.0, 5.2)
MOST_POINTS = 2000
"""A longer watch is drawn by the hindmost front and the largest shadow of even pieces of it."""
NARROW = 0.035
"""Share of the whole time below which a stretch of the band has no word on it."""


def injection_chart(chronicle: Chronicle, depth_mm: float, stop_share: float) -> Picture | None:
    """Front, shadow and levels; None where nothing was read.

    Parameters
    ----------
    chronicle : Chronicle
    depth_mm : float
        Of the body, from posterior to anterior wall.
    stop_share : float
        Of that depth, from the posterior wall: where cement must stop.
    """
    if not len(chronicle.at_s):
        return None
    time_s = np.frombuffer(chronicle.at_s)
    to_wall, area = np.frombuffer(chronicle.to_wall_mm), np.frombuffer(chronicle.area_mm2)
    pieces = np.unique(np.linspace(0, len(time_s), min(MOST_POINTS, len(time_s)) + 1).astype(int))[:-1]
    ends = max(float(time_s[-1]), chronicle.end.at_s if chronicle.end else 0.0, 1e-3)
    with mpl.rc_context(STYLE):
        figure = blank(*SIZE_IN)
        front_axes = figure.add_axes((0.075, 0.47, 0.905, 0.5))
        area_axes = figure.add_axes((0.075, 0.2, 0.905, 0.22), sharex=front_axes)
        band_axes = figure.add_axes((0.075, 0.09, 0.905, 0.07), sharex=front_axes)
        _walls(front_axes, depth_mm, stop_share, ends)
        _line(front_axes, time_s[pieces], _by_piece(-to_wall, pieces, -1.0))
        front_axes.set_ylabel("front to posterior wall, mm")
        hindmost = np.nanmin(to_wall) if np.isfinite(to_wall).any() else 0.0
        front_axes.set_ylim(depth_mm + 2.0, min(-4.0, float(hindmost) - 2.0))
        _line(area_axes, time_s[pieces], _by_piece(area, pieces, 1.0))
        area_axes.set_ylabel("shadow, mm²")
        area_axes.set_ylim(bottom=0.0)
        _band(band_axes, chronicle.changes, ends)
        band_axes.set_xlabel("s since the watch began")
        front_axes.set_xlim(0.0, ends)
        for axes in (front_axes, area_axes):
            axes.tick_params(labelbottom=False)
            axes.spines[["top", "right"]].set_visible(False)
            axes.patch.set_alpha(0.0)
    least = f"{hindmost:.1f} mm" if np.isfinite(to_wall).any() else "not known"
    caption = (
        "Above: how far the hindmost new cement stood before the posterior wall (negative: behind it); where "
        "the ground is orange it must not come. Middle: the area of its shadow. Below: what was said."
    )
    alt = f"Front of the cement against time; nearest to the posterior wall: {least}."
    return Picture(figure, caption, alt, SIZE_IN[0])


def _by_piece(values: FloatArray, pieces: npt.NDArray[np.intp], sign: float) -> FloatArray:
    """The largest value of each piece, times ``sign``; NaN where the piece has none."""
    known = np.where(np.isfinite(values), values, -np.inf)
    largest = np.maximum.reduceat(known, pieces)
    found: FloatArray = sign * np.where(np.isfinite(largest), largest, np.nan)
    return found


def _line(axes: Axes, time_s: FloatArray, values: FloatArray) -> None:
    """A line that is broken where nothing was read."""
    usual = float(np.median(np.diff(time_s))) if len(time_s) > 1 else 0.0
    gaps = np.flatnonzero(np.diff(time_s) > max(LOST_AFTER_S, 3.0 * usual)) + 1
    axes.plot(np.insert(time_s, gaps, np.nan), np.insert(values, gaps, np.nan), color=INK, lw=1.6)


def _walls(axes: Axes, depth_mm: float, stop_share: float, ends: float) -> None:
    axes.axhspan(0.0, stop_share * depth_mm, color=LEVEL_LOOKS["stop"].colour, alpha=0.16, lw=0)
    axes.axhspan(-100.0, 0.0, color=LEVEL_LOOKS["leak"].colour, alpha=0.22, lw=0)
    for at, words in ((0.0, "posterior wall"), (depth_mm, "anterior wall")):
        axes.axhline(at, color=FAINT, lw=1.0)
        axes.annotate(words, (ends, at), (-3, 3), textcoords="offset points", ha="right", color=FAINT)


def _band(axes: Axes, changes: list[LevelChange], ends: float) -> None:
    """Each level's stretch in its colour, with its word where there is room."""
    # A level that was said again with more is one stretch.
    changes = [change for change in changes if change.level != change.was]
    stops = [change.at_s for change in changes[1:]] + [ends]
    for change, stop in zip(changes, stops, strict=True):
        level: Level = change.level
        look = LEVEL_LOOKS[level]
        hatch = "////" if level == "lost" else None
        axes.axvspan(change.at_s, stop, facecolor=look.colour, hatch=hatch, edgecolor=FAINT, lw=0.4)
        if stop - change.at_s > NARROW * ends:
            middle = (change.at_s + stop) / 2
            ground = {"facecolor": look.colour, "edgecolor": "none", "pad": 1.5}
            axes.text(
                middle,
                0.5,
                look.word,
                color=look.ink,
                ha="center",
                va="center",
                weight="bold",
                size=8.5,
                bbox=ground,
            )
    axes.set_ylim(0, 1)
    axes.set_yticks([])
