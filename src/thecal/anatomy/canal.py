"""The canal's course: where soft tissue is ringed by bone, with a vertebral column in front of it.

From each soft voxel rays are cast in the axial plane; a canal is where most of them meet bone at like
lengths while trabecular bone or disc fills the space in front. A dynamic programme links such voxels
into the best path through the slices; it may begin and end anywhere, so it stops where the canal does.
Contrast medium in the sac is taken out before.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import cKDTree

from thecal.anatomy.missing import DENSE_HU
from thecal.anatomy.myelogram import without_canal_contrast
from thecal.anatomy.ringed_path import BONE_HU, COARSE_MM, SOFT_HU, best_path, ring_score
from thecal.anatomy.working_grid import sample_volume
from thecal.errors import SpineNotFound
from thecal.frames import CanalFrame
from thecal.volume import FloatArray, Grid, IntArray, Volume, patient_grid

SHORTEST_PATH_MM = 25.0
EDGE_SLICES = 4
# Planes normal to a tilted canal reach into the scan from beyond its edge.
PAST_EDGE_MM = 9.0
COURSE_SIGMA_MM = 10.0


def find_course(volume: Volume) -> tuple[CanalFrame, FloatArray, Grid]:
    """The canal's course through a volume.

    Parameters
    ----------
    volume : Volume

    Returns
    -------
    frame : CanalFrame
        Through the middle of the canal, 1 mm steps, caudal to cranial.
    score : (n,) float64
        0..1, how closed the ring of bone was at each point of the frame.
    coarse : Grid
        The even grid on which it was found.

    Raises
    ------
    SpineNotFound
        Where no path of 25 mm is ringed by bone.
    """
    coarse = patient_grid(volume.grid, COARSE_MM)
    hu = sample_volume(volume, coarse)
    ring = _ring(hu)

    def smooth_frame(path: npt.NDArray[np.intp]) -> CanalFrame:
        points = coarse.to_lps(path * np.array([1, 2, 2]))
        return CanalFrame.through(smooth_course(points, COURSE_SIGMA_MM / COARSE_MM))

    trail, along, worth = best_path(hu, ring)
    plain = without_canal_contrast(volume, hu, ring, worth, coarse, smooth_frame, _ring)
    if plain is not None:
        trail, along, _ = best_path(plain, _ring(plain))
    if (len(trail) - 1) * COARSE_MM < SHORTEST_PATH_MM:
        raise SpineNotFound(
            "No spinal canal was found: nowhere over 25 mm is soft tissue ringed by bone behind a vertebral "
            "body."
        )
    points = coarse.to_lps(trail * np.array([1, 2, 2]))
    low = trail[0, 0] <= EDGE_SLICES
    high = trail[-1, 0] >= coarse.shape[0] - 1 - EDGE_SLICES
    frame = CanalFrame.through(_run_on(points, low, high))
    nearest = cKDTree(points).query(frame.points)[1]
    return frame, np.clip(along[nearest], 0, 1), coarse


def _ring(hu: IntArray) -> npt.NDArray[np.float32]:
    """How well bone rings each soft voxel of the coarse grid."""
    # Dense voxels are cement or metal, neither bone nor soft: rays pass through them.
    bone = (hu > BONE_HU) & (hu < DENSE_HU)
    candidate = ((hu > SOFT_HU[0]) & (hu < SOFT_HU[1])) | (hu >= DENSE_HU)
    return ring_score(bone, candidate)


def smooth_course(points: FloatArray, sigma: float) -> FloatArray:
    """Smooth a path by a Gaussian of ``sigma`` points, its ends carried on by point reflection.

    The canal's middle wavers by a millimetre or two from pedicles to disc; normal planes that followed it
    would cross in the vertebral bodies.
    """
    reach = min(len(points) - 1, round(3 * sigma))
    padded = np.pad(points, ((reach, reach), (0, 0)), mode="reflect", reflect_type="odd")
    smooth: FloatArray = ndimage.gaussian_filter1d(padded, sigma, axis=0, mode="nearest")
    return smooth[reach : len(smooth) - reach]


def _run_on(points: FloatArray, low: bool, high: bool) -> FloatArray:
    """Carry a path on straight past the scan's edges, so that its normal planes cover the last slices."""
    smooth = smooth_course(points, COURSE_SIGMA_MM / COARSE_MM)
    steps = np.arange(1, round(PAST_EDGE_MM / COARSE_MM) + 1)[:, None]
    parts = [smooth]
    if low:
        parts.insert(0, smooth[0] - steps[::-1] * (smooth[1] - smooth[0]))
    if high:
        parts.append(smooth[-1] + steps * (smooth[-1] - smooth[-2]))
    return np.concatenate(parts)
