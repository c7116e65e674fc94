"""How thick a pedicle is at its narrowest: the room for a screw."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

import cc3d
import numpy as np
from scipy import ndimage

from thecal.anatomy.spine import Part, Spine, Vertebra
from thecal.leakage.pedicles import SLAB_MM, Pedicle, pedicles
from thecal.leakage.revision.plan_value import PedicleSize
from thecal.terms import Side
from thecal.volume import BoolArray

BEHIND_MM: Final = (-2.0, -9.0)
"""Behind the middle of the posterior wall, where all of the arch is pedicle; the narrowest plane counts."""
STEP_MM: Final = 0.4
ACROSS_MM: Final = (3.0, 27.0)
UP_MM: Final = (-14.0, 16.0)
LEAST_MM2: Final = 12.0
"""The slightest pedicles (T5: 4 by 8 mm) hold 25 mm2; half of it is a remnant."""
OTHER_BONE: Final = 1.5
"""So many times as wide as the neighbours' on that side, a section holds a rib's head or a joint as well:
published mean widths grow from one level to the next by a factor of 1.4 at most (Zindrick 1987, L4 to L5)."""
PART_SEEN: Final = 1.5
"""So many times as low as both neighbours' on that side, a section holds a part of the pedicle: published
mean heights differ from one level to the next by a factor of 1.3 at most (Zindrick 1987, from memory)."""
MOST_HIDDEN: Final = 0.05
"""With more of the section under cement or metal its border is not that of bone."""


def pedicle_sizes(spine: Spine, vertebra: Vertebra, hidden: BoolArray) -> tuple[PedicleSize, PedicleSize]:
    """Outer width and height of the left and the right pedicle.

    Each plane parallel to the posterior wall gives a section. Its width is that of the largest circle in it,
    its height that of the bone above and below the circle's middle: what else of the vertebra or of a rib
    hangs on the section, as transverse processes and joints of ribs do, changes neither much.

    Parameters
    ----------
    spine : Spine
    vertebra : Vertebra
    hidden : (z, y, x) bool
        Cement and metal in the spine's crop.
    """
    left: Side = "left"
    right: Side = "right"
    return (_one(spine, vertebra, left, 1.0, hidden), _one(spine, vertebra, right, -1.0, hidden))


def sizes_of(
    spine: Spine, vertebrae: Sequence[Vertebra], ids: Collection[int], hidden: BoolArray
) -> tuple[PedicleSize, ...]:
    """The pedicles of the vertebrae ``ids``, each held against those of its neighbours.

    Parameters
    ----------
    spine : Spine
    vertebrae : sequence of Vertebra
        All of the scan, caudal to cranial.
    ids : collection of int
    hidden : (z, y, x) bool
        Cement and metal in the spine's crop.
    """
    wanted = [i for i, v in enumerate(vertebrae) if v.id in ids]
    near = {j for i in wanted for j in (i - 1, i, i + 1) if 0 <= j < len(vertebrae)}
    raw = {i: pedicle_sizes(spine, vertebrae[i], hidden) for i in sorted(near)}
    nz, ny, nx = spine.labels.shape
    everywhere = (slice(0, nz), slice(0, ny), slice(0, nx))
    middles = pedicles(spine, hidden, everywhere) if wanted else {}
    found = []
    for i in wanted:
        for k, size in enumerate(raw[i]):
            beside = [raw[j][k].width_mm for j in (i - 1, i + 1) if j in raw]
            known = [width for width in beside if width is not None]
            if size.width_mm is not None and known and size.width_mm > OTHER_BONE * max(known):
                size = replace(size, width_mm=None, height_mm=None)
            tall = [raw[j][k].height_mm for j in (i - 1, i + 1) if j in raw]
            heights = [height for height in tall if height is not None]
            if size.height_mm is not None and heights and PART_SEEN * size.height_mm < min(heights):
                size = replace(size, width_mm=None, height_mm=None)
            middle = middles.get((size.vertebra_id, 1 - 2 * k))
            found.append(replace(size, at_mm=_middle(vertebrae[i], middle)))
    return tuple(found)


def _middle(vertebra: Vertebra, pedicle: Pedicle | None) -> tuple[float, float, float] | None:
    """The middle of a pedicle, LPS mm."""
    if pedicle is None:
        return None
    aside, up = pedicle.centre_mm
    x, y, z = vertebra.frame.to_lps([aside, sum(SLAB_MM) / 2, up])
    return float(x), float(y), float(z)


def _one(spine: Spine, vertebra: Vertebra, side: Side, sign: float, hidden: BoolArray) -> PedicleSize:
    none = PedicleSize(vertebra.level, vertebra.id, side, None, None)
    if not vertebra.complete:
        return none
    back = np.arange(BEHIND_MM[0], BEHIND_MM[1] - STEP_MM / 2, -STEP_MM)
    aside = sign * np.arange(ACROSS_MM[0], ACROSS_MM[1], STEP_MM)
    up = np.arange(UP_MM[0], UP_MM[1], STEP_MM)
    y, x, z = np.meshgrid(back, aside, up, indexing="ij")
    points = vertebra.frame.to_lps(np.stack([x, y, z], -1))
    index = np.rint(spine.grid.to_index(points)).astype(int)
    inside: BoolArray = np.asarray(((index >= 0) & (index < np.array(spine.grid.shape))).all(-1))
    at = tuple(np.moveaxis(np.where(inside[..., None], index, 0), -1, 0))
    bone: BoolArray = np.asarray(inside & (spine.labels[at] == vertebra.id) & (spine.parts[at] == Part.ARCH))
    covered: BoolArray = np.asarray(inside & hidden[at])
    best: tuple[float, float] | None = None
    for plane, under in zip(bone, covered, strict=True):
        section = largest_section(plane)
        if float(section.sum()) * STEP_MM**2 < LEAST_MM2:
            continue
        width, height, _ = diameters(section, STEP_MM)
        if best is not None and width >= best[0]:
            continue
        if (section & under).sum() > MOST_HIDDEN * section.sum():
            return none
        best = (width, height)
    return none if best is None else PedicleSize(vertebra.level, vertebra.id, side, *best)


def largest_section(plane: BoolArray) -> BoolArray:
    """The largest connected part of a section."""
    parts = np.asarray(cc3d.connected_components(plane[None], connectivity=6))[0]
    sizes = np.bincount(parts.ravel())[1:]
    largest: BoolArray = parts == (int(np.argmax(sizes)) + 1 if len(sizes) else -1)
    return largest


def diameters(section: BoolArray, step_mm: float) -> tuple[float, float, tuple[int, int]]:
    """Diameter of the largest circle in a section, the bone's height through its middle (mm), and the middle.

    Parameters
    ----------
    section : (across, up) bool
    step_mm : float
        Of the section's raster.
    """
    inside = ndimage.distance_transform_edt(np.pad(section, 1))[1:-1, 1:-1]
    deepest = float(inside.max())
    # Of an even pedicle all of the axis is the middle of a largest circle: the middle one of them is taken.
    ridge = np.argwhere(inside >= deepest - 0.5)
    column, row = ridge[np.argmin(((ridge - ridge.mean(0)) ** 2).sum(1))]
    line = section[column]
    above, below = np.flatnonzero(~line[row:]), np.flatnonzero(~line[row::-1])
    up = int(above[0]) if len(above) else len(line) - row
    down = int(below[0]) if len(below) else row + 1
    # From a cell's middle to the middle of the nearest cell without bone: half a cell too far, each way.
    return (2 * deepest - 1) * step_mm, (up + down - 1) * step_mm, (int(column), int(row))
