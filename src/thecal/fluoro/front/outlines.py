"""Lines to draw over the picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from thecal.fluoro.front.anatomy_on_picture import Regions
from thecal.fluoro.front.find_front import Front
from thecal.fluoro.front.in_plane import Move
from thecal.fluoro.front.log_picture import BIN
from thecal.fluoro.front.medial_line import medial_line
from thecal.fluoro.front.needle_on_picture import NeedleSeen
from thecal.fluoro.reading import Outline
from thecal.fluoro.target import Target
from thecal.volume import BoolArray, FloatArray


def outlines(
    regions: Regions,
    target: Target,
    needles: list[NeedleSeen],
    front: Front | None,
    leaks: dict[str, BoolArray],
    move: Move,
    stop_at: float,
) -> tuple[Outline, ...]:
    """Body, posterior wall, stop line, front, needle and leaks, on the frame's own pixels."""
    lines: list[tuple[str, FloatArray, bool]] = []
    body = rim(regions.body_mm > 0.5)
    if body is not None:
        lines.append(("body", body, True))
    if regions.toward == "lateral":
        lines.append(("posterior wall", plane_line(regions, target, 0.0), False))
        name = "posterior third" if stop_at > 0.3 else "posterior quarter"
        lines.append((name, plane_line(regions, target, stop_at * target.depth_mm), False))
        if front is not None:
            lines.append(("front", plane_line(regions, target, front.to_posterior_wall_mm), False))
    if regions.toward == "ap":
        for side in ("left", "right"):
            medial = medial_line(target, side)
            if medial is not None:
                lines.append((f"medial pedicle line {side}", regions.view.project(medial[1]), False))
    lines += [("needle", np.stack([n.entry_px, n.tip_px]), False) for n in needles]
    for mask in leaks.values():
        edge = rim(mask)
        if edge is not None:
            lines.append(("leak", edge, True))
    return tuple(Outline(name, to_frame(move, pixels), closed) for name, pixels, closed in lines)


def to_frame(move: Move, pixels: FloatArray) -> npt.NDArray[np.float64]:
    """(row, column) of the binned reference on the frame's own pixels."""
    placed: npt.NDArray[np.float64] = move.to_picture(pixels) * BIN + (BIN - 1) / 2
    return placed


def plane_line(regions: Regions, target: Target, depth_mm: float) -> FloatArray:
    """A line across the body in its mid-sagittal plane at a depth, on the binned reference's pixels."""
    up = regions.up_mm[regions.body]
    low, high = (float(up.min()), float(up.max())) if len(up) else (-12.0, 12.0)
    ends = target.frame.to_lps([(0.0, depth_mm, low), (0.0, depth_mm, high)])
    return regions.view.project(ends)


def rim(mask: BoolArray) -> FloatArray | None:
    """The border of a mask's largest piece, (n, 2); None where it is empty."""
    if not mask.any():
        return None
    from skimage.measure import find_contours

    found = find_contours(np.pad(mask, 1).astype(np.float32), 0.5)
    longest: FloatArray = max(found, key=len) - 1.0
    return longest
