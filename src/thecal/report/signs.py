"""Each present sign of cement inside the dura on the cut that shows it best."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from thecal.anatomy.spine import Spine
from thecal.leakage.findings import IntraduralSign, Leakage
from thecal.report.cuts import axial_cut, sagittal_cut, sagittal_view
from thecal.report.drawing import (
    STYLE,
    Picture,
    blank,
    deposits_on,
    draw_line,
    halo,
    outline_deposits,
    scale_bar,
    show_ct,
)
from thecal.report.palette import CANAL_WALL, WALL_AND_SAC
from thecal.volume import FloatArray, Volume

# Half the side of a panel, and half the height of one along the canal, mm.
REACH_MM = 17.0
ALONG_MM = 34.0
# Radius of the ring round the place.
RING_MM = 2.6
PANEL_IN = 2.3
ACROSS = 4
LETTERS = "ABCDEFG"


def shown_signs(leakage: Leakage | None) -> tuple[IntraduralSign, ...]:
    """The signs that are present and have a place."""
    signs = leakage.signs if leakage is not None else ()
    return tuple(s for s in signs if s.state == "present" and s.at_mm is not None)


def signs_picture(volume: Volume, spine: Spine, leakage: Leakage) -> Picture | None:
    """A panel for each present sign, the place ringed; None where no sign is present."""
    signs = shown_signs(leakage)
    if not signs:
        return None
    columns = min(ACROSS, len(signs))
    rows = -(-len(signs) // columns)
    width, height = columns * PANEL_IN, rows * PANEL_IN
    with mpl.rc_context(STYLE):
        figure = blank(width, height)
        for number, sign in enumerate(signs):
            row, column = divmod(number, columns)
            axes = figure.add_axes(
                (
                    (column + 0.01) / columns,
                    1.0 - (row + 0.99) / rows,
                    0.98 / columns,
                    0.98 / rows,
                )
            )
            along = sign.name == "multilevel_spread"
            (_along if along else _across)(axes, sign, volume, spine, leakage)
            axes.text(
                0.05,
                0.95,
                LETTERS[number],
                transform=axes.transAxes,
                color="#ffffff",
                fontsize=12,
                va="top",
                fontweight="bold",
                path_effects=halo(),
            )
    told = " ".join(
        f"{LETTERS[i]}, {sign.name.replace('_', ' ')}: {sign.explanation}" for i, sign in enumerate(signs)
    )
    caption = (
        "Each sign that is present on the cut that shows it best, its place ringed: cuts normal to the "
        f"canal, seen from the feet; spread over levels along the canal. {WALL_AND_SAC} {told}"
    )
    return Picture(figure, caption, caption, width)


def _across(axes: Axes, sign: IntraduralSign, volume: Volume, spine: Spine, leakage: Leakage) -> None:
    """On the plane normal to the canal."""
    canal = spine.canal
    s, theta, r = canal.frame.locate(_place(sign))
    cut = axial_cut(canal, float(s[0]), (REACH_MM,) * 3, step_mm=0.2)
    show_ct(axes, cut, volume)
    outline_deposits(axes, cut, deposits_on(cut, leakage, spine.grid))
    i = int(canal.frame.index(float(s[0])))
    around = np.append(canal.theta, canal.theta[0])
    for radius, dashes in ((canal.wall_mm[i], ()), (canal.sac_mm[i], (2.0, 1.6))):
        out = np.append(radius, radius[0])
        draw_line(axes, out * np.sin(around), out * np.cos(around), CANAL_WALL, dashes, width=0.9)
    _ring(axes, float(r[0] * np.sin(theta[0])), float(r[0] * np.cos(theta[0])))
    _frame(axes, np.array([-REACH_MM, REACH_MM, -REACH_MM, REACH_MM]))


def _along(axes: Axes, sign: IntraduralSign, volume: Volume, spine: Spine, leakage: Leakage) -> None:
    """On the surface that follows the canal."""
    view = sagittal_view(spine.canal)
    across, up = (float(v) for v in view.place(_place(sign))[0])
    cut = sagittal_cut(view, up - ALONG_MM, up + ALONG_MM)
    show_ct(axes, cut, volume)
    outline_deposits(axes, cut, deposits_on(cut, leakage, spine.grid))
    for vertebra in spine.vertebrae:
        x, y = view.place([vertebra.frame.to_lps([0.0, 14.0, 0.0])])[0]
        if -ALONG_MM + 9.0 < y - up < ALONG_MM - 5.0 and abs(x - across) < ALONG_MM:
            axes.text(
                x,
                y,
                vertebra.level or f"no. {vertebra.id}",
                color="#ffffff",
                fontsize=9,
                ha="center",
                va="center",
                path_effects=halo(),
            )
    _ring(axes, across, up)
    _frame(axes, np.array([across - ALONG_MM, across + ALONG_MM, up - ALONG_MM, up + ALONG_MM]))


def _place(sign: IntraduralSign) -> FloatArray:
    assert sign.at_mm is not None
    return np.array([sign.at_mm])


def _ring(axes: Axes, x: float, y: float) -> None:
    angle = np.linspace(0.0, 2 * np.pi, 49)
    draw_line(axes, x + RING_MM * np.cos(angle), y + RING_MM * np.sin(angle), "#ffffff", width=1.4)


def _frame(axes: Axes, box: FloatArray) -> None:
    left, right, bottom, top = (float(v) for v in box)
    scale_bar(axes, left + 1.5, bottom + 1.5, 10)
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
