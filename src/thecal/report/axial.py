"""The cut normal to the canal at the place that says most."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from thecal.anatomy.spine import Spine
from thecal.leakage.findings import Leakage
from thecal.report.cuts import Cut, axial_cut
from thecal.report.drawing import (
    STYLE,
    WINDOW_LEVEL_HU,
    WINDOW_WIDTH_HU,
    Label,
    Picture,
    blank,
    contours,
    draw_line,
    halo,
    label_column,
    outline_deposits,
    scale_bar,
    seen_on,
    show_ct,
    to_svg,
)
from thecal.report.headline import BY_DANGER
from thecal.report.palette import CANAL_WALL, FAINT, LOOKS
from thecal.volume import Volume


def place_to_show(spine: Spine, leakage: Leakage) -> tuple[float, str]:
    """The arc length whose cut says most, and why it was chosen.

    The worst occlusion; without one, the most dangerous deposit; without any, the middle of the canal.
    """
    if leakage.worst is not None and leakage.worst.fraction > 0:
        return leakage.worst.at_mm, "where cement takes most of the canal"
    if leakage.deposits:
        first = min(leakage.deposits, key=lambda d: (BY_DANGER.index(d.compartment), -d.volume_ml, d.id))
        s, _, _ = spine.canal.frame.locate([first.centroid_mm])
        words = LOOKS[first.compartment].name
        return float(s[0]), f"through deposit {first.id} ({words}); no cement was detected in the canal"
    return float(spine.canal.frame.s_mm[len(spine.canal.frame.s_mm) // 2]), "at the middle of the canal seen"


def axial_picture(volume: Volume, spine: Spine, leakage: Leakage) -> Picture:
    """The cut normal to the canal at the place that says most, with outlines and words."""
    at_mm, why = place_to_show(spine, leakage)
    cut = axial_cut(spine.canal, at_mm)
    deposits = cut.sample(leakage.deposit_labels, spine.grid, order=0, fill=0).astype(int)
    labels = cut.sample(spine.labels, spine.grid, order=0, fill=0).astype(int)
    level = _level_at(leakage, at_mm)
    with mpl.rc_context(STYLE):
        left, right, bottom, top = cut.extent
        figure = blank(7.6, 7.6 * (top - bottom) / (right - left + 80.0))
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        show_ct(axes, cut, volume)
        labelled = outline_deposits(axes, cut, deposits, leakage.deposits)
        i = int(spine.canal.frame.index(at_mm))
        theta = np.append(spine.canal.theta, spine.canal.theta[0] + 2 * np.pi)
        for name, radius, dashes in (
            ("canal wall", spine.canal.wall_mm[i], ()),
            ("thecal sac", spine.canal.sac_mm[i], (2.0, 1.6)),
        ):
            r = np.append(radius, radius[0])
            x, y = r * np.sin(theta), r * np.cos(theta)
            draw_line(axes, x, y, CANAL_WALL, dashes, width=1.1)
            k = int(np.argmin(abs(theta - (2.2 if name == "canal wall" else 1.9))))
            labelled.append(Label(name, (float(x[k]), float(y[k])), FAINT))
        _outline_bone(axes, cut, labels)
        for on_left in (True, False):
            here = [label for label in labelled if (label.at[0] < -4.0) == on_left]
            label_column(axes, here, cut.extent, gap_mm=5.0, on_left=on_left)
        _mark_sides(axes, cut.extent)
        scale_bar(axes, left + 4.0, bottom + 3.5, 20)
        axes.set_xlim(left - 40.0, right + 40.0)
        axes.set_ylim(bottom, top)
        axes.set_aspect("equal")
        svg = to_svg(figure)
    where = f" at {level}" if level else ""
    caption = (
        f"Cut normal to the canal{where}, {why}. Seen from the feet: the patient's right is on the left. "
        f"Bone window {WINDOW_LEVEL_HU:.0f}/{WINDOW_WIDTH_HU:.0f} HU."
    )
    seen = ", ".join(f"{d.id} {LOOKS[d.compartment].name}" for d in seen_on(deposits, leakage.deposits))
    return Picture(svg, caption, f"{caption} Deposits on this cut: {seen or 'none'}.")


def _outline_bone(axes: Axes, cut: Cut, labels: Any) -> None:
    """Thin outlines of the vertebrae on the cut, and their names."""
    for label in np.unique(labels):
        if not (1 <= label <= 28 or 201 <= label < 300):
            continue
        for x, y in contours(labels == label, cut):
            axes.plot(x, y, color="#ffffff", linewidth=0.5, alpha=0.45)


def _mark_sides(axes: Axes, extent: tuple[float, float, float, float]) -> None:
    left, right, bottom, top = extent
    for x, y, text in (
        (left + 3, (top + bottom) / 2, "R"),
        (right - 3, (top + bottom) / 2, "L"),
        ((left + right) / 2, top - 4, "A"),
    ):
        axes.text(x, y, text, color="#ffffff", ha="center", va="center", fontsize=10, path_effects=halo())


def _level_at(leakage: Leakage, at_mm: float) -> str | None:
    if leakage.worst is not None and leakage.worst.at_mm == at_mm:
        return leakage.worst.level
    nearest = min(leakage.profile, key=lambda p: abs(p.at_mm - at_mm), default=None)
    return nearest.level if nearest else None
