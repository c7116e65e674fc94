"""Cement drawn back along a needle's way: a slender cast behind the body, on a line that leads into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cc3d
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.spine import Part, Spine, Vertebra
from thecal.leakage.pedicles import Pedicle, pedicles
from thecal.leakage.regions import BONE, DISC, FORAMEN, OUTSIDE, TRACK
from thecal.terms import EPIDURAL_SPACE, THECAL_SAC
from thecal.volume import BoolArray, Box, FloatArray, Grid

BEHIND_WALL_MM: Final = 2.0
"""Farther back than this behind the posterior wall's middle, cement is no longer the body's."""
MIN_LENGTH_SD_MM: Final = 2.2
"""Spread along the axis of a rod 8 mm long."""
MAX_WIDTH_SD_MM: Final = 1.9
"""Spread across the axis of a rod 5 mm wide, blurred; needles of 10 to 13 G are 2.4 to 3.4 mm."""
SLENDER: Final = 2.0
FEWEST_VOXELS: Final = 5
REACH_MM: Final = 70.0
"""From the skin side of a track to the body along its line."""
ISTHMUS_MM: Final = -6.0
"""The pedicle's narrowest place, before (here behind) the posterior wall's middle."""
SLACK_MM: Final = 1.5
"""A pedicle's section is known no better."""
STEEPEST: Final = 0.5
"""A needle runs at most 60 degrees off the vertebra's own front."""
LARGEST_SHORT_MM3: Final = 80.0
"""A rod 3.4 mm wide and 8 mm long: more cement in a pedicle, if no longer, is no needle's cast."""
FORAMEN_SHARE: Final = 0.6
"""A short cast of which more lies in what the anatomy calls foramen is foraminal."""
DEEP_IN_PEDICLE: Final = 0.25
"""Unless it lies within half the way from the pedicle's middle to its border (squared): no nerve runs there,
and the anatomy took the hidden pedicle for a gap."""
CONTACT_SHARE: Final = 0.1
"""A short cast in the pedicle that shares more of its surface with other cement is part of that."""


def mark_tracks(
    codes: npt.NDArray[np.uint16],
    fraction: npt.NDArray[np.float32],
    hidden: BoolArray,
    spine: Spine,
    box: Box,
) -> npt.NDArray[np.uint16]:
    """The codes with ``TRACK`` + id where cement is a needle's track.

    Looked at is cement behind the posterior wall in arch and pedicle, in the foramina and outside all
    regions, whichever the anatomy calls it: what hides a slight pedicle is often taken for a foramen. A
    connected part of it is a track when it is slender and its axis leads forward through an arch or a
    pedicle, not through the canal, into a body. A short cast of a needle's calibre is one when it lies in a
    pedicle and hangs on no other cement. Wider cement in a pedicle stays with its bone.

    Parameters
    ----------
    codes : (z, y, x) uint16
        Region of each cement voxel in the box, 0 elsewhere.
    hidden : (z, y, x) bool
        Cement and what it blurs into, in the box.
    """
    if not spine.vertebrae:
        return codes
    bone = (codes >= BONE) & (codes < DISC)
    voxels = np.argwhere((bone & (spine.parts[box] != Part.BODY)) | (codes == OUTSIDE) | (codes == FORAMEN))
    if not len(voxels):
        return codes
    grid = spine.grid.crop(box)
    points = grid.to_lps(voxels)
    nearest, behind = _behind(points, spine.vertebrae)
    voxels, points, nearest = voxels[behind], points[behind], nearest[behind]
    mask = np.zeros(codes.shape, np.uint8)
    mask[tuple(voxels.T)] = 1
    parts = cc3d.connected_components(mask, connectivity=26)
    own = parts[tuple(voxels.T)]
    weight = fraction[tuple(voxels.T)].astype(float)
    marked = codes.copy()
    ways = pedicles(spine, hidden, box)
    for part in range(1, int(own.max(initial=0)) + 1):
        members = own == part
        vertebra = spine.vertebrae[int(np.bincount(nearest[members]).argmax())]
        around = [ways[key] for key in ((vertebra.id, -1), (vertebra.id, 1)) if key in ways]
        in_foramen = float((codes[tuple(voxels[members].T)] == FORAMEN).mean())
        cast = _Cast.of(points[members], weight[members], grid)
        if cast is None:
            continue
        room = DEEP_IN_PEDICLE if in_foramen > FORAMEN_SHARE else 1.0
        short = (
            weight[members].sum() * grid.voxel_mm3 <= LARGEST_SHORT_MM3
            and any(_within(p, vertebra.frame.to_local(cast.centre), room) for p in around)
            and _stands_free(parts, part, codes)
        )
        if _is_track(cast, vertebra, around, short, spine):
            marked[tuple(voxels[members].T)] = TRACK + vertebra.id
    return marked


