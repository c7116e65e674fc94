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
from thecal.fluoro.registration.patch import patch_of
from thecal.fluoro.registration.refine import PRIOR_SD, Fit, refine
from thecal.fluoro.registration.steps import step_between
from thecal.fluoro.registration.usable import why_not
from thecal.fluoro.registration.verdict import WRONG_MM, judged
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
CANDIDATES: Final = (14, 6)
"""So many of the first look are refined, and so many of these finely."""
BESIDE_REACH_MM: Final = 9.0
BESIDE_CANDIDATES: Final = (2, 1)
NO_NEIGHBOUR_MM: Final = 1.0
"""Taken as the spread where no neighbour is on the picture, and where it is larger."""
BESIDE_TURNS: Final = (-4.5, 0.0, 4.5)
"""The same at the neighbours' places."""
INVERTED_FROM: Final = 0.55
INVERTED_LEAD: Final = 0.25
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
    check_level: bool = True,
    candidates: tuple[int, int] = CANDIDATES,
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
        Where to begin, within 10 mm and 10 degrees; by default where the CT has it.
    ignore : (rows, columns) bool, optional
        Pixels that say nothing of the bone: new cement, a needle.
    check_level : bool
        Look at the neighbours' places too, and say it is lost where the vertebra fits there as well.
    candidates : (int, int)
        So many places of the first look are refined, and so many of these finely; fewer are faster and miss
        more.
    """
    begin = start or Pose.still()
    why = why_not(frame.pixels, view.shape)
    if why:
        return lost(why, begin)
    if in_view(model, view, begin) < IN_VIEW_SHARE:
        return lost(OUTSIDE, begin)
    look = _Look(model, frame, view, ignore)
    ends = look.near(begin, REACH_MM, candidates)
    if not ends or in_view(model, view, ends[0].fit.pose) < IN_VIEW_SHARE:
        return lost(OUTSIDE, begin)
    best = ends[0]
    rivals = [
        e.fit.score
        for e in ends[1:]
        if reprojection_error_mm(model.points, view, e.fit.pose, best.fit.pose) > WRONG_MM
    ]
    evidence = {
        "score": best.fit.score,
        "middle": best.middle,
        "spread_mm": best.spread_mm,
        "used": best.fit.used,
        "lead": best.fit.score - max(rivals, default=0.0),
        "gone": _gone(model, view, begin, best.fit.pose),
    }
    if check_level:
        evidence["level_lead"] = float(np.log(look.beside(best.fit.pose) / max(best.spread_mm, 0.01)))
    error_mm, confidence, why = judged(evidence)
    if why and look.inverted(begin):
        why = INVERTED
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
    fit: Fit
    spread_mm: float
    middle: float


@dataclass(frozen=True, eq=False)
class _Look:
    """The cascade on one picture: lattice, middle, fine."""

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
        model, view, pixels = self.model, self.view, self.frame.pixels
        wide = patch_of(
            pixels,
            view,
            model.points,
            begin,
            pixel_mm=PIXEL_MM,
            margin_mm=reach_mm + 4.0,
            ignore=self.ignore,
        )
        if wide is None:
            return []
        first = []
        found = search(model, wide, begin, reach_mm=reach_mm, turns_deg=turns_deg)
        for candidate in self._apart(begin, found, candidates[0]):
            fit = self._refined(candidate.pose, begin, coarse=True, steps=4)
            if fit is not None:
                first.append(Candidate(fit[0].pose, fit[0].score))
        ends = []
        for candidate in self._apart(begin, first, candidates[1]):
            fit = self._refined(candidate.pose, begin, coarse=False, steps=4)
            # Once more with the rest drawn at the better pose.
            fit = self._refined(fit[0].pose, begin, coarse=False, steps=3) if fit is not None else None
            if fit is not None:
                ends.append(_End(*fit, candidate.score))
        return sorted(ends, key=lambda e: -self._worth(begin, e.fit.pose, e.fit.score))

    def beside(self, pose: Pose) -> float:
        """The least spread of a fit of this vertebra at its neighbours' places, mm.

        Not the correlation: a needle and cement lower it at the watched vertebra only.
        """
        best = NO_NEIGHBOUR_MM
        for way in self.model.neighbours_mm:
            there = Pose(pose.rotation, pose.shift + pose.rotation @ way)
            if in_view(self.model, self.view, there) > IN_VIEW_SHARE:
                ends = self.near(there, BESIDE_REACH_MM, BESIDE_CANDIDATES, BESIDE_TURNS)
                best = min([best, *(e.spread_mm for e in ends)])
        return best

    def inverted(self, begin: Pose) -> bool:
        """Whether the vertebra is found at once when the picture's greys are turned round."""
        wide = patch_of(
            self.frame.pixels,
            self.view,
            self.model.points,
            begin,
            pixel_mm=PIXEL_MM,
            margin_mm=REACH_MM + 4.0,
            ignore=self.ignore,
        )
        if wide is None:
            return False
        best = [
            max((c.score for c in search(self.model, patch, begin, reach_mm=REACH_MM)), default=-1.0)
            for patch in (wide, replace(wide, image=-wide.image))
        ]
        return best[1] > INVERTED_FROM and best[1] > best[0] + INVERTED_LEAD

    def _refined(self, pose: Pose, begin: Pose, *, coarse: bool, steps: int) -> tuple[Fit, float] | None:
        """A fit with the error it expects; None where there is too little to see."""
        patch = patch_of(
            self.frame.pixels,
            self.view,
            self.model.points,
            pose,
            pixel_mm=MIDDLE_PIXEL_MM if coarse else FINE_PIXEL_MM,
            margin_mm=4.0,
            ignore=self.ignore,
        )
        if patch is None:
            return None
        blur = MIDDLE_BLUR_MM if coarse else FINE_BLUR_MM
        fit = refine(self.model, patch, pose, blur_mm=blur, steps=steps, origin=begin, coarse=coarse)
        if fit.equations is None:
            return None
        spread = expected_error_mm(self.model, patch, fit.pose, covariance(fit.equations, patch.pixel_mm))
        return fit, spread

    def _worth(self, begin: Pose, pose: Pose, score: float) -> float:
        """A pose's correlation less what its distance from the start costs."""
        return score - PRIOR_COST * _gone(self.model, self.view, begin, pose)

    def _apart(self, begin: Pose, found: list[Candidate], count: int) -> list[Candidate]:
        """The worthiest that are not drawn at one place."""
        kept: list[Candidate] = []
        for candidate in sorted(found, key=lambda c: -self._worth(begin, c.pose, c.score)):
            if all(
                reprojection_error_mm(self.model.points, self.view, candidate.pose, k.pose) > APART_MM
                for k in kept
            ):
                kept.append(candidate)
            if len(kept) == count:
                break
        return kept
