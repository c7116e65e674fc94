"""Simulated fluoroscopy of CTs whose patients lie otherwise than in the scanner, with the true pose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.spine import Spine, Vertebra
from thecal.fluoro.frame import Frame
from thecal.fluoro.projection.c_arm import CArm
from thecal.fluoro.projection.line_integrals import line_integrals
from thecal.fluoro.projection.view import Pose, View
from thecal.fluoro.target import Needle, Target, target_of
from thecal.frames import VertebraFrame
from thecal.volume import FloatArray, Grid, Volume, box_of, patient_grid, resample

WATER_PER_MM: Final = 0.0205
"""Attenuation of water at about 60 keV (NIST XCOM, from memory)."""
STEEL_PER_MM: Final = 0.6
SOFT_HU: Final = 30.0
"""What lies around the scanned box."""
VOXEL_MM: Final = 1.1
"""Of the volume the pictures are made of: not the CT's own, so that the two never share a grid."""
EDGE_MM: Final = 100.0
"""The scan's first and last slices go on so far, since a picture does not end with the scan."""


@dataclass(frozen=True, eq=False)
class Scene:
    """One simulated picture.

    Attributes
    ----------
    target : Target
        Of the plan's CT.
    view : View
        As the C-arm says.
    truth : Pose
        Of the vertebra, relative to the plan's CT as seen in ``view``.
    frame : Frame
    words : dict
        What is in it.
    body : PictureBody
        For further pictures of the same patient.
    """

    target: Target
    view: View
    truth: Pose
    frame: Frame
    words: dict[str, Any]
    body: PictureBody


@dataclass(frozen=True, eq=False)
class PictureBody:
    """The patient on the table, with what was put into her, and how the chain shows her."""

    values: npt.NDArray[np.float32]
    grid: Grid
    rods: tuple[tuple[FloatArray, FloatArray, float], ...]
    gas: tuple[tuple[FloatArray, float], ...]
    photons: float
    scatter: float
    thickness_mm: float
    gamma: float
    harmonised: float
    window: tuple[float, float]
    planned: tuple[Needle, ...] = ()
    """The needle as it was planned: off by what a hand is off."""

    def integral(self, view: View) -> npt.NDArray[np.float32]:
        """The patient's attenuation along each ray."""
        path = line_integrals(self.values, self.grid, view, step_mm=1.0) * (WATER_PER_MM / 1000.0)
        path += WATER_PER_MM * self.thickness_mm
        for start, end, radius in self.rods:
            path += STEEL_PER_MM * rod_chord_mm(view, start, end, radius)
        for centre, radius in self.gas:
            path -= WATER_PER_MM * ball_chord_mm(view, centre, radius)
        return path

    def show(self, view: View, number: int, rng: np.random.Generator) -> Frame:
        """Detected with blur, scatter and noise, and windowed for the display."""
        primary = np.exp(-self.integral(view))
        scattered = ndimage.gaussian_filter(primary, 60.0, mode="nearest")
        mean = ndimage.gaussian_filter((1.0 - self.scatter) * primary + self.scatter * scattered, 0.6)
        mean *= self.photons / float(np.median(mean))
        noisy = ndimage.gaussian_filter(rng.poisson(mean).astype(np.float32), 0.5)
        bright = np.log(np.maximum(noisy, 0.02 * self.photons))
        bright -= self.harmonised * ndimage.gaussian_filter(bright, 50.0, mode="nearest")
        rows, columns = np.indices(view.shape)
        half = min(view.shape) / 2
        round_ = np.hypot(rows - view.shape[0] / 2, columns - view.shape[1] / 2) < 0.7 * half
        low, high = np.percentile(bright[round_], self.window)
        shown = np.clip((bright - low) / max(high - low, 1e-6), 0.0, 1.0) ** self.gamma
        return Frame(number, number / 7.5, np.rint(255.0 * shown).astype(np.uint8))


def rays(view: View) -> FloatArray:
    """Unit directions of the rays to each pixel, (rows, columns, 3)."""
    rows, columns = np.indices(view.shape)
    way = view.pixel(rows, columns) - view.source
    way /= np.linalg.norm(way, axis=-1, keepdims=True)
    return way


def rod_chord_mm(view: View, start: FloatArray, end: FloatArray, radius_mm: float) -> FloatArray:
    """Length of each ray within a straight rod."""
    way = rays(view)
    length = float(np.linalg.norm(end - start))
    axis = (end - start) / length
    across = np.cross(way, axis)
    sine = np.maximum(np.linalg.norm(across, axis=-1), 1e-3)
    to = start - view.source
    off = np.abs(across @ to) / sine
    cosine = way @ axis
    along = (cosine * (way @ to) - axis @ to) / sine**2
    inside = (off < radius_mm) & (along > 0) & (along < length)
    chord: FloatArray = np.where(
        inside, 2.0 * np.sqrt(np.maximum(radius_mm**2 - off**2, 0.0)) / np.maximum(sine, 0.1), 0.0
    )
    return chord


