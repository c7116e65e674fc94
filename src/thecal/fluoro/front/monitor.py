"""The picture model: what each frame of an injection shows of the cement, and how loud to say it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import ndimage

from thecal.fluoro.frame import Frame
from thecal.fluoro.front.alarms import STOP_AT, Alarms, Posterior
from thecal.fluoro.front.anatomy_on_picture import Regions, Toward, regions, toward
from thecal.fluoro.front.baseline import Baseline, BaselineBuilder, smooth, without_overlays
from thecal.fluoro.front.find_front import Front, find_front
from thecal.fluoro.front.in_plane import STILL, Move, Reference, coarse_shift, on_frame
from thecal.fluoro.front.leaks import find_leaks
from thecal.fluoro.front.log_picture import BIN, FloatImage, brightest, log_picture
from thecal.fluoro.front.looked_at import apart, beside_column, calm, laid_by, laid_mask, within_mm
from thecal.fluoro.front.medial_line import needle_rule
from thecal.fluoro.front.moved_tissue import without_moved
from thecal.fluoro.front.needle_on_picture import NeedleSeen, find_needle, needle_shadows
from thecal.fluoro.front.new_cement import CementFinder
from thecal.fluoro.front.outlines import outlines
from thecal.fluoro.front.readable import clipped, hidden
from thecal.fluoro.front.shadow_growth import ShadowGrowth
from thecal.fluoro.front.steadiness import Steadiness
from thecal.fluoro.projection.view import Pose, View
from thecal.fluoro.reading import Level, Reading
from thecal.fluoro.target import Target
from thecal.volume import BoolArray

if TYPE_CHECKING:
    from thecal.fluoro.registration.bone_model import BoneModel

LIKENESS_SHARE: Final = 0.5
"""The vertebra is lost where a picture is less like the baseline than this share of what its own were."""
LEAST_LIKENESS: Final = 0.25
"""Below this even the baseline's own pictures cannot be laid on each other."""
AROUND_MM: Final = 30.0
"""Cement is looked for so far from the body."""
BESIDE_CEMENT_PX: Final = 4
"""Pixels so near to cement have no say in where the vertebra lies."""
NEEDLE_WEIGHT: Final = 4.0
"""The needle sits in the vertebra and is seen best."""
FAR_MM: Final = 10.0
"""Cement does not come to lie over the needle so far from the body without being seen beside it."""
MOST_ERROR_MM: Final = 1.8
"""Where the registration doubts its own place by more, nothing can be said."""
FROZEN_S: Final = 1.0
ANEW_S: Final = 2.0
"""After so long without the vertebra it is registered anew, and a new baseline is taken."""
COUNTED: Final = (
    "The picture before cement is taken. Counted from this picture: cement already in is not seen."
)
AGAIN_S: Final = (0.5, 4.0)
"""A vertebra that was not found is looked for again after the first, then twice as long up to the second: a
search takes longer than a picture, and the next one shows much the same."""


@dataclass
class Place:
    """Where the vertebra lies on the first frame.

    Attributes
    ----------
    pose : Pose
    view : View
        Binned, of the CT at rest.
    regions : Regions
    weights : (rows, columns) float32
        What pictures are laid on each other by.
    builder : BaselineBuilder
    """

    pose: Pose
    view: View
    regions: Regions
    weights: FloatImage
    builder: BaselineBuilder


