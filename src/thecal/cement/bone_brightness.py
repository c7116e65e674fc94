"""How bright this patient's own bone is: the yardstick that cement must exceed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from thecal.anatomy.spine import Part, Spine
from thecal.volume import IntArray

# Vertebral cortex and facet joints on clinical CT; outside this range the sample is not bone alone.
PLAUSIBLE_HU = (800.0, 1800.0)
USUAL_HU = 1200.0
BRIGHT_PERCENTILE = 99.7
LEAST_VOXELS = 60
# Over 44 arches of five real CTs, soft and sharp, the bright percentile was 1.6 to 2.9 times the upper
# quartile. Cement in an arch (a needle's track) moves the first far and the second little.
QUARTILE = 75.0
BRIGHT_OVER_QUARTILE = 2.8
# Healthy levels of one spine differ by less than this; a level beyond it holds cement or metal.
LEVELS_DIFFER = 1.3


def brightest_bone_hu(hu: IntArray, spine: Spine) -> float:
    """HU that this patient's vertebral bone hardly ever exceeds.

    For each vertebra the ``BRIGHT_PERCENTILE`` of its arch (facets and laminae are the densest bone of the
    spine and hold little cement), held to ``BRIGHT_OVER_QUARTILE`` times the arch's upper quartile; then the
    highest of the vertebrae that is not out of step with the others: a level full of cement, or with
    screws, is left out.

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
    if not spine.vertebrae:
        return USUAL_HU
    bright = _of_each(hu, spine.labels, spine.parts == Part.ARCH, spine)
    if len(bright) == 0:
        bright = _of_each(hu, spine.labels, spine.labels > 0, spine)
    if len(bright) == 0:
        return USUAL_HU
    # With two levels the darker one is the yardstick: the brighter one may be the treated one.
    typical = float(np.sort(bright)[(len(bright) - 1) // 2])
    in_step = [b for b in bright if b <= LEVELS_DIFFER * typical]
    return float(np.clip(max(in_step), *PLAUSIBLE_HU))


def _of_each(
    hu: IntArray, labels: npt.NDArray[np.uint16], wanted: npt.NDArray[np.bool_], spine: Spine
) -> list[float]:
    """The bright percentile of each vertebra within the wanted voxels."""
    chosen = np.flatnonzero(wanted)
    owner, value = labels.ravel()[chosen], hu.ravel()[chosen]
    result = []
    for vertebra in spine.vertebrae:
        own = value[owner == vertebra.id]
        if own.size >= LEAST_VOXELS:
            bright, upper = np.percentile(own, [BRIGHT_PERCENTILE, QUARTILE])
            result.append(float(min(bright, BRIGHT_OVER_QUARTILE * upper)))
    return result
