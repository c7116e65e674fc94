"""The cut normal to the canal at the place that says most."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from scipy import ndimage

from thecal.anatomy.spine import Spine
from thecal.leakage.findings import CanalSection, Leakage, WorstOcclusion
from thecal.report.cuts import CLOSE_UP_MM, OVERVIEW_MM, Cut, axial_cut
from thecal.report.drawing import (
    STYLE,
    WINDOW_LEVEL_HU,
    WINDOW_WIDTH_HU,
    Label,
    Picture,
    Seen,
    blank,
    contours,
    deposits_on,
    draw_line,
    halo,
    label_column,
    outline_deposits,
    scale_bar,
    show_ct,
)
from thecal.report.headline import danger, place_words
from thecal.report.palette import CANAL_WALL, FAINT, LOOKS, WALL_AND_SAC
from thecal.terms import SACRUM, is_vertebra
from thecal.volume import Volume

# Room for words at each side and between both pictures, in mm of the overview.
COLUMN_MM = 50.0
GAP_MM = 2.5
WIDTH_IN = 9.4


def place_to_show(spine: Spine, leakage: Leakage) -> tuple[float, str]:
    """The arc length whose cut says most, and why it was chosen.

    The worst occlusion; without one, the most dangerous deposit; without any, the middle of the canal.
    """
    if leakage.worst is not None and leakage.worst.fraction > 0:
        return leakage.worst.at_mm, "where cement takes most of the canal"
    if leakage.deposits:
        first = min(leakage.deposits, key=danger)
        s, _, _ = spine.canal.frame.locate([first.centroid_mm])
        words = LOOKS[first.compartment].name
        return float(s[0]), f"through deposit {first.id} ({words}); no cement was detected in the canal"
    middle = len(spine.canal.frame.s_mm) // 2
    return float(spine.canal.frame.s_mm[middle]), "at the middle of the canal in this scan"


def axial_picture(volume: Volume, spine: Spine, leakage: Leakage) -> Picture:
    """The cut normal to the canal at the place that says most: an overview, and the canal close up."""
    at_mm, why = place_to_show(spine, leakage)
    overview = axial_cut(spine.canal, at_mm, OVERVIEW_MM)
    close_up = axial_cut(spine.canal, at_mm, CLOSE_UP_MM, step_mm=0.15)
    width, height = np.ptp(overview.across), np.ptp(overview.up)
    enlarged = height * np.ptp(close_up.across) / np.ptp(close_up.up)
    total = 2 * COLUMN_MM + width + GAP_MM + enlarged
    with mpl.rc_context(STYLE):
        figure = blank(WIDTH_IN, WIDTH_IN * height / total)
        axes = figure.add_axes((0.0, 0.0, (COLUMN_MM + width) / total, 1.0))
        show_ct(axes, overview, volume)
        seen = deposits_on(overview, leakage, spine.grid)
        labelled = outline_deposits(axes, overview, seen)
        _draw_canal(axes, spine, at_mm, width=0.9)
        _outline_bone(axes, overview, spine)
        found = deposits_on(close_up, leakage, spine.grid)
        shown_near = {x.deposit.id for x in _in_canal(found)}
        far = [label for label, x in zip(labelled, seen, strict=True) if x.deposit.id not in shown_near]
        label_column(axes, far, overview.extent, gap_mm=5.0, on_left=True)
        _frame_close_up(axes, close_up)
        _mark_sides(axes, overview)
        left, right, bottom, top = overview.extent
        scale_bar(axes, left + 4.0, bottom + 3.5, 20)
        axes.set_xlim(left - COLUMN_MM, right)
        axes.set_ylim(bottom, top)

        axes = figure.add_axes(
            ((COLUMN_MM + width + GAP_MM) / total, 0.0, (enlarged + COLUMN_MM) / total, 1.0)
        )
        show_ct(axes, close_up, volume)
        outlined = outline_deposits(axes, close_up, found)
        near = [label for label, x in zip(outlined, found, strict=True) if x.deposit.id in shown_near]
        near = _draw_canal(axes, spine, at_mm, width=1.4) + near
        left, right, bottom, top = close_up.extent
        label_column(axes, near, close_up.extent, gap_mm=2.3)
        scale_bar(axes, left + 1.8, bottom + 1.6, 10)
        axes.set_xlim(left, right + COLUMN_MM * np.ptp(close_up.across) / enlarged)
        axes.set_ylim(bottom, top)
    where = place_at(leakage, at_mm)
    caption = (
        f"Cut normal to the canal{where}, {why}; on the right the canal close up. Seen from the feet: the "
        f"patient's right is on the left. {WALL_AND_SAC} Bone window "
        f"{WINDOW_LEVEL_HU:.0f}/{WINDOW_WIDTH_HU:.0f} HU."
    )
    names = ", ".join(f"{x.deposit.id} {LOOKS[x.deposit.compartment].name}" for x in seen)
    return Picture(figure, caption, f"{caption} Deposits on this cut: {names or 'none'}.", WIDTH_IN)


def _draw_canal(axes: Axes, spine: Spine, at_mm: float, *, width: float) -> list[Label]:
    """The canal's wall and the sac on the cut; the words for both."""
    i = int(spine.canal.frame.index(at_mm))
    theta = np.append(spine.canal.theta, spine.canal.theta[0] + 2 * np.pi)
    labels = []
    for name, radius, dashes, beside in (
        ("canal wall", spine.canal.wall_mm[i], (), 2.2),
        ("thecal sac", spine.canal.sac_mm[i], (2.0, 1.6), 1.9),
    ):
        r = np.append(radius, radius[0])
        x, y = r * np.sin(theta), r * np.cos(theta)
        draw_line(axes, x, y, CANAL_WALL, dashes, width=width)
        k = int(np.argmin(abs(theta - beside)))
        labels.append(Label(name, (float(x[k]), float(y[k])), FAINT))
    return labels


