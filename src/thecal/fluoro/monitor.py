"""The picture model: what each frame of an injection shows of the cement, and how loud to say it."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.fluoro.alarms import STOP_AT, Alarms, Posterior
from thecal.fluoro.anatomy_on_picture import Regions, regions, toward
from thecal.fluoro.baseline import Baseline, BaselineBuilder, smooth, without_overlays
from thecal.fluoro.frame import Frame
from thecal.fluoro.front import Front, find_front
from thecal.fluoro.in_plane import STILL, Move, Reference, coarse_shift, on_frame
from thecal.fluoro.leaks import find_leaks
from thecal.fluoro.log_picture import BIN, FloatImage, brightest, log_picture
from thecal.fluoro.needle_on_picture import NeedleSeen, find_needle
from thecal.fluoro.new_cement import CementFinder
from thecal.fluoro.outlines import outlines
from thecal.fluoro.projection.view import Pose, View
from thecal.fluoro.reading import Level, Reading
from thecal.fluoro.target import Target
from thecal.volume import BoolArray

LIKENESS_SHARE: Final = 0.5
"""The vertebra is lost where a picture is less like the baseline than this share of what baseline pictures were."""
LEAST_LIKENESS: Final = 0.25
"""Below this even the baseline's own pictures cannot be laid on each other."""
AROUND_MM: Final = 30.0
"""Cement is looked for so far from the body."""
LAID_BY_MM: Final = 6.0
"""Pictures are laid on each other by the vertebra, its discs and so much round them."""
BESIDE_CEMENT_PX: Final = 4
"""Pixels so near to cement have no say in where the vertebra lies."""
APART_UP_MM: Final = 8.0
"""Above and below the body, cement away from other is looked for so far."""
FROZEN_S: Final = 1.0
GROWTH_S: Final = 1.0


