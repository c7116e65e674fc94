"""Cement that runs into a vertebra: when it reaches each place, and how much of it is out at any time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.spine import Part, Spine, Vertebra
from thecal.errors import InputError
from thecal.frames import VertebraFrame
from thecal.phantom.grow import Noise
from thecal.phantom.invasion import invade
from thecal.phantom.leak_ways import Ground, LeakKind, Way, near_line, way_out
from thecal.terms import EPIDURAL_SPACE, THECAL_SAC
from thecal.volume import BoolArray, FloatArray, Grid, Volume, resample

STEP_MM: Final = 0.8
"""Voxels of the flow, cubes along the vertebra's own axes."""
REACH_MM: Final = (34.0, 34.0, 30.0)
"""Half of the box to the side, from the body's middle to front and back, and up and down."""
SHARE_IN_BONE: Final = (0.72, 0.9)
"""Share of a voxel of marrow that cement fills: trabeculae keep the rest."""


@dataclass(frozen=True, eq=False)
class Flow:
    """One injection's cement.

    Attributes
    ----------
    grid : Grid
        Array axes are the vertebra's cranial, anterior and left, ``STEP_MM``.
    frame : VertebraFrame
    depth_mm : float
    arrival_s : (z, y, x) float32
        When cement reaches the voxel; infinite where it never does.
    share : (z, y, x) float32
        Share of the voxel that it then fills.
    body, canal : (z, y, x) bool
    kind : LeakKind
    """

    grid: Grid
    frame: VertebraFrame
    depth_mm: float
    arrival_s: npt.NDArray[np.float32]
    share: npt.NDArray[np.float32]
    body: BoolArray
    canal: BoolArray
    kind: LeakKind

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel."""
        return STEP_MM**3 / 1000.0

    def at(self, time_s: float) -> npt.NDArray[np.float32]:
        """Share of each voxel that is cement at a time."""
        held: npt.NDArray[np.float32] = np.where(self.arrival_s <= time_s, self.share, np.float32(0.0))
        return held

    def depth_share(self) -> FloatArray:
        """Depth of each voxel in the body: 0 at the posterior wall, 1 at the anterior, (z, y, x)."""
        y = self.frame.to_local(self.grid.to_lps(np.argwhere(np.ones(self.body.shape, bool))))[:, 1]
        depth: FloatArray = (y / self.depth_mm).reshape(self.body.shape)
        return depth


@dataclass(frozen=True)
class FlowSpec:
    """What is injected.

    Attributes
    ----------
    kind : LeakKind
    leak_ml : float
        Cement that leaves the body by the injection's end.
    body_ml : float
        Cement within the body by then.
    start_s, ml_s : float
        When the injection begins, and its rate.
    leak_from : float
        Share of ``body_ml`` with which a vein or a crack is met that leads out.
    keep_ahead : float or None
        Marrow behind this share of the depth is tight: cement goes elsewhere; None lets it run.
    cleft : bool
        A cleft under the upper endplate, which fills first.
    """

    kind: LeakKind
    leak_ml: float
    body_ml: float
    start_s: float
    ml_s: float
    leak_from: float = 0.5
    keep_ahead: float | None = None
    cleft: bool = False


def flow(
    volume: Volume,
    spine: Spine,
    vertebra: Vertebra,
    depth_mm: float,
    tip_mm: npt.ArrayLike,
    spec: FlowSpec,
    rng: np.random.Generator,
) -> Flow:
    """Let cement run from a needle's tip.

    Raises
    ------
    InputError
        Where the needle's tip does not lie in the body, or the vertebra offers no such leak.
    """
    grid = vertebra_grid(vertebra.frame, depth_mm)
    ground = ground_of(spine, vertebra, depth_mm, grid)
    hu = resample(volume.hu, volume.grid, grid, order=1, fill=-1024)
    cost = _marrow(ground, hu, spec.cleft, rng)
    way = None if spec.kind == "none" else way_out(ground, spec.kind, rng)
    if spec.kind != "none" and way is None:
        raise InputError(f"This vertebra offers no leak of the kind {spec.kind!r}")
    if spec.keep_ahead is not None:
        cost[ground.local[..., 1] < spec.keep_ahead * depth_mm] = np.inf
    seeds = _seeds(ground, grid, tip_mm)
    uneven = Noise(rng).at(ground.local.reshape(-1, 3).astype(float), 4.0).reshape(ground.body.shape)
    filled = np.clip(rng.uniform(*SHARE_IN_BONE) + 0.06 * uneven, 0.5, 0.98)
    share: npt.NDArray[np.float32] = filled.astype(np.float32)
    share[~ground.body] = 1.0
    arrival = _timed(ground, cost, way, seeds, share, spec, float(rng.uniform(0.9, 1.7)))
    canal = (ground.labels == THECAL_SAC) | (ground.labels == EPIDURAL_SPACE)
    return Flow(grid, vertebra.frame, depth_mm, arrival, share, ground.body, canal, spec.kind)


def vertebra_grid(frame: VertebraFrame, depth_mm: float) -> Grid:
    """A grid of cubes along the vertebra's axes about the body's middle; anterior grows with its index."""
    size = [2 * round(REACH_MM[2] / STEP_MM) + 1, 2 * round(REACH_MM[1] / STEP_MM) + 1]
    shape = (size[0], size[1], 2 * round(REACH_MM[0] / STEP_MM) + 1)
    affine = np.eye(4)
    affine[:3, :3] = np.stack([frame.cranial, frame.anterior, frame.left], axis=1) * STEP_MM
    middle = frame.to_lps([0.0, 0.5 * depth_mm, 0.0])
    affine[:3, 3] = middle - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Grid(shape, affine)


def ground_of(spine: Spine, vertebra: Vertebra, depth_mm: float, grid: Grid) -> Ground:
    """The vertebra's surroundings on the flow's grid."""
    labels = resample(spine.labels, spine.grid, grid, order=0, fill=0)
    parts = resample(spine.parts, spine.grid, grid, order=0, fill=0)
    every = np.stack(np.meshgrid(*[np.arange(n) for n in grid.shape], indexing="ij"), axis=-1)
    local = vertebra.frame.to_local(grid.to_lps(every)).astype(np.float32)
    body = (labels == vertebra.id) & (parts == Part.BODY)
    wide = float(np.percentile(np.abs(local[..., 0][body]), 97)) if body.any() else 20.0
    return Ground(labels, parts, local, body, depth_mm, wide, STEP_MM)


def _marrow(
    ground: Ground, hu: npt.NDArray[np.int16], cleft: bool, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Cost of a mm in the body: dense marrow is slow, a cleft fast; the cortex is tight."""
    inner = ndimage.binary_erosion(ground.body, iterations=1)
    soft = ndimage.gaussian_filter(hu.astype(np.float32), 1.5)
    middle = float(np.median(soft[inner])) if inner.any() else 0.0
    cost = np.exp(np.clip((soft - middle) / 180.0, -1.0, 2.0))
    points = ground.local.reshape(-1, 3).astype(float)
    rough = Noise(rng)
    cost = cost * np.exp(
        0.75 * rough.at(points, 9.0).reshape(cost.shape) + 0.5 * rough.at(points, 3.0).reshape(cost.shape)
    )
    if cleft:
        height = float(np.percentile(ground.local[..., 2][ground.body], 97))
        off = (ground.local - np.array([0.0, 0.6 * ground.depth_mm, 0.45 * height])) / np.array(
            [0.6 * ground.half_width_mm, 0.3 * ground.depth_mm, 2.0]
        )
        cost[np.linalg.norm(off, axis=-1) < 1.0] *= 0.08
    return np.where(inner, cost, np.inf).astype(np.float32)


