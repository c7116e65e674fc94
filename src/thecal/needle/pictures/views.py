"""The pictures that the operator will see, with what they are read by drawn over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from thecal.anatomy.spine import Spine, Vertebra
from thecal.fluoro.target import body_depth_mm
from thecal.needle.outputs.needles import PlannedNeedle, at_depth, level_words
from thecal.needle.pictures.canvas import (
    FOOT_IN,
    close,
    draw_needle,
    draw_way,
    trace,
    write_corner,
    write_research_use,
    write_title,
)
from thecal.needle.pictures.colours import MEDIAL_LINE, NEEDLE_COLOURS, POSTERIOR_WALL
from thecal.needle.pictures.landmarks import (
    BodyProfile,
    body_profile,
    corridor_of,
    lateral_of_medial_line_mm,
    medial_line,
    pedicle_outline,
)
from thecal.needle.pictures.shots import Shot, ap_shot, lateral_shot
from thecal.needle.plan_value import LevelPlan
from thecal.report.drawing import STYLE, Picture, blank, halo
from thecal.volume import FloatArray, Volume

WIDTH_IN: Final = 9.8
GAP_SHARE: Final = 0.03
TITLE_IN: Final = 0.3
CLOSE_MM: Final = (76.0, 62.0)
"""Width and height of the close-up at the posterior wall, in the plane of the vertebra."""


@dataclass(frozen=True, eq=False)
class Scene:
    """One vertebra's pictures and what is drawn over them.

    Attributes
    ----------
    plan : LevelPlan
    vertebra : Vertebra
    profile : BodyProfile or None
    ap, lateral : Shot
    """

    plan: LevelPlan
    vertebra: Vertebra
    profile: BodyProfile | None
    ap: Shot
    lateral: Shot

    @property
    def middle(self) -> FloatArray:
        """A point of the body, by which magnification is taken, LPS mm."""
        if self.profile is None:
            return self.vertebra.frame.origin
        middle: FloatArray = (self.profile.posterior.mean(0) + self.profile.anterior.mean(0)) / 2
        return middle


def scene_of(volume: Volume, spine: Spine, vertebra: Vertebra, plan: LevelPlan) -> Scene:
    """The pictures of one vertebra, and its outlines for them."""
    profile = body_profile(spine, vertebra)
    depth = body_depth_mm(spine, vertebra) if profile is None else profile.depth_mm
    ap, lateral = ap_shot(volume, spine, vertebra, depth), lateral_shot(volume, spine, vertebra, depth)
    return Scene(plan, vertebra, profile, ap, lateral)


def crossing_picture(scene: Scene, needles: tuple[PlannedNeedle, ...]) -> Picture:
    """The pair of pictures at the moment when the tip meets the posterior wall, close up."""
    words = " ".join(_said_of(scene, needle) for needle in needles)
    caption = (
        "The moment to check both pictures: the tip meets the posterior wall. On the lateral picture it "
        "stands at the wall; on the AP picture it must still be lateral of the medial pedicle line. "
        f"{words} Dashed: the rest of the way, which may cross the line. {_HATCHED}"
    )
    return _pair(scene, needles, caption, close=True)


def final_picture(scene: Scene, needles: tuple[PlannedNeedle, ...]) -> Picture:
    """Both pictures with the needles at their end."""
    ap = scene.ap
    caption = (
        f"{_capital(level_words(scene.plan))} as a C-arm would show it with the needle at its end, made from "
        "this CT: patient prone, detector behind her, her left on the left; endplates edge-on and the "
        f"spinous process in the midline {angulation_words(ap)}. The lateral picture has the detector at her "
        "left. What lies before the spine and, on the lateral picture, beside it is left out."
    )
    return _pair(scene, needles, caption, close=False)


_HATCHED: Final = (
    "Yellow: outlines of the pedicles and their medial line. Blue: posterior wall, and hatched the posterior "
    "third of the body, where cement means stop."
)


def angulation_words(shot: Shot) -> str:
    """How the C-arm is turned from the patient's own axes, in words."""
    turned = (shot.primary_deg % 360.0) - (180.0 if shot.name == "AP" else 90.0)
    # Seen from behind, a detector that goes to her left turns the other way round.
    side = -turned if shot.name == "AP" else turned
    return (
        f"(from straight behind, detector {_towards(shot.secondary_deg, 'head', 'feet')} and "
        f"{_towards(side, 'left', 'right')})"
    )


def _towards(degrees: float, plus: str, minus: str) -> str:
    if abs(degrees) < STRAIGHT_DEG:
        return f"not turned to her {plus} or {minus}"
    return f"{abs(degrees):.0f}° to her {plus if degrees > 0 else minus}"


STRAIGHT_DEG: Final = 0.5


