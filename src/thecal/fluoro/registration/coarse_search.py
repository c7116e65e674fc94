"""A first look: the drawing at every turn of a small lattice, laid everywhere within reach on the picture."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
from scipy import fft, ndimage

from thecal.fluoro.projection.line_integrals import FloatImage
from thecal.fluoro.projection.view import Pose
from thecal.fluoro.registration.bone_model import BoneModel
from thecal.fluoro.registration.gradients import gradients
from thecal.fluoro.registration.patch import Patch
from thecal.fluoro.registration.steps import moved
from thecal.volume import BoolArray

PIXEL_MM: Final = 1.4
BLUR_MM: Final = 1.2
TURNS_DEG: Final = (-9.0, -4.5, 0.0, 4.5, 9.0)
FARTHEST_DEG: Final = 11.5
"""Turns of the lattice that are farther than this from the start are left out."""
EDGE_MM: Final = 2.5
"""The ring of background that belongs to a shadow's outline."""
SEARCH_EDGE_MM: Final = 12.0
"""The same in the first look: with a part of the neighbours."""
FAINTEST: Final = 0.05
"""Of the drawing's 98th percentile: what is fainter is no shadow."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A pose with the gradient correlation of its place, -1 to 1."""

    pose: Pose
    score: float


def shadow_of(drawing: FloatImage, pixel_mm: float, edge_mm: float = EDGE_MM) -> BoolArray:
    """Pixels of the vertebra's shadow with the ring round it."""
    lit = (
        drawing > FAINTEST * np.percentile(drawing[drawing > 0], 98.0) if (drawing > 0).any() else drawing > 0
    )
    ring = 2 * max(round(edge_mm / pixel_mm), 1) + 1
    wide: BoolArray = ndimage.maximum_filter(lit.view(np.uint8), ring, mode="constant") > 0
    return wide


def search(
    model: BoneModel, patch: Patch, start: Pose, *, reach_mm: float, turns_deg: tuple[float, ...] = TURNS_DEG
) -> list[Candidate]:
    """The best place at each turn, best first.

    The correlation of gradients (Penney 1998, doi 10.1109/42.730403) at every shift at once by FFT:
    ``sum t(x) f(x + d)`` over ``sqrt(sum t(x)^2 sum m(x) f(x + d)^2)`` with the drawing's gradients t, its
    shadow m and the picture's gradients f.

    Parameters
    ----------
    model : BoneModel
    patch : Patch
        Reaching ``reach_mm`` beyond the shadow, pixels of about ``PIXEL_MM``.
    start : Pose
    reach_mm : float
    turns_deg : tuple of float
        Of the lattice, about each axis of the view.
    """
    picture = gradients(patch.image, patch.pixel_mm, BLUR_MM, patch.seen) * patch.seen
    shape = [fft.next_fast_len(2 * n, real=True) for n in patch.image.shape]
    spectrum = fft.rfft2(picture, shape)
    power = fft.rfft2((picture**2).sum(0), shape)
    reach = int(np.ceil(reach_mm / patch.pixel_mm))
    rows = np.r_[-reach : reach + 1]
    window = np.ix_(rows % shape[0], rows % shape[1])
    near = np.hypot(*np.meshgrid(rows, rows, indexing="ij")) * patch.pixel_mm <= reach_mm
    found = []
    for turn in product(turns_deg, repeat=3):
        if np.linalg.norm(turn) > FARTHEST_DEG:
            continue
        pose = moved(start, patch.view, model.centre, [0.0, 0.0, 0.0, *turn])
        drawing = model.draw(patch.view.of_moved(pose), coarse=True)
        if not (drawing > 0).any():
            continue
        shadow = shadow_of(drawing, patch.pixel_mm, SEARCH_EDGE_MM).astype(np.float32)
        drawing = drawing + model.draw_rest(patch.view.of_moved(pose))
        drawn = gradients(drawing, patch.pixel_mm, BLUR_MM, shadow) * shadow
        # One transform of both kinds is enough: correlation is linear.
        both = fft.irfft2((np.conj(fft.rfft2(drawn, shape)) * spectrum).sum(0), shape)[window]
        under = fft.irfft2(np.conj(fft.rfft2(shadow, shape)) * power, shape)[window]
        own = float((drawn**2).sum())
        score = np.where(near, both / np.sqrt(np.maximum(under, 0.2 * own) * own + 1e-12), -1.0)
        best = np.unravel_index(int(np.argmax(score)), score.shape)
        shift = np.array([rows[best[1]], rows[best[0]]]) * patch.pixel_mm
        found.append(
            Candidate(moved(pose, patch.view, model.centre, [*shift, 0.0, 0.0, 0.0, 0.0]), float(score[best]))
        )
    return sorted(found, key=lambda c: -c.score)
