"""The plan for a revision from behind, as the surgeon meets it: fragments, laminae, durotomy, pedicles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import matplotlib as mpl
import numpy as np
from contourpy import contour_generator
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Ellipse, Polygon
from scipy import ndimage

from thecal.anatomy.spine import Spine
from thecal.leakage.findings import Leakage
from thecal.leakage.revision.plan_value import Fragment, PedicleSize, RevisionPlan
from thecal.report.cuts import SagittalView, sagittal_view
from thecal.report.drawing import STYLE, Label, Picture, blank, draw_line, halo, label_column, scale_bar
from thecal.report.palette import CANAL_WALL, LOOKS
from thecal.report.revision_marks import (
    DUROTOMY_COLOUR,
    FIXATION_COLOUR,
    LAMINA_COLOUR,
    opened_stretches,
)
from thecal.report.sagittal import canal_rim, heights_to_show
from thecal.terms import vertebra_name
from thecal.volume import BoolArray, FloatArray

HALF_WIDTH_MM: Final = 46.0
# From behind the spinous processes to the front of the canal.
BEHIND_MM, BEFORE_MM = 75.0, 28.0
STEP_MM: Final = 0.8
LEFT_COLUMN_MM, RIGHT_COLUMN_MM = 54.0, 62.0
WIDEST_IN, TALLEST_IN = 8.2, 9.5
# A pedicle that was not measured is marked so large.
UNMEASURED_MM: Final = 8.0
CAPTION: Final = (
    "The plan to discuss, seen from behind as at surgery (the patient's left on the left): bone in relief; "
    "the cement in canal and foramina as it lies in front of the laminae, numbered as in the table. Solid "
    "white: canal wall; dashed white: thecal sac, an estimate. Light green: the laminae, filled where they "
    "lie over a fragment or its margin; the percentage is that share of the lamina's height. "
)
DUROTOMY_SAID: Final = "Violet: the durotomy. "
FIXATION_SAID: Final = (
    "Turquoise: pedicles of the levels to fix, at their measured width and height in mm; dashed where they "
    "were not measured, at their usual place. "
)
RULES_SAID: Final = "Drawn by fixed rules from one CT; the surgeon decides."


@dataclass(frozen=True, eq=False)
class _Back:
    """What is met on straight ways from behind, on a raster of the picture.

    ``across`` and ``up`` are mm in the picture, ``depth_mm`` (h, w) how far behind the canal the first bone
    lies (NaN: none), ``ids`` the deposits' numbers along each way, (h, w, d).
    """

    across: FloatArray
    up: FloatArray
    depth_mm: FloatArray
    ids: np.ndarray


def dorsal_picture(spine: Spine, leakage: Leakage) -> Picture | None:
    """The plan seen from behind; None where nothing is planned."""
    plan = leakage.revision
    if plan is None:
        return None
    view = sagittal_view(spine.canal)
    low, high, _ = heights_to_show(view, leakage)
    back = _from_behind(spine, leakage, view, low, high)
    left, right = float(back.across[0]), float(back.across[-1])
    total_mm = right - left + LEFT_COLUMN_MM + RIGHT_COLUMN_MM
    width_in = min(WIDEST_IN, TALLEST_IN * total_mm / (high - low))
    with mpl.rc_context(STYLE):
        figure = blank(width_in, width_in * (high - low) / total_mm)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_axis_off()
        axes.imshow(_relief(back.depth_mm), extent=(left, right, low, high), interpolation="bilinear")
        extent = (left, right, low, high)
        _canal(axes, spine, view, low, high)
        named_left = _laminae(axes, spine, view, plan)
        named_right = _fragments(axes, back, plan, leakage)
        named_right += _durotomy(axes, spine, view, plan)
        for pedicle in plan.pedicles:
            named = named_left if pedicle.side == "left" else named_right
            named += _pedicle(axes, view, pedicle)
        axes.set_xlim(left - LEFT_COLUMN_MM, right + RIGHT_COLUMN_MM)
        axes.set_ylim(low, high)
        gap = (high - low) / 34
        label_column(axes, _within(named_left, low, high), extent, gap_mm=gap, on_left=True)
        label_column(axes, _within(named_right, low, high), extent, gap_mm=gap)
        for word, x, side in (("left", left + 2, "left"), ("right", right - 2, "right")):
            axes.text(x, high - 3, word, color="#ffffff", fontsize=9, ha=side, va="top", path_effects=halo())
        scale_bar(axes, left + 4.0, low + 4.0, 20)
    caption = (
        CAPTION
        + (DUROTOMY_SAID if plan.durotomy is not None else "")
        + (FIXATION_SAID if plan.pedicles else "")
        + RULES_SAID
    )
    return Picture(figure, caption, caption, width_in)


def _placed(view: SagittalView, points: FloatArray) -> FloatArray:
    """LPS points (m, 3) to (across, up) in the picture, (m, 2): the patient's left is on the left."""
    offset = np.asarray(points, float).reshape(-1, 3) - view.origin
    placed: FloatArray = np.stack([-(offset @ view.left), offset @ view.cranial], axis=1)
    return placed


