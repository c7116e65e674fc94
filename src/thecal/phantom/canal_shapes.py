"""Deposits in the canal that are hard to tell apart: masses that dent the dura, lumps and casts inside it."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from thecal.anatomy.spine import Vertebra
from thecal.phantom.deposit_spec import DepositSpec
from thecal.phantom.grow import Noise
from thecal.phantom.site import Site, canal_place, s_of
from thecal.terms import EPIDURAL_SPACE, THECAL_SAC
from thecal.volume import FloatArray

Candidates = tuple[npt.NDArray[np.intp], FloatArray, FloatArray | None]
NOWHERE: Final = np.inf
DURA_MM: Final = 0.4
"""Dura and arachnoid: cement inside lies at least this far within the sac's outer face."""
CORD_MM: Final = 3.8
"""Half width of cord and conus, which cement does not enter, at T12 and above."""
LAST_CORD_ID: Final = 19
ROOT_MM: Final = (0.55, 0.95)
"""Radius of a root with its sheath of cerebrospinal fluid."""


def _candidates(
    site: Site, vertebra: Vertebra, labels: tuple[int, ...], reach: float
) -> tuple[npt.NDArray[np.intp], FloatArray]:
    box = site.window(vertebra.frame.to_lps([0, -9.0, 0]), reach)
    return site.voxels(np.isin(site.labels[box], labels), box)


def _radii(site: Site, s: float, theta: float) -> tuple[float, float]:
    """Wall and sac at one place of the canal."""
    canal = site.spine.canal
    row = canal.frame.index(s)
    at = np.array([theta])
    around = np.concatenate([canal.theta - 2 * np.pi, canal.theta, canal.theta + 2 * np.pi])
    wall = float(np.interp(at, around, np.tile(canal.wall_mm[row], 3))[0])
    return wall, float(np.interp(at, around, np.tile(canal.sac_mm[row], 3))[0])


def mass(
    site: Site, vertebra: Vertebra, side: int, spec: DepositSpec, noise: Noise, rng: np.random.Generator
) -> Candidates:
    """Outside the dura, with a broad base on the front or side wall, and the sac pushed away before it."""
    index, points = _candidates(site, vertebra, (EPIDURAL_SPACE, THECAL_SAC), 40.0)
    s, theta, r, wall, _ = canal_place(site.spine, points)
    at = s_of(site.spine, vertebra) + rng.uniform(-0.8, 0.8) * site.measure(vertebra).half_height
    centre = side * rng.uniform(0.5, 1.4) if side else rng.uniform(-0.25, 0.25)
    base, _ = _radii(site, at, centre)
    left, back = r * np.sin(theta), -r * np.cos(theta)
    inward = -np.array([np.sin(centre), -np.cos(centre)])
    dx, dy = left - base * np.sin(centre), back + base * np.cos(centre)
    depth = dx * inward[0] + dy * inward[1]
    across = dx * -inward[1] + dy * inward[0]
    wide, tall, high = rng.uniform(5.0, 7.0), rng.uniform(5.0, 10.0), rng.uniform(3.5, 6.0)
    # Along the wall it is a base, not a ball: what hugs the bone is as near as the depth says.
    depth = np.minimum(np.maximum(depth, 0.0), np.maximum(wall - r, 0.0) + 0.35 * np.maximum(depth, 0.0))
    cost = np.sqrt((across / wide) ** 2 + ((s - at) / tall) ** 2 + (depth / high) ** 2) * 6.0
    cost += 0.35 * noise.at(points, 5.0) + 0.2 * noise.at(points, 2.4)
    breach = site.spine.canal.frame.at(at)[0]
    return index, cost, np.asarray(breach, float)