def _said_of(scene: Scene, needle: PlannedNeedle) -> str:
    """What the AP picture must show, in numbers."""
    corridor = corridor_of(scene.plan, needle.way)
    wall = needle.way.wall_depth_mm
    depth = f"{wall:.0f} mm in" if wall >= 0 else f"{-wall:.0f} mm before it meets the bone"
    if corridor is None:
        return f"{_capital(needle.words)}: {depth}; the pedicle was not measured, so no line is drawn."
    free = lateral_of_medial_line_mm(scene.vertebra, corridor, needle.way)
    if free < 0:
        # Beside the canal's widest part, or where the pedicle narrows behind the wall.
        return (
            f"{_capital(needle.words)}: {depth}, its surface is {-free:.1f} mm past the line on the AP "
            "picture, so that these two pictures cannot show that it is clear of the canal."
        )
    return f"{_capital(needle.words)}: {depth}, its surface {free:.1f} mm lateral of the line."


def _pair(scene: Scene, needles: tuple[PlannedNeedle, ...], caption: str, *, close: bool) -> Picture:
    """AP on the left with its words to the left, lateral on the right with its words to the right."""
    boxes = [_window(scene, shot, needles, close=close) for shot in (scene.ap, scene.lateral)]
    wide, high = boxes[0][1] - boxes[0][0], boxes[0][3] - boxes[0][2]
    total = wide * (2 + GAP_SHARE)
    tall_in = WIDTH_IN * high / total
    height_in = tall_in + TITLE_IN + FOOT_IN
    with mpl.rc_context(STYLE):
        figure = blank(WIDTH_IN, height_in)
        for k, (shot, box) in enumerate(zip((scene.ap, scene.lateral), boxes, strict=True)):
            start = k * wide * (1 + GAP_SHARE) / total
            axes = figure.add_axes((start, FOOT_IN / height_in, wide / total, tall_in / height_in))
            left, right, bottom, top = box
            _show(axes, shot, box)
            if shot is scene.ap:
                _draw_ap(axes, scene, needles, crossing=close)
            else:
                _draw_lateral(axes, scene, needles, crossing=close)
            axes.set_xlim(left, right)
            axes.set_ylim(bottom, top)
            _write_view(axes, shot, box)
            said = "tip at the posterior wall" if close else "needle at its end"
            title = "AP" if k == 0 else "Lateral"
            write_title(axes, f"{title}: {said}", left, top)
        write_research_use(figure)
    return Picture(figure, caption, caption, WIDTH_IN)


def _window(
    scene: Scene, shot: Shot, needles: tuple[PlannedNeedle, ...], *, close: bool
) -> tuple[float, float, float, float]:
    """Left, right, bottom, top of what is shown, in pixels to the right and up."""
    rows, columns = shot.view.shape
    if not close:
        return (-0.5, columns - 0.5, -(rows - 0.5), 0.5)
    pixel_mm = float(np.linalg.norm(shot.view.along_row)) / shot.view.magnification(scene.middle)
    half = np.array(CLOSE_MM) / pixel_mm / 2
    at = np.mean([_place(shot, at_depth(n.way, n.way.wall_depth_mm)) for n in needles], axis=0)
    if shot is scene.ap and len(needles) > 1:
        at[0] = _place(shot, scene.middle)[0]
    low = np.array([-0.5, -(rows - 0.5)]) + half
    high = np.array([columns - 0.5, 0.5]) - half
    x, y = np.clip(at, low, high)
    return (float(x - half[0]), float(x + half[0]), float(y - half[1]), float(y + half[1]))


def _show(axes: Axes, shot: Shot, box: tuple[float, float, float, float]) -> None:
    rows, columns = shot.view.shape
    first, last = max(int(np.floor(-box[3])), 0), min(int(np.ceil(-box[2])) + 1, rows)
    start, stop = max(int(np.floor(box[0])), 0), min(int(np.ceil(box[1])) + 1, columns)
    part = np.rint(255 * shot.image[first:last, start:stop]).astype(np.uint8)
    axes.imshow(
        part,
        cmap="gray",
        vmin=0,
        vmax=255,
        extent=(start - 0.5, stop - 0.5, -(last - 0.5), -(first - 0.5)),
        interpolation="none",
        aspect="auto",
    )
    axes.set_axis_off()


def _place(shot: Shot, points: npt.ArrayLike) -> FloatArray:
    """LPS mm (..., 3) to the picture's (right, up) in pixels, (..., 2)."""
    pixel = shot.view.project(points)
    placed: FloatArray = np.stack([pixel[..., 1], -pixel[..., 0]], axis=-1)
    return placed


