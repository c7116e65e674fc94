"""The pose of the vertebra in one picture, or that it is lost."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from thecal.fluoro.frame import Frame
from thecal.fluoro.projection.view import Pose, View
from thecal.fluoro.registration.bone_model import BoneModel, reprojection_error_mm
from thecal.fluoro.registration.coarse_search import PIXEL_MM, TURNS_DEG, Candidate, search
from thecal.fluoro.registration.doubt import covariance, expected_error_mm
from thecal.fluoro.registration.patch import Patch, patch_of
from thecal.fluoro.registration.refine import PRIOR_SD, WHOLE_EDGE_MM, Fit, refine
from thecal.fluoro.registration.steps import step_between
from thecal.fluoro.registration.usable import why_not
from thecal.fluoro.registration.verdict import WRONG_MM, judged, likeness
from thecal.volume import BoolArray

REACH_MM: Final = 12.0
"""Of the first look, in the plane of the vertebra."""
MIDDLE_PIXEL_MM: Final = 1.2
MIDDLE_BLUR_MM: Final = 1.5
FINE_PIXEL_MM: Final = 0.7
FINE_BLUR_MM: Final = 0.9
APART_MM: Final = 1.2
"""Candidates that draw the vertebra nearer to each other than this are one."""
PRIOR_PLACES: Final = 40.0
"""A picture counts as about so many looks that are free of each other: what a standard deviation from the
start costs is reckoned against them."""
CANDIDATES: Final = (6, 3)
"""So many of the first look are refined, and so many of these finely."""
BESIDE_REACH_MM: Final = 9.0
BESIDE_CANDIDATES: Final = (2, 1)
BESIDE_TURNS: Final = (-4.5, 0.0, 4.5)
"""The same at the neighbours' places."""
INVERTED_FROM: Final = 0.55
INVERTED_LEAD: Final = 0.25
DOUBTFUL: Final = 0.5
"""A likeness below this may be that of a picture whose greys are turned round."""
"""Correlation of the first look with the greys turned round, and how much more than as they are."""
IN_VIEW_SHARE: Final = 0.6
"""Of the vertebra's points must lie on the picture."""


@dataclass(frozen=True, eq=False)
class Registration:
    """Where the vertebra is.

    Attributes
    ----------
    pose : Pose
        Of the vertebra, relative to the plan's CT as seen in the view: ``view.of_moved(pose)`` is the view
        of the CT at rest. Of no use where ``lost``.
    error_mm : float
        Mean reprojection error at the vertebra, in its plane, by its own estimate; infinite where nothing
        could be estimated.
    confidence : float
        0 to 1: that the true error is at most ``verdict.WRONG_MM``.
    lost : bool
    why : str
        One sentence: why it is lost; empty where it is not.
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
) -> Registration:
    """Find the vertebra's pose in a picture, and see whether it fits its neighbours' places as well.

    Parameters
    ----------
    model : BoneModel
        Of the watched vertebra (``bone_model``).
    frame : Frame
    view : View
        As the C-arm says.
    start : Pose, optional
        Where to begin, within 10 mm and 10 degrees; by default where the CT has it.
    ignore : (rows, columns) bool, optional
        Pixels that say nothing of the bone: new cement, a needle.
    """
    begin = start or Pose.still()
    why = why_not(frame.pixels, view.shape)
    if why:
        return lost(why, begin)
    if in_view(model, view, begin) < IN_VIEW_SHARE:
        return lost(OUTSIDE, begin)
    look = _Look(model, frame, view, ignore)
    ends = look.near(begin, REACH_MM, CANDIDATES)
    if not ends or in_view(model, view, ends[0].fit.pose) < IN_VIEW_SHARE:
        return lost(OUTSIDE, begin)
    best = ends[0]
    rivals = [
        e.likeness
        for e in ends[1:]
        if reprojection_error_mm(model.points, view, e.fit.pose, best.fit.pose) > WRONG_MM
    ]
    evidence = {
        "score": best.fit.score,
        "whole": best.whole,
        "spread_mm": best.spread_mm,
        "lead": best.likeness - max(rivals, default=0.0),
        "agree": best.agree,
        "moved_mm": best.moved_mm,
        "gone": _gone(model, view, begin, best.fit.pose),
        "slice_mm": model.slice_mm,
        "level_lead": best.likeness - look.beside(best.fit.pose),
    }
    error_mm, confidence, why = judged(evidence)
    if (why or best.likeness < DOUBTFUL) and look.inverted(begin):
        why, confidence = INVERTED, 0.0
    return Registration(best.fit.pose, error_mm, confidence, bool(why), why, best.fit.score, evidence)


INVERTED: Final = "The picture seems inverted: dense things are bright on it."
OUTSIDE: Final = "The vertebra lies outside the picture."


def lost(why: str, pose: Pose) -> Registration:
    """A picture in which nothing is known."""
    return Registration(pose, np.inf, 0.0, True, why)


def in_view(model: BoneModel, view: View, pose: Pose) -> float:
    """Share of the vertebra's points that are drawn on the picture."""
    at = view.project(pose.apply(model.points))
    inside = (at >= 0).all(1) & (at <= np.array(view.shape) - 1).all(1)
    return float(inside.mean())


def _gone(model: BoneModel, view: View, begin: Pose, pose: Pose) -> float:
    """Squared standard deviations of the prior between a pose and the start."""
    return float((np.square(step_between(model.centre, view, begin, pose) / PRIOR_SD)).sum())


