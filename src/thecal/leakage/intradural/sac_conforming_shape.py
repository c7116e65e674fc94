"""Blunt cement whose outer border is the sac's outline, against a crescent along the bone."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.leakage.findings import IntraduralSign
from thecal.leakage.intradural.scene import Scene, sign, unread
from thecal.leakage.intradural.straight_canal import StraightCanal
from thecal.terms import SignName

NEAR_MM: Final = 1.0
NEAR_SHARE: Final = 0.5
"""Assumed here, as are the next two: half of the border lies on the outline ..."""
BLUNT: Final = 0.80
"""... and the cross-section fills this share of its convex hull: a crescent fills half to three quarters."""
RESTING_SHARE: Final = 0.25
"""Cement of whose border a larger share rests on the canal's wall follows the bone."""
TOLD_APART_MM: Final = 1.2
"""Where wall and sac are nearer to each other, no border can be said to follow one of them."""
SEEN_SHARE: Final = 0.3
"""With less of the border where the two can be told apart, the sign is not read."""
FACING: Final = 0.5
"""The border faces the dura where it lies at least this share of the way to it."""
LEAST_FACING: Final = 0.08
"""Share of all rays, about 30 degrees of each plane, on which it must."""
SOLID: Final = 0.5
LEAST_AREA_MM2: Final = 4.0
LAYERS_MM: Final = 1.6
"""Half the width of the gaps that are closed first, so that sheets count as the body they make up."""


def sac_conforming_shape(scene: Scene, canal: StraightCanal) -> IntraduralSign:
    """Share of the cement's outer border off the wall and near the sac's outline, for blunt cross-sections.

    The border is where rays from the middle of the canal leave the cement for the last time. Rays on which
    the sac's outline lies less than 1.2 mm from the bone say nothing. Looked at is cement given to the sac;
    where there is none, all cement in the canal.
    """
    name: SignName = "sac_conforming_shape"
    suspect, in_sac = scene.suspect()
    solid = suspect >= SOLID
    planes = np.flatnonzero(solid.sum((1, 2)) * canal.step_mm**2 >= LEAST_AREA_MM2)
    if not len(planes):
        return unread(name, f"On no plane does the cement cover {LEAST_AREA_MM2:g} mm².")
    met, rests, outer = scene.faces(suspect, planes)
    wall, sac = scene.wall_and_sac(planes)
    # The side that faces the dura: elsewhere the cement ends inside the sac, and that is no fit or misfit.
    hit = met & (outer >= FACING * sac)
    if hit.sum() < LEAST_FACING * hit.size:
        return sign(
            name,
            "absent",
            "The cement lies in the middle of the canal, away from the outline of the sac.",
            value=0.0,
            unit="share of the outer border",
            threshold=NEAR_SHARE,
        )
    told = hit & (wall - sac >= TOLD_APART_MM)
    if told.sum() < SEEN_SHARE * hit.sum():
        return unread(
            name, "Beside the cement the outline of the sac lies too near to the bone to tell the two apart."
        )
    off = np.abs(outer - sac)[told]
    near = float(np.average((off <= NEAR_MM) & ~rests[told], weights=outer[told]))
    resting = float(np.average(rests[told], weights=outer[told]))
    blunt = _bluntness(solid[planes], canal.step_mm)
    which = "given to the sac" if in_sac else "in the canal"
    words = (
        f"{100 * near:.0f} % of the outer border of the cement {which} lies within {NEAR_MM:g} mm of the "
        f"outline of the sac and off the wall (mean distance {off.mean():.1f} mm), {100 * resting:.0f} % "
        "rests on the wall of the canal; "
        f"the cross-section fills {100 * blunt:.0f} % of its convex hull (blunt from {100 * BLUNT:.0f} %)."
    )
    present = near >= NEAR_SHARE and blunt >= BLUNT and resting <= RESTING_SHARE
    return sign(
        name,
        "present" if present else "absent",
        words,
        value=round(near, 3),
        unit="share of the outer border",
        threshold=NEAR_SHARE,
        at_mm=scene.fullest(suspect),
    )


def _bluntness(solid: npt.NDArray[np.bool_], step_mm: float) -> float:
    """Area over that of the convex hull of the largest part on each plane, the mean over planes by area."""
    from skimage.morphology import convex_hull_image

    half = round(LAYERS_MM / step_mm)
    y, x = np.ogrid[-half : half + 1, -half : half + 1]
    disc = (x**2 + y**2 <= half**2)[None]
    closed = ndimage.binary_closing(np.pad(solid, ((0, 0), (half, half), (half, half))), disc)
    area, hull = 0.0, 0.0
    for plane in closed:
        parts, count = ndimage.label(plane, np.ones((3, 3)))
        if not count:
            continue
        largest = parts == 1 + int(np.argmax(np.bincount(parts[parts > 0])[1:]))
        area += float(largest.sum())
        hull += float(convex_hull_image(largest).sum())
    return area / hull if hull else 0.0
