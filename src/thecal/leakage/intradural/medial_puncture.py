"""A needle that crossed the medial wall of the pedicle before it reached the body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cc3d
import numpy as np
import numpy.typing as npt

from thecal.anatomy.spine import Canal, Part, Vertebra
from thecal.leakage.findings import IntraduralSign
from thecal.leakage.intradural.scene import Scene, sign, unread
from thecal.leakage.needle_track import (
    BEHIND_WALL_MM,
    MAX_WIDTH_SD_MM,
    MIN_LENGTH_SD_MM,
    SLENDER,
    STEEPEST,
)
from thecal.terms import SignName, vertebra_name
from thecal.volume import FloatArray

NEEDLE_RADIUS_MM: Final = 1.5
"""Needles of vertebroplasty are 10 to 13 G, 2.4 to 3.4 mm across."""
PLACE_ERROR_MM: Final = 0.5
"""Error of a cast's middle, and of the canal's wall beside it: half a voxel of a usual scan."""
BEHIND_MM: Final = 20.0
"""The medial wall of the pedicle and the lamina lie within this distance behind the posterior wall."""
IN_ARCH_SHARE: Final = 0.3
"""A cast that nothing else calls a needle track must lie in the arch by this share."""
LEAST_VOXELS: Final = 8


@dataclass(frozen=True, eq=False)
class Cast:
    """A slender piece of cement on a needle's way: middle and forward direction (LPS), half its length."""

    vertebra: Vertebra
    middle: FloatArray
    axis: FloatArray
    half_mm: float


def medial_puncture(scene: Scene) -> IntraduralSign:
    """Clearance of a cement-filled needle way from the canal's wall, behind the body.

    The way is the line of the cast, carried on to the posterior wall. It is through the medial wall where the
    needle's surface lies inside the canal's wall by more than the line and the wall are uncertain. A cast
    that keeps clear is not called absence: ways that hold no cement are not seen here.
    """
    name: SignName = "medial_puncture"
    casts = casts_of(scene)
    if not casts:
        return unread(name, "No cast of a needle's way is seen, and ways that hold no cement are not traced.")
    rows = [(*clearance(cast, scene.spine.canal), cast) for cast in casts]
    rows = [row for row in rows if np.isfinite(row[0])]
    if not rows:
        return unread(name, "The cast of a needle's way does not pass the canal where it was found.")
    wall, sac, error, cast = min(rows, key=lambda row: row[0] + row[2])
    at = vertebra_name(cast.vertebra.level, cast.vertebra.id)
    measured = {
        "value": round(wall, 2),
        "unit": "mm from the canal's wall, negative within",
        "threshold": 0.0,
    }
    if wall + error < 0:
        return sign(
            name,
            "present",
            f"The way of the needle at {at} crosses the medial wall of the pedicle: its surface lies "
            f"{-wall:.1f} mm (± {error:.1f}) inside the canal and {_from_sac(sac)}.",
            **measured,  # type: ignore[arg-type]
        )
    kept = (
        f"The way of the needle at {at} keeps {wall:.1f} mm (± {error:.1f}) from the canal"
        if wall - error > 0
        else f"The way of the needle at {at} runs so near to the medial wall of the pedicle ({wall:.1f} mm ± "
        f"{error:.1f}) that it cannot be told on which side"
    )
    return sign(
        name,
        "not_assessable",
        f"{kept}; {_from_sac(sac)}. Ways that hold no cement are not traced.",
        **measured,  # type: ignore[arg-type]
    )


def _from_sac(clearance_mm: float) -> str:
    if clearance_mm < 0:
        return f"{-clearance_mm:.1f} mm inside the outline of the sac"
    return f"{clearance_mm:.1f} mm from the outline of the sac"


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


def clearance(cast: Cast, canal: Canal) -> tuple[float, float, float]:
    """The needle's surface from the canal's wall and from the sac, mm, negative within, and their error.

    The least over the way from 20 mm behind the posterior wall's middle to it; NaN where the way does not
    pass there.
    """
    local = cast.vertebra.frame.to_local(cast.middle)
    forward = float(cast.axis @ cast.vertebra.frame.anterior)
    way = (np.arange(-BEHIND_MM, 0.0, 0.5) - local[1]) / forward
    line = cast.middle + way[:, None] * cast.axis
    s, theta, r = canal.frame.locate(line)
    row = canal.frame.index(s)
    wall = _signed(canal.theta, canal.wall_mm[row], theta, r) - NEEDLE_RADIUS_MM
    sac = _signed(canal.theta, canal.sac_mm[row], theta, r) - NEEDLE_RADIUS_MM
    error = PLACE_ERROR_MM * np.hypot(1.0, np.hypot(1.0, way / cast.half_mm))
    at = int(np.argmin(wall + error))
    return float(wall[at]), float(sac[at]), float(error[at])


def _signed(
    angles: FloatArray, radius_mm: FloatArray, theta: FloatArray, r: FloatArray
) -> npt.NDArray[np.float64]:
    """Distance of points (n,) in their planes from outlines (n, m), negative inside."""
    outline = radius_mm * np.sin(angles), radius_mm * np.cos(angles)
    away = np.hypot(outline[0] - (r * np.sin(theta))[:, None], outline[1] - (r * np.cos(theta))[:, None])
    around = np.concatenate([angles - 2 * np.pi, angles, angles + 2 * np.pi])
    here = np.array([np.interp(t, around, np.tile(row, 3)) for t, row in zip(theta, radius_mm, strict=True)])
    signed: npt.NDArray[np.float64] = np.where(r < here, -1.0, 1.0) * away.min(axis=1)
    return signed
