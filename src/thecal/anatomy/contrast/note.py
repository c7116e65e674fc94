"""What the report says of contrast medium in the sac: from where to where, and how bright."""

from __future__ import annotations

from itertools import groupby

import numpy as np

from thecal.anatomy.spine import Spine
from thecal.quality import QualityNote
from thecal.terms import vertebra_name
from thecal.volume import FloatArray


def contrast_note(spine: Spine) -> QualityNote | None:
    """A note where contrast medium fills the sac, or none."""
    contrast = spine.contrast
    if contrast is None:
        return None
    filled = np.isfinite(contrast.hu)
    stretches = []
    for inside, rows in groupby(range(len(filled)), key=lambda row: bool(filled[row])):
        if inside:
            held = list(rows)
            stretches.append(
                f"{_place(spine, contrast.points[held[0]])} to {_place(spine, contrast.points[held[-1]])}"
            )
    low, high = np.nanpercentile(contrast.hu, (10, 90))
    bright = f"{low:.0f} to {high:.0f} HU" if high - low > 50 else f"about {np.nanmedian(contrast.hu):.0f} HU"
    outlines = "it outlines the sac where its border is seen, and" if spine.backend == "builtin" else "it"
    return QualityNote(
        "contrast_in_sac",
        "info",
        f"Contrast medium ({bright}) is seen in the thecal sac from {'; from '.join(stretches)}: {outlines} "
        "was taken out of the scan before bone and cement were looked for. Cement in it is seen only where "
        "it is brighter than the contrast.",
    )


def _place(spine: Spine, point: FloatArray) -> str:
    """A height in words: L3, z = -804.5 mm."""
    z = f"z = {point[2]:.0f} mm"
    if not spine.vertebrae:
        return z
    near = min(spine.vertebrae, key=lambda v: abs(float((v.frame.origin - point) @ v.frame.cranial)))
    return f"{vertebra_name(near.level, near.id)} ({z})"
