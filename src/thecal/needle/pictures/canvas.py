"""How the plan's pictures draw a needle, its marks, and the words that every picture bears."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thecal.report.drawing import draw_line, halo
from thecal.report.palette import FAINT, INK
from thecal.terms import RESEARCH_USE
from thecal.volume import FloatArray

STEEL: Final = "#15181c"
FOOT_IN: Final = 0.24
"""Room below a figure for what every picture says of its use."""


def write_research_use(figure: Figure) -> None:
    """What every picture says of its use, at the figure's foot."""
    figure.text(0.0, 0.03 / figure.get_figheight(), RESEARCH_USE, fontsize=8.0, color=FAINT, va="bottom")


def draw_needle(
    axes: Axes,
    start: npt.ArrayLike,
    tip: npt.ArrayLike,
    width: tuple[float, float],
    colour: str,
    *,
    filled: float = 0.9,
    zorder: float = 5.0,
) -> None:
    """A needle at its true width, in data units at its start and at its tip, with a bevelled end."""
    a, b = np.asarray(start, float), np.asarray(tip, float)
    along = (b - a) / max(float(np.linalg.norm(b - a)), 1e-9)
    side = np.array([-along[1], along[0]])
    near, far = width[0] / 2, width[1] / 2
    shoulder = b - along * width[1] * BEVEL
    outline = np.array([a + side * near, shoulder + side * far, b, shoulder - side * far, a - side * near])
    axes.fill(*outline.T, facecolor=STEEL, alpha=filled, edgecolor="none", zorder=zorder, clip_on=True)
    axes.plot(*outline.T, color="#ffffff", linewidth=2.6, alpha=0.75, zorder=zorder)
    axes.plot(*outline.T, color=colour, linewidth=1.5, zorder=zorder + 0.1, solid_joinstyle="round")


BEVEL: Final = 0.9
"""Length of the pointed end in needle widths."""


def draw_way(axes: Axes, start: npt.ArrayLike, end: npt.ArrayLike, colour: str) -> None:
    """Where a needle has yet to go: a thin dashed line."""
    line = np.stack([np.asarray(start, float), np.asarray(end, float)])
    axes.plot(*line.T, color="#ffffff", linewidth=2.4, alpha=0.6, zorder=4.0)
    axes.plot(*line.T, color=colour, linewidth=1.1, linestyle=(0, (4.0, 3.0)), zorder=4.1)


def trace(
    axes: Axes, points: FloatArray, colour: str, dashes: Sequence[float] = (), *, width: float = 1.4
) -> None:
    """A line through points (n, 2) with a dark rim."""
    draw_line(axes, points[:, 0], points[:, 1], colour, dashes, width=width)


def draw_ring(axes: Axes, at: npt.ArrayLike, radius: float, colour: str) -> None:
    """A needle seen end-on."""
    x, y = np.asarray(at, float)
    angle = np.linspace(0.0, 2 * np.pi, 64)
    ring = np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1)
    axes.fill(*ring.T, facecolor=STEEL, alpha=0.35, edgecolor="none", zorder=5.0)
    axes.plot(*ring.T, color="#ffffff", linewidth=3.0, alpha=0.8, zorder=5.0)
    axes.plot(*ring.T, color=colour, linewidth=1.8, zorder=5.1)


def draw_tick(axes: Axes, at: npt.ArrayLike, along: npt.ArrayLike, half: float, colour: str) -> None:
    """A depth mark across a needle."""
    point, direction = np.asarray(at, float), np.asarray(along, float)
    direction = direction / max(float(np.linalg.norm(direction)), 1e-9)
    side = np.array([-direction[1], direction[0]]) * half
    ends = np.stack([point - side, point + side])
    axes.plot(*ends.T, color="#000000", linewidth=3.0, alpha=0.7, zorder=6.0)
    axes.plot(*ends.T, color=colour, linewidth=1.6, zorder=6.1)


def write_title(axes: Axes, text: str, left: float, top: float) -> None:
    """Words above a picture; and none of the ticks that an axis of a plot has."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.annotate(
        text,
        (left, top),
        (0.0, 5.0),
        textcoords="offset points",
        va="bottom",
        ha="left",
        fontsize=10.5,
        fontweight="bold",
        color=INK,
        annotation_clip=False,
    )


def write_corner(axes: Axes, x: float, y: float, text: str, *, size: float = 11.0, **kwargs: Any) -> None:
    """A word on the picture, legible on any ground."""
    axes.text(
        x,
        y,
        text,
        color="#ffffff",
        fontsize=size,
        fontweight="bold",
        path_effects=halo(width=3.0),
        zorder=8.0,
        **kwargs,
    )


def close(points: FloatArray) -> FloatArray:
    """An outline that ends where it begins."""
    return np.concatenate([points, points[:1]])
