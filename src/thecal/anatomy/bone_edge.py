"""What is read of bone's edges: clipped HU along rays, and the step of HU across each sample.

Cement counts as unknown: no step is read where it hides either side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from thecal.anatomy.working_grid import OUTSIDE_HU, interpolate_rays
from thecal.frames import VertebraFrame
from thecal.volume import BoolArray, FloatArray, Grid, IntArray

# Soft tissue, disc and bone; brighter or darker still says nothing more of an edge.
SIGHT_HU = (-60, 450)
# Beside cement a sample that is half hidden is half cement, and would pass for an edge.
WHOLLY_KNOWN = 0.95
# An edge is seen where at least so many samples on either side of it are known.
LEAST_SEEN = 2


@dataclass(frozen=True, eq=False)
class Sight:
    """What the bodies are read from.

    Attributes
    ----------
    hu : (z, y, x) int16
        Clipped to soft tissue and bone.
    known : (z, y, x) int16
        1 where nothing hides the voxel, else 0.
    grid : Grid
    """

    hu: IntArray
    known: npt.NDArray[np.int16]
    grid: Grid

    @classmethod
    def of(cls, hu: IntArray, missing: BoolArray, grid: Grid) -> Sight:
        """What a scan shows where nothing hides it."""
        known = (~missing & (hu > OUTSIDE_HU)).astype(np.int16)
        return cls(np.clip(hu, *SIGHT_HU).astype(np.int16), known, grid)

    def rays(
        self, frame: VertebraFrame, start: FloatArray, direction: FloatArray, at: FloatArray
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Clipped HU and knownness along local rays: start (n, 3), direction (n, 3), at (k,) mm."""
        inverse = np.linalg.inv(self.grid.affine)[:3, :3]
        axes = np.stack([frame.left, frame.anterior, frame.cranial])
        origin = self.grid.to_index(frame.to_lps(start))
        along = ((direction @ axes) @ inverse.T)[:, None]
        values = interpolate_rays(self.hu, origin, along, at)[:, 0]
        known = interpolate_rays(self.known, origin, along, at)[:, 0]
        return values, np.clip(known, 0, 1)


def step_cost(
    values: npt.NDArray[np.float32], known: npt.NDArray[np.float32], span: int
) -> npt.NDArray[np.float32]:
    """Negative rise of HU across each sample along the last axis, over ``span`` samples either side."""
    known = (known > WHOLLY_KNOWN).astype(np.float32)
    weighted = values * known
    pad = [(0, 0)] * (values.ndim - 1) + [(span, span)]
    total = np.cumsum(np.pad(weighted, pad, mode="edge"), axis=-1)
    count = np.cumsum(np.pad(known, pad, mode="edge"), axis=-1)
    n = values.shape[-1]

    def mean(first: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        t = total[..., first + span : first + span + n] - total[..., first : first + n]
        c = count[..., first + span : first + span + n] - count[..., first : first + n]
        return t / np.maximum(c, 1e-3), np.where(c >= min(LEAST_SEEN, span), c / span, 0)

    after, seen_after = mean(span - 1)
    before, seen_before = mean(0)
    step = ((after - before) * np.minimum(seen_after, seen_before))[..., :n]
    cost: npt.NDArray[np.float32] = (-step * known).astype(np.float32)
    return cost
