"""What cement hides, read from the other side of the vertebra.

Cement is as bright as bone and brighter: anatomy that grows an arch along dense voxels runs out into a
foramen or a vein that is full of it. The two sides of a vertebra are alike, so under cement the other
side, where it is free of cement, tells where the pedicle ends and the foramen begins.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from thecal.anatomy.spine import Part, Spine
from thecal.leakage.regions import BONE, DISC, FORAMEN, OUTSIDE
from thecal.volume import BoolArray, Box, LabelArray

MIDLINE_MM: Final = 5.0
"""Nearer to the midline a voxel and its mirror image are parts of the same laminae and spinous process."""


def uncover(codes: LabelArray, hidden: BoolArray, spine: Spine, box: Box) -> None:
    """Correct region codes under cement by the other side of the vertebra, in place.

    Bone of an arch whose mirror image is free of cement and no bone takes the mirror image's code; space
    outside all regions whose mirror image is foramen becomes foramen. Bodies, discs and canal stay.

    Parameters
    ----------
    codes : (z, y, x) uint16
        Region codes in the box; changed.
    hidden : (z, y, x) bool
        Cement and what it blurs into, in the box.
    spine : Spine
    box : Box
        Within the spine's crop.
    """
    if not spine.vertebrae:
        return
    bone = (codes >= BONE) & (codes < DISC)
    voxels = np.argwhere(hidden & ((bone & (spine.parts[box] == Part.ARCH)) | (codes == OUTSIDE)))
    if not len(voxels):
        return
    points = spine.grid.crop(box).to_lps(voxels)
    local = np.stack([v.frame.to_local(points) for v in spine.vertebrae])
    owner = np.abs(local[:, :, 2]).argmin(0)
    own = codes[tuple(voxels.T)]
    for rank, vertebra in enumerate(spine.vertebrae):
        owner[own == BONE + vertebra.id] = rank
    across = local[owner, np.arange(len(points))] * (-1.0, 1.0, 1.0)
    mirrored = np.empty_like(points)
    for rank, vertebra in enumerate(spine.vertebrae):
        mirrored[owner == rank] = vertebra.frame.to_lps(across[owner == rank])
    index = np.rint(spine.grid.to_index(mirrored)).astype(int)
    corner = np.array([s.start for s in box])
    known = ((index >= 0) & (index < spine.grid.shape)).all(1) & (np.abs(across[:, 0]) > MIDLINE_MM)
    inside = ((index >= corner) & (index < corner + hidden.shape)).all(1)
    known[inside] &= ~hidden[tuple((index[inside] - corner).T)]
    voxels, own, index = voxels[known], own[known], index[known]
    label, part = spine.labels[tuple(index.T)], spine.parts[tuple(index.T)]
    free = label == 0
    there = np.where(part == Part.FORAMEN, FORAMEN, OUTSIDE).astype(np.uint16)
    changed = free & ((own != OUTSIDE) | (there == FORAMEN))
    codes[tuple(voxels[changed].T)] = there[changed]
