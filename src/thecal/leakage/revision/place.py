"""A place along the canal in a surgeon's words: behind which part of which vertebra it lies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from thecal.leakage.levels import Levels
from thecal.terms import vertebra_name

USUAL_HEIGHT_SHARE: Final = 0.8
"""What a body takes of the pitch from one vertebra to the next, its disc taking the rest. From memory; used
only where a body's own height was not measured."""


def place_along(levels: Levels, heights_mm: Mapping[int, float | None], at_mm: float) -> str | None:
    """Such as "the lower third of L1" or "the disc below T12"; None beyond the first and the last vertebra.

    Parameters
    ----------
    levels : Levels
    heights_mm : mapping
        Height of the posterior wall by vertebra id, None where it was not measured.
    at_mm : float
        Along the canal from its caudal end.
    """
    vertebra = levels.at(at_mm)
    if vertebra is None:
        return None
    i = int(levels.index_at(at_mm))
    height = heights_mm.get(vertebra.id) or USUAL_HEIGHT_SHARE * float(
        levels.edges_mm[i + 1] - levels.edges_mm[i]
    )
    above = (at_mm - float(levels.s_mm[i])) / height
    name = vertebra_name(vertebra.level, vertebra.id)
    if above < -0.5:
        return f"the disc below {name}"
    if above > 0.5:
        return f"the disc above {name}"
    third = "upper" if above > 1 / 6 else "lower" if above < -1 / 6 else "middle"
    return f"the {third} third of {name}"
