"""The picture model of a planned vertebra, made when the first picture shows how large pictures are."""

from __future__ import annotations

from thecal.errors import InputError
from thecal.fluoro.frame import Frame
from thecal.fluoro.options import WatchOptions
from thecal.fluoro.picture_model import PictureModel
from thecal.fluoro.reading import Reading
from thecal.fluoro.sources.arrival import SourceGeometry
from thecal.fluoro.standing import standing
from thecal.fluoro.target import Target


class PlannedModel:
    """Reads pictures by the monitor of a target.

    Parameters
    ----------
    target : Target
    options : WatchOptions
    geometry : SourceGeometry or None

    Raises
    ------
    InputError
        Where nobody says how the C-arm stands.
    """

    def __init__(self, target: Target, options: WatchOptions, geometry: SourceGeometry | None) -> None:
        self._target, self._options, self._geometry = target, options, geometry
        self._monitor: PictureModel | None = None
        shape = geometry.shape if geometry is not None else (512, 512)
        # What cannot be is said before the first picture.
        self.assumed = standing(target, options, geometry, shape).assumed
        if geometry is not None:
            self._monitor = self._made(shape)

    def see(self, frame: Frame) -> Reading:
        """What is seen on this picture."""
        if self._monitor is None:
            rows, columns = frame.pixels.shape
            self._monitor = self._made((rows, columns))
        return self._monitor.see(frame)

    def _made(self, shape: tuple[int, int]) -> PictureModel:
        from thecal.fluoro.monitor import Monitor

        view = standing(self._target, self._options, self._geometry, shape).view
        if self._geometry is not None and self._geometry.shape != shape:
            raise InputError("The pictures are not of the size that the source states")
        return Monitor(self._target, view, posterior=self._options.posterior)