def _seeds(ground: Ground, grid: Grid, tip_mm: npt.ArrayLike) -> npt.NDArray[np.intp]:
    inner = np.argwhere(ndimage.binary_erosion(ground.body, iterations=1))
    if len(inner) == 0:
        raise InputError("The vertebra has no body in the anatomy")
    away = np.linalg.norm((inner - grid.to_index(tip_mm)) * STEP_MM, axis=1)
    if float(away.min()) > 4.0:
        raise InputError("The needle's tip does not lie in the body")
    return inner[np.argsort(away, kind="stable")[:8]]


def _timed(
    ground: Ground,
    cost: npt.NDArray[np.float32],
    way: Way | None,
    seeds: npt.NDArray[np.intp],
    share: npt.NDArray[np.float32],
    spec: FlowSpec,
    channel_mm: float,
) -> npt.NDArray[np.float32]:
    """Arrival in seconds: the body's voxels in their order at the given rate, a leak's beside them."""
    voxel = STEP_MM**3 / 1000.0
    reach = invade(cost, seeds, np.full(3, STEP_MM), round(1.6 * spec.body_ml / voxel))
    index = np.argwhere(np.isfinite(reach))
    index = index[np.argsort(reach[tuple(index.T)], kind="stable")]
    breach = 0
    if way is not None:
        index, breach = _with_channel(ground, index, share, way, spec, channel_mm)
    filled = np.cumsum(share[tuple(index.T)], dtype=np.float64) * voxel
    last = max(int(np.searchsorted(filled, spec.body_ml)), min(breach + 5, len(index)))
    index, filled = index[:last], filled[:last]
    arrival = np.full(cost.shape, np.inf, np.float32)
    arrival[tuple(index.T)] = spec.start_s + filled / spec.ml_s
    if way is not None:
        _leak(arrival, way, index, filled, breach, spec)
    return arrival


