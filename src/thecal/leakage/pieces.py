"""From assigned voxels to deposits: connected parts of one region, with crumbs joined or left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cc3d
import numpy as np
import numpy.typing as npt
from numba import njit
from scipy.spatial import cKDTree

from thecal.leakage.regions import BONE, DISC, EPIDURAL, SAC
from thecal.volume import FloatArray

MIN_ATTACHED_MM3: Final = 8.0
"""A smaller part of a larger piece is not split off: it stays with the neighbour it touches most."""
ATTACHED_VOXELS: Final = 4
"""Nor is one of fewer voxels, which may be no more than the stairs of a border (or one below the detection
limit, where that is lower)."""
CRUMB_MM3: Final = 10.0
"""A smaller piece near a larger deposit of its own compartment is counted with that deposit."""
CRUMB_REACH_MM: Final = 4.0
SPECK_MM3: Final = 10.0
"""A smaller free part, if below the detection limit as well, may be noise or the edge of bone. A larger one
has passed the rules of detection: a higher limit says only that others of its size may be missed."""
CANAL_SPECK_MM3: Final = 5.0
"""The same in the canal, where hardly anything natural is as bright and nothing may be missed."""


@dataclass(frozen=True)
class Speck:
    """A bright part too small to be called a deposit: its region, its middle as an index, its volume."""

    region: int
    index: tuple[float, float, float]
    volume_mm3: float


def deposit_parts(
    codes: npt.NDArray[np.uint16],
    fraction: npt.NDArray[np.float32],
    spacing: FloatArray,
    detection_limit_mm3: float,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint16], tuple[Speck, ...]]:
    """Number the deposits.

    A deposit is a 26-connected part of one region. A part below 8 mm3 (or four voxels, or the scan's
    detection limit where that is lower) that touches another goes to the one it touches most. A free part
    below 10 mm3 (or the limit) within 4 mm of a larger deposit of the same region is counted with it; a free
    part with no such neighbour below 10 mm3, in the canal 5 mm3 (or the limit, where that is lower), is no
    deposit.

    Returns
    -------
    parts : (z, y, x) int32
        1..n in falling volume, then rising index; 0 no deposit.
    regions : (n,) uint16
        The region code of each.
    dropped : tuple of Speck
        Free parts that were too small to be called deposits.
    """
    voxel = float(np.prod(spacing))
    codes = codes.copy()
    small = max(MIN_ATTACHED_MM3, min(ATTACHED_VOXELS * voxel, detection_limit_mm3))
    # Two rounds: a crumb may touch another crumb first.
    for _ in range(2):
        parts = cc3d.connected_components(codes, connectivity=26).astype(np.int32)
        count = int(parts.max())
        volume = _volumes(parts, fraction, count, voxel)
        touching = _contacts(parts, count)
        joins = [
            (part, max(others, key=lambda other: (others[other], volume[other], -other)))
            for part, others in touching.items()
            if volume[part] < small
        ]
        joins = [(part, other) for part, other in joins if volume[other] > volume[part]]
        if not joins:
            break
        region = _region_of(parts, codes, count)
        for part, other in joins:
            region[part] = region[other]
        codes = np.where(parts > 0, region[parts], 0).astype(np.uint16)
    parts = cc3d.connected_components(codes, connectivity=26).astype(np.int32)
    count = int(parts.max())
    volume = _volumes(parts, fraction, count, voxel)
    region = _region_of(parts, codes, count)
    target = np.arange(count + 1)
    index = np.argwhere(parts > 0)
    number = parts[tuple(index.T)]
    crumbs = [p for p in range(1, count + 1) if volume[p] < max(CRUMB_MM3, detection_limit_mm3)]
    dropped: list[Speck] = []
    for part in sorted(crumbs, key=lambda p: (volume[p], p)):
        mates = np.flatnonzero((region == region[part]) & (volume > volume[part]))
        mates = mates[mates > 0]
        if len(mates):
            others = np.isin(number, mates)
            tree = cKDTree(index[others] * spacing)
            away, which = tree.query(index[number == part] * spacing)
            if away.min() <= CRUMB_REACH_MM:
                target[part] = number[others][which[np.argmin(away)]]
                continue
        enough = CANAL_SPECK_MM3 if region[part] in (SAC, EPIDURAL) else SPECK_MM3
        if volume[part] < min(enough, detection_limit_mm3):
            target[part] = 0
            z, y, x = (float(v) for v in index[number == part].mean(0))
            dropped.append(Speck(int(region[part]), (z, y, x), float(volume[part])))
    for _ in range(count):
        further = target[target]
        if np.array_equal(further, target):
            break
        target = further
    parts = target[parts].astype(np.int32)
    volume = _volumes(parts, fraction, count, voxel)
    kept = sorted(
        (p for p in range(1, count + 1) if volume[p] > 0), key=lambda p: (-round(float(volume[p]), 3), p)
    )
    numbering = np.zeros(count + 1, np.int32)
    numbering[kept] = np.arange(1, len(kept) + 1)
    return numbering[parts], region[kept], tuple(dropped)


def _volumes(
    parts: npt.NDArray[np.int32], fraction: npt.NDArray[np.float32], count: int, voxel_mm3: float
) -> FloatArray:
    inside = parts > 0
    share = np.bincount(parts[inside], weights=fraction[inside], minlength=count + 1)
    return np.asarray(share, np.float64) * voxel_mm3


def _region_of(
    parts: npt.NDArray[np.int32], codes: npt.NDArray[np.uint16], count: int
) -> npt.NDArray[np.uint16]:
    region = np.zeros(count + 1, np.uint16)
    inside = parts > 0
    region[parts[inside]] = codes[inside]
    return region


def _contacts(parts: npt.NDArray[np.int32], count: int) -> dict[int, dict[int, int]]:
    """How many voxel pairs (26-neighbours) each two parts share."""
    touching: dict[int, dict[int, int]] = {}
    pairs = _touching_pairs(parts, np.argwhere(parts > 0))
    if len(pairs):
        unique, counts = np.unique(pairs, axis=0, return_counts=True)
        for (a, b), n in zip(unique.tolist(), counts.tolist(), strict=True):
            touching.setdefault(a, {})[b] = n
    return touching


@njit(cache=True)
def _touching_pairs(parts, voxels):  # type: ignore[no-untyped-def]
    pairs = [(np.int64(0), np.int64(0)) for _ in range(0)]
    for i in range(len(voxels)):
        z0, y0, x0 = voxels[i]
        own = parts[z0, y0, x0]
        for z in range(max(0, z0 - 1), min(parts.shape[0], z0 + 2)):
            for y in range(max(0, y0 - 1), min(parts.shape[1], y0 + 2)):
                for x in range(max(0, x0 - 1), min(parts.shape[2], x0 + 2)):
                    other = parts[z, y, x]
                    if other > 0 and other != own:
                        pairs.append((np.int64(own), np.int64(other)))
    result = np.zeros((len(pairs), 2), np.int64)
    for i in range(len(pairs)):
        result[i, 0], result[i, 1] = pairs[i]
    return result


def is_bone(code: int) -> bool:
    """Whether a region's code is a bone's."""
    return BONE <= code < DISC
