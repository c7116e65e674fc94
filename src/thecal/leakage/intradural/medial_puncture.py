"""A needle that crossed the medial wall of the pedicle before it reached the body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cc3d
import numpy as np

from thecal.anatomy.spine import Part, Vertebra
from thecal.leakage.findings import IntraduralSign, Point
from thecal.leakage.intradural.scene import Scene, sign, unread
from thecal.leakage.needle_track import (
    BEHIND_WALL_MM,
    MAX_WIDTH_SD_MM,
    MIN_LENGTH_SD_MM,
    SLENDER,
    STEEPEST,
)
from thecal.leakage.tracks.clearance import canal_clearance
from thecal.terms import SignName, vertebra_name
from thecal.volume import FloatArray

IN_ARCH_SHARE: Final = 0.3
"""A cast that nothing else calls a needle track must lie in the arch by this share."""
LEAST_VOXELS: Final = 8
STEPS: Final = 100
"""Points of a way among which the nearest to the canal is sought."""
UNSEEN: Final = (
    "Ways that are narrow, healed, end before the body or run deep in the canal empty are not seen."
)
UNTRACED: Final = "Ways that hold no cement are not traced on this scan."


@dataclass(frozen=True, eq=False)
class Cast:
    """A slender piece of cement on a needle's way: middle and forward direction (LPS), half its length."""

    vertebra: Vertebra
    middle: FloatArray
    axis: FloatArray
    half_mm: float


@dataclass(frozen=True)
class Way:
    """A needle's way past the canal: distances of its surface from wall and sac, negative within."""

    wall_mm: float
    sac_mm: float
    error_mm: float
    vertebra_id: int
    level: str | None
    words: str
    at_mm: Point | None


def medial_puncture(scene: Scene) -> IntraduralSign:
    """Clearance of the needles' ways from the canal's wall, behind the body.

    Read from the needle tracks (``leakage.tracks``); a slender cast of cement in the arch that is none of
    them, for it ends before the pedicle, is carried on to the posterior wall. A way is through the medial
    wall where the needle's surface lies inside the canal's wall by more than the line and the wall are
    uncertain. A way that keeps clear is not called absence: beside it another may be healed, narrow, or run
    empty where too little bone walls it, and not be seen.
    """
    name: SignName = "medial_puncture"
    traced = set(scene.leakage.bores_sought)
    ways = _ways(scene)
    if not ways:
        why = "No needle track is seen." if traced else "No cast of a needle's way is seen."
        return unread(name, f"{why} {UNSEEN if traced else UNTRACED}")
    ways = [way for way in ways if np.isfinite(way.wall_mm)]
    if not ways:
        return unread(name, "The needle's way does not pass the canal where it was found.")
    worst = min(ways, key=lambda way: way.wall_mm + way.error_mm)
    at = vertebra_name(worst.level, worst.vertebra_id)
    measured = {
        "value": round(worst.wall_mm, 2),
        "unit": "mm from the canal's wall, negative within",
        "threshold": 0.0,
        "at_mm": worst.at_mm,
    }
    if worst.wall_mm + worst.error_mm < 0:
        return sign(
            name,
            "present",
            f"The {worst.words} at {at} crosses the medial wall of the pedicle: its surface lies "
            f"{-worst.wall_mm:.1f} mm (± {worst.error_mm:.1f}) inside the canal and "
            f"{_from_sac(worst.sac_mm)}.",
            **measured,  # type: ignore[arg-type]
        )
    # The least sure way decides, not the nearest: it may be the one through the wall.
    least = min(ways, key=lambda way: way.wall_mm - way.error_mm)
    clear = least.wall_mm - least.error_mm > 0
    kept = (
        f"The {worst.words} at {at} keeps {worst.wall_mm:.1f} mm (± {worst.error_mm:.1f}) from the canal"
        if clear
        else f"The {least.words} at {vertebra_name(least.level, least.vertebra_id)} runs so near to the "
        f"medial wall of the pedicle ({least.wall_mm:.1f} mm ± {least.error_mm:.1f}) that it cannot be told "
        "on which side"
    )
    return sign(
        name,
        "not_assessable",
        f"{kept}; {_from_sac(worst.sac_mm)}. {UNSEEN if traced else UNTRACED}",
        **measured,  # type: ignore[arg-type]
    )


def _from_sac(clearance_mm: float) -> str:
    if clearance_mm < 0:
        return f"{-clearance_mm:.1f} mm inside the outline of the sac"
    return f"{clearance_mm:.1f} mm from the outline of the sac"


