"""How cement fills a vertebral body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from thecal.anatomy.spine import Vertebra
from thecal.leakage.body import STEP_MM, Body
from thecal.volume import FloatArray

ENDPLATE_MM: Final = 2.0
"""Cement this near an endplate touches it: half a millimetre of bony endplate and the label's error."""
ENDPLATE_AREA_MM2: Final = 15.0
REACHED_MM3: Final = 30.0
"""Cement in the posterior third below this may be the middle third's edge on a third's border."""


@dataclass(frozen=True)
class Fill:
    """Cement in one body; shares are of the body's cement and None where it holds none."""

    body_cement_mm3: float
    fill_fraction: float
    anterior: float | None
    middle: float | None
    posterior: float | None
    posterior_third_reached: bool
    upper_endplate_touched: bool
    lower_endplate_touched: bool
    left: float | None


def fill_of(vertebra: Vertebra, body: Body, points: FloatArray, volume_mm3: npt.NDArray[np.float64]) -> Fill:
    """The fill of one body.

    Thirds are of the depth from the anterior to the posterior wall along the vertebra's own anterior axis, in
    the middle half of the width; shares sum to 1. Left and right are of the frame's midline.

    Parameters
    ----------
    points : (n, 3) float64
        LPS mm of the cement voxels given to this body.
    volume_mm3 : (n,) float64
        Cement in each.
    """
    total = float(volume_mm3.sum())
    if total <= 0:
        return Fill(0.0, 0.0, None, None, None, False, False, False, None)
    local = vertebra.frame.to_local(points)
    depth = (local[:, 1] - body.posterior_mm) / body.depth_mm
    posterior = float(volume_mm3[depth < 1 / 3].sum())
    anterior = float(volume_mm3[depth >= 2 / 3].sum())
    column = (
        np.clip(np.rint((local[:, 0] - body.left[0]) / STEP_MM), 0, len(body.left) - 1).astype(int),
        np.clip(np.rint((local[:, 1] - body.anterior[0]) / STEP_MM), 0, len(body.anterior) - 1).astype(int),
    )
    # Only columns away from the rim, where the surface is an endplate and not a side wall.
    interior = (
        np.isfinite(body.top[column])
        & (depth > 0.08)
        & (depth < 0.92)
        & (np.abs(local[:, 0] - (body.left_mm + body.right_mm) / 2) < 0.46 * (body.left_mm - body.right_mm))
        & (volume_mm3 > 0.3 * volume_mm3.max())
    )
    touched = [
        _area(column, interior & near, body.top.shape) >= ENDPLATE_AREA_MM2
        for near in (
            body.top[column] - local[:, 2] <= ENDPLATE_MM,
            local[:, 2] - body.bottom[column] <= ENDPLATE_MM,
        )
    ]
    return Fill(
        body_cement_mm3=total,
        fill_fraction=float(min(total / body.volume_mm3, 1.0)),
        anterior=anterior / total,
        middle=1.0 - (anterior + posterior) / total,
        posterior=posterior / total,
        posterior_third_reached=posterior >= max(REACHED_MM3, 0.01 * total),
        upper_endplate_touched=touched[0],
        lower_endplate_touched=touched[1],
        left=float(volume_mm3[local[:, 0] > 0].sum()) / total,
    )


def _area(
    column: tuple[npt.NDArray[np.int_], npt.NDArray[np.int_]],
    chosen: npt.NDArray[np.bool_],
    shape: tuple[int, ...],
) -> float:
    """Area in mm2 of the chosen voxels seen along the cranial axis, on 3 mm cells so that no gap counts."""
    cells = 4
    coarse = np.unique((column[0][chosen] // cells) * (shape[1] // cells + 1) + column[1][chosen] // cells)
    return len(coarse) * (cells * STEP_MM) ** 2