def ball_chord_mm(view: View, centre: FloatArray, radius_mm: float) -> FloatArray:
    """Length of each ray within a ball."""
    way = rays(view)
    to = centre - view.source
    off = to @ to - (way @ to) ** 2
    chord: FloatArray = 2.0 * np.sqrt(np.maximum(radius_mm**2 - off, 0.0))
    return chord


def other_posture(
    hu: npt.NDArray[Any],
    grid: Grid,
    vertebra: npt.NDArray[np.bool_],
    frame: VertebraFrame,
    rng: np.random.Generator,
) -> npt.NDArray[np.float32]:
    """The patient as she lies on the table: everything but one vertebra bent and shifted against it.

    The spine bends in the discs above and below by up to 4 degrees each way, on top of it tissue moves at
    random,
    1.5 mm beside the spine and 8 mm away from it, over about 25 mm. The field begins 1 mm from the
    vertebra and is whole at 8 mm.
    """
    coarse = 4
    index = np.stack(np.meshgrid(*(np.arange(0, n + coarse, coarse) for n in hu.shape), indexing="ij"), -1)
    local = frame.to_local(grid.to_lps(index))
    moved = local.copy()
    for sign in (-1.0, 1.0):
        beyond = sign * local[..., 2] > 0
        angle = np.radians(rng.uniform(-4.0, 4.0)) * np.clip((sign * local[..., 2] - 8.0) / 12.0, 0.0, 1.0)
        lean = np.radians(rng.uniform(-2.0, 2.0)) * np.clip((sign * local[..., 2] - 8.0) / 12.0, 0.0, 1.0)
        hinge = np.array([0.0, 12.0, sign * 14.0])
        off = local - hinge
        bent = off.copy()
        bent[..., 1] = np.cos(angle) * off[..., 1] - np.sin(angle) * off[..., 2]
        bent[..., 2] = np.sin(angle) * off[..., 1] + np.cos(angle) * off[..., 2]
        side, up = bent[..., 0].copy(), bent[..., 2].copy()
        bent[..., 0] = np.cos(lean) * side - np.sin(lean) * up
        bent[..., 2] = np.sin(lean) * side + np.cos(lean) * up
        moved[beyond] = (bent + hinge)[beyond]
    # Lungs, vessels and bowel lie elsewhere from day to day, the spine's own muscles hardly.
    far = np.clip((np.hypot(local[..., 0], local[..., 1] - 5.0) - 30.0) / 30.0, 0.0, 1.0)
    for axis in range(3):
        field = ndimage.gaussian_filter(rng.normal(size=index.shape[:3]), 25.0 / VOXEL_MM / coarse)
        moved[..., axis] += (1.5 + 6.5 * far) * field / field.std()
    near = box_of(vertebra, 10)
    share = np.ones(hu.shape, np.float32)
    if near is not None:
        away = ndimage.distance_transform_edt(~vertebra[near], sampling=grid.spacing_mm)
        share[near] = np.clip((away - 1.0) / 7.0, 0.0, 1.0)
    share = ndimage.map_coordinates(share, np.moveaxis(index, -1, 0), order=1, mode="nearest")
    shift = grid.to_index(frame.to_lps(local + (moved - local) * share[..., None])) - index
    whole = np.indices(hu.shape, np.float32)
    for axis in range(3):
        whole[axis] += ndimage.zoom(shift[..., axis].astype(np.float32), coarse, order=1, grid_mode=False)[
            : hu.shape[0], : hu.shape[1], : hu.shape[2]
        ]
    return ndimage.map_coordinates(hu, whole, np.float32, order=1, mode="nearest")


def random_pose(centre: FloatArray, mm: float, degrees: float, rng: np.random.Generator) -> Pose:
    """A movement in a random direction, up to these sizes, evenly spread in size."""
    turn, move = rng.normal(size=3), rng.normal(size=3)
    turn *= rng.uniform(0.0, degrees) / np.linalg.norm(turn)
    move *= rng.uniform(0.0, mm) / np.linalg.norm(move)
    return Pose.about(centre, turn, move)


