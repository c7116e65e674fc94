"""The waist of a body whose edges cement hides: expected as its other side and its neighbours have it.

Smoothness alone draws a hidden waist as a straight barrel, and a waist is hollow: on cement put into real CT
it came to lie a millimetre too far out. What is expected is the mirror image of the same waist and the waists
of the next bodies, each scaled to this one where both are seen.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage

from thecal.anatomy.bodies import WAIST_STEP_MM, Body, find_waist, look_along, waist_rays
from thecal.anatomy.bone_edge import Sight
from thecal.frames import CanalFrame
from thecal.volume import BoolArray, FloatArray

# An edge is seen where the ray is seen so far to either side of it.
BESIDE_MM = 2.0
SEEN = 0.97
# A waist of which less than this share is hidden needs no help.
LEAST_HIDDEN = 0.02
NEIGHBOUR_WEIGHT = 0.7
# Scale to a reference: nearby (levels, angles), and where nothing nearby is seen by both, all over.
NEARBY = (6.0, 10.0)
ALL_OVER, ALL_OVER_WEIGHT = (50.0, 50.0), 0.01


def settle_hidden_waists(
    sight: Sight, canal: tuple[CanalFrame, FloatArray, FloatArray], bodies: list[Body]
) -> list[Body]:
    """The bodies, those partly hidden with a waist that is drawn to what their other parts lead to expect.

    Parameters
    ----------
    sight : Sight
    canal : frame, theta (m,), wall (n, m) mm
    bodies : list of Body
        Caudal to cranial.
    """
    seen = [_seen(sight, body) for body in bodies]
    settled = []
    for k, body in enumerate(bodies):
        if (seen[k] < SEEN).mean() < LEAST_HIDDEN:
            settled.append(body)
            continue
        # Mirrored: angles run from the back over the right, the front and the left.
        flip = (-np.arange(len(body.angles))) % len(body.angles)
        references = [(body.waist[:, flip], _sure(seen[k])[:, flip])]
        for n in (k - 1, k + 1):
            if 0 <= n < len(bodies):
                references.append((bodies[n].waist, NEIGHBOUR_WEIGHT * _sure(seen[n])))
        expected = _expected(body.waist, _sure(seen[k]), references)
        settled.append(replace(body, waist=find_waist(sight, body, canal, expected)[0]))
    return settled


def _seen(sight: Sight, body: Body) -> FloatArray:
    """Share 0..1 of the way across the waist (levels, angles) that nothing hides."""
    across = np.arange(-BESIDE_MM, BESIDE_MM + 1e-6, WAIST_STEP_MM)
    points = waist_rays(body, body.waist[:, :, None] + across)
    share: FloatArray = look_along(sight, points)[1].mean(axis=2)
    return share


def _sure(seen: FloatArray) -> FloatArray:
    """1 where the edge and those beside it are seen, else 0."""
    plain: BoolArray = seen > SEEN
    sure: FloatArray = ndimage.minimum_filter(plain, (1, 3), mode=("nearest", "wrap")).astype(float)
    return sure


def _expected(
    waist: FloatArray, sure: FloatArray, references: list[tuple[FloatArray, FloatArray]]
) -> FloatArray:
    """Mean of the references, each scaled to the waist where both are seen, (levels, angles) mm."""
    total, weights = np.zeros_like(waist), np.zeros_like(waist)
    for reference, weight in references:
        both = sure * weight + 1e-9
        ratio = np.log(waist / reference) * both
        top, base = np.zeros_like(waist), np.zeros_like(waist)
        for reach, share in ((NEARBY, 1.0), (ALL_OVER, ALL_OVER_WEIGHT)):
            top += share * ndimage.gaussian_filter(ratio, reach, mode=("nearest", "wrap"))
            base += share * ndimage.gaussian_filter(both, reach, mode=("nearest", "wrap"))
        total += (weight + 1e-3) * reference * np.exp(top / base)
        weights += weight + 1e-3
    return total / weights