def _ways(scene: Scene) -> list[Way]:
    """The needle tracks, and casts of cement on a side of their vertebra without a filled track."""
    words = {"cement": "cement-filled way of a needle", "air": "air-filled way of a needle"}
    ways = [
        Way(
            float("nan") if t.medial_wall_clearance_mm is None else t.medial_wall_clearance_mm,
            float("nan") if t.sac_clearance_mm is None else t.sac_clearance_mm,
            float("nan") if t.clearance_error_mm is None else t.clearance_error_mm,
            t.vertebra_id,
            t.level,
            words.get(t.content, "empty way of a needle"),
            _nearest(scene, np.array(t.entry_mm), np.array(t.tip_mm)),
        )
        for t in scene.leakage.tracks
    ]
    filled = {(t.vertebra_id, t.side) for t in scene.leakage.tracks if t.content == "cement"}
    for cast in casts_of(scene):
        left = float(cast.vertebra.frame.to_local(cast.middle)[0]) > 0
        if (cast.vertebra.id, "left" if left else "right") in filled:
            continue
        wall, sac, error = canal_clearance(
            scene.spine.canal, cast.vertebra, cast.middle, cast.axis, cast.half_mm
        )
        ends = (cast.middle - cast.half_mm * cast.axis, cast.middle + cast.half_mm * cast.axis)
        near = _nearest(scene, *ends)
        ways.append(Way(wall, sac, error, cast.vertebra.id, cast.vertebra.level, words["cement"], near))
    return ways


def _nearest(scene: Scene, start: FloatArray, end: FloatArray) -> Point:
    """The point of a way that lies deepest within the canal, or nearest to its wall."""
    line = start + np.linspace(0.0, 1.0, STEPS)[:, None] * (end - start)
    canal = scene.spine.canal
    s, theta, r = canal.frame.locate(line)
    off = np.abs(np.angle(np.exp(1j * (theta[:, None] - canal.theta[None]))))
    wall = canal.wall_mm[canal.frame.index(s), off.argmin(axis=1)]
    x, y, z = line[int(np.argmin(r - wall))]
    return float(x), float(y), float(z)


def casts_of(scene: Scene) -> list[Cast]:
    """Slender pieces of cement behind the bodies that point forward: needle tracks, others in the arch."""
    spine, labels = scene.spine, scene.leakage.deposit_labels
    kinds = {d.id: d.compartment for d in scene.leakage.deposits}
    table = np.zeros(max(kinds, default=0) + 1, np.uint8)
    for number, compartment in kinds.items():
        table[number] = {"needle_track": 1, "intravertebral": 2, "foraminal": 3, "paravertebral": 3}.get(
            compartment, 0
        )
    kind = table[labels]
    kind[(kind == 2) & (spine.parts != Part.ARCH)] = 0
    parts = cc3d.connected_components((kind > 0).astype(np.uint8), connectivity=26)
    voxels = np.argwhere(parts > 0)
    if not len(voxels):
        return []
    own, points = parts[tuple(voxels.T)], spine.grid.to_lps(voxels)
    weight = scene.cement.fraction[tuple(voxels.T)].astype(float)
    what, arch = kind[tuple(voxels.T)], spine.parts[tuple(voxels.T)] == Part.ARCH
    casts = []
    for part in range(1, int(own.max()) + 1):
        mine = own == part
        named = bool((what[mine] == 1).any())
        if not named and arch[mine].mean() < IN_ARCH_SHARE:
            continue
        cast = _cast(points[mine], weight[mine], spine.vertebrae)
        if cast is not None:
            casts.append(cast)
    return casts


def _cast(points: FloatArray, weight: FloatArray, vertebrae: tuple[Vertebra, ...]) -> Cast | None:
    if len(points) < LEAST_VOXELS or weight.sum() <= 0 or not vertebrae:
        return None
    middle = np.average(points, axis=0, weights=weight)
    vertebra = min(vertebrae, key=lambda v: abs(v.frame.to_local(middle)[2]))
    if vertebra.frame.to_local(middle)[1] > -BEHIND_WALL_MM:
        return None
    values, vectors = np.linalg.eigh(np.cov((points - middle).T, aweights=weight))
    length, width = np.sqrt(max(values[2], 0.0)), np.sqrt(max(values[1], 0.0))
    if length < MIN_LENGTH_SD_MM or width > MAX_WIDTH_SD_MM or length < SLENDER * width:
        return None
    axis = vectors[:, 2] * np.sign(vectors[:, 2] @ vertebra.frame.anterior)
    if axis @ vertebra.frame.anterior < STEEPEST:
        return None
    return Cast(vertebra, middle, axis, float(np.sqrt(3.0) * length))
