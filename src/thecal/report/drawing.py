"""How the report draws: the style, the CT underneath, outlines, and words beside them."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from contourpy import contour_generator
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import AbstractPathEffect, Normal, Stroke
from scipy import ndimage

from thecal.leakage.findings import Deposit, Leakage
from thecal.report.cuts import Cut
from thecal.report.headline import danger, volume_words
from thecal.report.palette import FAINT, INK, LOOKS
from thecal.volume import BoolArray, FloatArray, Grid, Volume

# A bone window: cortex, trabeculae and cement stay apart, soft tissue is still seen.
WINDOW_LEVEL_HU = 500.0
WINDOW_WIDTH_HU = 2000.0

# A picture as wide as an A4 page then has 220 to the inch of paper.
PIXELS_PER_INCH = 160

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "thecal",
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "axes.edgecolor": FAINT,
    "hatch.linewidth": 0.8,
}


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture: the figure, a caption, the same in words for those who do not see it, and its width."""

    figure: Figure
    caption: str
    alt: str
    width_in: float

    @cached_property
    def svg(self) -> str:
        """For a page on the screen: an SVG element."""
        with mpl.rc_context(STYLE):
            return to_svg(self.figure)

    @cached_property
    def pixels(self) -> npt.NDArray[np.uint8]:
        """For paper and for archives: on a white ground, (rows, columns, 3)."""
        from PIL import Image

        buffer = io.BytesIO()
        with mpl.rc_context(STYLE):
            self.figure.savefig(buffer, format="png", dpi=PIXELS_PER_INCH, pil_kwargs={"compress_level": 1})
        with Image.open(buffer) as drawn:
            ground = Image.new("RGBA", drawn.size, "white")
            return np.asarray(Image.alpha_composite(ground, drawn.convert("RGBA")).convert("RGB"))


@dataclass(frozen=True)
class Label:
    """Words beside a picture and the point that they name."""

    text: str
    at: tuple[float, float]
    colour: str


def halo(colour: str = "#000000", width: float = 2.5, alpha: float = 1.0) -> list[AbstractPathEffect]:
    """A rim that keeps a line or a word legible on any ground."""
    return [Stroke(linewidth=width, foreground=colour, alpha=alpha), Normal()]


def blank(width_in: float, height_in: float) -> Figure:
    """An empty figure without ground."""
    figure = Figure(figsize=(width_in, height_in), dpi=100)
    figure.patch.set_alpha(0.0)
    return figure


