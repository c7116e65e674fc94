"""Planned needles checked without the planner's own code: voxel by voxel, and against brute force."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.spine import Part, Vertebra
from thecal.leakage.body import Body
from thecal.needle.plan_value import Trajectory
from thecal.needle.search.keep_away import FAR, MEDIAL, NEAR, ROOT, KeepAway
from thecal.needle.search.rules import Rules
from thecal.terms import EPIDURAL_SPACE, THECAL_SAC
from thecal.volume import Grid

Floats = npt.NDArray[np.float64]
ALONG_MM: Final = 0.2
AROUND: Final = 32
RINGS: Final = 5
OUT_MM: Final = 6.0
"""Farther out of a bone is grade E in any case."""
CANAL_WIDE_MM: Final = 16.0
"""No point of a canal lies farther from its wall."""
PEDICLE_BACK_MM: Final = -9.0
ROOT_FRONT_MM: Final = PEDICLE_BACK_MM
"""A root leaves under the pedicle; behind the pedicle's back end joints lie, though a foramen's region may be
drawn as far."""


def cylinder(start: Floats, tip: Floats, radius: float) -> Floats:
    """Points (n, 3) that fill a needle, closer to each other than any voxel's side."""
    length = float(np.linalg.norm(tip - start))
    ahead = (tip - start) / length
    first = np.cross(ahead, np.eye(3)[int(np.argmin(np.abs(ahead)))])
    first /= np.linalg.norm(first)
    second = np.cross(ahead, first)
    along = np.linspace(0.0, length, int(np.ceil(length / ALONG_MM)) + 1)
    angle = 2 * np.pi * np.arange(AROUND) / AROUND
    ring = np.cos(angle)[:, None] * first + np.sin(angle)[:, None] * second
    across = np.concatenate(
        [np.zeros((1, 3))] + [r * ring for r in np.linspace(radius / RINGS, radius, RINGS)]
    )
    points: Floats = start + along[:, None, None] * ahead + across[None]
    return points.reshape(-1, 3)


def touched(
    way: Trajectory,
    vertebra: Vertebra,
    labels: npt.NDArray[np.uint16],
    parts: npt.NDArray[np.uint8],
    grid: Grid,
    cord: npt.NDArray[np.bool_] | None = None,
) -> dict[str, float | int]:
    """What the needle's cylinder, from skin (or bone) to tip, meets on a label map.

    Parameters
    ----------
    way : Trajectory
    vertebra : Vertebra
        Of the same label map.
    labels, parts, grid
        The label map.
    cord : (z, y, x) bool, optional
        Another program's cord or sac on the same grid.

    Returns
    -------
    dict
        Points in canal (sac included) and in the foramina before ``ROOT_FRONT_MM``; how far the needle's
        surface leaves the vertebra between the pedicle's back and the posterior wall, and before it (mm); and
        how deep it lies in the canal (mm).
    """
    start = np.asarray(way.skin_mm or way.entry_mm, float)
    tip = np.asarray(way.tip_mm, float)
    points = cylinder(start, tip, way.gauge.outer_mm / 2.0)
    index = np.rint(grid.to_index(points)).astype(int)
    inside = ((index >= 0) & (index < np.array(grid.shape))).all(1)
    at = tuple(index[inside].T)
    local = vertebra.frame.to_local(points[inside])
    label = labels[at]
    canal = (label == THECAL_SAC) | (label == EPIDURAL_SPACE)
    root = (parts[at] == Part.FORAMEN) & (local[:, 1] > ROOT_FRONT_MM)
    found: dict[str, float | int] = {"canal": int(canal.sum()), "root": int(root.sum())}
    if cord is not None:
        found["cord"] = int(cord[at].sum())
    box = grid.box_around(points[vertebra.frame.to_local(points)[:, 1] > PEDICLE_BACK_MM - 2.0], 4.0)
    away = ndimage.distance_transform_edt(labels[box] != vertebra.id, sampling=grid.spacing_mm)
    crop = grid.crop(box)
    depth = vertebra.frame.to_local(points)[:, 1]
    for key, part in (
        ("pedicle_off_mm", (depth >= PEDICLE_BACK_MM) & (depth <= 0.0)),
        ("body_off_mm", depth > 2.0),
    ):
        found[key] = round(_farthest_out(crop.to_index(points[part]), away == 0.0, crop), 2)
    found["canal_mm"] = round(_deepest(points[inside][canal], labels, grid), 2)
    return found


def _deepest(points: Floats, labels: npt.NDArray[np.uint16], grid: Grid) -> float:
    """How far points (n, 3) in the canal lie from the nearest voxel that is none of it, mm."""
    if not len(points):
        return 0.0
    box = grid.box_around(points, CANAL_WIDE_MM)
    part = labels[box]
    canal = (part == THECAL_SAC) | (part == EPIDURAL_SPACE)
    depth = ndimage.distance_transform_edt(canal, sampling=grid.spacing_mm)
    at = np.rint(grid.crop(box).to_index(points)).astype(int)
    return float(depth[tuple(at.T)].max() - grid.spacing_mm.min() / 2.0)


