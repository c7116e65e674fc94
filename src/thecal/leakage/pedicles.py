"""Where the pedicles of each vertebra lie, also where cement hides them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from thecal.anatomy.spine import Part, Spine, Vertebra
from thecal.volume import BoolArray, Box, FloatArray

SLAB_MM: Final = (-7.5, -2.5)
"""Behind the posterior wall's middle and before the articular processes all of the arch is pedicle."""
MEDIAL_MM: Final = 4.0
LATERAL_MM: Final = 26.0
"""From the midline to the inner and the outer edge of any pedicle (L5: some 25 mm)."""
FEWEST_MM3: Final = 60.0
"""Less bone than this in the slab is a remnant: the slightest pedicles (T4, 4 x 9 mm) hold 170 mm3 of it."""
HEIGHT_MM: Final = 20.0
"""Pedicles lie no farther above or below the body's middle."""
COVERED_MM3: Final = 40.0
"""A slab with more cement and blur than this does not show its pedicle."""
HALF_WIDTH_MM: Final = (2.0, 7.0)
HALF_HEIGHT_MM: Final = (4.0, 9.0)
"""Pedicles are 4 to 16 mm wide and 8 to 17 mm high from T1 to L5."""


@dataclass(frozen=True, eq=False)
class Pedicle:
    """One pedicle's section in its vertebra's frame.

    Attributes
    ----------
    centre_mm : (2,) float64
        (left, cranial) from the middle of the posterior wall.
    half_mm : (2,) float64
        Half width and half height.
    """

    centre_mm: FloatArray
    half_mm: FloatArray


def pedicles(spine: Spine, hidden: BoolArray, box: Box) -> dict[tuple[int, int], Pedicle]:
    """The pedicles by vertebra id and side (-1 right, 1 left).

    A pedicle that cement hides is taken from the other side of its vertebra, and where that is hidden as
    well, from the nearest vertebrae that show theirs. Vertebrae cut by the scan's edge have none.

    Parameters
    ----------
    spine : Spine
    hidden : (z, y, x) bool
        In the box: cement and what it blurs into.
    box : Box
        Within the spine's crop.
    """
    hidden_at = spine.grid.crop(box).to_lps(np.argwhere(hidden & ~spine.canal_mask()[box]))
    seen: dict[tuple[int, int], Pedicle] = {}
    covered: set[tuple[int, int]] = set()
    for vertebra in spine.vertebrae:
        if not vertebra.complete:
            continue
        corners = vertebra.frame.to_lps(
            [(x, y, z) for x in (-LATERAL_MM, LATERAL_MM) for y in SLAB_MM for z in (-HEIGHT_MM, HEIGHT_MM)]
        )
        near = spine.grid.box_around(corners, 1.0)
        bone = (spine.labels[near] == vertebra.id) & (spine.parts[near] == Part.ARCH)
        start = np.array([s.start for s in near])
        voxels = np.argwhere(bone) + start
        if not len(voxels):
            continue
        local = _slab(vertebra, spine.grid.to_lps(voxels))
        under = _slab(vertebra, hidden_at)
        for side in (-1, 1):
            mine = local[:, 0] * side > 0
            if (under[:, 0] * side > 0).sum() * spine.grid.voxel_mm3 > COVERED_MM3:
                covered.add((vertebra.id, side))
            if mine.sum() * spine.grid.voxel_mm3 >= FEWEST_MM3:
                seen[vertebra.id, side] = _section(local[mine][:, [0, 2]])
    return _completed(spine, seen, covered)


def _slab(vertebra: Vertebra, points: FloatArray) -> FloatArray:
    """Those of the points (n, 3) where a pedicle may be, in the vertebra's frame."""
    local = vertebra.frame.to_local(points)
    lateral = np.abs(local[:, 0])
    within: FloatArray = local[
        (local[:, 1] > SLAB_MM[0])
        & (local[:, 1] < SLAB_MM[1])
        & (np.abs(local[:, 2]) < HEIGHT_MM)
        & (lateral > MEDIAL_MM)
        & (lateral < LATERAL_MM)
    ]
    return within


def _section(across: FloatArray) -> Pedicle:
    low, middle, high = np.percentile(across, (10, 50, 90), axis=0)
    half = (high - low) / 2 / 0.8
    limits = np.array([HALF_WIDTH_MM, HALF_HEIGHT_MM])
    return Pedicle(middle, np.clip(half, limits[:, 0], limits[:, 1]))


def _completed(
    spine: Spine, seen: dict[tuple[int, int], Pedicle], covered: set[tuple[int, int]]
) -> dict[tuple[int, int], Pedicle]:
    whole = dict(seen)
    ids = [v.id for v in spine.vertebrae]
    clean = {key: p for key, p in seen.items() if key not in covered}
    for rank, number in enumerate(ids):
        if not spine.vertebrae[rank].complete:
            continue
        for side in (-1, 1):
            if (number, side) in clean:
                continue
            if (number, -side) in clean:
                whole[number, side] = _mirrored(clean[number, -side])
                continue
            near = sorted(
                (abs(other - rank), ids[other], k)
                for other in range(len(ids))
                for k in (-1, 1)
                if (ids[other], k) in clean and abs(other - rank) <= 2
            )
            if near:
                _, other_id, k = near[0]
                model = clean[other_id, k]
                whole[number, side] = model if k == side else _mirrored(model)
    return whole


def _mirrored(pedicle: Pedicle) -> Pedicle:
    return Pedicle(pedicle.centre_mm * (-1.0, 1.0), pedicle.half_mm)
