"""The deposits put together: each with its place, size, look and way."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from thecal.anatomy.spine import Spine, Vertebra
from thecal.cement.deposit_map import Cement
from thecal.leakage.body import Body
from thecal.leakage.compartments import Assignment
from thecal.leakage.findings import Deposit, Point
from thecal.leakage.levels import NEAR_SPINE_MM, Levels
from thecal.leakage.regions import BONE, DISC, OUTSIDE, TRACK, compartment_of
from thecal.leakage.route import Origin, route_of
from thecal.terms import Compartment, Side
from thecal.volume import FloatArray, IntArray, Volume

EDGE_SD_MM: Final = 0.10
"""Error of a deposit's own surface: a quarter of a voxel's partial volume at 0.7-1 mm spacing."""
WALL_SD_MM: Final = 0.7
"""Error of the wall a piece is split at."""
CEMENT_CONTRAST_HU: Final = 2000.0
ONE_SIDED: Final = 0.70
"""Share of the volume on one side of the midline from which a deposit is called left or right."""


@dataclass(frozen=True, eq=False)
class Piece:
    """The voxels of one deposit: LPS mm (n, 3), cement in mm3 (n,), HU (n,)."""

    points: FloatArray
    volume_mm3: FloatArray
    hu: IntArray


def pieces_of(
    parts: npt.NDArray[np.int32], count: int, at: Assignment, cement: Cement, volume: Volume, spine: Spine
) -> list[Piece]:
    """The voxels of deposits 1..count, in that order."""
    voxels = np.argwhere(parts > 0)
    own = parts[tuple(voxels.T)]
    order = np.argsort(own, kind="stable")
    voxels, own = voxels[order], own[order]
    points = cement.grid.crop(at.box).to_lps(voxels)
    amount = cement.fraction[at.box][tuple(voxels.T)].astype(float) * cement.grid.voxel_mm3
    hu = volume.hu[spine.box][at.box][tuple(voxels.T)]
    bounds = np.searchsorted(own, np.arange(1, count + 2))
    return [Piece(points[a:b], amount[a:b], hu[a:b]) for a, b in itertools.pairwise(bounds)]


def describe(
    number: int,
    piece: Piece,
    region: int,
    origin: Origin | None,
    parts: npt.NDArray[np.int32],
    cement: Cement,
    volume: Volume,
    spine: Spine,
    levels: Levels,
    shapes: Mapping[int, Body],
) -> Deposit:
    """One deposit in the report's words."""
    by_id = {v.id: v for v in spine.vertebrae}
    compartment = _compartment(piece, region, origin, spine, levels)
    vertebra = _vertebra(piece, region, origin, by_id, levels)
    route, yeom = route_of(region, origin, by_id, shapes)
    if compartment == "unassigned":
        route, yeom = "unknown", None
    total = float(piece.volume_mm3.sum())
    centroid = np.average(piece.points, axis=0, weights=piece.volume_mm3)
    clip = volume.source.hu_clipped_at
    weight = piece.volume_mm3 / total
    spanned = (vertebra,) if compartment == "intravertebral" and vertebra else levels.spanned(piece.points)
    return Deposit(
        id=number,
        compartment=compartment,
        level=vertebra.level if vertebra else None,
        levels_spanned=tuple(v.level for v in spanned if v and v.level),
        volume_ml=total / 1000,
        volume_sd_ml=_volume_sd(number, piece, parts, cement) / 1000,
        centroid_mm=_point(centroid),
        extent_mm=_extent(piece, vertebra, cement),
        mean_hu=float((piece.hu * weight).sum()),
        clipped_fraction=0.0 if clip is None else float((piece.hu >= clip).mean()),
        side=_side(piece, region, vertebra, spine),
        route=route,
        yeom=yeom,
        breach_mm=None if origin is None or route == "unknown" else _point(origin.breach_mm),
        vertebra_id=vertebra.id if vertebra else None,
        vertebra_ids=tuple(v.id for v in spanned if v),
    )


def _point(p: FloatArray) -> Point:
    return float(p[0]), float(p[1]), float(p[2])


