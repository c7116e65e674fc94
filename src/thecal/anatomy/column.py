"""The vertebral column in front of the canal: where the discs are, and how they are tilted.

Each disc is a soft gap between two endplates, crossing the column at some height and tilt; beside the
canal the pedicles close its wall once for each vertebra.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from thecal.anatomy.disc_choice import choose_discs
from thecal.anatomy.disc_profile import (
    HALF_THICKNESS_MM,
    PATCH_DEPTH_MM,
    PITCHES,
    ROLLS,
    evened,
    patch_profiles,
)
from thecal.anatomy.working_grid import OUTSIDE_HU
from thecal.frames import CanalFrame
from thecal.volume import BoolArray, FloatArray, Grid, IntArray


@dataclass(frozen=True, eq=False)
class Disc:
    """One disc as a plane patch in the canal's frame.

    Attributes
    ----------
    s_mm : float
        Where its plane meets the anterior wall of the canal.
    centre : (3,) LPS mm
        The middle of the disc.
    normal : (3,) unit vector, cranial
    response : float
        HU contrast between endplates and gap.
    half_thickness_mm : float
    """

    s_mm: float
    centre: FloatArray
    normal: FloatArray
    response: float
    half_thickness_mm: float


def pedicle_signal(frame: CanalFrame, theta: FloatArray, seen: FloatArray) -> FloatArray:
    """How far the canal's lateral wall is closed by pedicles, 0..1 along s: the mean of both sides."""
    sides = []
    for sign in (1, -1):
        arc = (sign * theta > np.deg2rad(55)) & (sign * theta < np.deg2rad(110))
        sides.append(seen[:, arc].mean(axis=1))
    signal: FloatArray = ndimage.gaussian_filter1d(
        np.minimum(*sides) * 0.5 + 0.25 * (sides[0] + sides[1]), 1.5 / frame.step_mm
    )
    return signal


def find_discs(
    hu: IntArray,
    missing: BoolArray,
    grid: Grid,
    frame: CanalFrame,
    theta: FloatArray,
    wall: FloatArray,
    seen: FloatArray,
) -> list[Disc]:
    """The discs along a canal, caudal to cranial.

    Parameters
    ----------
    hu, missing : (z, y, x)
        On an even grid of about 1 mm.
    grid, frame, theta, wall, seen
        As ``find_wall`` returns them.

    Returns
    -------
    list of Disc
        Empty where none was seen.
    """
    step = frame.step_mm
    anterior = np.abs(theta) < np.deg2rad(25)
    front = ndimage.gaussian_filter1d(wall[:, anterior].mean(axis=1), 5 / step, mode="nearest")
    mean, known = patch_profiles(hu, missing | (hu <= OUTSIDE_HU), grid, frame, front, step)
    mean = evened(mean, known, step)
    pedicle = _levelled(pedicle_signal(frame, theta, seen), step)
    chosen, response, where, thickness = choose_discs(mean, known, pedicle, step)
    discs = []
    for i in chosen:
        p, r = np.unravel_index(where[i], (len(PITCHES), len(ROLLS)))
        forward = np.cos(PITCHES[p]) * -frame.posterior[i] + np.sin(PITCHES[p]) * frame.cranial[i]
        sideways = np.cos(ROLLS[r]) * frame.left[i] + np.sin(ROLLS[r]) * frame.cranial[i]
        normal = np.cross(sideways, forward)
        normal /= np.linalg.norm(normal)
        if normal @ frame.cranial[i] < 0:
            normal = -normal
        centre = frame.points[i] - frame.posterior[i] * front[i] + forward * sum(PATCH_DEPTH_MM) / 2
        discs.append(
            Disc(float(frame.s_mm[i]), centre, normal, float(response[i]), HALF_THICKNESS_MM[thickness[i]])
        )
    return discs


def _levelled(signal: FloatArray, step_mm: float) -> FloatArray:
    """A signal stretched to 0..1 between its local trough and peak within about one vertebra either way."""
    size = round(45 / step_mm)
    low = ndimage.gaussian_filter1d(ndimage.minimum_filter1d(signal, size), size / 3, mode="nearest")
    high = ndimage.gaussian_filter1d(ndimage.maximum_filter1d(signal, size), size / 3, mode="nearest")
    levelled: FloatArray = np.clip((signal - low) / np.maximum(high - low, 0.15), 0, 1)
    return levelled
