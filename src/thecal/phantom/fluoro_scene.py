"""Lengths of tissue, bone, cement and steel along the rays of each picture of an injection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import ndimage

from thecal.anatomy.spine import Spine
from thecal.fluoro.projection.line_integrals import FloatImage, line_integrals
from thecal.fluoro.projection.materials import rod_shadow, shadow
from thecal.fluoro.projection.view import Pose, View
from thecal.fluoro.target import Needle
from thecal.phantom.cement_flow import Flow
from thecal.phantom.patient_motion import Motion
from thecal.volume import FloatArray, Grid, Volume

SOFT_HU: Final = 40.0
BONE_MM_PER_HU: Final = 1.0 / 1730.0
"""Cortical bone (1.92 g/cm3) reads about 1730 HU more than soft tissue (computed at 70 keV)."""
OUTSIDE_HU: Final = -990.0
KEYS: Final = 5
"""Poses of the spine that are projected; between them the nearest is shifted and scaled in the picture."""


@dataclass(frozen=True)
class Gas:
    """A bubble of bowel gas in the picture: where, how long and wide, how much it takes away, how it drifts.

    ``place`` and ``size`` are shares of the picture; ``drift`` shares of it in a second.
    """

    place: tuple[float, float]
    size: tuple[float, float]
    tissue_mm: float
    drift: tuple[float, float]


class Scene:
    """Everything in the beam."""

    def __init__(
        self,
        volume: Volume,
        spine: Spine,
        flow: Flow,
        needles: tuple[Needle, ...],
        gas: tuple[Gas, ...],
        view: View,
        motion: Motion,
        length_s: float,
        wider_mm: float,
    ) -> None:
        self.view, self.motion, self.flow = view.binned(2), motion, flow
        self._needles, self._gas, self._wider_mm = needles, gas, wider_mm
        spine_bone, rest_bone, rest_tissue = _split(volume, spine)
        spine_bone, spine_grid = _longer(spine_bone, spine.grid)
        rest_bone, _ = _longer(rest_bone, volume.grid)
        rest_tissue, rest_grid = _longer(rest_tissue, volume.grid)
        breath = np.linspace(-1.0, 1.0, KEYS)
        times = np.linspace(0.0, motion.period_s, 200)
        found = np.array([motion.breath(t) for t in times])
        self._key_times = [float(times[int(np.argmin(np.abs(found - b)))]) for b in breath]
        self._key_breath = np.array([motion.breath(t) for t in self._key_times])
        self._spine_keys, self._spine_poses = [], []
        table = _without_table(motion)
        for t in self._key_times:
            pose = table.spine(t)
            self._spine_poses.append(pose)
            self._spine_keys.append(line_integrals(spine_bone, spine_grid, self.view.of_moved(pose)))
        self._rest_pose = table.rest(self._key_times[KEYS // 2])
        moved = self.view.of_moved(self._rest_pose)
        step = 1.5 * float(volume.grid.spacing_mm.min())
        self._rest_bone = line_integrals(rest_bone, rest_grid, moved, step_mm=step)
        self._rest_tissue = line_integrals(rest_tissue, rest_grid, moved, step_mm=step)

    def tissue_and_bone(self, time_s: float) -> tuple[FloatImage, FloatImage]:
        """(rows, columns) mm of soft tissue and of bone, needle and cement left out."""
        breath = self.motion.breath(time_s)
        k = int(np.argmin(np.abs(self._key_breath - breath)))
        spine = _warped(
            self._spine_keys[k],
            _affine(self.view, self._spine_poses[k], self.motion.spine(time_s), self.flow),
        )
        shift = _affine(self.view, self._rest_pose, self.motion.rest(time_s), self.flow)
        bone = spine + _warped(self._rest_bone, shift)
        tissue = _warped(self._rest_tissue, shift) + np.float32(self._wider_mm)
        rows, columns = np.indices(tissue.shape, np.float32)
        moved = shift[:, 2] / np.array(tissue.shape)
        for bubble in self._gas:
            place = np.array(bubble.place) - moved + np.array(bubble.drift) * time_s
            far = ((rows / tissue.shape[0] - place[0]) / bubble.size[0]) ** 2
            far += ((columns / tissue.shape[1] - place[1]) / bubble.size[1]) ** 2
            tissue = tissue - np.float32(bubble.tissue_mm) * np.sqrt(np.maximum(1.0 - far, 0.0)).astype(
                np.float32
            )
        return np.maximum(tissue, 1.0).astype(np.float32), bone

    def cement(self, held: npt.NDArray[np.float32], pose: Pose) -> FloatImage:
        """(rows, columns) mm of cement along each ray, where ``held`` is its share on the flow's grid."""
        return within(held, self.flow.grid, self.view.of_moved(pose))

    def steel(self, pose: Pose, *, filled: bool) -> tuple[FloatImage, FloatImage]:
        """(rows, columns) mm of steel and of cement in the needles' bore."""
        steel = np.zeros(self.view.shape, np.float32)
        bore = np.zeros(self.view.shape, np.float32)
        view = self.view.of_moved(pose)
        for needle in self._needles:
            ends, inner = (needle.entry_mm, needle.tip_mm), needle.outer_mm - 2.0 * WALL_MM
            steel += rod_shadow(*ends, needle.outer_mm, view, bore_mm=inner).on(view.shape)
            if filled:
                bore += rod_shadow(*ends, inner, view, "cement").on(view.shape)
        return steel, bore


