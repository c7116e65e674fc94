"""The canal from end to end: a curved sagittal cut beside the share of the canal that cement takes."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from thecal.anatomy.spine import Spine
from thecal.leakage.findings import Leakage, WorstOcclusion
from thecal.leakage.revision.plan_value import RevisionPlan
from thecal.report.cuts import Cut, SagittalView, sagittal_cut, sagittal_view
from thecal.report.drawing import (
    STYLE,
    Picture,
    blank,
    deposits_on,
    draw_line,
    halo,
    label_column,
    outline_deposits,
    scale_bar,
    show_ct,
)
from thecal.report.headline import place_words
from thecal.report.palette import CANAL_WALL, FAINT, LOOKS, WALL_AND_SAC
from thecal.report.revision_marks import FIXATION_COLOUR, draw_plan, pedicle_widths, plan_words
from thecal.volume import FloatArray, Volume

WIDEST_IN = 8.2
TALLEST_IN = 10.5
# Half of "no. 216" as it is set.
NAME_HALF_IN = 0.32
# Where there is cement, a longer scan is shown around it only.
SAGITTAL_MOST_MM = 230.0
SAGITTAL_MARGIN_MM = 55.0


def sagittal_picture(volume: Volume, spine: Spine, leakage: Leakage) -> Picture:
    """The curved sagittal cut along the canal beside the share of the canal that cement takes."""
    view = sagittal_view(spine.canal)
    low, high, shortened = heights_to_show(view, leakage)
    cut = sagittal_cut(view, low, high)
    left, right, bottom, top = cut.extent
    column_mm, plot_mm, margin_mm = 58.0, 62.0, 4.0
    total_mm = right - left + column_mm + plot_mm + margin_mm
    foot_mm = 14.0
    width_in = min(WIDEST_IN, TALLEST_IN * total_mm / (top - bottom + foot_mm))
    height_in = width_in * (top - bottom + foot_mm) / total_mm
    with mpl.rc_context(STYLE):
        figure = blank(width_in, height_in)
        share = (right - left + column_mm) / total_mm
        foot = foot_mm / (top - bottom + foot_mm)
        axes = figure.add_axes((0.0, foot, share, 1.0 - foot))
        show_ct(axes, cut, volume)
        for radii, dashes in ((spine.canal.wall_mm, ()), (spine.canal.sac_mm, (2.0, 1.6))):
            for angle in (0.0, np.pi):
                rim = view.place(canal_rim(spine, radii, angle))
                inside = (rim[:, 1] > bottom) & (rim[:, 1] < top)
                draw_line(axes, rim[inside, 0], rim[inside, 1], CANAL_WALL, dashes, width=1.0)
        if leakage.revision is not None:
            axes.set_ylim(bottom, top)
            draw_plan(axes, spine, view, leakage.revision)
        labelled = outline_deposits(axes, cut, deposits_on(cut, leakage, spine.grid))
        label_column(axes, labelled, cut.extent, gap_mm=(top - bottom) / 34)
        name_vertebrae(axes, spine, view, cut, leakage.revision)
        scale_bar(axes, left + 4.0, bottom + 4.0, 50)
        axes.set_xlim(left, right + column_mm)
        axes.set_ylim(bottom, top)
        plot = figure.add_axes((share, foot, plot_mm / total_mm, 1.0 - foot))
        _occlusion(plot, view, leakage, bottom, top)
    caption = (
        "Left: sagittal cut that follows the canal from side to side (anterior on the left; heights and "
        f"depths are true). {WALL_AND_SAC} Right, at the same heights: "
        "the share of the canal that cement takes, on planes normal to it."
    )
    if leakage.revision is not None:
        caption += f" {plan_words(leakage.revision)}"
    if shortened:
        caption += " The scan is longer; the part around the cement is shown."
    worst = leakage.worst
    alt = caption
    if worst is not None:
        at = place_words(worst.level, worst.vertebra_id)
        alt += f" Largest share {100 * worst.fraction:.0f} % at {at}."
    return Picture(figure, caption, alt, width_in)


def heights_to_show(view: SagittalView, leakage: Leakage) -> tuple[float, float, bool]:
    """Lowest and highest height of the pictures along the canal, and whether that is less than the scan."""
    low, high = float(view.height_mm[0]), float(view.height_mm[-1])
    if high - low <= SAGITTAL_MOST_MM or not leakage.deposits:
        return low - 5.0, high + 5.0, False
    up = view.place([d.centroid_mm for d in leakage.deposits])[:, 1]
    middle, half = (up.min() + up.max()) / 2, (up.max() - up.min()) / 2 + SAGITTAL_MARGIN_MM
    half = float(np.clip(half, 80.0, max(SAGITTAL_MOST_MM / 2, half)))
    middle = float(np.clip(middle, low + half - 5.0, max(low + half - 5.0, high - half + 5.0)))
    return middle - half, middle + half, True


def canal_rim(spine: Spine, radii: FloatArray, angle: float) -> FloatArray:
    """Points of a surface of the canal at one angle, (n, 3) LPS mm."""
    theta = spine.canal.theta
    column = int(np.argmin(abs(np.angle(np.exp(1j * (theta - angle))))))
    outward = spine.canal.frame.outward([theta[column]])[:, 0]
    points: FloatArray = spine.canal.frame.points + radii[:, column, None] * outward
    return points


def name_vertebrae(
    axes: Axes, spine: Spine, view: SagittalView, cut: Cut, plan: RevisionPlan | None = None
) -> None:
    """Write each vertebra's name, or its number, on its body, and what a plan asks of it."""
    left, right, bottom, top = cut.extent
    tall_in = axes.get_window_extent().height / axes.figure.dpi
    room = NAME_HALF_IN * (top - bottom) / tall_in
    for vertebra in spine.vertebrae:
        frame = vertebra.frame
        across, up = view.place([frame.to_lps([0.0, 30.0, 0.0])])[0]
        widths = None if plan is None else pedicle_widths(plan, vertebra.id)
        if vertebra.complete and bottom + 4 < up < top - 4:
            if widths is not None:
                axes.annotate(
                    widths,
                    (max(across, left + 2 * room), up),
                    (0.0, -7.0),
                    textcoords="offset points",
                    color=FIXATION_COLOUR,
                    fontsize=8,
                    ha="center",
                    va="top",
                    path_effects=halo(),
                )
            axes.text(
                float(np.clip(across, left + room, right - room)),
                up,
                vertebra.level or f"no. {vertebra.id}",
                color="#ffffff" if widths is None else FIXATION_COLOUR,
                fontsize=10,
                ha="center",
                va="center",
                path_effects=halo(),
            )


