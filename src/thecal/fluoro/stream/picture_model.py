"""What reads one picture: the swap-point between the stream and the picture model."""

from __future__ import annotations

from typing import Protocol

from thecal.fluoro.frame import Frame
from thecal.fluoro.reading import Reading


class PictureModel(Protocol):
    """Reads pictures one after the other; what it says depends on those it was shown, and on nothing else."""

    def see(self, frame: Frame) -> Reading:
        """What is seen on this picture.

        Parameters
        ----------
        frame : Frame
            Its number is higher, and its time later, than those of the one before; its size is the same.
        """
        ...
