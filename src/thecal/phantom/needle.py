"""Needle tracks: where a trocar went, and what it crossed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from thecal.anatomy.spine import Vertebra
from thecal.phantom.deposit_spec import Point
from thecal.phantom.site import Site, canal_place
from thecal.volume import FloatArray

# Outer radius of an 11 G trocar (3.0-3.2 mm across, from memory).
TROCAR_RADIUS_MM: Final = 1.55
Content = Literal["empty", "air", "cement"]
# An emptied track holds blood and marrow.
TRACK_HU: Final[dict[Content, int]] = {"empty": 5, "air": -850, "cement": 3600}
# How far behind the pedicle a needle's way begins; there it lies in muscle.
BEHIND_PEDICLE_MM: Final = 26.0


@dataclass(frozen=True)
class TrackSpec:
    """A track to make.

    ``medial_mm`` moves its course at the pedicle towards the canal (0 is the axis), ``above_mm`` towards the
    head. ``transverse`` (towards the midline) and ``sagittal`` (towards the head) are degrees in the
    vertebra's frame; where they are not given the needle aims at the anterior third near the midline. Cement
    in a track is not one of the case's deposits.
    """

    level: str
    side: Literal["left", "right"]
    medial_mm: float = 0.0
    tip_depth: float = 0.66
    content: Content = "empty"
    radius_mm: float = TROCAR_RADIUS_MM
    transverse: float | None = None
    sagittal: float | None = None
    above_mm: float = 0.0


@dataclass(frozen=True)
class TrueTrack:
    """What is true of a track.

    Angles are in the vertebra's frame; the clearance is from the needle's surface to the canal's wall. The
    entry is where it met bone.
    """

    level: str
    side: Literal["left", "right"]
    entry_mm: Point
    tip_mm: Point
    radius_mm: float
    transverse_angle: float
    sagittal_angle: float
    medial_wall_clearance_mm: float
    breach: Literal["none", "medial"]
    breach_mm: float
    content: Content = "empty"


def drill(site: Site, spec: TrackSpec) -> TrueTrack:
    """Cut a track through the bone of ``site.hu`` (in place) and say what is true of it."""
    vertebra = site.vertebra(spec.level)
    size = site.measure(vertebra)
    k = 1 if spec.side == "left" else -1
    u, w = size.pedicle[k]
    # Through the pedicle's middle (or medial of it) to the anterior third, near the midline.
    at_pedicle = np.array([u - k * spec.medial_mm, -6.0, w + spec.above_mm])
    tip = np.array([k * max(2.0, abs(u) * 0.42 - 0.5 * spec.medial_mm), spec.tip_depth * size.depth, w - 3.5])
    ahead = tip[1] - at_pedicle[1]
    if spec.transverse is not None:
        tip[0] = at_pedicle[0] - k * ahead * np.tan(np.radians(spec.transverse))
    if spec.sagittal is not None:
        tip[2] = at_pedicle[2] + ahead * np.tan(np.radians(spec.sagittal))
    way = (tip - at_pedicle) / np.linalg.norm(tip - at_pedicle)
    entry = _cut(site, vertebra, at_pedicle - way * BEHIND_PEDICLE_MM, tip, spec)
    line = vertebra.frame.to_lps(entry + (tip - entry) * np.linspace(0.0, 1.0, 400)[:, None])
    local = vertebra.frame.to_local(line)
    beside = (local[:, 1] < 0.5) & (local[:, 1] > -20.0)
    _, _, r, wall, _ = canal_place(site.spine, line[beside])
    clearance = float((r - wall).min()) - spec.radius_mm
    ends = vertebra.frame.to_lps(np.stack([entry, tip]))
    return TrueTrack(
        spec.level,
        spec.side,
        _point(ends[0]),
        _point(ends[1]),
        spec.radius_mm,
        round(float(np.degrees(np.arctan2(-k * way[0], way[1]))), 2),
        round(float(np.degrees(np.arctan2(way[2], way[1]))), 2),
        round(clearance, 2),
        "medial" if clearance < 0 else "none",
        round(max(0.0, -clearance), 2),
        spec.content,
    )


def _cut(site: Site, vertebra: Vertebra, start: FloatArray, tip: FloatArray, spec: TrackSpec) -> FloatArray:
    """Fill the track's bone with what it holds; where on its axis the needle met bone (vertebra's frame)."""
    ends = vertebra.frame.to_lps(np.stack([start, tip]))
    box = site.grid.box_around(ends, 4.0)
    bone = np.argwhere(site.labels[box] == vertebra.id) + np.array([s.start for s in box])
    points = site.grid.to_lps(bone)
    axis = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
    along = np.clip((points - ends[0]) @ axis, 0.0, float(np.linalg.norm(ends[1] - ends[0])))
    off = np.linalg.norm(points - ends[0] - along[:, None] * axis, axis=1)
    inside = off < spec.radius_mm
    site.hu[tuple(bone[inside].T)] = TRACK_HU[spec.content]
    first = float(along[inside].min()) if inside.any() else 0.0
    met: FloatArray = vertebra.frame.to_local(ends[0] + first * axis)
    return met


def _point(values: FloatArray) -> Point:
    return (round(float(values[0]), 2), round(float(values[1]), 2), round(float(values[2]), 2))