def _occlusion(axes: Axes, view: SagittalView, leakage: Leakage, bottom: float, top: float) -> None:
    """The share of the canal taken by cement against height, with the levels."""
    heights = np.array([float(view.height_of(p.at_mm)) for p in leakage.profile])
    shares = np.array(
        [
            100 * p.cement_area_mm2 / p.canal_area_mm2
            if p.canal_area_mm2 and p.cement_area_mm2 is not None
            else np.nan
            for p in leakage.profile
        ]
    )
    measured = bool(np.isfinite(shares).any())
    axes.set_ylim(bottom, top)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    peak = float(np.nanmax(shares)) if measured else 0.0
    axes.set_xlim(0, next((reach for reach in (25, 50, 75) if peak < 0.5 * reach), 100))
    axes.set_xlabel("share of the canal taken, %")
    bands = _level_bands(view, leakage)
    for _, low, _ in bands:
        axes.axhline(low, color="#d4d8dd", linewidth=0.8, zorder=0)
    named = [((low + high) / 2, name) for name, low, high in bands if high - low > 6.0]
    inside = [(middle, name) for middle, name in named if bottom + 3 < middle < top - 3]
    axes.set_yticks([middle for middle, _ in inside], [name for _, name in inside])
    axes.tick_params(axis="y", length=0, pad=5)
    if measured:
        _mark_unknown(axes, heights, shares)
        axes.fill_betweenx(
            heights,
            0,
            shares,
            facecolor="#f6d7c2",
            edgecolor=LOOKS["epidural"].colour,
            hatch="////",
            linewidth=0,
        )
        axes.plot(shares, heights, color="#a84a00", linewidth=1.6)
    worst = leakage.worst
    if worst is not None and worst.fraction > 0:
        height = float(view.height_of(worst.at_mm))
        share, reach = 100 * worst.fraction, axes.get_xlim()[1]
        beside = share < 0.6 * reach
        axes.text(
            share + 0.02 * reach if beside else share - 0.02 * reach,
            height,
            f"{share:.0f} %{_at(worst)}",
            ha="left" if beside else "right",
            va="center",
            fontweight="bold",
            fontsize=11,
            path_effects=halo("#ffffff", 4.0),
        )
    elif not measured:
        axes.text(0.5, 0.5, "not assessable", transform=axes.transAxes, ha="center", rotation=90)


def _mark_unknown(axes: Axes, heights: FloatArray, shares: FloatArray) -> None:
    """Grey where the share is not known, so that a gap does not read as none."""
    unknown = np.flatnonzero(np.isnan(shares))
    for run in np.split(unknown, np.flatnonzero(np.diff(unknown) > 1) + 1):
        if len(run):
            low, high = float(heights[run].min()) - 0.5, float(heights[run].max()) + 0.5
            axes.axhspan(low, high, facecolor="#e6e9ed", edgecolor="none", zorder=0)
            if high - low > 6.0:
                axes.text(
                    0.98,
                    (low + high) / 2,
                    "not assessable",
                    transform=axes.get_yaxis_transform(),
                    ha="right",
                    va="center",
                    fontsize=9,
                    color=FAINT,
                )


def _at(worst: WorstOcclusion) -> str:
    name = _short(worst.level, worst.vertebra_id)
    # A number takes more room than a level; on a line of its own it stays within the plot.
    return f"{' ' if worst.level else chr(10)}at {name}" if name else ""


def _short(level: str | None, vertebra_id: int | None) -> str:
    """A level as there is room for it beside a plot; nothing beyond the first and the last vertebra."""
    return level or ("" if vertebra_id is None else f"no. {vertebra_id}")


def _level_bands(view: SagittalView, leakage: Leakage) -> list[tuple[str, float, float]]:
    bands: list[tuple[str, float, float]] = []
    for section in leakage.profile:
        height = float(view.height_of(section.at_mm))
        name = _short(section.level, section.vertebra_id)
        if bands and bands[-1][0] == name:
            bands[-1] = (name, bands[-1][1], height)
        else:
            bands.append((name, height, height))
    return bands
