"""The picture model of a planned vertebra: laid over the first picture, then watched."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from thecal.errors import InputError
from thecal.fluoro.frame import Frame
from thecal.fluoro.reading import Outline, Reading
from thecal.fluoro.sources.arrival import SourceGeometry
from thecal.fluoro.stream.coarser import coarser, factor_of, finer
from thecal.fluoro.stream.options import WatchOptions
from thecal.fluoro.stream.picture_model import PictureModel
from thecal.fluoro.stream.standing import USUAL, Standing, clicked_places, standing
from thecal.fluoro.target import MOST_SLICE_MM, Target, too_coarse

if TYPE_CHECKING:
    from thecal.fluoro.projection.view import Pose, View

NOT_FOUND: Final = ("The vertebra is not found:", "The vertebra's place")
"""How the monitor's sentences begin where the vertebra is not found on a first picture."""


class PlannedModel:
    """Reads pictures of a planned vertebra.

    On the first picture the vertebra is found from where the C-arm is said to stand; until then the level is
    ``lost``. From then on the monitor follows it.

    Parameters
    ----------
    target : Target
    options : WatchOptions
    geometry : SourceGeometry or None
    later : bool
        Whether the source may yet say how the C-arm stands.

    Attributes
    ----------
    assumed : tuple of str
        What of the C-arm nobody stated.
    overruled : tuple of str
        What of the C-arm an option says otherwise than the source.

    Raises
    ------
    InputError
        Where nobody says how the C-arm stands, it stands otherwise than the options mean, or the plan's CT
        is too coarse.
    """

    def __init__(
        self, target: Target, options: WatchOptions, geometry: SourceGeometry | None, *, later: bool = False
    ) -> None:
        fine_enough(target)
        self._target, self._options, self._geometry = put_in(target, options), options, geometry
        self._monitor: PictureModel | None = None
        self._factor = 1
        self._size_assumed: tuple[str, ...] = ()
        # Of a folder that fills, the first picture may say how the C-arm stands.
        self.assumed: tuple[str, ...] = ()
        self.overruled: tuple[str, ...] = ()
        if later and geometry is None and options.view is None and options.primary_deg is None:
            return
        # What cannot be is said before the first picture.
        shape = geometry.shape if geometry is not None else USUAL.shape
        stands = standing(target, replace(options, at=None, walls=None), geometry, shape)
        self.assumed, self.overruled = stands.assumed, stands.overruled
        if options.tip is not None:
            from thecal.fluoro.front.anatomy_on_picture import toward

            if toward(target, stands.view) == "lateral":
                raise InputError(
                    "--tip says for an AP view what a lateral one has shown; this one is lateral"
                )
        if geometry is not None:
            standing(target, options, geometry, shape)

    def see(self, frame: Frame) -> Reading:
        """What is seen on this picture."""
        shown = replace(frame, pixels=_mirrored(frame.pixels)) if self._options.flip else frame
        if self._monitor is None:
            try:
                self._monitor = self._begun(shown)
            except InputError as error:
                return Reading(frame.number, frame.time_s, "lost", f"{str(error).rstrip('.')}.")
        reading = self._monitor.see(coarser(shown, self._factor))
        if self._size_assumed and reading.level == "lost" and reading.why.startswith(NOT_FOUND):
            guessed = ", ".join(self._size_assumed)
            reading = replace(reading, why=f"{reading.why} Nobody stated, so assumed: {guessed}.")
        reading = finer(reading, self._factor, frame.pixels.shape)
        return _turned_back(reading, frame.pixels.shape[1]) if self._options.flip else reading

    def _begun(self, frame: Frame) -> PictureModel:
        """The monitor from this picture on; it says itself why the vertebra is not found."""
        from thecal.fluoro.front.monitor import Monitor

        tip, stands = self._options.tip, self._stands(frame)
        view, self._size_assumed = stands.view, stands.size_assumed
        self._factor = factor_of(view.shape)
        return Monitor(
            self._target,
            view.binned(self._factor),
            posterior=self._options.posterior,
            start=self._start(view),
            tip_behind_wall=None if tip is None else tip == "behind",
            all_in=self._options.needle is not None,
        )

    def _start(self, view: View) -> Pose | None:
        """How the vertebra lies by the walls that the user sees; None where only its place is said."""
        from thecal.fluoro.registration.clicked import pose_from_clicks

        if self._options.walls is None:
            return None
        posterior, anterior = clicked_places(self._options, view.shape)
        walls = self._target.frame.to_lps([(0.0, 0.0, 0.0), (0.0, self._target.depth_mm, 0.0)])
        # Where the pixels' size is a guess, the walls as clicked say it better.
        return pose_from_clicks(view, posterior, anterior, walls, size_known=not self._size_assumed)

    def _stands(self, frame: Frame) -> Standing:
        rows, columns = frame.pixels.shape
        return standing(self._target, self._options, self._geometry or frame.geometry, (rows, columns))


def fine_enough(target: Target) -> None:
    """Refuse a plan whose CT blurs the endplates by which a vertebra is found.

    Raises
    ------
    InputError
        Where its voxels are larger than ``MOST_SLICE_MM`` along an axis.
    """
    if too_coarse(target.grid):
        slice_mm = float(target.grid.spacing_mm.max())
        raise InputError(
            f"The plan's CT has slices of {slice_mm:.1f} mm; cement is watched on a plan from slices of "
            f"{MOST_SLICE_MM:g} mm or less"
        )


def put_in(target: Target, options: WatchOptions) -> Target:
    """The target with those of its needles that are said to be put in.

    Raises
    ------
    InputError
        Where the plan has none of that name.
    """
    if options.needle is None:
        return target
    names = ("left", "right") if options.needle == "both" else (options.needle,)
    chosen = tuple(needle for needle in target.needles if needle.name in names)
    if len(chosen) < len(names):
        held = ", ".join(needle.name for needle in target.needles if needle.name) or "none by name"
        raise InputError(f"--needle {options.needle}: the plan of {target.level} holds {held}")
    return replace(target, needles=chosen)


def _mirrored(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.ascontiguousarray(pixels[..., ::-1])


def _turned_back(reading: Reading, columns: int) -> Reading:
    """What was drawn on a mirrored picture, on the picture as it came."""

    def back(line: Outline) -> Outline:
        pixels = line.pixels.copy()
        pixels[:, 1] = columns - 1 - pixels[:, 1]
        return replace(line, pixels=pixels)

    cement = None if reading.cement is None else _mirrored(reading.cement)
    return replace(reading, outlines=tuple(back(line) for line in reading.outlines), cement=cement)
