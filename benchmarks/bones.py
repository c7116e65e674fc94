"""Whether each bone bears one label, with the bones told apart by the image alone."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.spine import Part, Spine
from thecal.volume import Grid

BONE_HU: Final = 150.0
BRIGHT_HU: Final = 260.0
SURE: Final = 2.0


def own_label_shares(
    hu: npt.NDArray[np.int16],
    grid: Grid,
    ours: npt.NDArray[np.uint16],
    theirs: npt.NDArray[np.uint16],
    spine: Spine,
) -> dict[str, Any]:
    """Share of each bone that carries its commonest label, for two label maps.

    Of its labelled voxels (``ours``, ``peer``), and of all its voxels above 150 HU that either map labels
    (``ours_of_all``, ``peer_of_all``).

    The bones come from the image: a voxel belongs to the body that it is nearest to along bone, where dark
    discs and joint spaces are long ways round. Voxels that are not at least ``SURE`` times as near to one
    body as to the other (joints, spinous tips) are left out.

    Parameters
    ----------
    hu : (z, y, x) int16
    grid : Grid
    ours, theirs : (z, y, x) uint16
        0 where no vertebra.
    spine : Spine
        Only for where the middles of the bodies lie.
    """
    bones = split_bones(hu, grid, (ours > 0) | (theirs > 0), spine)
    shares: dict[str, Any] = {"ours": [], "peer": [], "ours_of_all": [], "peer_of_all": []}
    for number in range(1, int(bones.max()) + 1):
        mine = bones == number
        dense = mine & (hu > BONE_HU)
        for key, labels in (("ours", ours), ("peer", theirs)):
            votes = np.bincount(labels[mine], minlength=2)
            votes[0] = 0
            best = int(votes.argmax())
            shares[key].append(round(float(votes[best] / max(votes.sum(), 1)), 4))
            shares[f"{key}_of_all"].append(round(float((labels[dense] == best).mean()), 4))
    return shares


def split_bones(
    hu: npt.NDArray[np.int16], grid: Grid, near: npt.NDArray[np.bool_], spine: Spine
) -> npt.NDArray[np.int32]:
    """Bone voxels by the body that they hang on, 1.. in the spine's order; 0 where that is not sure."""
    from skimage.graph import MCP_Geometric

    soft = ndimage.gaussian_filter(hu.astype(np.float32), 0.6 / grid.spacing_mm)
    # A millimetre of joint space or disc costs as much as several centimetres of bone.
    price = 1.0 + (np.clip(BRIGHT_HU - soft, 0.0, None) / 60.0) ** 2
    way = np.full((len(spine.vertebrae), *hu.shape), np.inf, np.float32)
    for number, vertebra in enumerate(spine.vertebrae):
        body = np.argwhere((spine.labels == vertebra.id) & (spine.parts == Part.BODY))
        local = vertebra.frame.to_local(grid.to_lps(body))
        core = np.abs(local[:, 2] - np.median(local[:, 2])) < 0.25 * np.ptp(local[:, 2])
        finder = MCP_Geometric(price, fully_connected=True, sampling=tuple(grid.spacing_mm))
        way[number] = finder.find_costs([tuple(v) for v in body[core]])[0]
    order = np.argsort(way, axis=0)
    ranked = np.take_along_axis(way, order, axis=0)
    sure = ranked[1] > SURE * np.maximum(ranked[0], 1.0)
    return np.where(near & sure, order[0] + 1, 0).astype(np.int32)
