"""The compartments as regions of space, before any cement is looked at: one code for each voxel."""

from __future__ import annotations

from typing import Final

import edt
import numpy as np
import numpy.typing as npt
from numba import njit

from thecal.anatomy.spine import Part, Spine
from thecal.terms import DISC_OFFSET, EPIDURAL_SPACE, SACRUM, THECAL_SAC, Compartment, is_disc, is_vertebra
from thecal.volume import BoolArray, Box, FloatArray, Grid, LabelArray

OUTSIDE: Final = 1
SAC: Final = 2
EPIDURAL: Final = 3
FORAMEN: Final = 4
BONE: Final = 1000
"""Code of a bone is this plus the vertebra's id."""
DISC: Final = 2000
"""Code of a disc is this plus the id of the vertebra above it."""
TRACK: Final = 3000
"""Code of a needle's track is this plus the id of the vertebra it leads to; no voxel has it before cement."""

GAP_MM: Final = 2.0
"""Unlabelled clefts up to twice this wide between the canal and its wall belong to the nearer of the two."""
DISC_HEIGHT_MM: Final = 16.0
"""The highest disc space."""


def compartment_of(code: int) -> Compartment:
    """The compartment of a region's code; outside all is ``paravertebral``."""
    if code >= TRACK:
        return "needle_track"
    if code >= DISC:
        return "intradiscal"
    if code >= BONE:
        return "intravertebral"
    named: dict[int, Compartment] = {
        SAC: "intradural",
        EPIDURAL: "epidural",
        FORAMEN: "foraminal",
        OUTSIDE: "paravertebral",
    }
    return named[code]


def region_codes(spine: Spine, box: Box, near: BoolArray) -> LabelArray:
    """The region of every voxel of a box of the spine's crop.

    Three sources, in this order: the labels and parts of the anatomy; clefts beside the canal, which fall
    to the nearer label; and the space between two neighbouring endplates, which is disc even where
    the disc's label has a hole (vacuum, cement taken for bone).

    Parameters
    ----------
    spine : Spine
    box : Box
        Within the spine's crop.
    near : (z, y, x) bool
        In the box: voxels that matter (cement and a margin); clefts and disc spaces are filled only there.

    Returns
    -------
    (z, y, x) uint16
        ``OUTSIDE``, ``SAC``, ``EPIDURAL``, ``FORAMEN``, ``BONE`` + id or ``DISC`` + id; never 0.
    """
    labels, parts = spine.labels[box], spine.parts[box]
    table = np.full(int(labels.max()) + 1, OUTSIDE, np.uint16)
    for label in range(len(table)):
        if is_vertebra(label) or label == SACRUM:
            table[label] = BONE + label
        elif label == THECAL_SAC:
            table[label] = SAC
        elif label == EPIDURAL_SPACE:
            table[label] = EPIDURAL
        elif is_disc(label):
            table[label] = DISC + label - DISC_OFFSET
    codes: LabelArray = table[labels]
    codes[(codes == OUTSIDE) & (parts == Part.FORAMEN)] = FORAMEN
    spacing = spine.grid.spacing_mm
    _fill_clefts(codes, near, spacing)
    _fill_disc_spaces(codes, parts, near, spine, box)
    return codes


def _fill_clefts(codes: LabelArray, near: BoolArray, spacing: FloatArray) -> None:
    known = codes != OUTSIDE
    canal = (codes == SAC) | (codes == EPIDURAL)
    if known.all() or not canal.any():
        return
    step = tuple(spacing)
    # Elsewhere a notch is a place of its own: the waist of a body, the angle at a rib.
    beside = edt.edt(~canal, anisotropy=step, black_border=False) <= 2 * GAP_MM
    grown = edt.edt(~known, anisotropy=step, black_border=False) <= GAP_MM
    closed = edt.edt(grown, anisotropy=step, black_border=False) > GAP_MM
    cleft = np.argwhere(closed & beside & ~known & near)
    reach = np.ceil((GAP_MM + spacing) / spacing).astype(np.int64)
    codes[tuple(cleft.T)] = _nearest_known(codes, cleft, reach, spacing)