class Monitor:
    """Watches one injection.

    Parameters
    ----------
    target : Target
    view : View
        The C-arm as the source states it, on the frames' own pixels.
    posterior : "third" or "quarter"
        Where injection stops.
    fps : float, optional
        Not needed; frames carry their time.
    pose : Pose, optional
        How the patient lies against the CT, where it is known; otherwise she is taken to lie as in the CT.
    """

    def __init__(
        self,
        target: Target,
        view: View,
        *,
        posterior: Posterior = "third",
        fps: float | None = None,
        pose: Pose | None = None,
    ) -> None:
        self.target, self.view, self.fps = target, view, fps
        self._pose = pose or Pose.still()
        self._posterior: Posterior = posterior
        self._small = view.of_moved(self._pose).binned(BIN)
        self._regions: Regions = regions(target, self._small)
        self._weights = _laid_by(self._regions)
        self._builder = BaselineBuilder(self._weights)
        self._baseline: Baseline | None = None
        self._reference: Reference | None = None
        self._finder: CementFinder | None = None
        self._needles: list[NeedleSeen] = []
        self._alarms = Alarms(posterior)
        self._top = 0.0
        self._move = STILL
        self._last: Frame | None = None
        self._changed_s = 0.0
        self._areas: list[tuple[float, float]] = []

    @property
    def regions(self) -> Regions:
        """The vertebra's parts on the (binned) reference."""
        return self._regions

    def see(self, frame: Frame) -> Reading:
        """Read a frame."""
        trouble = self._trouble(frame)
        if trouble:
            return self._lost(frame, trouble)
        self._last = frame
        if not self._top:
            self._top = brightest(frame.pixels)
        picture = smooth(log_picture(frame.pixels, self._top))
        if self._baseline is None:
            return self._before(frame, picture)
        move = self._lay(picture)
        if move is None:
            return self._lost(frame, "The vertebra is not found on this picture.")
        self._move = move
        return self._read(frame, picture, move)

    def _trouble(self, frame: Frame) -> str:
        """Why a frame cannot be read at all; empty where it can."""
        if frame.pixels.shape != self.view.shape:
            return f"The picture has {frame.pixels.shape[0]} x {frame.pixels.shape[1]} pixels, not those of the C-arm."
        low, high = np.percentile(frame.pixels[::8, ::8], (2, 98))
        if high - low < 0.02 * max(float(high), 1.0) or high <= 1:
            return "The picture shows nothing."
        if self._last is not None:
            if frame.time_s < self._last.time_s:
                return "The picture is older than the one before."
            if np.array_equal(frame.pixels, self._last.pixels):
                if frame.time_s - self._changed_s > FROZEN_S:
                    return "The picture stands still: the source repeats it."
                return ""
        self._changed_s = frame.time_s
        return ""

    def _before(self, frame: Frame, picture: FloatImage) -> Reading:
        """Baseline: nothing can be said yet."""
        if not self._builder.add(picture, _clipped(frame), frame.time_s):
            return self._lost(frame, "Taking the picture before cement: do not inject yet.")
        self._baseline = self._builder.done()
        baseline = self._baseline
        if baseline.likeness < LEAST_LIKENESS:
            self._baseline = None
            return self._lost(frame, "The vertebra cannot be followed: the pictures show too little of it.")
        self._reference = Reference(baseline.picture, self._weights)
        self._needles = [
            find_needle(baseline.picture, needle, self._small, self._regions.pixel_mm)
            for needle in self.target.needles
        ]
        blind = np.zeros(baseline.picture.shape, bool)
        for needle in self._needles:
            blind |= needle.mask
        reach = AROUND_MM / self._regions.pixel_mm
        within = ndimage.distance_transform_edt(~self._regions.body) <= reach
        tip = self._needles[0].tip_px if self._needles else None
        self._finder = CementFinder(
            baseline, blind, within, self._apart(), tip, self._regions.pixel_mm
        )
        self._move = self._builder.move
        return self._lost(frame, "The picture before cement is taken.")

    def _apart(self) -> BoolArray:
        """Where cement may come to light away from other: body, canal, foramina and discs at its height."""
        found = self._regions
        height = np.abs(found.up_mm[found.body]).max(initial=12.0)
        parts = (found.canal_mm > 1.0) | (found.foramen_mm > 1.0) | (found.above_mm > 1.0) | (found.below_mm > 1.0)
        apart: BoolArray = found.body | (parts & (np.abs(found.up_mm) < height + APART_UP_MM))
        return apart

    def _lay(self, picture: FloatImage) -> Move | None:
        """The vertebra's place on a picture, or None."""
        assert self._baseline is not None and self._reference is not None and self._finder is not None
        self._reference.weights = self._clear(self._finder.thick)
        least = max(LIKENESS_SHARE * self._baseline.likeness, 0.15)
        move = self._reference.lay(picture, self._move, self._baseline.scale)
        if move.likeness >= least:
            return move
        shift = coarse_shift(self._baseline.picture, picture, self._weights)
        matrix = np.hstack([np.eye(2), shift[:, None]])
        again = self._reference.lay(picture, Move(matrix), 4.0 * self._baseline.scale)
        return again if again.likeness >= least else None

    def _clear(self, cement: BoolArray) -> FloatImage:
        """Weights with cement and its blur left out."""
        near = ndimage.maximum_filter(cement.view(np.uint8), 2 * BESIDE_CEMENT_PX + 1)
        return np.where(near > 0, np.float32(0.0), self._weights)

    def _read(self, frame: Frame, picture: FloatImage, move: Move) -> Reading:
        assert self._baseline is not None and self._reference is not None and self._finder is not None
        change = self._baseline.picture - move.lay(picture)
        change = without_overlays(change, self._baseline, self._reference.weights)
        cement = self._finder.update(change, frame.time_s)
        front = find_front(cement, self._regions, self.target.depth_mm)
        leaks = find_leaks(cement, self._regions, self.target.depth_mm)
        alarm = self._alarms.say(frame.time_s, front, tuple(leaks))
        area = float(cement.sum()) * self._regions.pixel_mm**2
        return Reading(
            frame.number,
            frame.time_s,
            alarm.level,
            alarm.why,
            view=self._regions.toward,
            front=None if front is None else front.share,
            to_posterior_wall_mm=None if front is None else front.to_posterior_wall_mm,
            area_mm2=area,
            growth_mm2_s=self._growth(frame.time_s, area),
            leaks=tuple(leaks),
            outlines=outlines(
                self._regions, self.target, self._needles, front, leaks, move, STOP_AT[self._posterior]
            ),
            cement=on_frame(move, cement, self.view.shape, BIN),
            also=alarm.also,
        )

    def _growth(self, time_s: float, area: float) -> float | None:
        """mm2 in a second, over about the last."""
        self._areas.append((time_s, area))
        while len(self._areas) > 2 and self._areas[1][0] < time_s - GROWTH_S:
            self._areas.pop(0)
        first_s, first = self._areas[0]
        return None if time_s <= first_s else (area - first) / (time_s - first_s)

    def _lost(self, frame: Frame, why: str) -> Reading:
        level: Level = "lost"
        return Reading(frame.number, frame.time_s, level, why, view=self._regions.toward)


def _laid_by(found: Regions) -> FloatImage:
    """Weights by which pictures are laid on each other."""
    near = (found.vertebra_mm > 1.0) | (found.above_mm > 1.0) | (found.below_mm > 1.0)
    grown = ndimage.binary_dilation(near, iterations=max(1, round(LAID_BY_MM / found.pixel_mm)))
    return grown.astype(np.float32)


def _clipped(frame: Frame) -> BoolArray:
    """Pixels (binned) at an end of the display's range."""
    top = frame.pixels.max()
    at_end: npt.NDArray[np.bool_] = (frame.pixels <= 0) | (frame.pixels >= top)
    rows, columns = at_end.shape[0] // BIN * BIN, at_end.shape[1] // BIN * BIN
    part = at_end[:rows, :columns]
    clipped: BoolArray = part[0::2, 0::2] & part[1::2, 1::2]
    return clipped


__all__ = ["Monitor", "toward"]
