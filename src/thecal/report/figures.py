"""The static pictures of the report, as SVG: the cut at the worst place, and the canal from end to end."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patheffects import Normal, Stroke
from scipy import ndimage

from thecal.anatomy.spine import Spine
from thecal.leakage.findings import Deposit, Leakage
from thecal.report.cuts import Cut, SagittalView, axial_cut, sagittal_cut, sagittal_view
from thecal.report.headline import BY_DANGER, volume_words
from thecal.report.palette import CANAL_WALL, FAINT, INK, LOOKS
from thecal.volume import BoolArray, FloatArray, Volume

# A bone window: cortex, trabeculae and cement stay apart, soft tissue is still seen.
WINDOW_LEVEL_HU = 500.0
WINDOW_WIDTH_HU = 2000.0
# A longer scan is shown around the cement only.
SAGITTAL_MOST_MM = 230.0
SAGITTAL_MARGIN_MM = 55.0

_STYLE = {
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
_DARK_HALO = [Stroke(linewidth=2.2, foreground="#000000", alpha=0.6), Normal()]


@dataclass(frozen=True)
class Picture:
    """One picture: its SVG, a caption, and the same in words for those who do not see it."""

    svg: str
    caption: str
    alt: str


@dataclass(frozen=True)
class _Label:
    """Words beside a picture and the point that they name."""

    text: str
    at: tuple[float, float]
    colour: str
    dashes: tuple[float, ...] = ()


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
    with mpl.rc_context(_STYLE):
        left, right, bottom, top = cut.extent
        figure, canvas = _figure(7.6, 7.6 * (top - bottom) / (right - left + 80.0))
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        _show(axes, cut, volume)
        labelled = _outline_deposits(axes, cut, deposits, leakage.deposits)
        i = int(spine.canal.frame.index(at_mm))
        theta = np.append(spine.canal.theta, spine.canal.theta[0] + 2 * np.pi)
        for name, radius, dashes in (
            ("canal wall", spine.canal.wall_mm[i], ()),
            ("thecal sac", spine.canal.sac_mm[i], (2.0, 1.6)),
        ):
            r = np.append(radius, radius[0])
            x, y = r * np.sin(theta), r * np.cos(theta)
            _line(axes, x, y, CANAL_WALL, dashes, width=1.1)
            k = int(np.argmin(abs(theta - (2.2 if name == "canal wall" else 1.9))))
            labelled.append(_Label(name, (float(x[k]), float(y[k])), FAINT, dashes))
        _outline_bone(axes, cut, labels)
        for on_left in (True, False):
            here = [label for label in labelled if (label.at[0] < -4.0) == on_left]
            _label_column(axes, here, cut.extent, gap_mm=5.0, on_left=on_left)
        _mark_sides(axes, cut.extent)
        _scale_bar(axes, left + 4.0, bottom + 3.5, 20)
        axes.set_xlim(left - 40.0, right + 40.0)
        axes.set_ylim(bottom, top)
        axes.set_aspect("equal")
        svg = _svg(figure, canvas)
    where = f" at {level}" if level else ""
    caption = (
        f"Cut normal to the canal{where}, {why}. Seen from the feet: the patient's right is on the left. "
        f"Bone window {WINDOW_LEVEL_HU:.0f}/{WINDOW_WIDTH_HU:.0f} HU."
    )
    seen = ", ".join(sorted({f"{d.id} {LOOKS[d.compartment].name}" for d in _seen(deposits, leakage.deposits)}))
    return Picture(svg, caption, f"{caption} Deposits on this cut: {seen or 'none'}.")


def sagittal_picture(volume: Volume, spine: Spine, leakage: Leakage) -> Picture:
    """The curved sagittal cut along the canal beside the share of the canal that cement takes."""
    view = sagittal_view(spine.canal)
    low, high, shortened = _heights_to_show(view, leakage)
    cut = sagittal_cut(view, low, high)
    deposits = cut.sample(leakage.deposit_labels, spine.grid, order=0, fill=0).astype(int)
    left, right, bottom, top = cut.extent
    column_mm, plot_mm, margin_mm = 46.0, 58.0, 6.0
    total_mm = right - left + column_mm + plot_mm + margin_mm
    foot_mm = 14.0
    width_in = 7.6
    height_in = width_in * (top - bottom + foot_mm) / total_mm
    with mpl.rc_context(_STYLE):
        figure, canvas = _figure(width_in, height_in)
        share = (right - left + column_mm) / total_mm
        foot = foot_mm / (top - bottom + foot_mm)
        axes = figure.add_axes((0.0, foot, share, 1.0 - foot))
        _show(axes, cut, volume)
        for radii, dashes in ((spine.canal.wall_mm, ()), (spine.canal.sac_mm, (2.0, 1.6))):
            for angle in (0.0, np.pi):
                rim = view.place(_rim(spine, radii, angle))
                inside = (rim[:, 1] > bottom) & (rim[:, 1] < top)
                _line(axes, rim[inside, 0], rim[inside, 1], CANAL_WALL, dashes, width=1.0)
        labelled = _outline_deposits(axes, cut, deposits, leakage.deposits)
        _label_column(axes, labelled, cut.extent, gap_mm=(top - bottom) / 34)
        _name_vertebrae(axes, spine, view, cut)
        _scale_bar(axes, left + 4.0, bottom + 4.0, 50)
        axes.set_xlim(left, right + column_mm)
        axes.set_ylim(bottom, top)
        plot = figure.add_axes((share, foot, plot_mm / total_mm, 1.0 - foot))
        _occlusion(plot, view, leakage, bottom, top)
        svg = _svg(figure, canvas)
    caption = (
        "Left: sagittal cut that follows the canal from side to side (anterior on the left; heights and depths "
        "are true). Solid white: canal wall; dashed white: thecal sac. Right, at the same heights: the share of "
        "the canal that cement takes, on planes normal to it."
    )
    if shortened:
        caption += " The scan is longer; the part around the cement is shown."
    worst = leakage.worst
    peak = f" Largest share {100 * worst.fraction:.0f} % at {worst.level or 'an unknown level'}." if worst else ""
    return Picture(svg, caption, caption + peak)


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
    with mpl.rc_context(_STYLE):
        figure, canvas = _figure(7.0, height_mm * scale + 0.35)
        total_h = height_mm * scale + 0.35
        start = 0.0
        for (thick, seen, _spacing), width_mm, name in zip(
            views, widths_mm, ("from the front", "from the left"), strict=True
        ):
            axes = figure.add_axes((start / 7.0, 0.0, width_mm * scale / 7.0, height_mm * scale / total_h))
            extent = (0.0, width_mm, 0.0, height_mm)
            axes.imshow(
                1.0 - 0.55 * (1 - np.exp(-thick / 30.0)), cmap="gray", vmin=0, vmax=1, extent=extent, aspect="auto"
            )
            for deposit, mask in seen:
                _fill(axes, mask, extent, deposit)
            axes.set_axis_off()
            axes.set_title(name, fontsize=9.5, color=FAINT)
            start += width_mm * scale + 20.0 * scale
        svg = _svg(figure, canvas)
    caption = "Bone (grey) and cement by compartment, seen through from the front and from the left."
    return Picture(svg, caption, caption)


def _bounds(mask: BoolArray) -> tuple[slice, slice, slice]:
    """The smallest box that holds a mask, with a voxel to spare; the whole array where it is empty."""
    sides = []
    for axis, size in enumerate(mask.shape):
        hit = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
        sides.append(slice(max(int(hit[0]) - 1, 0), int(hit[-1]) + 2) if len(hit) else slice(0, size))
    return (sides[0], sides[1], sides[2])


def _figure(width_in: float, height_in: float) -> tuple[Figure, FigureCanvasSVG]:
    figure = Figure(figsize=(width_in, height_in), dpi=100)
    figure.patch.set_alpha(0.0)
    return figure, FigureCanvasSVG(figure)


def _svg(figure: Figure, canvas: FigureCanvasSVG) -> str:
    buffer = io.StringIO()
    canvas.print_svg(buffer, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    # The page's own typeface; matplotlib measured with DejaVu Sans, which is wider than most.
    text = text.replace("'DejaVu Sans'", "inherit").replace("DejaVu Sans", "system-ui, sans-serif")
    return re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1), count=1)


def _show(axes: Axes, cut: Cut, volume: Volume) -> None:
    low = WINDOW_LEVEL_HU - WINDOW_WIDTH_HU / 2
    grey = np.clip((cut.sample(volume.hu, volume.grid) - low) / WINDOW_WIDTH_HU, 0, 1)
    axes.imshow(
        (255 * grey).astype(np.uint8), cmap="gray", vmin=0, vmax=255, extent=cut.extent, interpolation="none"
    )
    axes.set_axis_off()


def _line(
    axes: Axes, x: Any, y: Any, colour: str, dashes: Sequence[float] = (), *, width: float = 1.4
) -> None:
    axes.plot(x, y, color="#000000", linewidth=width + 1.2, alpha=0.6, solid_capstyle="round")
    axes.plot(x, y, color=colour, linewidth=width, linestyle=(0, tuple(dashes)) if dashes else "-")


def _seen(deposits_on_cut: Any, deposits: Iterable[Deposit]) -> list[Deposit]:
    present = set(np.unique(deposits_on_cut).tolist())
    return [d for d in deposits if d.id in present]


def _outline_deposits(
    axes: Axes, cut: Cut, on_cut: Any, deposits: Iterable[Deposit]
) -> list[_Label]:
    """Draw the outline of each deposit on the cut; the words for it."""
    labels = []
    for deposit in _seen(on_cut, deposits):
        look = LOOKS[deposit.compartment]
        mask = on_cut == deposit.id
        for x, y in _contours(mask, cut):
            _line(axes, x, y, look.colour, look.dashes, width=1.5)
        row, column = _inner_point(mask)
        labels.append(
            _Label(
                f"{deposit.id} · {look.name} {volume_words(deposit.volume_ml)}",
                (float(cut.across[column]), float(cut.up[row])),
                look.colour,
                look.dashes,
            )
        )
    return labels


def _contours(mask: BoolArray, cut: Cut) -> list[tuple[FloatArray, FloatArray]]:
    """Outlines of a mask on a cut, as (across, up) polylines."""
    from contourpy import contour_generator

    soft = ndimage.gaussian_filter(mask.astype(np.float32), 1.0)
    level = min(0.5, 0.5 * float(soft.max()))
    lines = contour_generator(cut.across, cut.up, soft).lines(level)
    return [(np.asarray(line)[:, 0], np.asarray(line)[:, 1]) for line in lines]


def _inner_point(mask: BoolArray) -> tuple[int, int]:
    """The pixel deepest inside a mask."""
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(int(np.argmax(depth)), depth.shape)
    return int(row), int(column)


def _outline_bone(axes: Axes, cut: Cut, labels: Any) -> None:
    """Thin outlines of the vertebrae on the cut, and their names."""
    for label in np.unique(labels):
        if not (1 <= label <= 28 or 201 <= label < 300):
            continue
        for x, y in _contours(labels == label, cut):
            axes.plot(x, y, color="#ffffff", linewidth=0.5, alpha=0.45)


def _label_column(
    axes: Axes,
    labels: list[_Label],
    extent: tuple[float, float, float, float],
    *,
    gap_mm: float,
    on_left: bool = False,
) -> None:
    """Words in a column beside the picture, each tied to its point by a line, none over another."""
    left, right, bottom, top = extent
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
            path_effects=_DARK_HALO if label.colour != FAINT else None,
            clip_on=False,
        )
        axes.plot([label.at[0]], [label.at[1]], "o", ms=2.6, color="#ffffff", mec="#000000", mew=0.5)
        axes.text(
            edge + 3.0 * away, y, label.text, va="center", ha="right" if on_left else "left", fontsize=9.0
        )


def _mark_sides(axes: Axes, extent: tuple[float, float, float, float]) -> None:
    left, right, bottom, top = extent
    halo = [Stroke(linewidth=2.5, foreground="#000000"), Normal()]
    for x, y, text in (
        (left + 3, (top + bottom) / 2, "R"),
        (right - 3, (top + bottom) / 2, "L"),
        ((left + right) / 2, top - 4, "A"),
    ):
        axes.text(x, y, text, color="#ffffff", ha="center", va="center", fontsize=10, path_effects=halo)


def _scale_bar(axes: Axes, x: float, y: float, length_mm: int) -> None:
    halo = [Stroke(linewidth=2.5, foreground="#000000"), Normal()]
    axes.plot([x, x + length_mm], [y, y], color="#ffffff", linewidth=2.0, path_effects=[
        Stroke(linewidth=4.0, foreground="#000000"), Normal()
    ])
    axes.text(x, y + 1.5, f"{length_mm} mm", color="#ffffff", fontsize=8, va="bottom", path_effects=halo)


def _rim(spine: Spine, radii: FloatArray, angle: float) -> FloatArray:
    """Points of a surface of the canal at one angle, (n, 3) LPS mm."""
    theta = spine.canal.theta
    column = int(np.argmin(abs(np.angle(np.exp(1j * (theta - angle))))))
    outward = spine.canal.frame.outward([theta[column]])[:, 0]
    points: FloatArray = spine.canal.frame.points + radii[:, column, None] * outward
    return points


def _heights_to_show(view: SagittalView, leakage: Leakage) -> tuple[float, float, bool]:
    low, high = float(view.height_mm[0]), float(view.height_mm[-1])
    if high - low <= SAGITTAL_MOST_MM:
        return low - 5.0, high + 5.0, False
    leaked = [d for d in leakage.deposits]
    if leaked:
        up = view.place([d.centroid_mm for d in leaked])[:, 1]
        middle, half = (up.min() + up.max()) / 2, (up.max() - up.min()) / 2 + SAGITTAL_MARGIN_MM
    else:
        middle, half = (low + high) / 2, 0.0
    half = float(np.clip(half, 80.0, max(SAGITTAL_MOST_MM / 2, half)))
    middle = float(np.clip(middle, low + half - 5.0, max(low + half - 5.0, high - half + 5.0)))
    return middle - half, middle + half, True


def _name_vertebrae(axes: Axes, spine: Spine, view: SagittalView, cut: Cut) -> None:
    halo = [Stroke(linewidth=2.5, foreground="#000000"), Normal()]
    left, right, bottom, top = cut.extent
    for vertebra in spine.vertebrae:
        frame = vertebra.frame
        across, up = view.place([frame.to_lps([0.0, 30.0, 0.0])])[0]
        if bottom + 4 < up < top - 4:
            axes.text(
                float(np.clip(across, left + 8, right - 8)),
                up,
                vertebra.level or f"no. {vertebra.id}",
                color="#ffffff",
                fontsize=10,
                ha="center",
                va="center",
                path_effects=halo,
            )


def _occlusion(axes: Axes, view: SagittalView, leakage: Leakage, bottom: float, top: float) -> None:
    """The share of the canal taken by cement against height, with the levels."""
    measured = [
        (float(view.height_of(p.at_mm)), 100 * (p.cement_area_mm2 or 0.0) / p.canal_area_mm2)
        for p in leakage.profile
        if p.canal_area_mm2 and p.cement_area_mm2 is not None
    ]
    axes.set_ylim(bottom, top)
    axes.set_yticks([])
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    peak = max((share for _, share in measured), default=0.0)
    axes.set_xlim(0, 100 if peak > 50 else 50)
    axes.set_xlabel("share of the canal taken, %")
    for name, low, high in _level_bands(view, leakage):
        middle = (low + high) / 2
        axes.axhline(low, color="#d4d8dd", linewidth=0.8, zorder=0)
        if bottom + 3 < middle < top - 3:
            axes.text(0.99, middle, name, transform=axes.get_yaxis_transform(), ha="right", va="center",
                      color=FAINT, fontsize=9)
    if measured:
        heights, shares = (np.array(v) for v in zip(*measured, strict=True))
        axes.fill_betweenx(
            heights, 0, shares, facecolor="#f6d7c2", edgecolor=LOOKS["epidural"].colour, hatch="////", linewidth=0
        )
        axes.plot(shares, heights, color="#a84a00", linewidth=1.6)
    worst = leakage.worst
    if worst is not None and worst.fraction > 0:
        height = float(view.height_of(worst.at_mm))
        share, reach = 100 * worst.fraction, axes.get_xlim()[1]
        beside = share < 0.62 * reach
        axes.text(
            share + 0.02 * reach if beside else share - 0.02 * reach,
            height,
            f"{share:.0f} % at {worst.level}" if worst.level else f"{share:.0f} %",
            ha="left" if beside else "right",
            va="center",
            fontweight="bold",
            fontsize=11,
            path_effects=[Stroke(linewidth=4.0, foreground="#ffffff"), Normal()],
        )
    elif not measured:
        axes.text(0.5, 0.5, "not assessable", transform=axes.transAxes, ha="center", rotation=90)


def _level_bands(view: SagittalView, leakage: Leakage) -> list[tuple[str, float, float]]:
    bands: list[tuple[str, float, float]] = []
    for section in leakage.profile:
        height = float(view.height_of(section.at_mm))
        name = section.level or ""
        if bands and bands[-1][0] == name:
            bands[-1] = (name, bands[-1][1], height)
        else:
            bands.append((name, height, height))
    return bands


def _level_at(leakage: Leakage, at_mm: float) -> str | None:
    if leakage.worst is not None and leakage.worst.at_mm == at_mm:
        return leakage.worst.level
    nearest = min(leakage.profile, key=lambda p: abs(p.at_mm - at_mm), default=None)
    return nearest.level if nearest else None


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
        x, y, str(deposit.id), fontsize=7.5, ha="center", va="center", color=INK,
        path_effects=[Stroke(linewidth=2.2, foreground="#ffffff"), Normal()],
    )  # fmt: skip
