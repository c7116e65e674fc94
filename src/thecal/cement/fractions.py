"""The share of each voxel that is cement: the scan's blur undone within what the blur allows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from thecal.cement.blur import Weights, blurred
from thecal.volume import BoolArray

STEPS = 24


def cement_fractions(
    share: npt.NDArray[np.float32],
    clipped: BoolArray,
    support: BoolArray,
    seen: BoolArray,
    weights: Weights,
) -> npt.NDArray[np.float32]:
    """Fractions 0..1 whose blur agrees with the scan.

    Minimises the squared difference between the blurred fractions and ``share`` over the ``seen`` voxels by
    accelerated projected gradient (Beck & Teboulle 2009, doi 10.1137/080716542). A clipped voxel only says
    "at least this much", and pulls upward alone.

    Parameters
    ----------
    share : (z, y, x) float32
        (HU - background) / (pure cement - background), not held to 0..1.
    clipped : (z, y, x) bool
        Voxels at the scanner's upper limit.
    support : (z, y, x) bool
        Voxels that may hold cement.
    seen : (z, y, x) bool
        Voxels that cement, blurred, accounts for: the support and its rim.
    weights
        Of ``blur_weights``.

    Returns
    -------
    (z, y, x) float32
    """
    fraction = np.where(support, np.clip(share, 0.0, 1.0), 0.0).astype(np.float32)
    fraction[clipped & support] = 1.0
    ahead, momentum = fraction, 1.0
    for _ in range(STEPS):
        residual = blurred(ahead, weights) - share
        residual[clipped & (residual > 0)] = 0.0
        residual[~seen] = 0.0
        step = ahead - blurred(residual, weights)
        following = np.clip(step, 0.0, 1.0)
        following[~support] = 0.0
        next_momentum = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = following + np.float32((momentum - 1) / next_momentum) * (following - fraction)
        fraction, momentum = following, next_momentum
    return fraction
