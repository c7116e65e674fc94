"""From a near pose to the best one: Gauss-Newton steps on the correlation of gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.fluoro.projection.line_integrals import FloatImage
from thecal.fluoro.projection.view import Pose
from thecal.fluoro.registration.bone_model import BoneModel
from thecal.fluoro.registration.coarse_search import EDGE_MM, shadow_of
from thecal.fluoro.registration.gradients import Gradients, gradients
from thecal.fluoro.registration.patch import Patch
from thecal.fluoro.registration.steps import flow, moved, step_between
from thecal.volume import FloatArray

PROBES: Final = np.array([0.5, 0.5, 4.0, 1.0, 1.0, 1.0])
"""Steps by which the drawing is differentiated: mm, mm, mm of depth, degrees."""
FLAT: Final = (0, 1, 2, 5)
"""Those that move the drawing without changing it: shifts, depth, turns in the plane."""
LARGEST: Final = np.array([3.0, 3.0, 12.0, 4.0, 4.0, 4.0])
"""No single step is larger."""
PRIOR_SD: Final = np.array([8.0, 8.0, 8.0, 7.0, 7.0, 7.0])
"""How far from the start a pose is thought to be before looking."""
DONE: Final = np.array([0.02, 0.02, 0.3, 0.04, 0.04, 0.04])
WHOLE_EDGE_MM: Final = 12.0
"""So much round the shadow is looked at where all moves with the vertebra: the next bodies' endplates."""
ODD: Final = 2.5
"""Places whose mismatch is so many times the usual count a quarter: needle, cement, another bone."""
ODD_MM: Final = 1.5


@dataclass(frozen=True, eq=False)
class Equations:
    """The last linearised problem of a fit, the scale taken out.

    Attributes
    ----------
    design : (2n, 6) float64
        Change of the drawing's gradients for a unit step of each of the six numbers.
    weight : (2n,) float64
    residual : (2n,) float64
    noise : float
        Variance of a pixel's mismatch times the pixels over which it is alike.
    shape : (int, int)
        Rows and columns of the patch, n pixels.
    """

    design: FloatArray
    weight: FloatArray
    residual: FloatArray
    noise: float
    shape: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Fit:
    """A refined pose.

    Attributes
    ----------
    pose : Pose
    score : float
        Gradient correlation over the shadow, -1 to 1.
    equations : Equations or None
        At the pose; None where nothing could be seen.
    """

    pose: Pose
    score: float
    equations: Equations | None