def dorsal(
    site: Site, vertebra: Vertebra, side: int, spec: DepositSpec, noise: Noise, rng: np.random.Generator
) -> Candidates:
    """Outside the dura, in the fat behind it."""
    index, points = _candidates(site, vertebra, (EPIDURAL_SPACE,), 34.0)
    s, theta, _, wall, _ = canal_place(site.spine, points)
    at = s_of(site.spine, vertebra) + rng.uniform(-1.0, 0.2) * site.measure(vertebra).half_height
    centre = np.pi - side * rng.uniform(0.2, 0.7)
    turn = np.angle(np.exp(1j * (theta - centre)))
    cost = np.hypot(turn * wall / 3.5, (s - at) / 6.0) * 4.0
    cost += 0.45 * noise.at(points, 5.0) + 0.25 * noise.at(points, 2.2)
    return index, cost, None


def lump(
    site: Site, vertebra: Vertebra, side: int, spec: DepositSpec, noise: Noise, rng: np.random.Generator
) -> Candidates:
    """Inside the dura, one blunt piece at any side of the sac, against the dura or off it.

    ``size_mm`` gives its proportions and, by the sign of its second figure, whether it lies in front.
    """
    index, points = _candidates(site, vertebra, (THECAL_SAC,), 40.0)
    s, theta, r, _, sac = canal_place(site.spine, points)
    at = s_of(site.spine, vertebra) + rng.uniform(-0.9, 0.7) * site.measure(vertebra).half_height
    length, thick, wide = spec.size_mm or (8.0, 4.0, 6.0)
    ahead, thick = thick < 0, abs(thick)
    centre = side * rng.uniform(0.9, 2.2) if side else rng.uniform(-0.4, 0.4) + (0.0 if ahead else np.pi)
    _, edge = _radii(site, at, centre)
    middle = max(0.0, edge - thick / 2 - rng.uniform(0.4, 2.0))
    left, back = r * np.sin(theta), -r * np.cos(theta)
    out = np.array([np.sin(centre), -np.cos(centre)])
    dx, dy = left - middle * out[0], back - middle * out[1]
    depth, across = dx * out[0] + dy * out[1], dx * -out[1] + dy * out[0]
    power = rng.uniform(2.0, 3.0)
    cost = (
        np.abs((s - at) / length) ** power + np.abs(depth / thick) ** power + np.abs(across / wide) ** power
    ) ** (1 / power) * 8.0
    cost += 0.25 * noise.at(points, 4.0)
    return index, np.where(r <= sac - DURA_MM, cost, NOWHERE), None


def cast(
    site: Site, vertebra: Vertebra, side: int, spec: DepositSpec, noise: Noise, rng: np.random.Generator
) -> Candidates:
    """Inside the dura, along the canal like contrast medium: roots stay free, cement sinks to the back."""
    index, points = _candidates(site, vertebra, (THECAL_SAC,), 75.0)
    s, theta, r, _, sac = canal_place(site.spine, points)
    at = s_of(site.spine, vertebra) + rng.uniform(-0.8, 0.8) * site.measure(vertebra).half_height
    stretch = rng.uniform(0.25, 0.6)
    back = -r * np.cos(theta)
    cost = stretch * np.abs(s - at) + 0.9 * (sac * 1.0 - back) * rng.uniform(0.5, 1.0)
    cost += 0.7 * noise.at(points, 6.0)
    for k in range(int(rng.integers(6, 11))):
        turn = np.pi + rng.uniform(-2.0, 2.0)
        far = rng.uniform(0.35, 0.8)
        wander = 0.10 * np.sin((s - at) / 12.0 + k)
        x, y = far * sac * np.sin(turn + wander), far * sac * np.cos(turn + wander)
        off = np.hypot(r * np.sin(theta) - x, r * np.cos(theta) - y)
        cost = np.where(off < rng.uniform(*ROOT_MM), NOWHERE, cost)
    inside = r <= sac - DURA_MM
    if vertebra.id <= LAST_CORD_ID:
        inside &= r > CORD_MM
    return index, np.where(inside, cost, NOWHERE), None