def _farthest_out(index: Floats, own: npt.NDArray[np.bool_], grid: Grid) -> float:
    """How far the farthest of some points (n, 3), as indices, lies from the nearest voxel of a bone, mm."""
    near = np.rint(index).astype(int)
    held = ((near >= 0) & (near < np.array(own.shape))).all(1)
    index, near = index[held], near[held]
    out = ~own[tuple(near.T)]
    index, near = index[out], near[out]
    if not len(index):
        return 0.0
    reach = np.ceil(OUT_MM / grid.spacing_mm).astype(int)
    steps = np.stack(np.meshgrid(*[np.arange(-r, r + 1) for r in reach], indexing="ij"), -1).reshape(-1, 3)
    best = np.full(len(index), OUT_MM)
    padded = np.pad(own, [(int(r), int(r)) for r in reach])
    for step in steps:
        voxel = near + step
        bone = padded[tuple((voxel + reach).T)]
        gap = np.clip(np.abs(index - voxel) - 0.5, 0.0, None) * grid.spacing_mm
        best = np.where(bone, np.minimum(best, np.linalg.norm(gap, axis=1)), best)
    return float(best.max())


def tip_share(way: Trajectory, vertebra: Vertebra, body: npt.NDArray[np.bool_], grid: Grid) -> float:
    """Depth of the tip between the posterior and anterior wall of a labelled body, along its middle."""
    local = vertebra.frame.to_local(grid.to_lps(np.argwhere(body)))
    tip = vertebra.frame.to_local(way.tip_mm)
    column = local[(np.abs(local[:, 0]) < 6.0) & (np.abs(local[:, 2] - tip[2]) < 4.0), 1]
    if len(column) < 20:
        column = local[:, 1]
    low, high = np.percentile(column, (0.5, 99.5))
    return float((tip[1] - low) / (high - low))


STEP_MM: Final = 0.9
TIP_STEP_MM: Final = 2.0
WALK_MM: Final = 0.5


def brute_force(keep: KeepAway, rule: Rules, body: Body, side: float, pedicle: tuple[float, float]) -> int:
    """How many ways a plain search finds through a pedicle, denser than the planner's and with no refinement.

    The rules are read anew here from their words: the whole cylinder off canal and root by the margin and off
    lung, gas, aorta, ribs and the neighbours by theirs; in bone from the pedicle's back on; in the body, from
    8 mm before the posterior wall on, 1 mm from its walls; tip in the anterior third, 3 mm from the walls; no
    steeper than allowed. It stops at the first crossing that has a way.
    """
    assert rule.approach == "transpedicular"
    radius = rule.radius_mm
    lateral = side * np.arange(2.0, 32.0, STEP_MM)
    up = pedicle[1] + np.arange(-12.0, 14.0, STEP_MM)
    middle, half = (body.left_mm + body.right_mm) / 2.0, (body.left_mm - body.right_mm) / 2.0
    aside = middle + side * np.arange(0.1 * half, 0.65 * half, TIP_STEP_MM)
    deep = body.posterior_mm + body.depth_mm * np.linspace(0.675, 0.915, 6)
    low, high = float(np.nanmin(body.bottom)), float(np.nanmax(body.top))
    tips = _grid(aside, deep, np.arange(low, high, TIP_STEP_MM))
    tips = tips[keep.depth_in_bone(tips) >= 3.0]
    crossings = _grid(lateral, np.array([-5.0]), up)
    wide = keep.depth_in_bone(crossings) >= radius
    wide &= keep.distance(MEDIAL, crossings) - radius >= rule.need_near[NEAR.index(MEDIAL)]
    found = 0
    for crossing in crossings[wide]:
        way = tips - crossing
        ahead = way / np.linalg.norm(way, axis=1, keepdims=True)
        transverse = np.degrees(np.arctan2(-side * ahead[:, 0], ahead[:, 1]))
        steep = np.abs(np.degrees(np.arctan2(ahead[:, 2], ahead[:, 1]))) > 30.0
        ok = ~steep & (transverse >= rule.transverse_deg[0]) & (transverse <= rule.transverse_deg[1])
        if not ok.any():
            continue
        found += int(_keeps(keep, rule, tips[ok], ahead[ok]).sum())
        if found:
            break
    return found


def _grid(a: Floats, b: Floats, c: Floats) -> Floats:
    return np.stack(np.meshgrid(a, b, c, indexing="ij"), -1).reshape(-1, 3)


def _keeps(keep: KeepAway, rule: Rules, tips: Floats, ahead: Floats) -> npt.NDArray[np.bool_]:
    """Which ways keep all rules."""
    back = np.arange(0.0, 110.0, WALK_MM)
    points = tips[:, None] - back[None, :, None] * ahead[:, None]
    y = points[..., 1]
    bone = y >= PEDICLE_BACK_MM
    depth = keep.depth_in_bone(points) - rule.radius_mm
    ok: npt.NDArray[np.bool_] = np.asarray((~bone | (depth >= np.where(y > 8.0, 1.0, 0.0))).all(1))
    for name in (MEDIAL, ROOT, *FAR):
        if not ok.any():
            break
        needs = rule.need_near if name in NEAR else rule.need_far
        need = needs[(NEAR if name in NEAR else FAR).index(name)]
        free = keep.distance(name, points[ok]) - rule.radius_mm
        ok[np.flatnonzero(ok)] = (free >= need).all(1)
    return ok


def words(found: dict[str, Any]) -> str:
    """One line about a needle that met something."""
    return ", ".join(f"{key} {value}" for key, value in found.items() if value)
