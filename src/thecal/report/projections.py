"""Bone and cement seen through from the front and from the left: the 3-D view on paper."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from thecal.anatomy.spine import Spine
from thecal.leakage.findings import Deposit, Leakage
from thecal.report.drawing import STYLE, Picture, blank, halo, to_svg
from thecal.report.headline import BY_DANGER
from thecal.report.palette import FAINT, INK, LOOKS
from thecal.volume import BoolArray


def projections_picture(spine: Spine, leakage: Leakage) -> Picture:
    """Bone and deposits seen through from the front and from the left: the 3-D view on paper."""
    bone = spine.parts > 0
    bone &= (spine.labels < 60) | (spine.labels > 200)
    dz, dy, dx = (float(v) for v in spine.grid.spacing_mm)
    z, y, x = _bounds(bone | (leakage.deposit_labels > 0))
    views = []
    for axis, step, spacing in ((1, dy, dx), (2, dx, dy)):
        thick = bone[z, y, x].sum(axis=axis) * step
        seen = [
            (d, np.asarray((leakage.deposit_labels[z, y, x] == d.id).any(axis=axis)))
            for d in sorted(leakage.deposits, key=lambda d: -BY_DANGER.index(d.compartment))
        ]
        views.append((thick[::-1], [(d, m[::-1]) for d, m in seen], spacing))
    height_mm = bone[z].shape[0] * dz
    widths_mm = [v[0].shape[1] * v[2] for v in views]
    scale = min(7.0 / (sum(widths_mm) + 20.0), 5.2 / height_mm)
    with mpl.rc_context(STYLE):
        figure = blank(7.0, height_mm * scale + 0.35)
        total_h = height_mm * scale + 0.35
        start = 0.0
        for (thick, seen, _spacing), width_mm, name in zip(
            views, widths_mm, ("from the front", "from the left"), strict=True
        ):
            axes = figure.add_axes((start / 7.0, 0.0, width_mm * scale / 7.0, height_mm * scale / total_h))
            extent = (0.0, width_mm, 0.0, height_mm)
            axes.imshow(
                1.0 - 0.55 * (1 - np.exp(-thick / 30.0)),
                cmap="gray",
                vmin=0,
                vmax=1,
                extent=extent,
                aspect="auto",
            )
            for deposit, mask in seen:
                _fill(axes, mask, extent, deposit)
            axes.set_axis_off()
            axes.set_title(name, fontsize=9.5, color=FAINT)
            start += width_mm * scale + 20.0 * scale
        svg = to_svg(figure)
    caption = "Bone (grey) and cement by compartment, seen through from the front and from the left."
    return Picture(svg, caption, caption, 7.0)


def _bounds(mask: BoolArray) -> tuple[slice, slice, slice]:
    """The smallest box that holds a mask, with a voxel to spare; the whole array where it is empty."""
    sides = []
    for axis, size in enumerate(mask.shape):
        hit = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
        sides.append(slice(max(int(hit[0]) - 1, 0), int(hit[-1]) + 2) if len(hit) else slice(0, size))
    return (sides[0], sides[1], sides[2])


def _fill(axes: Axes, mask: Any, extent: tuple[float, float, float, float], deposit: Deposit) -> None:
    """A deposit's shadow in its colour, on top of the bone."""
    look = LOOKS[deposit.compartment]
    red, green, blue = mpl.colors.to_rgb(look.colour)
    picture = np.zeros((*mask.shape, 4))
    picture[mask] = (red, green, blue, 0.85)
    axes.imshow(picture, extent=extent, aspect="auto", interpolation="none")
    if not mask.any():
        return
    row, column = np.argwhere(mask).mean(0)
    x = extent[0] + (column + 0.5) / mask.shape[1] * (extent[1] - extent[0])
    y = extent[3] - (row + 0.5) / mask.shape[0] * (extent[3] - extent[2])
    axes.text(
        x,
        y,
        str(deposit.id),
        fontsize=7.5,
        ha="center",
        va="center",
        color=INK,
        path_effects=halo("#ffffff", 2.2),
    )