def refine(
    model: BoneModel,
    patch: Patch,
    start: Pose,
    *,
    blur_mm: float,
    steps: int,
    origin: Pose | None = None,
    coarse: bool = False,
    whole: bool = False,
) -> Fit:
    """Climb to the best pose near ``start``.

    With the picture's gradients f and the drawing's t at pose p, and the weights w, each step solves
    ``min sum w (f - a t - a J d)^2 / s^2 + (p + d - p0)' L (p + d - p0)`` for the scale a and the step d:
    the correlation's own ascent (Evangelidis 2008, doi 10.1109/TPAMI.2008.113), held near the start in what
    one view does not show.

    Parameters
    ----------
    model : BoneModel
    patch : Patch
    start : Pose
    blur_mm : float
        One sigma.
    steps : int
        At most so many.
    origin : Pose, optional
        What the prior is about; ``start`` by default.
    coarse : bool
        Draw from the coarse model.
    whole : bool
        Neighbours and all else move with the vertebra, and more of them is looked at: surer, and less sharp.
    """
    pixel, view = patch.pixel_mm, patch.view
    pose, gone = start, step_between(model.centre, view, origin or start, start)
    edge_mm = WHOLE_EDGE_MM if whole else EDGE_MM

    def drawn_at(at: Pose) -> tuple[FloatImage, FloatImage]:
        """What moves, and the vertebra's own drawing."""
        own = model.draw(view.of_moved(at), coarse=coarse)
        return (own + model.draw_rest(view.of_moved(at)) if whole else own), own

    drawing, own_drawing = drawn_at(pose)
    # Otherwise the rest stays where the start puts it: the vertebra alone moves against it.
    rest = np.zeros_like(drawing) if whole else model.draw_rest(view.of_moved(start))
    shadow = shadow_of(own_drawing, pixel, edge_mm) * patch.seen
    if shadow.sum() < MINIMUM:
        return Fit(pose, 0.0, None)
    picture = gradients(patch.image, pixel, blur_mm, shadow)
    drawn = gradients(drawing + rest, pixel, blur_mm, shadow)
    area = max(4.0 * np.pi * (blur_mm / pixel) ** 2, 1.0)
    prior = np.diag(1.0 / PRIOR_SD**2)
    trust, last = 1.0, False
    for number in range(steps + 1):
        weight, noise = _weights(picture, drawn, shadow, pixel)
        score = correlation(picture, drawn, weight)
        columns = []
        slope = np.stack([np.gradient(drawing, axis=0), np.gradient(drawing, axis=1)])
        for k, probe in enumerate(np.diag(PROBES)):
            if k in FLAT:
                near = drawing - (slope * flow(model.centre, view, pose, probe)).sum(0)
            else:
                near = drawn_at(moved(pose, view, model.centre, probe))[0]
            columns.append(((gradients(near + rest, pixel, blur_mm, shadow) - drawn) / PROBES[k]).ravel())
        equations = _equations(picture, drawn, np.stack(columns, 1), weight, noise * area)
        if last or number == steps:
            break
        information = equations.design.T @ (equations.design * equations.weight[:, None]) / equations.noise
        pull = equations.design.T @ (equations.weight * equations.residual) / equations.noise
        step = np.linalg.solve(information + prior, pull - prior @ gone)
        step /= max(1.0, float(np.max(np.abs(step) / LARGEST)))
        better = False
        while not better and trust > 0.1:
            trial = moved(pose, view, model.centre, trust * step)
            next_drawing, next_own = drawn_at(trial)
            if (next_own > 0).any():
                next_drawn = gradients(next_drawing + rest, pixel, blur_mm, shadow)
                better = correlation(picture, next_drawn, weight) > score - 1e-4
            if not better:
                trust /= 2.0
        if not better:
            break
        gone = gone + trust * step
        pose, drawing, drawn = trial, next_drawing, next_drawn
        shadow = (shadow_of(next_own, pixel, edge_mm) * patch.seen).astype(np.float64)
        if shadow.sum() < MINIMUM:
            return Fit(pose, 0.0, None)
        last = bool((np.abs(trust * step) < DONE).all())
        trust = min(1.0, 2.0 * trust)
    return Fit(pose, correlation(picture, drawn, shadow), equations)


def _equations(
    picture: Gradients,
    drawn: Gradients,
    columns: npt.NDArray[np.float32],
    weight: npt.NDArray[np.float64],
    noise: float,
) -> Equations:
    """The problem for a step of the pose, with the scale between picture and drawing projected out."""
    twice = np.concatenate([weight.ravel()] * 2)
    own, other = drawn.ravel().astype(float), picture.ravel().astype(float)
    size = float(twice @ own**2) + 1e-12
    scale = max(float(twice @ (own * other)) / size, 0.05)
    design = columns.astype(float)
    design = scale * (design - np.outer(own, (twice * own) @ design / size))
    return Equations(design, twice, other - scale * own, noise, (picture.shape[1], picture.shape[2]))


MINIMUM: Final = 60.0
"""Fewer pixels of shadow than this say nothing."""


def correlation(one: Gradients, other: Gradients, weight: npt.NDArray[Any]) -> float:
    """Gradient correlation under weights, -1 to 1."""
    both = float((weight * (one * other).sum(0)).sum())
    size = float((weight * (one**2).sum(0)).sum()) * float((weight * (other**2).sum(0)).sum())
    return both / float(np.sqrt(size + 1e-12))


def _weights(
    picture: Gradients, drawn: Gradients, shadow: npt.NDArray[Any], pixel_mm: float
) -> tuple[npt.NDArray[np.float64], float]:
    """Weights that fall where the mismatch around a place is odd, and the usual mismatch's variance."""
    scale = float((shadow * (picture * drawn).sum(0)).sum() / ((shadow * (drawn**2).sum(0)).sum() + 1e-12))
    left = ((picture - max(scale, 0.0) * drawn) ** 2).sum(0) / 2.0
    around = ndimage.gaussian_filter(left, ODD_MM / pixel_mm, truncate=2.0)
    usual = float(np.median(around[shadow > 0.5])) if (shadow > 0.5).any() else 1.0
    # Where the drawing is all but flat there is no mismatch, and nothing is odd.
    usual = max(usual, 1e-9)
    weight = shadow / (1.0 + (around / (ODD * usual)) ** 2) ** 2
    noise = float((weight * left).sum() / (weight.sum() + 1e-12))
    return weight, max(noise, 1e-6)