WALL_MM: Final = 0.3
"""Wall of a bone needle (11 G: 3.0 mm outside, 2.4 mm inside; from memory)."""


def within(held: npt.NDArray[np.float32], grid: Grid, view: View) -> FloatImage:
    """Line integrals of an array that is zero but for a small part of it, (rows, columns)."""
    return shadow(held, grid, view).on(view.shape)


def _split(volume: Volume, spine: Spine) -> tuple[FloatArray, ...]:
    """Bone in a mm of spine, mm; of the other bone; and of soft tissue of everything."""
    hu = np.asarray(volume.hu, np.float32)
    dense = np.clip(hu - SOFT_HU, 0.0, None)
    bone = np.where(dense > 60.0, dense, 0.0) * np.float32(BONE_MM_PER_HU)
    near = ndimage.binary_dilation(spine.bone_mask(), iterations=2)
    mine = np.zeros(hu.shape, bool)
    mine[spine.box] = near
    of_spine = np.where(near, (hu[spine.box] - SOFT_HU) * np.float32(BONE_MM_PER_HU), 0.0)
    rest = np.where(mine, 0.0, bone)
    tissue = np.where(mine | (bone > 0), 1.0 + SOFT_HU / 1000.0, np.clip(1.0 + hu / 1000.0, 0.0, 1.1))
    # A scan's field of view may end just in front of the spine; a patient does not.
    front = int(volume.grid.to_index(spine.vertebrae[len(spine.vertebrae) // 2].frame.origin)[1])
    ahead = (slice(None), slice(0, max(front, 1)))
    tissue[ahead] = np.where(hu[ahead] <= OUTSIDE_HU, 1.0, tissue[ahead])
    return (
        np.ascontiguousarray(of_spine, np.float32),
        np.ascontiguousarray(rest, np.float32),
        np.ascontiguousarray(tissue, np.float32),
    )


def _longer(values: FloatArray, grid: Grid) -> tuple[FloatArray, Grid]:
    """The array with its end slices repeated, so that a short scan fills the picture."""
    BEYOND_MM = 60.0
    count = int(np.ceil(BEYOND_MM / grid.spacing_mm[0]))
    affine = grid.affine.copy()
    affine[:3, 3] = grid.to_lps([-count, 0, 0])
    longer = np.pad(values, ((count, count), (0, 0), (0, 0)), mode="edge")
    return longer, Grid((longer.shape[0], grid.shape[1], grid.shape[2]), affine)


def _without_table(motion: Motion) -> Motion:
    return Motion(**{**motion.__dict__, "table_mm": (0.0, 0.0, 0.0)})


def _affine(view: View, before: Pose, after: Pose, flow: Flow) -> FloatArray:
    """(2, 3): from a pixel of the picture after the movement to the same place's pixel before it."""
    at = flow.frame.to_lps(
        [[0, 0.5 * flow.depth_mm, 0], [0, 0.5 * flow.depth_mm + 20, 0], [0, 0.5 * flow.depth_mm, 20],
         [20, 0.5 * flow.depth_mm, 0], [-20, 0.5 * flow.depth_mm, 0], [0, 0.5 * flow.depth_mm - 20, 0],
         [0, 0.5 * flow.depth_mm, -20]]
    )  # fmt: skip
    old, new = view.project(before.apply(at)), view.project(after.apply(at))
    # A similarity is fitted, so that a view along an axis stays well-posed.
    mean_new, mean_old = new.mean(0), old.mean(0)
    x, y = new - mean_new, old - mean_old
    scale = (x**2).sum()
    a = (x * y).sum() / scale
    b = (x[:, 0] * y[:, 1] - x[:, 1] * y[:, 0]).sum() / scale
    turn = np.array([[a, -b], [b, a]])
    return np.hstack([turn, (mean_old - turn @ mean_new)[:, None]])


def _warped(image: FloatImage, affine: FloatArray) -> FloatImage:
    warped: FloatImage = _cubic(np.ascontiguousarray(image), np.ascontiguousarray(affine))
    return warped


@njit(cache=True, fastmath=True)
def _cubic(image: Any, m: Any) -> Any:
    """Catmull-Rom interpolation at an affine map of each pixel; edges are held."""
    rows, columns = image.shape
    out = np.empty_like(image)
    wr = np.empty(4, np.float32)
    wc = np.empty(4, np.float32)
    for i in range(rows):
        for j in range(columns):
            r = m[0, 0] * i + m[0, 1] * j + m[0, 2]
            c = m[1, 0] * i + m[1, 1] * j + m[1, 2]
            r0, c0 = int(np.floor(r)), int(np.floor(c))
            for w, f in ((wr, r - r0), (wc, c - c0)):
                w[0] = ((-0.5 * f + 1.0) * f - 0.5) * f
                w[1] = (1.5 * f - 2.5) * f * f + 1.0
                w[2] = ((-1.5 * f + 2.0) * f + 0.5) * f
                w[3] = (0.5 * f - 0.5) * f * f
            total = 0.0
            for a in range(4):
                ia = min(max(r0 - 1 + a, 0), rows - 1)
                for b in range(4):
                    jb = min(max(c0 - 1 + b, 0), columns - 1)
                    total += wr[a] * wc[b] * image[ia, jb]
            out[i, j] = total
    return out
