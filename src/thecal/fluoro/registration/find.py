"""The pose of the vertebra in one picture, or that it is lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from thecal.fluoro.frame import Frame
from thecal.fluoro.projection.view import Pose, View
from thecal.fluoro.registration.bone_model import BoneModel, reprojection_error_mm
from thecal.fluoro.registration.coarse_search import PIXEL_MM, Candidate, search
from thecal.fluoro.registration.doubt import covariance, expected_error_mm
from thecal.fluoro.registration.patch import patch_of
from thecal.fluoro.registration.refine import PRIOR_SD, refine
from thecal.fluoro.registration.steps import step_between
from thecal.volume import BoolArray

REACH_MM: Final = 12.0
"""Of the first look, in the plane of the vertebra."""
MIDDLE_PIXEL_MM: Final = 1.2
MIDDLE_BLUR_MM: Final = 1.5
FINE_PIXEL_MM: Final = 0.7
FINE_BLUR_MM: Final = 0.9
APART_MM: Final = 1.2
"""Candidates that draw the vertebra nearer to each other than this are one."""
PRIOR_COST: Final = 0.015
"""Correlation that a pose must win for each squared standard deviation that it lies from the start."""
FIRST: Final = 10
"""Candidates of the first look that are refined."""
SECOND: Final = 4
"""Of these, those that are refined finely."""


@dataclass(frozen=True, eq=False)
class Registration:
    """Where the vertebra is.

    Attributes
    ----------
    pose : Pose
        Of the vertebra, relative to the plan's CT as seen in the view: ``view.of_moved(pose)`` is the view
        of the CT at rest. Of no use where ``lost``.
    error_mm : float
        Mean reprojection error at the vertebra, in its plane, by its own estimate.
    confidence : float
        0 to 1: that the error is no more than ``find.WRONG_MM``.
    lost : bool
    why : str
        One sentence: why it is lost, or what the pose rests on.
    score : float
        Gradient correlation, -1 to 1.
    evidence : dict of str to float
        What error and confidence were reckoned from.
    """

    pose: Pose
    error_mm: float
    confidence: float
    lost: bool
    why: str
    score: float = 0.0
    evidence: dict[str, float] = field(default_factory=dict)


def register(
    model: BoneModel,
    frame: Frame,
    view: View,
    start: Pose | None = None,
    *,
    ignore: BoolArray | None = None,
    reach_mm: float = REACH_MM,
) -> Registration:
    """Find the vertebra's pose in a picture.

    Parameters
    ----------
    model : BoneModel
        Of the watched vertebra (``bone_model``).
    frame : Frame
    view : View
        As the C-arm says.
    start : Pose, optional
        Where to begin; by default where the CT has it.
    ignore : (rows, columns) bool, optional
        Pixels that say nothing of the bone: new cement, a needle.
    reach_mm : float
        How far to look for it.

    Returns
    -------
    Registration
    """
    begin = start or Pose.still()
    pixels = frame.pixels
    wide = patch_of(
        pixels, view, model.points, begin, pixel_mm=PIXEL_MM, margin_mm=reach_mm + 4.0, ignore=ignore
    )
    if wide is None:
        return lost("the vertebra lies outside the picture", begin)
    found = search(model, wide, begin, reach_mm=reach_mm)
    if not found:
        return lost("the vertebra lies outside the picture", begin)
    level_score = found[0].score
    fits = []
    for candidate in _apart(model, view, _ranked(model, view, begin, found), FIRST):
        patch = patch_of(
            pixels, view, model.points, candidate.pose, pixel_mm=MIDDLE_PIXEL_MM, margin_mm=5.0, ignore=ignore
        )
        if patch is not None:
            fits.append(
                refine(
                    model,
                    patch,
                    candidate.pose,
                    blur_mm=MIDDLE_BLUR_MM,
                    steps=4,
                    origin=begin,
                    coarse=True,
                )
            )
    ends = []
    for candidate in _apart(
        model, view, _ranked(model, view, begin, [Candidate(f.pose, f.score) for f in fits]), SECOND
    ):
        fit, pose = None, candidate.pose
        for steps in (4, 3):
            patch = patch_of(
                pixels, view, model.points, pose, pixel_mm=FINE_PIXEL_MM, margin_mm=4.0, ignore=ignore
            )
            if patch is None:
                break
            fit = refine(model, patch, pose, blur_mm=FINE_BLUR_MM, steps=steps, origin=begin)
            pose = fit.pose
        if fit is not None and patch is not None and fit.equations is not None:
            spread = expected_error_mm(model, patch, fit.pose, covariance(fit.equations, patch.pixel_mm))
            ends.append((fit, spread))
    if not ends:
        return lost("the vertebra lies outside the picture", begin)
    ends.sort(key=lambda e: -_worth(model, view, begin, e[0].pose, e[0].score))
    best, spread = ends[0]
    rival = [
        e[0].score
        for e in ends[1:]
        if reprojection_error_mm(model.points, view, e[0].pose, best.pose) > APART_MM
    ]
    evidence = {
        "score": best.score,
        "coarse": level_score,
        "middle": max(f.score for f in fits),
        "spread_mm": spread,
        "used": best.used,
        "lead": best.score - max(rival, default=0.0),
        "gone": float((np.square(step_between(model.centre, view, begin, best.pose) / PRIOR_SD)).sum()),
    }
    return Registration(best.pose, spread, 0.5, False, "", best.score, evidence)


def lost(why: str, pose: Pose) -> Registration:
    """A picture in which nothing is known."""
    return Registration(pose, np.inf, 0.0, True, why)


def _worth(model: BoneModel, view: View, begin: Pose, pose: Pose, score: float) -> float:
    """A pose's correlation less what its distance from the start costs."""
    gone = step_between(model.centre, view, begin, pose) / PRIOR_SD
    return score - PRIOR_COST * float((gone**2).sum())


def _ranked(model: BoneModel, view: View, begin: Pose, found: list[Candidate]) -> list[Candidate]:
    return sorted(found, key=lambda c: -_worth(model, view, begin, c.pose, c.score))


def _apart(model: BoneModel, view: View, found: list[Candidate], count: int) -> list[Candidate]:
    """The first of the list that are not drawn at one place."""
    kept: list[Candidate] = []
    for candidate in found:
        if all(reprojection_error_mm(model.points, view, candidate.pose, k.pose) > APART_MM for k in kept):
            kept.append(candidate)
        if len(kept) == count:
            break
    return kept