@njit(cache=True)
def _nearest_known(codes, voxels, reach, spacing):  # type: ignore[no-untyped-def]
    found = np.full(len(voxels), OUTSIDE, np.uint16)
    for i in range(len(voxels)):
        best = 1e9
        z0, y0, x0 = voxels[i]
        for z in range(max(0, z0 - reach[0]), min(codes.shape[0], z0 + reach[0] + 1)):
            for y in range(max(0, y0 - reach[1]), min(codes.shape[1], y0 + reach[1] + 1)):
                for x in range(max(0, x0 - reach[2]), min(codes.shape[2], x0 + reach[2] + 1)):
                    if codes[z, y, x] == OUTSIDE:
                        continue
                    away = (
                        ((z - z0) * spacing[0]) ** 2
                        + ((y - y0) * spacing[1]) ** 2
                        + ((x - x0) * spacing[2]) ** 2
                    )
                    if away < best:
                        best = away
                        found[i] = codes[z, y, x]
    return found


def _fill_disc_spaces(
    codes: LabelArray, parts: npt.NDArray[np.uint8], near: BoolArray, spine: Spine, box: Box
) -> None:
    if len(spine.vertebrae) < 2:
        return
    empty = np.argwhere((codes == OUTSIDE) & near)
    if not len(empty):
        return
    grid = spine.grid.crop(box)
    points = grid.to_lps(empty)
    # The body's middle lies about 15 mm before its posterior wall.
    middles = np.array([v.frame.to_lps((0.0, 15.0, 0.0)) for v in spine.vertebrae])
    nearest = np.argmin(((points[:, None, :] - middles[None]) ** 2).sum(2), axis=1)
    cranial = np.array([v.frame.cranial for v in spine.vertebrae])[nearest]
    step = cranial @ np.linalg.inv(grid.affine[:3, :3]).T * 0.5
    ranks, heights = _rows(spine, grid)
    codes[tuple(empty.T)] = _between_endplates(
        codes, parts == Part.BODY, empty, step, int(DISC_HEIGHT_MM / 0.5), ranks, heights, BONE, DISC
    )


def _rows(spine: Spine, grid: Grid) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """By id, a vertebra's place in the row, and the mm above its middle as a z + b y + c x + d.

    The sacrum comes first and is all below; -9 marks what is no vertebra.
    """
    ranks = np.full(DISC - BONE, -9, np.int64)
    heights = np.zeros((DISC - BONE, 4))
    ranks[SACRUM] = -1
    heights[SACRUM, 3] = 1.0
    for rank, vertebra in enumerate(spine.vertebrae):
        frame = vertebra.frame
        ranks[vertebra.id] = rank
        heights[vertebra.id, :3] = grid.affine[:3, :3].T @ frame.cranial
        heights[vertebra.id, 3] = (grid.affine[:3, 3] - frame.origin) @ frame.cranial
    return ranks, heights


@njit(cache=True)
def _between_endplates(codes, body, voxels, step, count, ranks, heights, bone, disc):  # type: ignore[no-untyped-def]
    found = np.full(len(voxels), OUTSIDE, np.uint16)
    for i in range(len(voxels)):
        ends = np.zeros(2, np.int64)
        steps = 0
        for way in range(2):
            sign = 1.0 if way == 1 else -1.0
            for k in range(1, count + 1):
                z = round(voxels[i, 0] + sign * k * step[i, 0])
                y = round(voxels[i, 1] + sign * k * step[i, 1])
                x = round(voxels[i, 2] + sign * k * step[i, 2])
                if not (0 <= z < codes.shape[0] and 0 <= y < codes.shape[1] and 0 <= x < codes.shape[2]):
                    break
                code = codes[z, y, x]
                if code == OUTSIDE or code >= disc:
                    continue
                if code >= bone and body[z, y, x]:
                    above = heights[code - bone, 3]
                    above += heights[code - bone, 0] * z + heights[code - bone, 1] * y
                    above += heights[code - bone, 2] * x
                    # From a body's waist a ray meets the rim of that body from the wrong side.
                    if (above < 0) == (way == 1):
                        ends[way] = code
                        steps += k
                break
        if not (ends[0] and ends[1]) or steps > count:
            continue
        # Beside a crushed body the rays may reach the next but one.
        if ranks[ends[1] - bone] - ranks[ends[0] - bone] == 1:
            found[i] = ends[1] - bone + disc
    return found
