"""The shape of each kind of deposit: a cost over the voxels of its compartment, cheapest first.

Each function takes the site, the vertebra, the side (-1 right, 0 midline, 1 left) and gives the voxels that
the deposit may take, their cost, and where it left the bone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from thecal.anatomy.spine import Part, Vertebra
from thecal.phantom.canal_shapes import cast, dorsal, lump, mass
from thecal.phantom.column import column_of, side_wall
from thecal.phantom.deposit_spec import DepositSpec, Form
from thecal.phantom.grow import Noise
from thecal.phantom.site import Site, canal_place, s_of
from thecal.terms import DISC_OFFSET, EPIDURAL_SPACE, THECAL_SAC
from thecal.volume import FloatArray

Candidates = tuple[npt.NDArray[np.intp], FloatArray, FloatArray | None]
Maker = Callable[[Site, Vertebra, int, DepositSpec, Noise, np.random.Generator], Candidates]
NOWHERE: Final = np.inf
# Above it lies a rib or contrast, not soft tissue.
RIB_HU: Final = 260


def _fill(
    site: Site, vertebra: Vertebra, side: int, spec: DepositSpec, noise: Noise, rng: np.random.Generator
) -> Candidates:
    """Trabecular fill from one or two needle tips, ragged by the trabeculae."""
    size = site.measure(vertebra)
    box = site.window(vertebra.frame.to_lps([0, size.depth / 2, 0]), 36.0)
    mask = (site.labels[box] == vertebra.id) & (site.parts[box] == Part.BODY)
    index, points = site.voxels(mask, box)
    local = vertebra.frame.to_local(points)
    sides = (-1, 1) if side == 0 else (side,)
    cost = np.full(len(points), NOWHERE)
    for k in sides:
        tip = np.array(
            [
                k * size.half_width * rng.uniform(0.26, 0.42),
                size.depth * rng.uniform(0.5, 0.68),
                size.half_height * rng.uniform(-0.25, 0.25),
            ]
        )
        stretch = np.array([1.0, rng.uniform(0.85, 1.1), rng.uniform(0.95, 1.25)])
        away = np.linalg.norm((local - tip) * stretch, axis=1)
        cost = np.minimum(cost, away)
    cost += 2.6 * noise.at(points, 7.0) + 1.3 * noise.at(points, 2.4)
    # Cement stays off the posterior wall until it has filled the rest.
    cost += 4.0 * np.clip(1.0 - local[:, 1] / 5.0, 0.0, 1.0)
    return index, cost, None


def _disc(
    site: Site, vertebra: Vertebra, side: int, spec: DepositSpec, noise: Noise, rng: np.random.Generator
) -> Candidates:
    """Through a broken endplate into the disc above or below."""
    size = site.measure(vertebra)
    up = 1 if spec.shape == "above" else -1
    disc = DISC_OFFSET + vertebra.id
    if up > 0:
        rank = [v.id for v in site.spine.vertebrae].index(vertebra.id)
        disc = DISC_OFFSET + site.spine.vertebrae[rank + 1].id if rank + 1 < len(site.spine.vertebrae) else -1
    place = np.array(
        [side * 0.3 * size.half_width, size.depth * rng.uniform(0.35, 0.65), up * size.half_height]
    )
    breach = vertebra.frame.to_lps(place)
    box = site.window(breach, 26.0)
    index, points = site.voxels(site.labels[box] == disc, box)
    away = np.linalg.norm(points - breach, axis=1)
    return index, away + 1.2 * noise.at(points, 6.0) + 0.4 * noise.at(points, 2.5), breach


def _space(
    site: Site, vertebra: Vertebra, label: int, reach: float
) -> tuple[npt.NDArray[np.intp], FloatArray]:
    box = site.window(vertebra.frame.to_lps([0, -9.0, 0]), reach)
    return site.voxels(site.labels[box] == label, box)


def _epidural(
    site: Site, vertebra: Vertebra, side: int, spec: DepositSpec, noise: Noise, rng: np.random.Generator
) -> Candidates:
    """Between sac and wall: a crescent behind the body, the recess, or about the basivertebral vein."""
    size = site.measure(vertebra)
    index, points = _space(site, vertebra, EPIDURAL_SPACE, 34.0)
    s, theta, r, wall, _ = canal_place(site.spine, points)
    height = {"crescent": rng.uniform(-0.4, 0.4), "recess": rng.uniform(-0.2, 0.7), "basivertebral": 0.0}[
        spec.shape
    ]
    at = s_of(site.spine, vertebra) + height * size.half_height
    centre = {"crescent": 0.45, "recess": 1.15, "basivertebral": 0.18}[spec.shape] * side
    wide, tall = {"crescent": (5.0, 6.5), "recess": (2.6, 8.0), "basivertebral": (3.0, 3.4)}[spec.shape]
    turn = np.angle(np.exp(1j * (theta - centre)))
    cost = np.hypot(turn * wall / wide, (s - at) / tall) * 4.0 + 0.35 * np.maximum(wall - r, 0.0)
    cost += 0.45 * noise.at(points, 5.0) + 0.25 * noise.at(points, 2.2)
    breach = vertebra.frame.to_lps([side * 2.0 * wide / 5.0, 0.0, height * size.half_height])
    return index, cost, breach


def _plexus(
    site: Site, vertebra: Vertebra, side: int, spec: DepositSpec, noise: Noise, rng: np.random.Generator
) -> Candidates:
    """A cast of the anterior internal venous plexus: two ladder poles along several levels."""
    index, points = _space(site, vertebra, EPIDURAL_SPACE, 75.0)
    s, theta, r, wall, _ = canal_place(site.spine, points)
    at = s_of(site.spine, vertebra)
    radius = rng.uniform(1.1, 1.7)
    cost = np.full(len(points), NOWHERE)
    for k in (-1, 1) if side == 0 else (side,):
        line = k * (0.62 + 0.16 * np.cos(2 * np.pi * (s - at) / 32.0))
        off = np.hypot(np.angle(np.exp(1j * (theta - line))) * wall, np.maximum(wall - r - radius, 0.0))
        cost = np.where(
            off < radius * (1 + 0.25 * noise.at(points, 5.0)), np.minimum(cost, np.abs(s - at) + off), cost
        )
    rung = np.hypot(s - at, np.maximum(wall - r - radius, 0.0))
    cost = np.where((rung < radius) & (np.abs(theta) < 0.75), np.minimum(cost, rung), cost)
    return index, cost, vertebra.frame.to_lps([0.0, 0.0, 0.0])


def _dural(
    site: Site, vertebra: Vertebra, side: int, spec: DepositSpec, noise: Noise, rng: np.random.Generator
) -> Candidates:
    """Inside the sac: a blunt piece that takes the sac's shape, or sheets with gaps between them."""
    index, points = _space(site, vertebra, THECAL_SAC, 45.0)
    s, theta, r, _, _sac = canal_place(site.spine, points)
    size = site.measure(vertebra)
    at = s_of(site.spine, vertebra) + rng.uniform(-0.5, 0.3) * size.half_height
    back, left = -r * np.cos(theta), r * np.sin(theta)
    row = site.spine.canal.frame.index(at)
    sac_here = site.spine.canal.sac_mm[row]
    dorsal = float(np.interp(np.pi - 1e-6, site.spine.canal.theta, sac_here))
    if spec.shape == "piece":
        length, thick, wide = spec.size_mm or (8.0, 4.0, 7.0)
        y0 = dorsal - thick / 2 - 0.8
        x0 = side * 2.0
        cost = (
            np.abs((s - at) / length) ** 3
            + np.abs((back - y0) / thick) ** 3
            + np.abs((left - x0) / wide) ** 3
        ) ** (1 / 3) * 8.0
        cost += 0.20 * noise.at(points, 4.0)
    else:
        # Sheets lie one over the other as cement spreads in the CSF of a supine patient.
        pitch, thick = rng.uniform(2.2, 2.6), rng.uniform(0.9, 1.15)
        depth = dorsal - 0.5 - back + 0.25 * noise.at(points, 9.0)
        layer = np.floor(depth / pitch)
        inside = (depth >= 0) & (depth - layer * pitch < thick) & (layer < 3)
        cost = np.hypot((s - at) / 2.2, left - side * 1.5) + 0.8 * layer + 0.5 * noise.at(points, 5.0)
        cost = np.where(inside, cost, NOWHERE)
    return index, cost, None