@dataclass(frozen=True, eq=False)
class _Cast:
    """Middle and axis (patient LPS, mm), spread along it and across it without the voxels' own."""

    centre: FloatArray
    axis: FloatArray
    length: float
    width: float

    @classmethod
    def of(cls, points: FloatArray, weight: FloatArray, grid: Grid) -> _Cast | None:
        if len(points) < FEWEST_VOXELS:
            return None
        centre = np.average(points, axis=0, weights=weight)
        steps = grid.affine[:3, :3]
        spread = np.cov((points - centre).T, aweights=weight) - steps @ steps.T / 12.0
        values, vectors = np.linalg.eigh(spread)
        # The middle one, for a rod blurred along thick slices is flat.
        length, width = np.sqrt(max(values[2], 0.0)), np.sqrt(max(values[1], 0.0))
        return cls(centre, vectors[:, 2], float(length), float(width))


def _behind(
    points: FloatArray, vertebrae: tuple[Vertebra, ...]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """The vertebra whose pedicles are nearest in height, and whether each point lies behind its body."""
    local = np.stack([v.frame.to_local(points) for v in vertebrae])
    nearest = np.argmin(np.abs(local[:, :, 2]), axis=0)
    return nearest, local[nearest, np.arange(len(points)), 1] < -BEHIND_WALL_MM


def _stands_free(parts: npt.NDArray[np.uint32], part: int, codes: npt.NDArray[np.uint16]) -> bool:
    """Whether hardly any of a part's surroundings is other cement."""
    mine = parts == part
    corners = np.argwhere(mine)
    low, high = np.maximum(corners.min(0) - 1, 0), corners.max(0) + 2
    near = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    rim = ndimage.binary_dilation(mine[near], np.ones((3, 3, 3), bool)) & ~mine[near]
    return float((codes[near][rim] > 0).mean()) <= CONTACT_SHARE


def _is_track(cast: _Cast, vertebra: Vertebra, around: list[Pedicle], short: bool, spine: Spine) -> bool:
    if cast.width > MAX_WIDTH_SD_MM:
        return False
    if cast.length < MIN_LENGTH_SD_MM or cast.length < SLENDER * cast.width:
        return short
    frame = vertebra.frame
    axis = cast.axis * np.sign(cast.axis @ frame.anterior)
    own = np.array([axis @ frame.left, axis @ frame.anterior, axis @ frame.cranial])
    local = frame.to_local(cast.centre)
    return _leads_into_body(cast.centre, axis, spine) or any(_leads_through(p, local, own) for p in around)


def _within(pedicle: Pedicle, local: FloatArray, room: float) -> bool:
    """Whether a point of the vertebra's frame lies in that much of the pedicle, or just behind it."""
    if not 3.0 * ISTHMUS_MM < local[1] < 0.0:
        return False
    off = (local[[0, 2]] - pedicle.centre_mm) / (pedicle.half_mm + SLACK_MM)
    return bool(off @ off <= room)


def _leads_through(pedicle: Pedicle, local: FloatArray, axis: FloatArray) -> bool:
    """Whether a line of the vertebra's frame passes the pedicle at its narrowest place from behind."""
    if axis[1] < STEEPEST:
        return False
    way = (ISTHMUS_MM - local[1]) / axis[1]
    if way > REACH_MM:
        return False
    off = ((local + way * axis)[[0, 2]] - pedicle.centre_mm) / (pedicle.half_mm + SLACK_MM)
    return bool(off @ off <= 1.0)


def _leads_into_body(centre: FloatArray, axis: FloatArray, spine: Spine) -> bool:
    """Whether at least two of five lines, 2 mm apart, pass through an arch and no canal into a body."""
    side = np.cross(axis, [0.0, 0.0, 1.0])
    side /= max(float(np.linalg.norm(side)), 1e-6)
    up = np.cross(side, axis)
    hits = 0
    for shift in ((0, 0), (2, 0), (-2, 0), (0, 2), (0, -2)):
        line = centre + shift[0] * side + shift[1] * up + np.arange(0.0, REACH_MM, 1.0)[:, None] * axis
        index = np.rint(spine.grid.to_index(line)).astype(int)
        inside = ((index >= 0) & (index < np.array(spine.grid.shape))).all(1)
        at = tuple(index[inside].T)
        part, label = spine.parts[at], spine.labels[at]
        body = np.flatnonzero(part == Part.BODY)
        if len(body) < 8:
            continue
        before, passed = part[: body[0]], label[: body[0]]
        in_canal = (passed == THECAL_SAC) | (passed == EPIDURAL_SPACE)
        hits += int((before == Part.ARCH).any() and in_canal.sum() <= 2)
    return hits >= 2
