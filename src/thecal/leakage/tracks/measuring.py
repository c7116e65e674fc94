"""From a tube in a vertebra's block to a needle track: its ends, angles, clearance and breach."""

from __future__ import annotations

from typing import Final

import numpy as np

from thecal.anatomy.spine import Canal
from thecal.leakage.findings import NeedleTrack, Point
from thecal.leakage.pedicles import Pedicle
from thecal.leakage.tracks.block import STEP_MM, Block, FloatImage
from thecal.leakage.tracks.clearance import BEHIND_MM, canal_clearance, other_breach
from thecal.leakage.tracks.grading import gertzbein_robbins, published_angle
from thecal.leakage.tracks.tubes import GATE_MM, Tube, along
from thecal.terms import Breach, TrackContent
from thecal.volume import FloatArray

ROUND_MM: Final = 2.6
"""Outside the widest needle: what lies there is bone where the way runs in bone."""
GAP_MM: Final = 3.0
"""A gap in a bone's label so long does not end it."""
HALF: Final = 0.5


def measured(
    tube: Tube, block: Block, content: TrackContent, pedicle: Pedicle | None, canal: Canal
) -> NeedleTrack:
    """The track along a tube.

    The entry is where the line comes into this vertebra's bone, from its label round the line, since the
    hole itself is none. The tip is where the way ends or, for cement, where it runs into a wider fill
    (``tip_hidden``). Angles are those of the line in the vertebra's frame: transverse towards the midline,
    sagittal towards the head.
    """
    vertebra, side = block.vertebra, block.side
    slope = tube.slope
    last = _end(tube, block, content)
    first = _bone_begins(tube, block)
    ends = block.local_of(tube.points(np.array([first, last])))
    way = ends[1] - ends[0]
    length = float(np.linalg.norm(way))
    seen = block.local_of(tube.points(np.array([tube.first, tube.last], float)))
    axis = vertebra.frame.to_lps(seen[1]) - vertebra.frame.to_lps(seen[0])
    half = float(np.linalg.norm(axis)) / 2.0
    middle = vertebra.frame.to_lps(seen.mean(0))
    hidden = content == "cement" and bool(
        along(tube, block.cement)[min(round(last + 2.0 / STEP_MM), block.cement.shape[0] - 1)] > HALF
    )
    # A needle that left cement went on into the body, though its cast may end behind it.
    front = 0.0 if content == "cement" else float(ends[1, 1])
    wall, sac, error = canal_clearance(
        canal, vertebra, middle, axis / (2.0 * half), half, (max(float(ends[0, 1]), -BEHIND_MM), front)
    )
    breach: Breach = "none"
    breach_mm, grade = 0.0, None
    known = bool(np.isfinite(wall))
    if pedicle is not None:
        line = block.local_of(tube.points(np.arange(first, last + 1e-6, 0.5)))
        breach, breach_mm = other_breach(pedicle, side, line)
    if known and wall + error < 0.0:
        breach, breach_mm = "medial", -wall
    if known and not (breach == "none" and wall - error < 0.0):
        grade = gertzbein_robbins(breach_mm)
    return NeedleTrack(
        vertebra_id=vertebra.id,
        level=vertebra.level,
        side="left" if side > 0 else "right",
        content=content,
        entry_mm=_point(vertebra.frame.to_lps(ends[0])),
        tip_mm=_point(vertebra.frame.to_lps(ends[1])),
        tip_hidden=hidden,
        length_mm=length,
        transverse_angle=float(np.degrees(np.arctan2(-side * slope[1], 1.0))),
        sagittal_angle=float(np.degrees(np.arctan2(slope[0], 1.0))),
        medial_wall_clearance_mm=wall if known else None,
        sac_clearance_mm=sac if known else None,
        clearance_error_mm=error if known else None,
        breach=breach,
        breach_mm=breach_mm if known else None,
        gertzbein_robbins=grade,
        published_angle=published_angle(vertebra.level),
    )


def _end(tube: Tube, block: Block, content: TrackContent) -> float:
    """The plane at which the way ends in front: half-way from what it holds to what lies before it."""
    image: FloatImage = block.cement if content == "cement" else -block.hu
    values = along(tube, image)
    inside = float(np.median(values[tube.first : tube.last + 1]))
    ahead = values[tube.last + 1 : tube.last + 1 + round(4.0 / STEP_MM)]
    outside = float(np.median(ahead)) if len(ahead) else inside
    if content == "cement" and outside > HALF * inside:
        return float(tube.last)
    level = (inside + outside) / 2.0
    for plane in range(tube.last, min(tube.last + round(3.0 / STEP_MM), len(values) - 1)):
        if values[plane] >= level > values[plane + 1]:
            return float(plane + (values[plane] - level) / (values[plane] - values[plane + 1]))
    return float(tube.last)


def _bone_begins(tube: Tube, block: Block) -> float:
    """The hindmost plane on which the line's surroundings are this vertebra, from the isthmus back."""
    gate = block.plane_of(GATE_MM)
    angle = np.arange(8) * 2 * np.pi / 8
    ring = np.stack([np.sin(angle), np.cos(angle)], axis=1) * (ROUND_MM / STEP_MM)
    begins, gap = min(gate, tube.first) if not block.bone.any() else gate, 0
    for plane in range(gate, -1, -1):
        at = np.rint(tube.at + plane * tube.slope + ring).astype(int)
        inside = ((at >= 0) & (at < np.array(block.bone.shape[1:]))).all(1)
        share = float(block.bone[plane, at[inside, 0], at[inside, 1]].sum()) / len(ring)
        if share >= HALF:
            begins, gap = plane, 0
            continue
        gap += 1
        if gap * STEP_MM > GAP_MM:
            break
    return float(begins)


def _point(values: FloatArray) -> Point:
    return (float(values[0]), float(values[1]), float(values[2]))
