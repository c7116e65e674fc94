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
# An emptied track holds blood and marrow.
TRACK_HU: Final = 5


@dataclass(frozen=True)
class TrackSpec:
    """A track to make: ``medial_mm`` moves its course at the pedicle towards the canal (0 is the axis)."""

    level: str
    side: Literal["left", "right"]
    medial_mm: float = 0.0
    tip_depth: float = 0.66


@dataclass(frozen=True)
class TrueTrack:
    """What is true of a track.

    Angles are in the vertebra's frame; the clearance is from the needle's surface to the canal's wall.
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


def drill(site: Site, spec: TrackSpec) -> TrueTrack:
    """Cut a track through the bone of ``site.hu`` (in place) and say what is true of it."""
    vertebra = site.vertebra(spec.level)
    size = site.measure(vertebra)
    k = 1 if spec.side == "left" else -1
    u, w = size.pedicle[k]
    # Through the pedicle's middle (or medial of it) to the anterior third, near the midline.
    at_pedicle = np.array([u - k * spec.medial_mm, -6.0, w])
    tip = np.array([k * max(2.0, abs(u) * 0.42 - 0.5 * spec.medial_mm), spec.tip_depth * size.depth, w - 3.5])
    way = (tip - at_pedicle) / np.linalg.norm(tip - at_pedicle)
    entry = at_pedicle - way * 26.0
    _cut(site, vertebra, entry, tip)
    line = vertebra.frame.to_lps(entry + (tip - entry) * np.linspace(0.0, 1.0, 400)[:, None])
    local = vertebra.frame.to_local(line)
    beside = (local[:, 1] < 0.5) & (local[:, 1] > -20.0)
    _, _, r, wall, _ = canal_place(site.spine, line[beside])
    clearance = float((r - wall).min()) - TROCAR_RADIUS_MM
    ends = vertebra.frame.to_lps(np.stack([entry, tip]))
    return TrueTrack(
        spec.level,
        spec.side,
        _point(ends[0]),
        _point(ends[1]),
        TROCAR_RADIUS_MM,
        round(float(np.degrees(np.arctan2(-k * way[0], way[1]))), 2),
        round(float(np.degrees(np.arctan2(way[2], way[1]))), 2),
        round(clearance, 2),
        "medial" if clearance < 0 else "none",
        round(max(0.0, -clearance), 2),
    )


def _cut(site: Site, vertebra: Vertebra, entry: FloatArray, tip: FloatArray) -> None:
    ends = vertebra.frame.to_lps(np.stack([entry, tip]))
    box = site.grid.box_around(ends, 4.0)
    bone = np.argwhere(site.labels[box] == vertebra.id) + np.array([s.start for s in box])
    points = site.grid.to_lps(bone)
    axis = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
    along = np.clip((points - ends[0]) @ axis, 0.0, float(np.linalg.norm(ends[1] - ends[0])))
    off = np.linalg.norm(points - ends[0] - along[:, None] * axis, axis=1)
    site.hu[tuple(bone[off < TROCAR_RADIUS_MM].T)] = TRACK_HU


def _point(values: FloatArray) -> Point:
    return (round(float(values[0]), 2), round(float(values[1]), 2), round(float(values[2]), 2))
