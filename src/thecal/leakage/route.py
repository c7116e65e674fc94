"""The way a leak took: where it left the bone, and by which door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from thecal.anatomy.spine import Part, Vertebra
from thecal.leakage.body import Body
from thecal.leakage.regions import BONE, DISC, EPIDURAL, SAC, TRACK, compartment_of
from thecal.terms import Route, Yeom
from thecal.volume import FloatArray, Grid

BRIDGED_GAP_MM: Final = 5.0
"""A vein thinner than a voxel does not show: a piece this near cement in bone is taken to come from there."""
BASIVERTEBRAL_WIDTH: Final = 0.22
"""Half-width of the basivertebral foramen's neighbourhood, as a share of the body's width."""
WAIST: Final = 0.30
"""Half-height of the waist where the basivertebral and segmental veins pass, as a share of the height."""
VEIN_MM2: Final = 30.0
"""A neck wider than this (6 mm across) is a defect of the cortex, not a vein."""
POSTERIOR_WALL_MM: Final = 4.0
"""A breach no farther in front of the posterior wall's middle than this went through that wall."""
FACES: Final = ((0, 0, 1), (0, 1, 0), (1, 0, 0))


@dataclass(frozen=True, eq=False)
class Origin:
    """Where a deposit comes from.

    Attributes
    ----------
    bone_id : int
        The vertebra it left.
    breach_mm : (3,) float64
        LPS, on that bone's wall.
    via : tuple of int
        Region codes between the bone and the deposit, in the order of the flow.
    part : Part
        Body or arch at the breach.
    neck_mm2 : float or None
        Cross-section at the breach; None where the neck is not seen.
    """

    bone_id: int
    breach_mm: FloatArray
    via: tuple[int, ...]
    part: Part
    neck_mm2: float | None


def origins(
    parts: npt.NDArray[np.int32],
    regions: npt.NDArray[np.uint16],
    anatomy: npt.NDArray[np.uint16],
    bone_part: npt.NDArray[np.uint8],
    fraction: npt.NDArray[np.float32],
    grid: Grid,
) -> dict[int, Origin]:
    """The origin of each deposit outside bone that can be followed back to cement in bone.

    The way is the shortest one through cement (its length over the voxels' cement fraction) from the cement
    in bone to the voxel nearest the deposit's centroid; the breach is where it last leaves bone. A piece that
    is not connected is joined by a straight line to cement in bone no farther than 5 mm away.

    Parameters
    ----------
    parts : (z, y, x) int32
        Deposits 1..n.
    regions : (n,) uint16
        Each deposit's region code.
    anatomy : (z, y, x) uint16
        Region codes of the anatomy.
    bone_part : (z, y, x) uint8
        ``Spine.parts``.
    """
    voxels = np.argwhere(parts > 0)
    if not len(voxels):
        return {}
    own = parts[tuple(voxels.T)]
    code = regions[own - 1]
    in_bone = (code >= BONE) & (code < DISC)
    if not in_bone.any() or in_bone.all():
        return {}
    spacing = grid.spacing_mm
    # Deep in the bone, so that the way crosses the wall and does not start on it.
    deep = in_bone & (anatomy[tuple(voxels.T)] == code)
    sources = np.flatnonzero(deep if deep.any() else in_bone)
    graph = _graph(parts.shape, voxels, fraction[tuple(voxels.T)], spacing)
    length, before, _ = dijkstra(
        graph, directed=False, indices=sources, min_only=True, return_predecessors=True
    )
    points = voxels * spacing
    bone_tree = cKDTree(points[sources])
    found: dict[int, Origin] = {}
    for part in range(1, len(regions) + 1):
        if BONE <= regions[part - 1] < DISC:
            continue
        members = np.flatnonzero(own == part)
        centre = np.average(points[members], axis=0, weights=fraction[tuple(voxels[members].T)])
        target = members[np.argmin(((points[members] - centre) ** 2).sum(1))]
        if np.isfinite(length[target]):
            way = [int(target)]
            while before[way[-1]] >= 0:
                way.append(int(before[way[-1]]))
            found[part] = _along(way[::-1], voxels, own, code, parts, bone_part, grid)
        else:
            away, which = bone_tree.query(points[members])
            if away.min() <= BRIDGED_GAP_MM:
                start = sources[which[np.argmin(away)]]
                end = members[np.argmin(away)]
                found[part] = _bridged(voxels[start], voxels[end], int(code[start]), anatomy, bone_part, grid)
    return found


def _graph(
    shape: tuple[int, ...],
    voxels: npt.NDArray[np.int64],
    fraction: npt.NDArray[np.float32],
    spacing: FloatArray,
) -> coo_matrix:
    number = np.full(shape, -1, np.int32)
    number[tuple(voxels.T)] = np.arange(len(voxels))
    number = np.pad(number, 1, constant_values=-1)
    cost = 1.0 / np.clip(fraction, 0.1, 1.0)
    rows, columns, weights = [], [], []
    for step in np.ndindex(3, 3, 3):
        offset = np.array(step) - 1
        if tuple(offset) <= (0, 0, 0):
            continue
        other = number[tuple((voxels + 1 + offset).T)]
        here = np.flatnonzero(other >= 0)
        there = other[here]
        rows.append(here)
        columns.append(there)
        weights.append(np.linalg.norm(offset * spacing) * (cost[here] + cost[there]) / 2)
    return coo_matrix(
        (np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns))),
        shape=(len(voxels), len(voxels)),
    ).tocsr()


