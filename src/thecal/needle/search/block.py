"""A scan and its labels sampled in a vertebra's own axes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from thecal.anatomy.spine import Part, Spine, Vertebra
from thecal.needle.search.fields import FloatField
from thecal.terms import EPIDURAL_SPACE, THECAL_SAC
from thecal.volume import FloatArray, Volume


@dataclass(frozen=True, eq=False)
class Block:
    """Samples on a lattice along a vertebra's left, anterior and cranial axes.

    Attributes
    ----------
    low_mm : (3,) float64
        The lattice's first point in the vertebra's frame.
    step_mm : float
    hu : (left, anterior, cranial) float32
        Trilinear; NaN outside the scan.
    own, canal : (left, anterior, cranial) float32
        Share of the vertebra, and of the canal, by trilinear weights.
    labels : (left, anterior, cranial) uint16
        Nearest.
    foramen : (left, anterior, cranial) bool
        Nearest.
    """

    low_mm: FloatArray
    step_mm: float
    hu: FloatField
    own: FloatField
    canal: FloatField
    labels: npt.NDArray[np.uint16]
    foramen: npt.NDArray[np.bool_]

    def points(self, vertebra: Vertebra) -> FloatArray:
        """LPS mm of every point, (left, anterior, cranial, 3)."""
        axes = [low + self.step_mm * np.arange(n) for low, n in zip(self.low_mm, self.hu.shape, strict=True)]
        return vertebra.frame.to_lps(np.stack(np.meshgrid(*axes, indexing="ij"), -1))


def block_of(
    volume: Volume,
    spine: Spine,
    vertebra: Vertebra,
    low_mm: tuple[float, float, float],
    high_mm: tuple[float, float, float],
    step_mm: float,
) -> Block:
    """Sample the scan and the labels between two corners of the vertebra's frame."""
    low = np.array(low_mm)
    size = np.floor((np.array(high_mm) - low) / step_mm + 1e-6).astype(np.int64) + 1
    frame = vertebra.frame
    axes = np.stack([frame.left, frame.anterior, frame.cranial], 1) * step_mm
    start = frame.to_lps(low)
    whole, crop = np.linalg.inv(volume.grid.affine), np.linalg.inv(spine.grid.affine)
    shape = (int(size[0]), int(size[1]), int(size[2]))
    hu, own, canal = (np.empty(shape, np.float32) for _ in range(3))
    labels, foramen = np.empty(shape, np.uint16), np.empty(shape, np.bool_)
    _gather(
        volume.hu,
        whole[:3, :3] @ start + whole[:3, 3],
        whole[:3, :3] @ axes,
        spine.labels,
        spine.parts,
        crop[:3, :3] @ start + crop[:3, 3],
        crop[:3, :3] @ axes,
        vertebra.id,
        hu,
        own,
        canal,
        labels,
        foramen,
    )
    return Block(low, step_mm, hu, own, canal, labels, foramen)


_SAC = int(THECAL_SAC)
_EPIDURAL = int(EPIDURAL_SPACE)
_FORAMEN = int(Part.FORAMEN)


@njit(cache=True)
def _gather(
    hu: npt.NDArray[np.int16],
    hu_start: FloatArray,
    hu_steps: FloatArray,
    label: npt.NDArray[np.uint16],
    part: npt.NDArray[np.uint8],
    start: FloatArray,
    steps: FloatArray,
    own_id: int,
    out_hu: FloatField,
    out_own: FloatField,
    out_canal: FloatField,
    out_label: npt.NDArray[np.uint16],
    out_foramen: npt.NDArray[np.bool_],
) -> None:
    na, nb, nc = out_hu.shape
    corner = np.empty(3, np.int64)
    weight = np.empty(3)
    for a in range(na):
        for b in range(nb):
            for c in range(nc):
                inside = True
                for k in range(3):
                    p = hu_start[k] + a * hu_steps[k, 0] + b * hu_steps[k, 1] + c * hu_steps[k, 2]
                    if p < -0.5 or p > hu.shape[k] - 0.5:
                        inside = False
                    p = min(max(p, 0.0), hu.shape[k] - 1.0)
                    corner[k] = min(int(p), max(hu.shape[k] - 2, 0))
                    weight[k] = p - corner[k]
                value = 0.0
                for i in range(2):
                    for j in range(2):
                        for k in range(2):
                            w = (
                                (weight[0] if i else 1.0 - weight[0])
                                * (weight[1] if j else 1.0 - weight[1])
                                * (weight[2] if k else 1.0 - weight[2])
                            )
                            if w > 0.0:
                                value += w * hu[corner[0] + i, corner[1] + j, corner[2] + k]
                out_hu[a, b, c] = value if inside else np.nan
                inside = True
                near0 = near1 = near2 = 0
                for k in range(3):
                    p = start[k] + a * steps[k, 0] + b * steps[k, 1] + c * steps[k, 2]
                    if p < -0.5 or p > label.shape[k] - 0.5:
                        inside = False
                        break
                    p = min(max(p, 0.0), label.shape[k] - 1.0)
                    corner[k] = min(int(p), max(label.shape[k] - 2, 0))
                    weight[k] = p - corner[k]
                out_own[a, b, c] = 0.0
                out_canal[a, b, c] = 0.0
                out_label[a, b, c] = 0
                out_foramen[a, b, c] = False
                if not inside:
                    continue
                near0 = corner[0] + (1 if weight[0] >= 0.5 else 0)
                near1 = corner[1] + (1 if weight[1] >= 0.5 else 0)
                near2 = corner[2] + (1 if weight[2] >= 0.5 else 0)
                out_label[a, b, c] = label[near0, near1, near2]
                out_foramen[a, b, c] = part[near0, near1, near2] == _FORAMEN
                mine = 0.0
                open_ = 0.0
                for i in range(2):
                    for j in range(2):
                        for k in range(2):
                            w = (
                                (weight[0] if i else 1.0 - weight[0])
                                * (weight[1] if j else 1.0 - weight[1])
                                * (weight[2] if k else 1.0 - weight[2])
                            )
                            if w > 0.0:
                                found = label[corner[0] + i, corner[1] + j, corner[2] + k]
                                if found == own_id:
                                    mine += w
                                elif found in (_SAC, _EPIDURAL):
                                    open_ += w
                out_own[a, b, c] = mine
                out_canal[a, b, c] = open_