def _foramen(
    site: Site, vertebra: Vertebra, side: int, spec: DepositSpec, noise: Noise, rng: np.random.Generator
) -> Candidates:
    """Round the nerve root below the pedicle."""
    size = site.measure(vertebra)
    k = side or (1 if rng.random() < 0.5 else -1)
    u, w = size.pedicle[k]
    centre = vertebra.frame.to_lps([u + k * 1.0, -6.0, w - 13.0])
    box = site.window(centre, 20.0)
    index, points = site.voxels(site.parts[box] == Part.FORAMEN, box)
    local = vertebra.frame.to_local(points)
    away = np.linalg.norm((points - centre), axis=1)
    cost = np.where(local[:, 0] * k > 0, away + 0.8 * noise.at(points, 4.0), NOWHERE)
    return index, cost, None


def _beside(
    site: Site, vertebra: Vertebra, side: int, spec: DepositSpec, noise: Noise, rng: np.random.Generator
) -> Candidates:
    """Outside the bone in front or at the side: a blob at a cortical hole, or the cast of a vein."""
    size = site.measure(vertebra)
    k = side or (1 if rng.random() < 0.5 else -1)
    box = site.window(vertebra.frame.to_lps([0, size.depth / 2, 0]), 52.0)
    free = (
        (site.labels[box] == 0)
        & (site.parts[box] == Part.NONE)
        & (site.hu[box] < RIB_HU)
        & (site.hu[box] > -300)
    )
    wide = size.half_width + 16.0
    tall = 45.0 if spec.shape == "prevertebral" else 24.0
    index, points = site.beside(
        free, box, vertebra.frame, [-wide, -1.0, -tall], [wide, size.depth + 16.0, tall]
    )
    local = vertebra.frame.to_local(points)
    near = (np.abs(local[:, 0]) > 0.62 * size.half_width) | (local[:, 1] > 0.4 * size.depth)
    index, points, local = index[near], points[near], local[near]
    x, y, w = local[:, 0], local[:, 1] - size.depth / 2, local[:, 2]
    angle, radius = np.arctan2(x, y), np.hypot(x, y)
    column = column_of(site, vertebra)
    skin = radius - side_wall(column, angle, w)
    if spec.shape == "blob":
        a0, w0 = k * rng.uniform(0.5, 1.5), rng.uniform(-0.5, 0.5) * size.half_height
        wall = float(side_wall(column, np.array([a0]), np.array([w0]))[0])
        spot = np.array([wall * np.sin(a0), wall * np.cos(a0) + size.depth / 2, w0])
        normal = np.array([np.sin(a0), np.cos(a0), 0.0])
        rel = local - spot
        out = rel @ normal
        cost = np.sqrt(np.maximum((rel**2).sum(1) - out**2, 0.0) + (1.5 * out) ** 2) + 0.8 * noise.at(
            points, 4.0
        )
        return index, cost, vertebra.frame.to_lps(spot)
    # A vein of some 30 mm that holds the volume.
    thick = float(np.clip(np.sqrt(spec.volume_ml * 1000.0 / (np.pi * 30.0)), 1.1, 3.2)) * rng.uniform(
        0.95, 1.2
    )
    wobble = 0.6 * noise.at(points, 8.0)
    if spec.shape == "segmental":
        # The segmental vein runs round the waist of the body towards the foramen.
        off = np.hypot(skin - thick - 0.3, w + 1.0 + wobble)
        start = k * 0.9
        along = np.abs(np.angle(np.exp(1j * (angle - start)))) * np.maximum(radius, 1.0)
        cost = np.where((off < thick) & (angle * k > 0.1), along + 0.5 * off, NOWHERE)
        breach = vertebra.frame.to_lps(
            [size.half_width * np.sin(start), size.depth / 2 + size.depth / 2 * np.cos(start), -1.0]
        )
        return index, cost, breach
    start = k * rng.uniform(0.2, 0.5)
    off = np.hypot(skin - thick - 0.4, np.angle(np.exp(1j * (angle - start))) * radius + wobble)
    cost = np.where(off < thick, np.abs(w) + 0.5 * off, NOWHERE)
    return index, cost, vertebra.frame.to_lps([0.3 * k * size.half_width, size.depth, 0.0])