def to_svg(figure: Figure) -> str:
    """The figure as an SVG element that fills its container and uses the page's typeface."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    start = text.index("<svg")
    end = text.index(">", start)
    opening = re.sub(r' (width|height)="[^"]*"', "", text[start:end])
    # matplotlib measured with DejaVu Sans, which is wider than most typefaces, so words stay in place.
    return opening + text[end:].replace("'DejaVu Sans'", "system-ui, sans-serif").replace(
        "DejaVu Sans", "system-ui, sans-serif"
    )


def show_ct(axes: Axes, cut: Cut, volume: Volume) -> None:
    """Put the CT on the cut under everything else."""
    low = WINDOW_LEVEL_HU - WINDOW_WIDTH_HU / 2
    grey = np.clip((cut.sample(volume.hu, volume.grid) - low) / WINDOW_WIDTH_HU, 0, 1)
    axes.imshow(
        (255 * grey).astype(np.uint8), cmap="gray", vmin=0, vmax=255, extent=cut.extent, interpolation="none"
    )
    axes.set_axis_off()


def draw_line(
    axes: Axes, x: Any, y: Any, colour: str, dashes: Sequence[float] = (), *, width: float = 1.4
) -> None:
    """A line with a dark rim, legible on air and on cement alike."""
    axes.plot(x, y, color="#000000", linewidth=width + 1.2, alpha=0.6, solid_capstyle="round")
    axes.plot(x, y, color=colour, linewidth=width, linestyle=(0, tuple(dashes)) if dashes else "-")


@dataclass(frozen=True, eq=False)
class Seen:
    """A deposit where a cut meets it: how much of each pixel it covers, (h, w)."""

    deposit: Deposit
    cover: FloatArray


def deposits_on(cut: Cut, leakage: Leakage, grid: Grid) -> list[Seen]:
    """The deposits that meet a cut, the most dangerous first and then the largest."""
    seen = []
    boxes = ndimage.find_objects(leakage.deposit_labels)
    index = cut.index_in(grid)
    for deposit in sorted(leakage.deposits, key=danger):
        box = boxes[deposit.id - 1] if deposit.id <= len(boxes) else None
        if box is None:
            continue
        # A rim of nothing, so that the outline closes where the deposit fills its box.
        mask = np.pad((leakage.deposit_labels[box] == deposit.id).astype(np.float32), 1)
        start = np.array([part.start - 1 for part in box])
        cover = cut.sample_at(mask, index - start[:, None], fill=0.0)
        if cover.max() > 0.25:
            seen.append(Seen(deposit, cover))
    return seen


def outline_deposits(axes: Axes, cut: Cut, seen: Sequence[Seen]) -> list[Label]:
    """Draw the outline of each deposit on the cut, the first on top; the words for each, in that order."""
    labels: list[Label] = []
    for item in reversed(seen):
        look = LOOKS[item.deposit.compartment]
        for x, y in contours(item.cover, cut):
            draw_line(axes, x, y, look.colour, look.dashes, width=1.5)
        row, column = _inner_point(item.cover > min(0.5, 0.5 * float(item.cover.max())))
        labels.append(
            Label(
                f"{item.deposit.id} · {look.name} {volume_words(item.deposit.volume_ml)}",
                (float(cut.across[column]), float(cut.up[row])),
                look.colour,
            )
        )
    return labels[::-1]


def contours(cover: FloatArray, cut: Cut) -> list[tuple[FloatArray, FloatArray]]:
    """Outlines of what covers more than half of its pixels, as (across, up) polylines."""
    level = min(0.5, 0.5 * float(cover.max()))
    lines = contour_generator(cut.across, cut.up, cover).lines(level)
    return [(np.asarray(line)[:, 0], np.asarray(line)[:, 1]) for line in lines]


def _inner_point(mask: BoolArray) -> tuple[int, int]:
    """The pixel deepest inside a mask."""
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(int(np.argmax(depth)), depth.shape)
    return int(row), int(column)


def label_column(
    axes: Axes,
    labels: list[Label],
    extent: tuple[float, float, float, float],
    *,
    gap_mm: float,
    on_left: bool = False,
) -> None:
    """Words in a column beside the picture, each tied to its point by a line, none over another.

    Where there is not room for all, the first ones are named.
    """
    left, right, bottom, top = extent
    labels = labels[: max(1, int((top - bottom) / gap_mm) - 1)]
    edge, away = (left, -1.0) if on_left else (right, 1.0)
    order = sorted(labels, key=lambda label: -label.at[1])
    heights: list[float] = []
    for label in order:
        wanted = min(label.at[1], top - gap_mm)
        heights.append(min(wanted, heights[-1] - gap_mm) if heights else wanted)
    sunk = bottom + gap_mm - heights[-1] if heights and heights[-1] < bottom + gap_mm else 0.0
    for label, height in zip(order, heights, strict=True):
        y = height + sunk
        axes.plot(
            [label.at[0], edge, edge + 2.0 * away],
            [label.at[1], y, y],
            color=label.colour if label.colour != FAINT else "#c9ced4",
            linewidth=0.9,
            path_effects=halo(width=2.2, alpha=0.6) if label.colour != FAINT else None,
            clip_on=False,
        )
        axes.plot([label.at[0]], [label.at[1]], "o", ms=2.6, color="#ffffff", mec="#000000", mew=0.5)
        axes.text(
            edge + 3.0 * away, y, label.text, va="center", ha="right" if on_left else "left", fontsize=9.0
        )


def scale_bar(axes: Axes, x: float, y: float, length_mm: int) -> None:
    """A bar of known length at a corner of the picture."""
    axes.plot([x, x + length_mm], [y, y], color="#ffffff", linewidth=2.0, path_effects=halo(width=4.0))
    axes.text(x, y + 1.5, f"{length_mm} mm", color="#ffffff", fontsize=8, va="bottom", path_effects=halo())
