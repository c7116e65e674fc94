"""How bright this patient's own bone is: the yardstick that cement must exceed."""

from __future__ import annotations

import numpy as np

from thecal.anatomy.spine import Part, Spine
from thecal.volume import IntArray

# Vertebral cortex and facet joints on clinical CT; outside this range the sample is not bone alone.
PLAUSIBLE_HU = (800.0, 1700.0)
BRIGHT_PERCENTILE = 99.7
LEAST_VOXELS = 60


def brightest_bone_hu(hu: IntArray, spine: Spine) -> float:
    """HU that this patient's vertebral bone hardly ever exceeds.

    For each vertebra the ``BRIGHT_PERCENTILE`` of its arch (facets and laminae are the densest bone of the
    spine and hold little cement), then the median over the vertebrae: a level full of cement, or with
    screws, is one among several.

    Parameters
    ----------
    hu : (z, y, x) int16
        The spine's crop.
    spine : Spine

    Returns
    -------
    float
        HU, held to ``PLAUSIBLE_HU``.
    """
    bright = []
    for part in (Part.ARCH, None):
        for vertebra in spine.vertebrae:
            mask = spine.labels == vertebra.id
            if part is not None:
                mask &= spine.parts == part
            values = hu[mask]
            if values.size >= LEAST_VOXELS:
                bright.append(float(np.percentile(values, BRIGHT_PERCENTILE)))
        if bright:
            break
    if not bright:
        return 1200.0
    # With few vertebrae the treated one weighs much: lean to the darker ones.
    return float(np.clip(np.percentile(bright, 40), *PLAUSIBLE_HU))
