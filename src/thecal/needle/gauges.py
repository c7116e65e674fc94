"""Sizes of needles, and which of them fits."""

from __future__ import annotations

from typing import Final

from thecal.errors import InputError
from thecal.needle.plan_value import Gauge

MEMORY: Final = "from memory, not checked against a maker's drawing"
GAUGES: Final[dict[str, Gauge]] = {
    g.name: g
    for g in (
        Gauge("10G", 3.4, 2.7, f"outer and inner diameter {MEMORY}"),
        Gauge("11G", 3.1, 2.4, f"outer diameter 3.0 to 3.2 mm, inner 2.4 mm, {MEMORY}"),
        Gauge("13G", 2.4, 1.8, f"outer and inner diameter {MEMORY}"),
        Gauge("15G", 1.8, 1.3, f"outer and inner diameter {MEMORY}"),
    )
}
"""Widest first. That these sizes are used: 11 to 13 G (Provenzano 2004 AJNR), 10 G lumbar (Anselmetti 2009),
15 G in the upper thoracic spine; their diameters differ by maker by some 0.1 mm."""
USUAL: Final = "11G"


def gauge(name: str) -> Gauge:
    """The needle of that name.

    Raises
    ------
    InputError
        Where there is none.
    """
    found = GAUGES.get(name.strip().upper())
    if found is None:
        raise InputError(f"Needle {name!r} is none of {', '.join(GAUGES)}")
    return found
