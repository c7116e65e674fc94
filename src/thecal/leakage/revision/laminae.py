"""Which laminae lie over a stretch of the canal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from thecal.anatomy.spine import Part, Spine
from thecal.leakage.levels import Levels
from thecal.leakage.revision.plan_value import Lamina

DORSAL_RAD: Final = np.radians(140.0)
"""From this angle to either side of the back, bone behind the canal is lamina and not pedicle or joint."""
THICK_MM: Final = 8.0
"""A lamina is no thicker; what lies farther back is spinous process."""
ENDS_PERCENTILE: Final = 3.0
FEWEST_MM3: Final = 150.0
"""Less bone than this behind the canal is no lamina seen."""
USUAL_MM: Final = (-16.0, 4.0)
"""Below and above the middle of the body's posterior wall, where the lamina was not seen. A choice of ours:
the lamina stands behind the lower half of its body and reaches to the disc below."""


def laminae_over(
    spine: Spine, levels: Levels, stretches: Sequence[tuple[float, float]]
) -> tuple[Lamina, ...]:
    """The laminae over stretches of the canal, caudal to cranial.

    A stretch that lies wholly between two laminae takes the nearer one, since the window between them is
    covered by it in part.

    Parameters
    ----------
    spine : Spine
    levels : Levels
    stretches : sequence of (from, to)
        Along the canal, mm, margins included.
    """
    known = _all_laminae(spine, levels)
    covered: dict[int, float] = {}
    for low, high in stretches:
        over = [i for i, a in enumerate(known) if a.from_mm < high and a.to_mm > low]
        if not over and known:
            middle = (low + high) / 2
            over = [
                min(range(len(known)), key=lambda i: abs((known[i].from_mm + known[i].to_mm) / 2 - middle))
            ]
        for i in over:
            covered.setdefault(i, 0.0)
    opened = []
    for i in sorted(covered):
        lamina = known[i]
        inside = np.zeros(200, bool)
        at = np.linspace(lamina.from_mm, lamina.to_mm, 200)
        for low, high in stretches:
            inside |= (at >= low) & (at <= high)
        opened.append(
            Lamina(
                lamina.level,
                lamina.vertebra_id,
                lamina.from_mm,
                lamina.to_mm,
                float(inside.mean()),
                lamina.measured,
            )
        )
    return tuple(opened)


def _all_laminae(spine: Spine, levels: Levels) -> list[Lamina]:
    canal = spine.canal
    found = []
    for vertebra, middle in zip(levels.vertebrae, levels.s_mm, strict=True):
        near = spine.grid.box_around(
            vertebra.frame.to_lps([[x, y, z] for x in (-20, 20) for y in (-40, 0) for z in (-40, 25)]), 0.0
        )
        bone = np.argwhere((spine.labels[near] == vertebra.id) & (spine.parts[near] == Part.ARCH))
        ends: tuple[float, float] | None = None
        if len(bone):
            points = spine.grid.to_lps(bone + np.array([part.start for part in near]))
            s, theta, r = canal.frame.locate(points)
            wall = canal.wall_mm[canal.frame.index(s), _column(canal.theta, theta)]
            lamina = (np.abs(theta) >= DORSAL_RAD) & (r < wall + THICK_MM)
            if lamina.sum() * spine.grid.voxel_mm3 >= FEWEST_MM3:
                low, high = np.percentile(s[lamina], (ENDS_PERCENTILE, 100 - ENDS_PERCENTILE))
                ends = (float(low), float(high))
        measured = ends is not None
        low_mm, high_mm = ends or (float(middle) + USUAL_MM[0], float(middle) + USUAL_MM[1])
        found.append(Lamina(vertebra.level, vertebra.id, low_mm, high_mm, 0.0, measured))
    return found


def _column(grid: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """Index of the nearest angle of an even grid from -pi."""
    step = 2 * np.pi / len(grid)
    column: np.ndarray = np.rint((theta - grid[0]) / step).astype(int) % len(grid)
    return column