class Monitor:
    """Watches one injection.

    Parameters
    ----------
    target : Target
    view : View
        The C-arm as the source states it, on the frames' own pixels.
    posterior : "third" or "quarter"
        Where injection stops.
    pose : Pose, optional
        How the vertebra lies against the CT on the first frame, where it is known; otherwise it is
        registered there.
    start : Pose, optional
        Where the registration begins; by default where the CT has the vertebra.
    tip_behind_wall : bool, optional
        Whether the needle's tip is known to lie behind the posterior wall of the body (seen on a lateral
        view): on AP views it must then not be medial of the pedicle.
    all_in : bool
        Whether every needle of the target is known to be put in; otherwise any of them may be.
    """

    def __init__(
        self,
        target: Target,
        view: View,
        *,
        posterior: Posterior = "third",
        pose: Pose | None = None,
        start: Pose | None = None,
        tip_behind_wall: bool | None = None,
        all_in: bool = False,
    ) -> None:
        self.target, self.view = target, view
        self._all_in = all_in
        self.tip_behind_wall = tip_behind_wall
        self._posterior: Posterior = posterior
        self._start = start
        self._model: BoneModel | None = None
        self._error_mm: float | None = None
        self._toward: Toward = toward(target, view)
        self._place: Place | None = None
        self._baseline: Baseline | None = None
        self._reference: Reference | None = None
        self._finder: CementFinder | None = None
        self._needles: list[NeedleSeen] = []
        self._alarms = Alarms(posterior)
        self._top = 0.0
        self._move = STILL
        self._last: Frame | None = None
        self._changed_s = 0.0
        self._growth = ShadowGrowth()
        self._fronts: list[Front | None] = []
        self._not_found = ""
        self._steady = Steadiness()
        self._lost_s: float | None = None
        self._anew = False
        self._wait_s, self._again_s = AGAIN_S[0], -np.inf
        if pose is not None:
            self._put(pose)

    @property
    def regions(self) -> Regions | None:
        """The vertebra's parts on the (binned) reference; None before it is found."""
        return None if self._place is None else self._place.regions

    @property
    def error_mm(self) -> float | None:
        """The registration's own estimate of its error; None before it is found."""
        return self._error_mm

    @property
    def move(self) -> Move:
        """How the vertebra lies on the last picture against the first, on pixels of ``BIN`` each way."""
        return self._move

    def _put(self, pose: Pose) -> None:
        """The vertebra lies so on the first frame."""
        small = self.view.of_moved(pose).binned(BIN)
        found = regions(self.target, small)
        weights = laid_by(found)
        self._place = Place(pose, small, found, weights, BaselineBuilder(weights))

    def _find(self, frame: Frame) -> str:
        """Register the vertebra on a frame; empty, or why it is not found."""
        from thecal.fluoro.registration.bone_model import bone_model
        from thecal.fluoro.registration.find import register

        if self._model is None:
            self._model = bone_model(self.target)
        hidden_ = needle_shadows(frame.pixels, self.target.needles, self.view, self._start or Pose.still())
        found = register(self._model, frame, self.view, self._start, ignore=hidden_)
        if found.lost:
            return f"The vertebra is not found: {found.why.rstrip('.')}.{self._side()}"
        if found.error_mm > MOST_ERROR_MM:
            return f"The vertebra's place is known to {found.error_mm:.1f} mm only: too little for a warning."
        self._error_mm = found.error_mm
        self._put(found.pose)
        return ""

    def _side(self) -> str:
        """On AP views, from which side the vertebra was looked for: seen from the other it is mirrored."""
        if self._toward != "ap":
            return ""
        ray = self.target.frame.origin - self.view.source
        behind = float(ray @ self.target.frame.anterior) < 0.0
        place = "behind her, as she lies prone" if behind else "in front of her, as she lies supine"
        return f" The detector is taken to stand {place}."

    def see(self, frame: Frame) -> Reading:
        """Read a frame."""
        trouble = self._trouble(frame)
        if trouble:
            return self._lost(frame, trouble)
        self._last = frame
        if (self._place.regions.toward if self._place else self._toward) == "other":
            return self._lost(frame, "This view shows no depth: turn the C-arm to a lateral view.")
        if not self._top:
            self._top = brightest(frame.pixels)
        picture = smooth(log_picture(frame.pixels, self._top))
        if self._place is None and frame.time_s >= self._again_s:
            self._not_found = self._find(frame)
            self._again_s = frame.time_s + self._wait_s
            self._wait_s = min(2.0 * self._wait_s, AGAIN_S[1])
        if self._place is None:
            return self._lost(frame, self._not_found)
        if self._baseline is None:
            return self._before(frame, picture, self._place)
        if self._steady.held(picture, self._place.weights, frame.time_s):
            return self._lost(frame, "The picture stands still: it is held, or the source repeats it.")
        move = self._lay(picture)
        if move is None:
            return self._again(frame, "The vertebra is not found on this picture.")
        trouble = self._steady.other(picture, self._place.weights, move)
        if trouble:
            return self._again(frame, trouble)
        self._lost_s = None
        self._move = move
        return self._read(frame, picture, move, self._place)

    def _again(self, frame: Frame, why: str) -> Reading:
        """Lost; after a while the vertebra is looked for anew from where it was, with a new baseline."""
        if self._lost_s is None or self._place is None:
            self._lost_s = frame.time_s
        elif frame.time_s - self._lost_s >= ANEW_S:
            self._alarms.begin_anew()
            self._start = self._place.pose
            self._place = self._baseline = self._reference = self._finder = None
            self._needles, self._fronts, self._lost_s, self._top = [], [], None, 0.0
            self._growth = ShadowGrowth()
            self._steady, self._move, self._anew = Steadiness(), STILL, True
            self._wait_s, self._again_s = AGAIN_S[0], -np.inf
        return self._lost(frame, why)

    def _trouble(self, frame: Frame) -> str:
        """Why a frame cannot be read at all; empty where it can."""
        if frame.pixels.shape != self.view.shape:
            rows, columns = frame.pixels.shape
            return f"The picture has {rows} x {columns} pixels, not those of the C-arm."
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

    def _before(self, frame: Frame, picture: FloatImage, place: Place) -> Reading:
        """Baseline: nothing can be said yet."""
        dark, bright = clipped(frame.pixels)
        self._steady.learn(picture, place.weights, frame.time_s)
        if not place.builder.add(picture, dark | bright, frame.time_s):
            return self._lost(frame, "Taking the picture before cement: do not inject yet.")
        self._baseline = place.builder.done()
        baseline = self._baseline
        if baseline.likeness < LEAST_LIKENESS:
            self._baseline = None
            place.builder = BaselineBuilder(place.weights)
            self._steady = Steadiness()
            return self._lost(frame, "The vertebra cannot be followed: the pictures show too little of it.")
        self._needles = [
            find_needle(baseline.picture, needle, place.view, place.regions.pixel_mm)
            for needle in self.target.needles
        ]
        blind, core, edges = np.zeros((3, *baseline.picture.shape), bool)
        there = self._there()
        for needle in there:
            blind |= needle.mask
            if needle.sure:
                core |= needle.core
                edges |= needle.mask & ~needle.core
        # Cement in the bore changes the needle's middle; its edges stay.
        place.weights = np.where(edges, np.float32(NEEDLE_WEIGHT), place.weights)
        place.weights[core] = 0.0
        self._reference = Reference(baseline.picture, place.weights, blind)
        baseline = replace(baseline, likeness=place.builder.likeness(self._reference))
        self._baseline = baseline
        within = within_mm(place.regions, AROUND_MM)
        tips = tuple(needle.tip_px for needle in there)
        self._finder = CementFinder(
            baseline,
            blind,
            core,
            ~within_mm(place.regions, FAR_MM),
            within,
            apart(place.regions),
            tips,
            place.regions.pixel_mm,
            tuple(needle.across for needle in there),
            calm(place.regions, self.target.depth_mm),
        )
        self._move = place.builder.move
        return self._lost(frame, COUNTED)

    def _there(self) -> list[NeedleSeen]:
        """The needles that stand out; all where it is known, or where none does and any may be there."""
        seen = [needle for needle in self._needles if needle.sure]
        return self._needles if self._all_in or not seen else seen

    def _lay(self, picture: FloatImage) -> Move | None:
        """The vertebra's place on a picture, or None."""
        assert self._baseline is not None
        assert self._reference is not None
        assert self._finder is not None
        self._reference.weights = self._clear(self._finder.thick)
        least = max(LIKENESS_SHARE * self._baseline.likeness, 0.15)
        move = self._reference.lay(picture, self._move, self._baseline.scale)
        if move.likeness >= max(least, self._steady.least_likely):
            return move
        # The table may have gone: the vertebra is looked for anywhere on the picture.
        shift = coarse_shift(self._baseline.picture, picture, self._reference.weights)
        matrix = np.hstack([np.eye(2), shift[:, None]])
        again = self._reference.lay(picture, Move(matrix), 4.0 * self._baseline.scale)
        sharp = self._reference.lay(picture, again, self._baseline.scale)
        better = max(move, again, sharp, key=lambda m: m.likeness)
        return better if better.likeness >= least else None

    def _clear(self, cement: BoolArray) -> FloatImage:
        """Weights with cement and its blur left out."""
        assert self._place is not None
        near = ndimage.maximum_filter(cement.view(np.uint8), 2 * BESIDE_CEMENT_PX + 1)
        clear: FloatImage = np.where(near > 0, np.float32(0.0), self._place.weights)
        return clear

    def _read(self, frame: Frame, picture: FloatImage, move: Move, place: Place) -> Reading:
        assert self._baseline is not None
        assert self._reference is not None
        assert self._finder is not None
        change = self._baseline.picture - move.lay(picture)
        change = without_overlays(change, self._baseline, self._reference.weights)
        dark, bright = clipped(frame.pixels)
        change[laid_mask(bright, move)] = np.nan
        cement = self._finder.update(change, frame.time_s)
        beside = without_moved(
            self._finder.beside,
            beside_column(place.regions),
            self._finder.change,
            self._baseline.picture,
            self._finder.open,
        )
        # Tissue that has moved is neither drawn nor counted.
        cement = cement & ~(self._finder.beside & ~beside)
        unseen = laid_mask(dark, move) & ~cement
        readable = self._finder.open & np.isfinite(change) & ~unseen
        area = float(cement.sum()) * place.regions.pixel_mm**2
        trouble = self._growth.see(frame.time_s, area)
        if trouble:
            return self._lost(frame, trouble)
        front = self._twice_seen(find_front(beside, place.regions, self.target.depth_mm, cement))
        leaks = find_leaks(beside, place.regions, self.target.depth_mm)
        needle = needle_rule(
            self.target, place.regions, self._needles, self.tip_behind_wall, all_in=self._all_in
        )
        unjudged = needle.why if needle is not None and needle.level == "lost" else ""
        alarm = self._alarms.say(frame.time_s, front, tuple(leaks), needle)
        why = alarm.why
        blind = hidden(readable, place.regions, self.target.depth_mm)
        blind = " ".join(part for part in (blind, unjudged) if part)
        if blind and alarm.level not in ("stop", "leak"):
            # A danger that is seen is said all the same.
            return self._lost(frame, blind if alarm.level == "ok" else f"{blind} {why}")
        if blind:
            why = f"{why} {blind}"
        if place.regions.toward == "ap" and alarm.level == "ok":
            why = f"{why} This view shows no depth."
        if self._anew and alarm.level == "ok":
            why = f"{why} Counted from a new picture: cement already in is not seen."
        return Reading(
            frame.number,
            frame.time_s,
            alarm.level,
            why,
            view=place.regions.toward,
            front=None if front is None else front.share,
            to_posterior_wall_mm=None if front is None else front.to_posterior_wall_mm,
            area_mm2=area,
            growth_mm2_s=self._growth.mm2_s,
            leaks=tuple(leaks),
            error_mm=self._error_mm,
            outlines=outlines(
                place.regions, self.target, self._there(), front, leaks, move, STOP_AT[self._posterior]
            ),
            cement=on_frame(move, cement, self.view.shape, BIN),
            also=alarm.also,
        )

    def _twice_seen(self, front: Front | None) -> Front | None:
        """The front that two of the last three pictures show: what one alone shows farther back is noise."""
        self._fronts = [*self._fronts[-2:], front]
        known = sorted((f for f in self._fronts if f is not None), key=lambda f: f.share)
        return known[1] if len(known) > 1 else None

    def _lost(self, frame: Frame, why: str) -> Reading:
        level: Level = "lost"
        return Reading(frame.number, frame.time_s, level, why, view=self._toward, error_mm=self._error_mm)


__all__ = ["Monitor", "toward"]