def _track(
    site: Site, vertebra: Vertebra, side: int, spec: DepositSpec, noise: Noise, rng: np.random.Generator
) -> Candidates:
    """Cement drawn back along the needle's way through the pedicle into the muscle behind."""
    size = site.measure(vertebra)
    k = side or (1 if rng.random() < 0.5 else -1)
    u, w = size.pedicle[k]
    start = np.array([u, -5.0, w])
    way = np.array(
        [k * np.tan(np.radians(rng.uniform(8.0, 20.0))), -1.0, np.tan(np.radians(rng.uniform(0.0, 12.0)))]
    )
    way /= np.linalg.norm(way)
    box = site.window(vertebra.frame.to_lps(start + 18.0 * way), 42.0)
    own = (site.labels[box] == vertebra.id) & (site.parts[box] == Part.ARCH)
    soft = (site.labels[box] == 0) & (site.parts[box] == Part.NONE)
    ends = np.stack([start, start + 45.0 * way])
    index, points = site.beside(own | soft, box, vertebra.frame, ends.min(0) - 3.0, ends.max(0) + 3.0)
    local = vertebra.frame.to_local(points)
    rel = local - start
    along = rel @ way
    off = np.linalg.norm(rel - along[:, None] * way, axis=1)
    radius = rng.uniform(1.2, 1.5) * (1.0 + 0.12 * noise.at(points, 4.0))
    cost = np.where((off < radius) & (along > 0.0) & (local[:, 1] < -1.0), along + 0.3 * off, NOWHERE)
    return index, cost, None


MAKERS: dict[Form, Maker] = {
    "fill": _fill,
    "above": _disc,
    "below": _disc,
    "crescent": _epidural,
    "recess": _epidural,
    "basivertebral": _epidural,
    "plexus": _plexus,
    "mass": mass,
    "dorsal": dorsal,
    "piece": _dural,
    "sheets": _dural,
    "lump": lump,
    "cast": cast,
    "foramen": _foramen,
    "blob": _beside,
    "segmental": _beside,
    "prevertebral": _beside,
    "track": _track,
}
