"""Cement of known shape in the toy canal, and the one sign that is asked for.

The toy's sac is an ellipse of 17 x 11 mm about y = 8.5 (left, back), 2.5 mm inside the canal's wall; vertebra
k's body has its middle at z = 32 k and its posterior wall at y = 0. The middle one is treated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from box_spine import CANAL_CENTRE, CANAL_X, CANAL_Y, FAT, Shape, Toy, box, toy

from thecal.leakage import find_leakage
from thecal.leakage.findings import IntraduralSign
from thecal.terms import SignName

FINE = (1.0, 0.5, 0.5)
FILL = box(-12, 12, -25, -6, 24, 40)
Z = (26.0, 38.0)


def within(shape: Shape, less: float) -> Shape:
    """The part of a shape at least ``less`` mm inside the canal's wall."""
    a, b = CANAL_X - less, CANAL_Y - less
    return lambda p: shape(p) & (np.hypot(p[..., 0] / a, (p[..., 1] - CANAL_CENTRE) / b) <= 1)


def without(shape: Shape, *holes: Shape) -> Shape:
    def left(p: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        return shape(p) & ~np.any([hole(p) for hole in holes], axis=0)

    return left


def in_sac(shape: Shape) -> Shape:
    """The part of a shape within the sac, a film of CSF away from the dura."""
    return within(shape, FAT + 0.3)


def dorsal_mass(z0: float = Z[0], z1: float = Z[1], front: float = 8.0) -> Shape:
    """Blunt cement that fills the back of the sac."""
    return in_sac(box(-20, 20, front, 20, z0, z1))


def crescent(z0: float = Z[0], z1: float = Z[1], thick: float = 2.3) -> Shape:
    """Epidural cement along the front wall of the canal, 2.3 mm thick."""
    inner = within(box(-20, 20, -1, 20, z0, z1), thick)
    return without(within(box(-20, 20, -1, 6.5, z0, z1), 0.0), inner)


def sheets(gap: float, thick: float = 1.5, count: int = 3, z0: float = Z[0], z1: float = Z[1]) -> list[Shape]:
    """Horizontal sheets one over the other in the back of the sac of a patient on her back."""
    tops = [13.2 - k * (thick + gap) for k in range(count)]
    return [in_sac(box(-4.5, 4.5, y - thick, y, z0, z1)) for y in tops]


def signs(case: Toy) -> dict[SignName, IntraduralSign]:
    found = find_leakage(case.volume, case.spine, case.cement)
    return {sign.name: sign for sign in found.signs}


def read(name: SignName, *cement: Shape, spacing: tuple[float, float, float] = FINE) -> IntraduralSign:
    return signs(toy(FILL, *cement, spacing=spacing))[name]


def thick(case: Toy) -> Toy:
    """The same scan, said to be of slices of 5 mm."""
    source = replace(case.volume.source, slice_thickness_mm=5.0)
    return replace(case, volume=replace(case.volume, source=source))


Make = Callable[..., Shape]
