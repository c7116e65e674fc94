"""Lay one vertebra of the earlier CT over the same vertebra of the later one.

Intensities of bone are compared, not labels, so that what the anatomy made of either scan does not matter
beyond a rough start. Cement and metal of both scans take no part, and what else has changed (a lamina that is
gone, a screw's streak) is weighed down by its residual (Tukey's biweight).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import edt
import numpy as np
from scipy import ndimage

from thecal.anatomy.spine import Spine, Vertebra
from thecal.cement.deposit_map import Cement
from thecal.volume import BoolArray, FloatArray, Grid, Volume

REACH_MM: Final = ((-30.0, 30.0), (-12.0, 40.0), (-20.0, 20.0))
"""Left, anterior and cranial of the middle of the posterior wall: the body and its pedicles. Laminae, which
a revision may remove, lie behind."""
STEP_MM: Final = 1.3
SHELL_MM: Final = 4.0
"""Points this far outside the bone still count: they hold its border."""
MASKED_MM: Final = 2.5
"""As far as cement and metal blur."""
LOW_HU, HIGH_HU = -150.0, 900.0
COARSE_MM: Final = 3.0
FINE_MM: Final = 1.2
"""Blur of both scans before they are compared, so that kernel and slices matter less (Gaussian sigma)."""
TUKEY: Final = 4.685
MOST_POINTS: Final = 12000
"""More add nothing: the error of laying one over the other is then far below a voxel."""
ROUGH_POINTS: Final = 3000
ROOM_MM: Final = 12.0
FEWEST: Final = 400
"""Fewer points than this in common say nothing."""


@dataclass(frozen=True, eq=False)
class Rigid:
    """A turn and a shift: after = rotation @ before + shift, LPS mm."""

    rotation: FloatArray
    shift: FloatArray

    def __call__(self, points: FloatArray) -> FloatArray:
        """Points of the earlier scan (..., 3) in the later one."""
        moved: FloatArray = points @ self.rotation.T + self.shift
        return moved

    def back(self, points: FloatArray) -> FloatArray:
        """Points of the later scan (..., 3) in the earlier one."""
        moved: FloatArray = (points - self.shift) @ self.rotation
        return moved

    @property
    def turned_degrees(self) -> float:
        """How far it turns."""
        cosine = (float(np.trace(self.rotation)) - 1) / 2
        return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


@dataclass(frozen=True, eq=False)
class Registered:
    """One vertebra laid over itself; ``agreement`` is the correlation of what was compared, -1..1."""

    move: Rigid
    agreement: float


class Bone:
    """One vertebra of one scan, ready to be compared."""

    def __init__(self, volume: Volume, spine: Spine, cement: Cement, vertebra: Vertebra) -> None:
        self.vertebra = vertebra
        frame = vertebra.frame
        corners = frame.to_lps([[x, y, z] for x in REACH_MM[0] for y in REACH_MM[1] for z in REACH_MM[2]])
        box = spine.grid.box_around(corners, ROOM_MM)
        self.grid: Grid = spine.grid.crop(box)
        spacing = self.grid.spacing_mm
        self._clipped = np.clip(volume.hu[spine.box][box], LOW_HU, HIGH_HU).astype(np.float32)
        self._psf = cement.psf_sigma_mm
        dense = (cement.pieces[box] > 0) | cement.metal[box]
        away = edt.edt(~dense, anisotropy=tuple(spacing), black_border=False) if dense.any() else None
        self.masked: BoolArray = np.zeros(dense.shape, bool) if away is None else away < MASKED_MM
        bone = spine.labels[box] == vertebra.id
        near = edt.edt(~bone, anisotropy=tuple(spacing), black_border=False) <= SHELL_MM
        axes = [np.arange(low, high + STEP_MM / 2, STEP_MM) for low, high in REACH_MM]
        local = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
        points = frame.to_lps(local)
        ok = self.at(near, points, 0) > 0
        ok &= self.at(self.masked, points, 1) == 0
        self.points: FloatArray = _thinned(points[ok], MOST_POINTS)
        self._images: dict[float, list[FloatArray]] = {}

    def at(self, array: np.ndarray, points: FloatArray, outside: float) -> np.ndarray:
        """Nearest values at LPS points."""
        index = np.rint(self.grid.to_index(points)).astype(int)
        inside = ((index >= 0) & (index < np.array(self.grid.shape))).all(-1)
        index[~inside] = 0
        return np.where(inside, array[tuple(index.T)], outside)

    def image(self, sigma_mm: float) -> list[FloatArray]:
        """The blurred scan and its change from voxel to voxel along each axis."""
        if sigma_mm not in self._images:
            further = np.sqrt(np.maximum(sigma_mm**2 - self._psf**2, 0.0)) / self.grid.spacing_mm
            soft = ndimage.gaussian_filter(self._clipped, further, mode="nearest", truncate=3.0)
            self._images[sigma_mm] = [soft, *np.gradient(soft)]
        return self._images[sigma_mm]

    def sample(self, array: np.ndarray, points: FloatArray) -> FloatArray:
        """Trilinear values at LPS points, NaN outside."""
        values: FloatArray = ndimage.map_coordinates(
            array, self.grid.to_index(points).T, order=1, mode="constant", cval=np.nan, output=np.float64
        )
        return values


def _thinned(points: FloatArray, most: int) -> FloatArray:
    """Every k-th point, so that at most so many are left."""
    return points[:: max(1, -(-len(points) // most))]


def start_of(before: Bone, after: Bone) -> Rigid:
    """The move that lays the frames of both vertebrae over each other."""
    a, b = before.vertebra.frame, after.vertebra.frame
    turn = np.stack([b.left, b.anterior, b.cranial], 1) @ np.stack([a.left, a.anterior, a.cranial])
    return Rigid(turn, b.origin - turn @ a.origin)


def register(before: Bone, after: Bone, *, rough: bool = False) -> Registered:
    """Lay a vertebra of the earlier scan over one of the later.

    Gauss-Newton on the six numbers of the move and a linear law between both scans' HU.

    Parameters
    ----------
    before, after : Bone
    rough : bool
        Only as far as is needed to tell vertebrae apart.
    """
    move = start_of(before, after)
    agreement = -1.0
    stages = ((COARSE_MM, 8),) if rough else ((COARSE_MM, 12), (FINE_MM, 25))
    points = _thinned(before.points, ROUGH_POINTS) if rough else before.points
    centre = points.mean(0)
    for sigma, rounds in stages:
        own = before.sample(before.image(sigma)[0], points)
        pictures = after.image(sigma)
        to_mm = np.linalg.inv(after.grid.affine[:3, :3])
        for _ in range(rounds):
            moved = move(points)
            values = [after.sample(p, moved) for p in pictures]
            seen = np.isfinite(own) & np.isfinite(values[0]) & (after.at(after.masked, moved, 1) == 0)
            if seen.sum() < FEWEST:
                return Registered(move, -1.0)
            theirs, steps = values[0][seen], np.stack(values[1:], -1)[seen] @ to_mm
            gain, level, weight = _law(theirs, own[seen])
            residual = gain * theirs + level - own[seen]
            lever = moved[seen] - move(centre)
            turn_part = np.cross(lever, steps)
            jacobian = np.column_stack([gain * turn_part, gain * steps, theirs, np.ones(len(theirs))])
            scaled = jacobian * weight[:, None]
            change = np.linalg.lstsq(scaled.T @ jacobian, -scaled.T @ residual, rcond=None)[0]
            spin = _rotation(change[:3])
            pivot = move(centre)
            move = Rigid(spin @ move.rotation, spin @ (move.shift - pivot) + pivot + change[3:6])
            agreement = _correlation(theirs, own[seen], weight)
            if np.abs(change[3:6]).max() < 0.005 and np.abs(change[:3]).max() < 1e-4:
                break
    return Registered(move, agreement)


def _law(theirs: FloatArray, own: FloatArray) -> tuple[float, float, FloatArray]:
    """Gain and level that make the later scan's HU the earlier one's, and each point's weight."""
    weight = np.ones(len(own))
    gain, level = 1.0, 0.0
    for _ in range(3):
        mean_x, mean_y = np.average(theirs, weights=weight), np.average(own, weights=weight)
        spread = float(np.average((theirs - mean_x) ** 2, weights=weight))
        together = float(np.average((theirs - mean_x) * (own - mean_y), weights=weight))
        gain = float(np.clip(together / max(spread, 1.0), 0.3, 3.0))
        level = float(mean_y - gain * mean_x)
        residual = gain * theirs + level - own
        scale = 1.4826 * float(np.median(np.abs(residual))) + 5.0
        weight = np.clip(1 - (residual / (TUKEY * scale)) ** 2, 0, None) ** 2 + 1e-6
    return gain, level, weight


def _correlation(a: FloatArray, b: FloatArray, weight: FloatArray) -> float:
    a, b = a - np.average(a, weights=weight), b - np.average(b, weights=weight)
    top = float((weight * a * b).sum())
    return top / float(np.sqrt((weight * a * a).sum() * (weight * b * b).sum()) + 1e-9)


def _rotation(vector: FloatArray) -> FloatArray:
    """The turn about a vector by its length in rad (Rodrigues)."""
    angle = float(np.linalg.norm(vector))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = vector / angle
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    turn: FloatArray = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return turn