@dataclass(frozen=True, eq=False)
class _End:
    """A pose that the cascade came to: how the vertebra fits, and how it did with all around it."""

    fit: Fit
    spread_mm: float
    whole: float
    agree: float
    moved_mm: float

    @property
    def likeness(self) -> float:
        """Both correlations as one logarithm."""
        return likeness(self.fit.score) + likeness(self.whole)


@dataclass(frozen=True, eq=False)
class _Look:
    """The cascade on one picture: lattice, the vertebra with all around it, the vertebra alone."""

    model: BoneModel
    frame: Frame
    view: View
    ignore: BoolArray | None

    def near(
        self,
        begin: Pose,
        reach_mm: float,
        candidates: tuple[int, int],
        turns_deg: tuple[float, ...] = TURNS_DEG,
    ) -> list[_End]:
        """The best poses near one, best first."""
        model = self.model
        wide = self._patch(begin, PIXEL_MM, reach_mm + 4.0)
        if wide is None:
            return []
        middle = []
        found = search(model, wide, begin, reach_mm=reach_mm, turns_deg=turns_deg)
        for candidate in self._apart(begin, found, candidates[0]):
            fit = self._with_all(candidate.pose, begin)
            if fit is not None:
                middle.append(Candidate(fit.pose, fit.score))
        ends = []
        for candidate in self._apart(begin, middle, candidates[1]):
            end = self._alone(candidate.pose, candidate.pose, 4)
            # Once more with the rest drawn at the better pose.
            end = self._alone(end[0].pose, candidate.pose, 3) if end is not None else None
            if end is not None:
                pose = end[0].pose
                away = [reprojection_error_mm(model.points, self.view, pose, c.pose) for c in middle]
                agree = float(np.mean([a < WRONG_MM for a in away]))
                moved = reprojection_error_mm(model.points, self.view, pose, candidate.pose)
                ends.append(_End(*end, candidate.score, agree, moved))
        return sorted(ends, key=lambda e: -self._worth(begin, e.fit.pose, e.likeness))

    def beside(self, pose: Pose) -> float:
        """The best likeness of a fit of this vertebra and its surroundings at its neighbours' places."""
        best = 0.0
        for way in self.model.neighbours_mm:
            there = Pose(pose.rotation, pose.shift + pose.rotation @ way)
            if in_view(self.model, self.view, there) > IN_VIEW_SHARE:
                ends = self.near(there, BESIDE_REACH_MM, BESIDE_CANDIDATES, BESIDE_TURNS)
                best = max([best, *(e.likeness for e in ends)])
        return best

    def inverted(self, begin: Pose) -> bool:
        """Whether the vertebra is found at once when the picture's greys are turned round."""
        wide = self._patch(begin, PIXEL_MM, REACH_MM + 4.0)
        if wide is None:
            return False
        best = [
            max((c.score for c in search(self.model, patch, begin, reach_mm=REACH_MM)), default=-1.0)
            for patch in (wide, replace(wide, image=-wide.image))
        ]
        return best[1] > INVERTED_FROM and best[1] > best[0] + INVERTED_LEAD

    def _with_all(self, pose: Pose, begin: Pose) -> Fit | None:
        """A coarse fit in which all moves with the vertebra."""
        patch = self._patch(pose, MIDDLE_PIXEL_MM, WHOLE_EDGE_MM + 3.0)
        if patch is None:
            return None
        fit = refine(
            self.model,
            patch,
            pose,
            blur_mm=MIDDLE_BLUR_MM,
            steps=5,
            origin=begin,
            coarse=True,
            whole=True,
        )
        return fit if fit.equations is not None else None

    def _alone(self, pose: Pose, begin: Pose, steps: int) -> tuple[Fit, float] | None:
        """A fine fit of the vertebra with the error it expects; None where there is too little to see."""
        patch = self._patch(pose, FINE_PIXEL_MM, 4.0)
        if patch is None:
            return None
        fit = refine(self.model, patch, pose, blur_mm=FINE_BLUR_MM, steps=steps, origin=begin)
        if fit.equations is None:
            return None
        spread = expected_error_mm(self.model, patch, fit.pose, covariance(fit.equations, patch.pixel_mm))
        return fit, spread

    def _patch(self, pose: Pose, pixel_mm: float, margin_mm: float) -> Patch | None:
        return patch_of(
            self.frame.pixels,
            self.view,
            self.model.points,
            pose,
            pixel_mm=pixel_mm,
            margin_mm=margin_mm,
            ignore=self.ignore,
        )

    def _worth(self, begin: Pose, pose: Pose, likeness_: float) -> float:
        """A pose's likeness less what its distance from the start costs."""
        return likeness_ - _gone(self.model, self.view, begin, pose) / PRIOR_PLACES

    def _apart(self, begin: Pose, found: list[Candidate], count: int) -> list[Candidate]:
        """The worthiest that are not drawn at one place."""
        kept: list[Candidate] = []
        for candidate in sorted(found, key=lambda c: -self._worth(begin, c.pose, likeness(c.score))):
            if all(
                reprojection_error_mm(self.model.points, self.view, candidate.pose, k.pose) > APART_MM
                for k in kept
            ):
                kept.append(candidate)
            if len(kept) == count:
                break
        return kept
