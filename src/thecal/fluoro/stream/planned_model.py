"""The picture model of a planned vertebra: laid over the first picture, then watched."""

from __future__ import annotations

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
        # What cannot be is said before the first picture.
        shape = geometry.shape if geometry is not None else USUAL.shape
        self.assumed = standing(target, options, geometry, shape).assumed

    def see(self, frame: Frame) -> Reading:
        """What is seen on this picture."""
        if self._monitor is None:
            self._monitor = self._begun(frame)
        return self._monitor.see(frame)

    def _begun(self, frame: Frame) -> PictureModel:
        """The monitor from this picture on; it says itself why the vertebra is not found."""
        from thecal.fluoro.front.monitor import Monitor

        return Monitor(self._target, self._view(frame), posterior=self._options.posterior)

    def _view(self, frame: Frame) -> View:
        rows, columns = frame.pixels.shape
        return standing(self._target, self._options, self._geometry, (rows, columns)).view