def _along(
    way: list[int],
    voxels: npt.NDArray[np.int64],
    own: npt.NDArray[np.int32],
    code: npt.NDArray[np.uint16],
    parts: npt.NDArray[np.int32],
    bone_part: npt.NDArray[np.uint8],
    grid: Grid,
) -> Origin:
    codes = code[way]
    bone = (codes >= BONE) & (codes < DISC)
    last = int(np.flatnonzero(bone)[-1])
    inside, outside = voxels[way[last]], voxels[way[min(last + 1, len(way) - 1)]]
    via = tuple(int(c) for i, c in enumerate(codes[last + 1 :]) if i == 0 or c != codes[last + i])
    return Origin(
        bone_id=int(codes[last]) - BONE,
        breach_mm=grid.to_lps((inside + outside) / 2),
        via=via,
        part=_part_near(inside, bone_part),
        neck_mm2=_neck(
            parts, int(own[way[last]]), int(own[way[min(last + 1, len(way) - 1)]]), grid.spacing_mm
        ),
    )


def _bridged(
    start: npt.NDArray[np.int64],
    end: npt.NDArray[np.int64],
    code: int,
    anatomy: npt.NDArray[np.uint16],
    bone_part: npt.NDArray[np.uint8],
    grid: Grid,
) -> Origin:
    line = start + np.linspace(0, 1, 81)[:, None] * (end - start)
    at = np.rint(line).astype(int)
    on_bone = anatomy[tuple(at.T)] == code
    last = int(np.flatnonzero(on_bone)[-1]) if on_bone.any() else 0
    beyond = anatomy[tuple(at[min(last + 1, 80) :].T)]
    via = tuple(int(c) for i, c in enumerate(beyond) if i == 0 or c != beyond[i - 1])
    return Origin(code - BONE, grid.to_lps(line[last]), via, _part_near(at[last], bone_part), None)


def _part_near(voxel: npt.NDArray[np.int64], bone_part: npt.NDArray[np.uint8]) -> Part:
    around = bone_part[tuple(slice(max(0, i - 2), i + 3) for i in voxel)]
    body, arch = int((around == Part.BODY).sum()), int((around == Part.ARCH).sum())
    return Part.ARCH if arch > body else Part.BODY


def _neck(parts: npt.NDArray[np.int32], a: int, b: int, spacing: FloatArray) -> float:
    """Area of the interface: the length of its summed face normals, exact for a flat one at any angle."""
    normal = np.zeros(3)
    for axis, face in enumerate(reversed(FACES)):
        near = parts[tuple(slice(None, -1) if f else slice(None) for f in face)]
        far = parts[tuple(slice(1, None) if f else slice(None) for f in face)]
        faces = int(((near == a) & (far == b)).sum()) - int(((near == b) & (far == a)).sum())
        normal[axis] = faces * float(np.prod(spacing)) / spacing[axis]
    return float(np.linalg.norm(normal))


def route_of(
    region: int, origin: Origin | None, vertebrae: Mapping[int, Vertebra], shapes: Mapping[int, Body]
) -> tuple[Route, Yeom | None]:
    """The route of a deposit and its Yeom type (Yeom 2003, doi 10.1302/0301-620x.85b1.13026).

    B: through the basivertebral vein; S: through a segmental vein; C: through a defect of the cortex, the
    endplate included, as in the original scheme (later authors call intradiscal leaks D).

    - *needle*: the breach is in the pedicle or arch, where only a needle brings cement;
    - *endplate*: into a disc, or out of the bone into a disc and on;
    - *basivertebral*: through the posterior wall into the canal, within 22 % of the width of the midline and
      30 % of the height of mid-height;
    - *segmental*: through the side or front of the waist (within 30 % of the height of mid-height) by a neck
      of no more than 30 mm2;
    - *cortical*: through the body's wall anywhere else.
    """
    if region >= TRACK:
        return "needle", None
    if origin is None or compartment_of(region) == "intravertebral":
        return "unknown", None
    # On the way it may brush a disc's label later: what it left the bone into tells.
    if any(DISC <= code < TRACK for code in (*origin.via[:1], region)):
        return "endplate", "C"
    if origin.part == Part.ARCH or any(code >= TRACK for code in origin.via):
        return "needle", None
    vertebra, body = vertebrae.get(origin.bone_id), shapes.get(origin.bone_id)
    if vertebra is None or body is None:
        return "unknown", None
    left, anterior, cranial = vertebra.frame.to_local(origin.breach_mm)
    middle_height, height = _height_at(body)
    at_waist = abs(cranial - middle_height) <= WAIST * height
    width = body.left_mm - body.right_mm
    midline = abs(left - (body.left_mm + body.right_mm) / 2) <= BASIVERTEBRAL_WIDTH * width
    into_canal = bool({SAC, EPIDURAL} & {*origin.via[:1], region if not origin.via else origin.via[0]})
    through_back = anterior <= body.posterior_mm + POSTERIOR_WALL_MM and into_canal
    if through_back:
        return ("basivertebral", "B") if at_waist and midline else ("cortical", "C")
    if at_waist and (origin.neck_mm2 is None or origin.neck_mm2 <= VEIN_MM2):
        return "segmental", "S"
    return "cortical", "C"


def _height_at(body: Body) -> tuple[float, float]:
    top, bottom = float(np.nanmedian(body.top)), float(np.nanmedian(body.bottom))
    return (top + bottom) / 2, max(top - bottom, 1.0)