def _from_behind(spine: Spine, leakage: Leakage, view: SagittalView, low: float, high: float) -> _Back:
    near = (view.height_mm >= low) & (view.height_mm <= high)
    middle = -float(np.median(view.sideways_mm[near] if near.any() else view.sideways_mm))
    across = np.arange(middle - HALF_WIDTH_MM, middle + HALF_WIDTH_MM, STEP_MM)
    up = np.arange(high, low, -STEP_MM)
    deep = np.arange(BEHIND_MM, -BEFORE_MM, -STEP_MM)
    canal_deep = np.interp(up, view.height_mm, view.depth_mm)
    shape = (len(up), len(across), len(deep))
    first = np.full(shape[:2], np.nan)
    ids = np.zeros(shape, leakage.deposit_labels.dtype)
    bone: BoolArray = spine.bone_mask()
    bounds = np.array(spine.labels.shape)
    ways = view.origin - across[:, None, None] * view.left + deep[None, :, None] * view.posterior
    for row, height in enumerate(up):
        points = ways + height * view.cranial + canal_deep[row] * view.posterior
        index = np.rint(spine.grid.to_index(points.reshape(-1, 3))).astype(int)
        inside: BoolArray = np.asarray(((index >= 0) & (index < bounds)).all(-1))
        at = tuple(np.where(inside[:, None], index, 0).T)
        ids[row] = np.where(inside, leakage.deposit_labels[at], 0).reshape(shape[1:])
        hit = (inside & bone[at]).reshape(shape[1:])
        met = hit.any(-1)
        first[row, met] = deep[hit.argmax(-1)[met]]
    return _Back(across, up, first, ids)


def _relief(depth_mm: FloatArray) -> FloatArray:
    """The back of the bone lit from above and from the left, (h, w, 3); dark where there is none."""
    known = np.isfinite(depth_mm)
    weight = ndimage.gaussian_filter(known.astype(float), 1.0)
    filled = np.where(known, depth_mm, 0.0)
    smooth = ndimage.gaussian_filter(filled, 1.0) / np.maximum(weight, 1e-6)
    down, aside = np.gradient(smooth, STEP_MM)
    facing = (1.0 + 0.5 * down - 0.5 * -aside) / np.sqrt(1.0 + down**2 + aside**2) / np.sqrt(1.5)
    near = np.clip((smooth + BEFORE_MM) / (BEHIND_MM + BEFORE_MM), 0.0, 1.0)
    grey = np.where(known, 0.22 + 0.5 * np.clip(facing, 0.0, 1.0) * (0.5 + 0.5 * near), 0.1)
    return np.repeat(grey[..., None], 3, axis=-1)


def _canal(axes: Axes, spine: Spine, view: SagittalView, low: float, high: float) -> None:
    for radii, dashes in ((spine.canal.wall_mm, ()), (spine.canal.sac_mm, (2.0, 1.6))):
        for angle in (-np.pi / 2, np.pi / 2):
            line = _placed(view, canal_rim(spine, radii, angle))
            inside = (line[:, 1] > low) & (line[:, 1] < high)
            draw_line(axes, line[inside, 0], line[inside, 1], CANAL_WALL, dashes, width=1.0)


def _band(spine: Spine, view: SagittalView, from_mm: float, to_mm: float) -> FloatArray:
    """The canal's width over a stretch as a polygon, (n, 2)."""
    frame = spine.canal.frame
    rows = np.arange(int(frame.index(from_mm)), int(frame.index(to_mm)) + 1)
    left, right = (
        _placed(view, canal_rim(spine, spine.canal.wall_mm, angle)[rows]) for angle in (np.pi / 2, -np.pi / 2)
    )
    return np.concatenate([left, right[::-1]])


