"""Screws, rods and plates: known by what cement never does."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from thecal.anatomy.spine import Part, Spine, disc_mask
from thecal.cement.nearness import Nearness, is_bone
from thecal.terms import EPIDURAL_SPACE, THECAL_SAC
from thecal.volume import BoolArray, Box, FloatArray, IntArray

# The most opaque cement (30 % barium sulphate at 60 keV) reads 6900 HU; titanium reads 8000 and more.
ABOVE_ANY_CEMENT_HU = 7500.0
# Hardware behind the laminae is long or heavy; cement there is a thin track.
HARDWARE_BEHIND_MM3 = 1500.0
HARDWARE_LENGTH_MM = 25.0
CLEAR_OF_BONE_MM = 1.5
# A screw is a straight cylinder 4.5 to 8 mm wide; a needle track is 2.5 to 3.5 mm.
SCREW_RADIUS_MM = (2.2, 4.8)
SCREW_LENGTH_MM = 28.0
STRAIGHT_SHARE = 0.90
# Titanium that wide shows its full brightness, or the scanner's limit; it enters a body through its wall; and
# a straight vessel full of contrast medium far from the spine is none of its screws.
SOLID_METAL_HU = 3000.0
WITHIN_BODY_SHARE = 0.8
BESIDE_BONE_MM = 20.0
# It holds in bone, or as a rod lies behind it; a cast in the veins before a body does neither.
IN_BONE_SHARE = 0.25
# A ball wider than any screw's shaft: what holds one inside the body is a cloud of cement round the tip.
CLOUD_RADIUS_MM = 5.0


def metal_in(
    group: BoolArray, box: Box, hu: IntArray, spine: Spine, near: Nearness, spacing_mm: FloatArray
) -> BoolArray:
    """The metal part of one bright group, in its box; all False where it is not metal.

    Parameters
    ----------
    group : (z, y, x) bool
        One connected group of bright voxels, in ``box``.
    box : Box
        Where the group lies in the spine's crop.
    hu : (z, y, x) int16
        The whole crop.
    """
    values = hu[box]
    beyond = group & (values > ABOVE_ANY_CEMENT_HU)
    voxel = float(np.prod(spacing_mm))
    if beyond.sum() * voxel > 20.0:
        near_metal: BoolArray = ndimage.binary_dilation(beyond, iterations=2) & group
        return near_metal
    body = group & (spine.parts[box] == Part.BODY)
    if not _is_hardware(group, box, near, spacing_mm):
        solid = float(np.percentile(values[group], 75)) >= SOLID_METAL_HU
        labels = spine.labels[box]
        # A cast along the canal or a fill with its leak into the disc may be as straight; neither is metal.
        inner = group & ((labels == THECAL_SAC) | (labels == EPIDURAL_SPACE) | disc_mask(labels))
        within = np.count_nonzero(body | inner) > WITHIN_BODY_SHARE * np.count_nonzero(group)
        beside = float(near.bone_mm[box][group].min()) <= BESIDE_BONE_MM
        held = float((is_bone(spine.labels[box][group]) | near.behind[box][group]).mean()) >= IN_BONE_SHARE
        if not solid or within or not beside or not held or not _is_screw(group, spacing_mm):
            return np.zeros(group.shape, bool)
    depth = ndimage.distance_transform_edt(np.pad(body, 1), sampling=spacing_mm)[1:-1, 1:-1, 1:-1]
    cloud_core = depth >= CLOUD_RADIUS_MM
    if not cloud_core.any():
        return group
    cloud = ndimage.distance_transform_edt(~cloud_core, sampling=spacing_mm) <= CLOUD_RADIUS_MM
    metal: BoolArray = group & ~cloud
    return metal


def _is_hardware(group: BoolArray, box: Box, near: Nearness, spacing_mm: FloatArray) -> bool:
    """Whether much of the group lies behind the canal and clear of bone."""
    behind = group & near.behind[box] & (near.bone_mm[box] > CLEAR_OF_BONE_MM)
    volume = float(behind.sum() * np.prod(spacing_mm))
    if volume < HARDWARE_BEHIND_MM3 / 3:
        return False
    where = np.argwhere(behind)
    long = float((np.ptp(where[:, 0]) + 1) * spacing_mm[0])
    return volume > HARDWARE_BEHIND_MM3 or long > HARDWARE_LENGTH_MM


def _is_screw(group: BoolArray, spacing_mm: FloatArray) -> bool:
    """Whether the group is one straight cylinder as wide and long as a screw or rod."""
    points = np.argwhere(group) * spacing_mm
    if len(points) < 10:
        return False
    centred = points - points.mean(0)
    _, _, axes = np.linalg.svd(centred[:: max(1, len(centred) // 5000)], full_matrices=False)
    along = centred @ axes[0]
    length = float(np.ptp(along))
    if length < SCREW_LENGTH_MM:
        return False
    radius = float(np.sqrt(len(points) * np.prod(spacing_mm) / (np.pi * length)))
    if not SCREW_RADIUS_MM[0] <= radius <= SCREW_RADIUS_MM[1]:
        return False
    off_axis = np.linalg.norm(centred - along[:, None] * axes[0], axis=1)
    return float((off_axis < 1.35 * radius + 0.5 * float(spacing_mm.max())).mean()) > STRAIGHT_SHARE
