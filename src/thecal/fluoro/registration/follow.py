"""The vertebra from picture to picture: breathing, moves of the table, and finding it again."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from thecal.fluoro.frame import Frame
from thecal.fluoro.projection.view import Pose, View
from thecal.fluoro.registration.bone_model import BoneModel
from thecal.fluoro.registration.coarse_search import PIXEL_MM, search
from thecal.fluoro.registration.find import (
    IN_VIEW_SHARE,
    INVERTED,
    OUTSIDE,
    Registration,
    in_view,
    lost,
    register,
)
from thecal.fluoro.registration.patch import patch_of
from thecal.fluoro.registration.refine import ALL, Fit, refine
from thecal.fluoro.registration.usable import why_not
from thecal.volume import BoolArray

PIXEL_FOLLOW_MM: Final = 1.1
BLUR_FOLLOW_MM: Final = 1.3
IN_PLANE: Final = (0, 1, 5)
"""What breathing and the table change most: shifts along row and column, and the turn between them."""
WORSE: Final = 0.92
"""Share of the usual correlation below which all six numbers are looked at again."""
GONE: Final = 0.7
"""Share below which the vertebra is not where it was."""
JUMP_MM: Final = 20.0
"""The table may move so far between two pictures."""
RENEW: Final = 0.1
"""Weight of a picture in what is usual."""
AGAIN: Final = (4, 1)
"""Candidates of that search: a picture must not wait for long."""
PATIENCE: Final = 4
"""While it is lost, every so many pictures the whole search is made from where it was last seen."""


class Tracker:
    """Follows a registered vertebra.

    Parameters
    ----------
    model : BoneModel
    view : View
        Of all pictures.
    first : Registration
        Of a picture of the same C-arm, not lost.
    """

    def __init__(self, model: BoneModel, view: View, first: Registration) -> None:
        self._model, self._view, self._last = model, view, first
        self._error_mm = first.error_mm
        self._usual: float | None = None
        self._missed = 0

    def follow(self, frame: Frame, ignore: BoolArray | None = None) -> Registration:
        """Where the vertebra is on this picture.

        Parameters
        ----------
        frame : Frame
        ignore : (rows, columns) bool, optional
            Pixels that say nothing of the bone: new cement, a needle.
        """
        why = why_not(frame.pixels, self._view.shape)
        if why:
            self._missed += 1
            return lost(why, self._last.pose)
        if self._usual is None:
            fit = self._fit(frame, self._last.pose, ignore, ALL, 3)
            if fit is None:
                return lost(OUTSIDE, self._last.pose)
            self._usual = fit.score
        else:
            fit = self._fit(frame, self._last.pose, ignore, IN_PLANE, 2)
        if fit is None or fit.score < GONE * self._usual:
            fit = self._after_jump(frame, ignore) or fit
        if fit is not None and fit.score < WORSE * self._usual:
            fit = self._fit(frame, fit.pose, ignore, ALL, 3) or fit
        if fit is None or in_view(self._model, self._view, fit.pose) < IN_VIEW_SHARE:
            self._missed += 1
            return lost(OUTSIDE, self._last.pose)
        if fit.score < GONE * self._usual:
            return self._again(frame, ignore)
        self._missed = 0
        self._usual += RENEW * (fit.score - self._usual)
        # Less alike is less certain; the doubt of the first picture stays.
        error = self._error_mm * max(1.0, self._usual / max(fit.score, 0.05))
        self._last = replace(self._last, pose=fit.pose, score=fit.score, error_mm=error)
        return self._last

    def _fit(
        self, frame: Frame, pose: Pose, ignore: BoolArray | None, free: tuple[int, ...], steps: int
    ) -> Fit | None:
        patch = patch_of(
            frame.pixels,
            self._view,
            self._model.points,
            pose,
            pixel_mm=PIXEL_FOLLOW_MM,
            margin_mm=4.0,
            ignore=ignore,
        )
        if patch is None:
            return None
        fit = refine(self._model, patch, pose, blur_mm=BLUR_FOLLOW_MM, steps=steps, free=free)
        return fit if fit.equations is not None else None

    def _after_jump(self, frame: Frame, ignore: BoolArray | None) -> Fit | None:
        """The vertebra shifted as a whole, as by a move of the table."""
        patch = patch_of(
            frame.pixels,
            self._view,
            self._model.points,
            self._last.pose,
            pixel_mm=PIXEL_MM,
            margin_mm=JUMP_MM + 4.0,
            ignore=ignore,
        )
        if patch is None:
            return None
        found = search(self._model, patch, self._last.pose, reach_mm=JUMP_MM, turns_deg=(0.0,))
        return self._fit(frame, found[0].pose, ignore, ALL, 3) if found else None

    def _again(self, frame: Frame, ignore: BoolArray | None) -> Registration:
        """It is lost; now and then the whole search is made."""
        self._missed += 1
        turned = self._fit(replace(frame, pixels=~frame.pixels), self._last.pose, ignore, IN_PLANE, 1)
        if turned is not None and turned.score >= GONE * (self._usual or 0.0):
            return lost(INVERTED, self._last.pose)
        if self._missed % PATIENCE == 2:
            found = register(
                self._model,
                frame,
                self._view,
                self._last.pose,
                ignore=ignore,
                check_level=False,
                candidates=AGAIN,
            )
            fit = self._fit(frame, found.pose, ignore, ALL, 2) if not found.lost else None
            if fit is not None and fit.score >= GONE * (self._usual or 0.0):
                self._missed, self._last, self._error_mm = 0, replace(found, pose=fit.pose), found.error_mm
                return self._last
        return lost("The vertebra is not where it was, and not near it.", self._last.pose)