def _laminae(axes: Axes, spine: Spine, view: SagittalView, plan: RevisionPlan) -> list[Label]:
    labels = []
    for lamina in plan.laminae:
        for low, high in opened_stretches(plan):
            ends = max(low, lamina.from_mm), min(high, lamina.to_mm)
            if ends[0] < ends[1]:
                axes.add_patch(
                    Polygon(
                        _band(spine, view, *ends), closed=True, facecolor=(*to_rgb(LAMINA_COLOUR), 0.3), lw=0
                    )
                )
        outline = _band(spine, view, lamina.from_mm, lamina.to_mm)
        closed = np.concatenate([outline, outline[:1]])
        draw_line(axes, closed[:, 0], closed[:, 1], LAMINA_COLOUR, width=1.6)
        across, up = outline[: len(outline) // 2].mean(0)
        name = vertebra_name(lamina.level, lamina.vertebra_id)
        labels.append(
            Label(f"lamina {name}, {100 * lamina.share:.0f} %", (float(across), float(up)), LAMINA_COLOUR)
        )
    return labels


def _fragments(axes: Axes, back: _Back, plan: RevisionPlan, leakage: Leakage) -> list[Label]:
    """The cement's outlines, what lies farther from the surgeon under what lies nearer."""
    compartment_of = {d.id: d.compartment for d in leakage.deposits}
    labels = []
    far_first = sorted(plan.fragments, key=lambda f: -(f.depth_mm if f.depth_mm is not None else np.inf))
    for fragment in far_first:
        mask: BoolArray = np.asarray((back.ids == fragment.deposit_id).any(-1))
        if not mask.any():
            continue
        look = LOOKS[compartment_of[fragment.deposit_id]]
        picture = np.zeros((*mask.shape, 4))
        picture[mask] = (*to_rgb(look.on_paper), 0.55)
        left, right = float(back.across[0]), float(back.across[-1])
        extent = (left, right, float(back.up[-1]), float(back.up[0]))
        axes.imshow(picture, extent=extent, interpolation="none")
        soft = np.pad(mask.astype(float), 1)[1:-1, 1:-1]
        for line in contour_generator(back.across, back.up, soft).lines(0.5):
            draw_line(axes, np.asarray(line)[:, 0], np.asarray(line)[:, 1], look.colour, look.dashes)
        rows, columns = np.nonzero(mask)
        middle = int(np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2))
        at = float(back.across[columns[middle]]), float(back.up[rows[middle]])
        labels.append(Label(_fragment_words(fragment, look.name), at, look.colour))
    return labels


def _fragment_words(fragment: Fragment, compartment: str) -> str:
    words = f"{fragment.deposit_id} · {compartment} {fragment.volume_ml:.2f} mL"
    if fragment.depth_mm is not None:
        words += f", {fragment.depth_mm:.1f} mm deep"
    return words


def _durotomy(axes: Axes, spine: Spine, view: SagittalView, plan: RevisionPlan) -> list[Label]:
    if plan.durotomy is None:
        return []
    frame = spine.canal.frame
    rows = np.arange(int(frame.index(plan.durotomy.from_mm)), int(frame.index(plan.durotomy.to_mm)) + 1)
    line = _placed(view, canal_rim(spine, spine.canal.sac_mm, np.pi)[rows])
    axes.plot(
        line[:, 0],
        line[:, 1],
        color=DUROTOMY_COLOUR,
        linewidth=3.6,
        solid_capstyle="butt",
        path_effects=halo("#ffffff", 5.2),
    )
    across, up = line[-1]
    return [Label(f"durotomy, {plan.durotomy.length_mm:.0f} mm", (float(across), float(up)), DUROTOMY_COLOUR)]


def _pedicle(axes: Axes, view: SagittalView, pedicle: PedicleSize) -> list[Label]:
    if pedicle.at_mm is None:
        return []
    across, up = _placed(view, np.array([pedicle.at_mm]))[0]
    name = vertebra_name(pedicle.level, pedicle.vertebra_id)
    known = pedicle.width_mm is not None and pedicle.height_mm is not None
    size = (pedicle.width_mm or UNMEASURED_MM, pedicle.height_mm or UNMEASURED_MM)
    for colour, width in (("#000000", 3.2), (FIXATION_COLOUR, 1.8)):
        axes.add_patch(
            Ellipse((across, up), *size, fill=False, ec=colour, lw=width, ls="-" if known else (0, (2, 1.2)))
        )
    words = f"{pedicle.width_mm:.1f} × {pedicle.height_mm:.1f} mm" if known else "not measured"
    return [Label(f"pedicle {name}, {words}", (float(across), float(up)), FIXATION_COLOUR)]


def _within(labels: list[Label], low: float, high: float) -> list[Label]:
    return [label for label in labels if low < label.at[1] < high]