def _in_canal(seen: list[Seen]) -> list[Seen]:
    """Those that the close-up is there to show; the others are named beside the overview."""
    return [x for x in seen if x.deposit.compartment in ("intradural", "epidural", "foraminal")]


def _frame_close_up(axes: Axes, close_up: Cut) -> None:
    left, right, bottom, top = close_up.extent
    axes.plot(
        [left, right, right, left, left],
        [bottom, bottom, top, top, bottom],
        color="#ffffff",
        linewidth=0.7,
        alpha=0.7,
    )


def _outline_bone(axes: Axes, cut: Cut, spine: Spine) -> None:
    """Thin outlines of the vertebrae on the cut."""
    labels = cut.sample(spine.labels, spine.grid, order=0, fill=0).astype(int)
    for label in np.unique(labels):
        if is_vertebra(int(label)) or label == SACRUM:
            soft = ndimage.gaussian_filter((labels == label).astype(np.float64), 1.0)
            for x, y in contours(soft, cut):
                axes.plot(x, y, color="#ffffff", linewidth=0.5, alpha=0.45)


def _mark_sides(axes: Axes, cut: Cut) -> None:
    left, right, bottom, top = cut.extent
    for x, y, text in (
        (left + 3, (top + bottom) / 2, "R"),
        (right - 3, (top + bottom) / 2, "L"),
        ((left + right) / 2, top - 4, "A"),
    ):
        axes.text(x, y, text, color="#ffffff", ha="center", va="center", fontsize=10, path_effects=halo())


def place_at(leakage: Leakage, at_mm: float) -> str:
    """Where the cut lies, to be set behind "canal"; nothing beyond the first and the last vertebra."""
    here: WorstOcclusion | CanalSection | None = leakage.worst
    if here is None or here.at_mm != at_mm:
        here = min(leakage.profile, key=lambda p: abs(p.at_mm - at_mm), default=None)
    if here is None or (here.level is None and here.vertebra_id is None):
        return ""
    return f" at {place_words(here.level, here.vertebra_id)}"
