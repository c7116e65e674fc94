"""One CT of which all was found that a comparison needs."""

from __future__ import annotations

from dataclasses import dataclass

from thecal.anatomy.spine import Spine
from thecal.assessment import Assessment
from thecal.cement.deposit_map import Cement
from thecal.errors import SpineNotFound
from thecal.leakage.findings import Leakage
from thecal.volume import Volume


@dataclass(frozen=True, eq=False)
class Scanned:
    """An assessment that found a spine."""

    volume: Volume
    spine: Spine
    cement: Cement
    leakage: Leakage

    @classmethod
    def of(cls, case: Assessment, word: str) -> Scanned:
        """The assessment of the ``word`` (earlier, later) CT.

        Raises
        ------
        SpineNotFound
            Where it found none.
        """
        if case.spine is None or case.cement is None or case.leakage is None:
            raise SpineNotFound(f"On the {word} CT: {case.not_found}")
        return cls(case.volume, case.spine, case.cement, case.leakage)
