"""Bone and cement seen through from the front and from the left: the 3-D view on paper."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from scipy import ndimage

from thecal.anatomy.spine import Spine
from thecal.leakage.findings import Deposit, Leakage
from thecal.report.drawing import STYLE, Picture, blank, halo
from thecal.report.headline import BY_DANGER
from thecal.report.palette import FAINT, INK, LOOKS
from thecal.volume import BoolArray

# Bone thickness at which its grey is about two thirds of the darkest.
DARK_MM = 30.0
WIDTH_IN = 7.0
TALLEST_IN = 5.2
BETWEEN_MM = 20.0


def projections_picture(spine: Spine, leakage: Leakage) -> Picture:
    """Bone as a soft shadow and each deposit in the colour of its compartment, from two sides."""
    bone = spine.bone_mask()
    box = _bounds(bone | (leakage.deposit_labels > 0))
    ids = leakage.deposit_labels[box]
    boxes = ndimage.find_objects(ids)
    spacing = spine.grid.spacing_mm
    height_mm = ids.shape[0] * spacing[0]
    # Seen from the front the picture is as wide as the patient, from the left as deep.
    views = (
        ("from the front", 1, ids.shape[2] * spacing[2]),
        ("from the left", 2, ids.shape[1] * spacing[1]),
    )
    scale = min(WIDTH_IN / (views[0][2] + views[1][2] + BETWEEN_MM), TALLEST_IN / height_mm)
    title_in = 0.35
    with mpl.rc_context(STYLE):
        total_in = height_mm * scale + title_in
        figure = blank(WIDTH_IN, total_in)
        start_mm = 0.0
        for name, through, width_mm in views:
            place = (
                start_mm * scale / WIDTH_IN,
                0.0,
                width_mm * scale / WIDTH_IN,
                height_mm * scale / total_in,
            )
            axes = figure.add_axes(place)
            axes.set_axis_off()
            axes.set_title(name, fontsize=9.5, color=FAINT)
            thick = bone[box].sum(axis=through)[::-1] * spacing[through]
            shadow = 1.0 - 0.55 * (1 - np.exp(-thick / DARK_MM))
            extent = (0.0, width_mm, 0.0, height_mm)
            axes.imshow(shadow, cmap="gray", vmin=0, vmax=1, extent=extent, aspect="auto")
            for deposit in sorted(leakage.deposits, key=lambda d: -BY_DANGER.index(d.compartment)):
                where = boxes[deposit.id - 1] if deposit.id <= len(boxes) else None
                if where is not None:
                    mask = np.zeros(thick.shape, bool)
                    seen = tuple(part for axis, part in enumerate(where) if axis != through)
                    mask[seen] = (ids[where] == deposit.id).any(axis=through)
                    _fill(axes, mask[::-1], extent, deposit)
            start_mm += width_mm + BETWEEN_MM
    caption = "Bone (grey) and cement by compartment, seen through from the front and from the left."
    return Picture(figure, caption, caption, WIDTH_IN)


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
    red, green, blue = mpl.colors.to_rgb(look.on_paper)
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