def _compartment(
    piece: Piece, region: int, origin: Origin | None, spine: Spine, levels: Levels
) -> Compartment:
    if region != OUTSIDE:
        return compartment_of(region)
    if origin is not None:
        return "paravertebral"
    centre = np.average(piece.points, axis=0, weights=piece.volume_mm3)[None]
    s = levels.along(centre)
    _, _, r = spine.canal.frame.locate(centre)
    # Beyond the labelled vertebrae there may be bone that nobody labelled.
    placed = len(levels.vertebrae) > 0 and levels.index_at(s)[0] >= 0 and r[0] <= NEAR_SPINE_MM
    return "paravertebral" if placed else "unassigned"


def _vertebra(
    piece: Piece, region: int, origin: Origin | None, by_id: Mapping[int, Vertebra], levels: Levels
) -> Vertebra | None:
    if BONE <= region < DISC:
        return by_id.get(region - BONE)
    if region >= TRACK:
        return by_id.get(region - TRACK)
    if origin is not None and origin.bone_id in by_id:
        return by_id[origin.bone_id]
    if not levels.vertebrae:
        return None
    s = levels.along(np.average(piece.points, axis=0, weights=piece.volume_mm3)[None])
    return levels.at(float(s[0]))


def _side(piece: Piece, region: int, vertebra: Vertebra | None, spine: Spine) -> Side:
    """Left of the vertebra's midline for cement in bone and disc, of the canal's for the rest."""
    if region >= BONE and vertebra is not None:
        left = vertebra.frame.to_local(piece.points)[:, 0]
    else:
        _, theta, r = spine.canal.frame.locate(piece.points)
        left = r * np.sin(theta)
    share = float(piece.volume_mm3[left > 0].sum() / piece.volume_mm3.sum())
    if share >= ONE_SIDED:
        return "left"
    return "right" if share <= 1 - ONE_SIDED else "midline"


def _extent(piece: Piece, vertebra: Vertebra | None, cement: Cement) -> Point:
    """Lengths along the vertebra's own axes (the patient's, where no vertebra is near)."""
    axes = (
        np.stack([vertebra.frame.left, -vertebra.frame.anterior, vertebra.frame.cranial])
        if vertebra
        else np.eye(3)
    )
    # Voxels less than half filled are the edge's blur; a sheet thinner than a voxel has no other.
    solid = piece.volume_mm3 >= 0.5 * min(cement.grid.voxel_mm3, float(piece.volume_mm3.max()))
    along = piece.points[solid] @ axes.T
    directions = cement.grid.affine[:3, :3] / cement.grid.spacing_mm
    voxel = np.abs(axes @ directions) @ cement.grid.spacing_mm
    oblique = np.linalg.norm(axes @ directions, axis=1)
    return _point(np.ptp(along, axis=0) + voxel / np.maximum(oblique, 1.0))


def _volume_sd(number: int, piece: Piece, parts: npt.NDArray[np.int32], cement: Cement) -> float:
    """From the deposit's own surface, the wall it was split at, and noise, in mm3."""
    spacing = cement.grid.spacing_mm
    own = parts == number
    free, shared = 0.0, 0.0
    for axis in range(3):
        face = float(np.prod(spacing)) / spacing[axis]
        a = own.take(range(own.shape[axis] - 1), axis)
        b = own.take(range(1, own.shape[axis]), axis)
        p = parts.take(range(own.shape[axis] - 1), axis)
        q = parts.take(range(1, own.shape[axis]), axis)
        border = a != b
        other = np.where(a, q, p)
        shared += face * float((border & (other > 0)).sum())
        free += face * float((border & (other == 0)).sum())
    # Voxel faces overstate a smooth surface by half.
    free, shared = free / 1.5, shared / 1.5
    noise = cement.noise_hu / CEMENT_CONTRAST_HU * cement.grid.voxel_mm3 * np.sqrt(len(piece.points))
    edge = EDGE_SD_MM * max(1.0, float(np.mean(cement.psf_sigma_mm)) / 0.5)
    return float(np.sqrt((edge * free) ** 2 + (WALL_SD_MM * shared) ** 2 + noise**2))