def body_of(
    volume: Volume, spine: Spine, vertebra: Vertebra, rng: np.random.Generator
) -> tuple[PictureBody, dict[str, Any]]:
    """A patient on the table, with a needle in half, cement in a third, gas in some."""
    frame = vertebra.frame
    corners = frame.to_lps([(x, y, z) for x in (-85, 85) for y in (-90, 90) for z in (-95, 95)])
    box = spine.grid.box_around(corners, 0.0)
    crop = spine.grid.crop(box)
    grid = patient_grid(crop, VOXEL_MM)
    hu = resample(spine.plain_hu(volume)[box].astype(np.float32), crop, grid, fill=SOFT_HU)
    pad = round(EDGE_MM / VOXEL_MM)
    # The first and last slice may lie beyond the scan by a rounding error.
    hu = np.pad(hu[1:-1], ((pad + 1, pad + 1), (0, 0), (0, 0)), mode="edge")
    affine = grid.affine.copy()
    affine[:3, 3] = grid.to_lps([-pad, 0, 0])
    grid = Grid((hu.shape[0], hu.shape[1], hu.shape[2]), affine)
    mask = resample((spine.labels[box] == vertebra.id).astype(np.uint8), crop, grid, order=0, fill=0) > 0
    hu = other_posture(hu, grid, mask, frame, rng)
    words: dict[str, Any] = {"needle": bool(rng.random() < 0.5), "cement": bool(rng.random() < 1 / 3)}
    rods, planned = [], []
    if words["needle"]:
        side = rng.choice([-1.0, 1.0])
        start = frame.to_lps([side * rng.uniform(22, 32), -rng.uniform(60, 80), rng.uniform(5, 20)])
        tip = frame.to_lps([side * rng.uniform(2, 10), rng.uniform(8, 22), rng.uniform(-4, 4)])
        radius = float(rng.uniform(1.2, 1.7))
        rods.append((start, tip, radius))
        off = (start + rng.normal(0.0, 1.5, 3), tip + rng.normal(0.0, 1.2, 3))
        planned.append(Needle("left", *((float(x), float(y), float(z)) for x, y, z in off), 2.0 * radius))
    if rng.random() < 0.3:
        words["clamp"] = True
        middle = frame.to_lps(rng.uniform([-60, -90, -30], [60, -70, 30]))
        way = rng.normal(size=3)
        way *= 60.0 / np.linalg.norm(way)
        rods.append((middle - way, middle + way, 2.5))
    if words["cement"]:
        local = frame.to_local(grid.to_lps(np.argwhere(mask)))
        blob = np.zeros(len(local), bool)
        for _ in range(int(rng.integers(2, 6))):
            centre = rng.uniform([-12, 8, -7], [12, 24, 7])
            blob |= (((local - centre) / rng.uniform(3.5, 7.5, 3)) ** 2).sum(1) < 1.0
        filled = np.zeros(mask.shape, np.float32)
        filled[tuple(np.argwhere(mask).T)] = blob
        hu += (2200.0 - hu) * np.clip(ndimage.gaussian_filter(filled, 0.6), 0.0, 1.0)
        words["cement_ml"] = round(float(blob.sum()) * grid.voxel_mm3 / 1000.0, 2)
    gas = tuple(
        (frame.to_lps(rng.uniform([-60, 60, -50], [60, 100, 50])), float(rng.uniform(5, 15)))
        for _ in range(int(rng.integers(0, 4)))
    )
    words["gas"] = len(gas)
    photons = float(np.exp(rng.uniform(np.log(60.0), np.log(1500.0))))
    body = PictureBody(
        (hu - SOFT_HU).astype(np.float32),
        grid,
        tuple(rods),
        gas,
        photons,
        float(rng.uniform(0.25, 0.6)),
        float(rng.uniform(120, 220)),
        float(rng.uniform(0.7, 1.4)),
        float(rng.uniform(0.0, 0.7)),
        (float(rng.uniform(0.0, 3.0)), float(rng.uniform(97.0, 100.0))),
        tuple(planned),
    )
    return body, words | {"photons": round(photons)}


def scene(volume: Volume, spine: Spine, vertebra: Vertebra, kind: str, rng: np.random.Generator) -> Scene:
    """One picture of a patient made for it."""
    body, words = body_of(volume, spine, vertebra, rng)
    return scene_of(volume, spine, vertebra, body, words, kind, rng)


def scene_of(
    volume: Volume,
    spine: Spine,
    vertebra: Vertebra,
    body: PictureBody,
    words: dict[str, Any],
    kind: str,
    rng: np.random.Generator,
) -> Scene:
    """One picture in an AP or lateral view, each angle off by up to 15 degrees."""
    middle = body_middle(vertebra.frame)
    arm = CArm(
        sid_mm=float(rng.uniform(950, 1100)),
        sod_mm=float(rng.uniform(560, 720)),
        pitch_mm=float(rng.uniform(0.3, 0.45)),
    )
    primary = 0.0 if kind == "ap" else float(rng.choice([-90.0, 90.0]))
    view = arm.view(
        middle + rng.uniform(-12, 12, 3), primary + rng.uniform(-15, 15), float(rng.uniform(-15, 15))
    )
    truth = random_pose(middle, 10.0, 10.0, rng)
    frame = body.show(view.of_moved(truth), 0, rng)
    target = target_of(volume, spine, vertebra, vertebra.level or f"vertebra no. {vertebra.id}")
    return Scene(target, view, truth, frame, words | {"kind": kind, "primary": round(primary)}, body)


def body_middle(frame: VertebraFrame) -> FloatArray:
    """About the middle of a body."""
    return frame.to_lps([0.0, 14.0, 0.0])