def _with_channel(
    ground: Ground,
    index: npt.NDArray[np.intp],
    share: npt.NDArray[np.float32],
    way: Way,
    spec: FlowSpec,
    radius_mm: float,
) -> tuple[npt.NDArray[np.intp], int]:
    """The order with a vein or a crack put in, from the cement of that moment to the breach.

    Returns
    -------
    index : (n, 3) ints
    breach : int
        Place in the order at which cement is at the breach.
    """
    filled = np.cumsum(share[tuple(index.T)]) * STEP_MM**3 / 1000.0
    met = min(max(1, int(np.searchsorted(filled, spec.leak_from * spec.body_ml))), len(index))
    away = np.linalg.norm((index[:met] - way.breach).astype(float), axis=1)
    start = ground.local[tuple(index[int(np.argmin(away))])].astype(float)
    end = ground.local[tuple(way.breach)].astype(float)
    tube = np.argwhere(near_line(ground, start, end, radius_mm) & ground.body)
    ahead = np.linalg.norm(ground.local[tuple(tube.T)] - start, axis=1)
    tube = tube[np.argsort(ahead, kind="stable")]
    number = np.full(ground.body.shape, -1, np.int64)
    number[tuple(index[:met].T)] = 0
    new = tube[number[tuple(tube.T)] < 0]
    number[tuple(new.T)] = 0
    rest = index[met:]
    rest = rest[number[tuple(rest.T)] < 0]
    return np.concatenate([index[:met], new, rest]), met + len(new)


def _leak(
    arrival: npt.NDArray[np.float32],
    way: Way,
    index: npt.NDArray[np.intp],
    filled: FloatArray,
    breach: int,
    spec: FlowSpec,
) -> None:
    """Put the leak's voxels into ``arrival``; what leaks is missing from the body's rate meanwhile."""
    voxel = STEP_MM**3 / 1000.0
    gap = np.isinf(arrival) & (
        np.linalg.norm(_offsets(arrival.shape, way.breach), axis=-1) * STEP_MM < GAP_MM
    )
    room = np.where(np.isinf(arrival), way.room, np.inf).astype(np.float32)
    room[gap & ~np.isfinite(way.room)] = 0.2
    room[tuple(way.breach)] = 0.2
    out = invade(room, way.breach[None], np.full(3, STEP_MM), round(spec.leak_ml / voxel) + int(gap.sum()))
    leaked = np.argwhere(np.isfinite(out) & np.isfinite(way.room))
    if len(leaked) == 0:
        return
    leaked = leaked[np.argsort(out[tuple(leaked.T)], kind="stable")][: max(1, round(spec.leak_ml / voxel))]
    at = min(breach, len(filled) - 1)
    body_left = max(float(filled[-1] - filled[at]), voxel)
    portion = len(leaked) * voxel / (len(leaked) * voxel + body_left)
    onset = spec.start_s + filled[at] / spec.ml_s
    late = index[at:]
    arrival[tuple(late.T)] = onset + (filled[at:] - filled[at]) / (spec.ml_s * (1.0 - portion))
    arrival[tuple(leaked.T)] = onset + np.arange(1, len(leaked) + 1) * voxel / (spec.ml_s * portion)


GAP_MM: Final = 3.0
"""Cortex or endplate that a breach goes through; no cement is drawn in it."""


def _offsets(shape: tuple[int, ...], centre: npt.NDArray[np.intp]) -> FloatArray:
    every = np.meshgrid(*[np.arange(n) for n in shape], indexing="ij")
    offsets: FloatArray = np.stack([e - c for e, c in zip(every, centre, strict=True)], axis=-1).astype(float)
    return offsets
