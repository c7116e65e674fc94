"""The picture model of a planned vertebra: laid over the first picture, then watched."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from thecal.fluoro.frame import Frame
from thecal.fluoro.reading import Reading
from thecal.fluoro.sources.arrival import SourceGeometry
from thecal.fluoro.stream.options import WatchOptions
from thecal.fluoro.stream.picture_model import PictureModel
from thecal.fluoro.stream.standing import USUAL, standing
from thecal.fluoro.target import Target

if TYPE_CHECKING:
    from thecal.fluoro.projection.view import View
    from thecal.fluoro.registration.bone_model import BoneModel


class PlannedModel:
    """Reads pictures of a planned vertebra.

    On the first picture the vertebra is found from where the C-arm is said to stand; until then the level is
    ``lost``. From then on the monitor follows it.

    Parameters
    ----------
    target : Target
    options : WatchOptions
    geometry : SourceGeometry or None

    Attributes
    ----------
    assumed : tuple of str
        What of the C-arm nobody stated.

    Raises
    ------
    InputError
        Where nobody says how the C-arm stands.
    """

    def __init__(self, target: Target, options: WatchOptions, geometry: SourceGeometry | None) -> None:
        self._target, self._options, self._geometry = target, options, geometry
        self._monitor: PictureModel | None = None
        self._bones: BoneModel | None = None
        self._error_mm: float | None = None
        # What cannot be is said before the first picture.
        shape = geometry.shape if geometry is not None else USUAL.shape
        self.assumed = standing(target, options, geometry, shape).assumed

    def see(self, frame: Frame) -> Reading:
        """What is seen on this picture."""
        if self._monitor is None:
            found = self._find(frame)
            if isinstance(found, str):
                return Reading(frame.number, frame.time_s, "lost", f"The vertebra is not found: {found}")
            self._monitor = found
        reading = self._monitor.see(frame)
        if reading.error_mm is None and reading.level != "lost":
            reading = replace(reading, error_mm=self._error_mm)
        return reading

    def _find(self, frame: Frame) -> PictureModel | str:
        """The monitor from this picture on; in words why the vertebra was not found on it."""
        from thecal.fluoro.front.monitor import Monitor
        from thecal.fluoro.registration.bone_model import bone_model
        from thecal.fluoro.registration.find import register

        view = self._view(frame)
        if self._bones is None:
            self._bones = bone_model(self._target)
        found = register(self._bones, frame, view)
        if found.lost:
            return found.why
        self._error_mm = found.error_mm
        return Monitor(self._target, view, posterior=self._options.posterior, pose=found.pose)

    def _view(self, frame: Frame) -> View:
        rows, columns = frame.pixels.shape
        return standing(self._target, self._options, self._geometry, (rows, columns)).view