def _draw_needles(
    axes: Axes, scene: Scene, shot: Shot, needles: tuple[PlannedNeedle, ...], *, crossing: bool
) -> None:
    pitch = float(np.linalg.norm(shot.view.along_row))
    for needle in needles:
        way, colour = needle.way, NEEDLE_COLOURS[needle.key]
        end = at_depth(way, way.wall_depth_mm if crossing else way.tip_depth_mm)
        start = at_depth(way, -BACK_MM)
        width = [way.gauge.outer_mm * shot.view.magnification(point) / pitch for point in (start, end)]
        a, b = _place(shot, start), _place(shot, end)
        if crossing:
            draw_way(axes, b, _place(shot, way.tip_mm), colour)
        draw_needle(axes, a, b, (width[0], width[1]), colour)


BACK_MM: Final = 60.0
"""How far behind its first point the needle is drawn."""


def _draw_ap(axes: Axes, scene: Scene, needles: tuple[PlannedNeedle, ...], *, crossing: bool) -> None:
    sides = {needle.way.side for needle in needles}
    for answer in scene.plan.sides:
        if answer.corridor is None:
            continue
        used = answer.side in sides
        outline = close(_place(scene.ap, pedicle_outline(scene.vertebra, answer.corridor)))
        trace(axes, outline, MEDIAL_LINE, width=1.2 if used else 0.7)
        if used:
            line = _place(scene.ap, medial_line(scene.vertebra, answer.corridor))
            trace(axes, line, MEDIAL_LINE, (3.0, 1.6), width=2.0)
            # Away from the midline, where the other side's words are not, and from where the needle comes.
            outward = "right" if answer.side == "left" else "left"
            low = _comes_from_above(scene.ap, needles, answer.side)
            _name(
                axes, line[-1 if low else 0], "medial pedicle line", va="top" if low else "bottom", ha=outward
            )
    _draw_needles(axes, scene, scene.ap, needles, crossing=crossing)


def _draw_lateral(axes: Axes, scene: Scene, needles: tuple[PlannedNeedle, ...], *, crossing: bool) -> None:
    if scene.profile is not None:
        wall, third, front = (
            _place(scene.lateral, line)
            for line in (scene.profile.posterior, scene.profile.third, scene.profile.anterior)
        )
        area = np.concatenate([wall, third[::-1]])
        axes.fill(*area.T, facecolor=POSTERIOR_WALL, alpha=0.22, edgecolor="none")
        axes.fill(*area.T, facecolor="none", edgecolor=POSTERIOR_WALL, alpha=0.7, hatch="///", linewidth=0.0)
        trace(axes, third, POSTERIOR_WALL, (2.0, 1.6), width=1.1)
        trace(axes, front, POSTERIOR_WALL, (1.0, 2.0), width=0.9)
        trace(axes, wall, POSTERIOR_WALL, width=2.0)
        ends = (0, -1) if not _comes_from_above(scene.lateral, needles) else (-1, 0)
        va = ("bottom", "top") if ends == (0, -1) else ("top", "bottom")
        _name(axes, wall[ends[0]], "posterior wall", va=va[0], ha="left")
        _name(axes, (wall[ends[1]] + third[ends[1]]) / 2, "posterior third", va=va[1], ha="center")
    _draw_needles(axes, scene, scene.lateral, needles, crossing=crossing)


def _comes_from_above(shot: Shot, needles: tuple[PlannedNeedle, ...], side: str | None = None) -> bool:
    """Whether the needles of a side, or all, come from higher up on the picture than they go to."""
    rise = [
        float(_place(shot, at_depth(n.way, 0.0))[1] - _place(shot, n.way.tip_mm)[1])
        for n in needles
        if side in (None, n.way.side)
    ]
    return sum(rise) > 0.0


def _name(axes: Axes, at: FloatArray, text: str, *, va: str, ha: str) -> None:
    away = NAME_AWAY_POINTS * (1 if va == "bottom" else -1)
    axes.annotate(
        text,
        (float(at[0]), float(at[1])),
        (0.0, away),
        textcoords="offset points",
        va=va,
        ha=ha,
        fontsize=9.0,
        color="#ffffff",
        path_effects=halo(width=2.8),
        zorder=8.0,
    )


NAME_AWAY_POINTS: Final = 4.0


def _write_view(axes: Axes, shot: Shot, box: tuple[float, float, float, float]) -> None:
    left, right, bottom, top = box
    high = top - bottom
    marks = ("L", "R") if shot.name == "AP" else ("front", "back")
    for x, word, side in ((left, marks[0], "left"), (right, marks[1], "right")):
        shift = 0.03 * (right - left) * (1 if side == "left" else -1)
        write_corner(axes, x + shift, top - 0.05 * high, word, ha=side, va="top")


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
