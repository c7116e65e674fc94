"""The swap-point for anatomy: anything that turns a volume into a spine."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from thecal.anatomy.spine import Spine
from thecal.volume import Volume


@runtime_checkable
class AnatomyBackend(Protocol):
    """Finds the spine in a volume. Registered under the entry-point group ``thecal.anatomy``."""

    name: str
    version: str

    def find(self, volume: Volume) -> Spine:
        """The spine of a volume.

        Raises
        ------
        SpineNotFound
            Where the canal or the vertebrae are not found well enough to say anything.
        InputError
            Where the backend's own input (a label map, weights) cannot be used.
        """
        ...
