"""A toy patient: five vertebrae along a kyphotic canal, cement in T12, in its canal and beside it.

Shapes are plain (elliptic cylinders), so what the report must say is known by construction.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from thecal.anatomy.spine import Canal, Part, Spine, Vertebra
from thecal.cement.deposit_map import Cement
from thecal.frames import CanalFrame, VertebraFrame
from thecal.leakage.findings import CanalSection, Deposit, Leakage, VertebraMeasure, WorstOcclusion
from thecal.quality import QualityNote
from thecal.terms import VERSE_IDS
from thecal.volume import Grid, Volume, patient_grid

LEVELS = ("L2", "L1", "T12", "T11", "T10")
PITCH_MM = 32.0
BODY_HEIGHT_MM = 25.0
WALL_MM = 9.0
SAC_MM = 7.0
TREATED = "T12"


def grid() -> Grid:
    like = Grid((170, 100, 80), np.array([[0, 0, 1.0, 0], [0, 1.0, 0, 0], [1.0, 0, 0, 0], [0, 0, 0, 1]]))
    affine = like.affine.copy()
    affine[:3, 3] = (-40.0, -62.0, -898.0)
    return patient_grid(Grid(like.shape, affine), 1.0)


def canal() -> Canal:
    z = np.linspace(-895.0, -726.0, 30)
    path = np.stack([1.5 * np.sin((z + 810) / 60), 6.0 * ((z + 810) / 85) ** 2 - 8.0, z], axis=1)
    frame = CanalFrame.through(path, step_mm=1.0)
    theta = -np.pi + np.arange(64) * 2 * np.pi / 64
    wall = np.full((len(frame.s_mm), 64), WALL_MM)
    return Canal(frame, theta, wall, np.full_like(wall, SAC_MM), np.ones(len(frame.s_mm)))


def canal_coordinates(tube: Canal, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(s, theta, r) of points near the canal; r is endless elsewhere, which spares the search."""
    low, high = tube.frame.points.min(0) - 15.0, tube.frame.points.max(0) + 15.0
    near = np.all((points > low) & (points < high), axis=1)
    s, theta, r = (np.full(len(points), fill) for fill in (-1e9, 0.0, np.inf))
    s[near], theta[near], r[near] = tube.frame.locate(points[near])
    return s, theta, r


def spine() -> Spine:
    where = grid()
    tube = canal()
    centres = (-884.0 + PITCH_MM * np.arange(5) + 10.0)[:, None]
    labels = np.zeros(where.shape, np.uint16)
    parts = np.zeros(where.shape, np.uint8)
    points = where.to_lps(np.indices(where.shape).reshape(3, -1).T)
    vertebrae = []
    for name, z in zip(LEVELS, centres[:, 0], strict=True):
        i = int(np.argmin(abs(tube.frame.points[:, 2] - z)))
        up, left = tube.frame.cranial[i], tube.frame.left[i]
        frame = VertebraFrame.from_axes(
            tube.frame.points[i] - (WALL_MM + 1.0) * tube.frame.posterior[i], up, left
        )
        slab = slice(*np.searchsorted(points[:, 2], [z - 30.0, z + 30.0]))
        local = frame.to_local(points[slab])
        loss = 0.6 if name == TREATED else 1.0
        half = BODY_HEIGHT_MM / 2 * (1 - (1 - loss) * np.clip(local[:, 1] / 30.0, 0, 1))
        body = (((local[:, 1] - 15.0) / 15.0) ** 2 + (local[:, 0] / 20.0) ** 2 < 1) & (
            abs(local[:, 2]) < half
        )
        ring = np.hypot(local[:, 0], local[:, 1] + WALL_MM + 1.0)
        arch = (ring > WALL_MM + 0.5) & (ring < WALL_MM + 6.0) & (abs(local[:, 2]) < 7.0) & ~body
        spinous = (
            (abs(local[:, 0]) < 3) & (local[:, 1] < -22.0) & (local[:, 1] > -45.0) & (abs(local[:, 2]) < 6)
        )
        disc = (((local[:, 1] - 15.0) / 15.0) ** 2 + (local[:, 0] / 20.0) ** 2 < 1) & (
            (local[:, 2] < -half) & (local[:, 2] > -half - PITCH_MM + BODY_HEIGHT_MM)
        )
        label = VERSE_IDS[name]
        flat, part = labels.reshape(-1)[slab], parts.reshape(-1)[slab]
        flat[disc & (flat == 0)] = 100 + label
        flat[body | arch | spinous] = label
        part[body], part[arch | spinous] = Part.BODY, Part.ARCH
        vertebrae.append(Vertebra(label, name, "ribs", name != "T10", 0.9, frame, {}))
    _, _, r = canal_coordinates(tube, points)
    inside = r < WALL_MM
    labels.reshape(-1)[inside] = 61
    labels.reshape(-1)[r < SAC_MM] = 60
    parts.reshape(-1)[inside] = Part.NONE
    box = (slice(0, where.shape[0]), slice(0, where.shape[1]), slice(0, where.shape[2]))
    return Spine(box, where, labels, parts, tube, tuple(vertebrae), "toy", "1")


def volume(of: Spine, cement: Cement | None = None) -> Volume:
    rng = np.random.default_rng(0)
    hu = np.full(of.grid.shape, 40.0)
    hu[:, :14] = -100
    hu[:, :4] = -1000
    hu[of.labels > 0] = 80
    hu[of.parts == Part.BODY] = 140
    hu[of.parts == Part.ARCH] = 600
    hu[(of.labels == 60) | (of.labels == 61)] = 15
    if cement is not None:
        hu += cement.fraction * (3071 - hu)
    hu += rng.normal(0, 15, hu.shape)
    made = Volume.from_array(np.clip(hu, -1024, 3071), of.grid, simulated=True, hu_clipped_at=3071)
    return replace(
        made, source=replace(made.source, patient_name="Doe^Jane", kernel="toy", age=70.0, sex="F")
    )


def cement_of(of: Spine) -> tuple[Cement, Leakage]:
    """Four deposits: in T12, in its canal (in part within the sac), beside it; and the leakage they make."""
    points = of.grid.to_lps(np.indices(of.grid.shape).reshape(3, -1).T)
    t12 = next(v for v in of.vertebrae if v.level == TREATED)
    local = t12.frame.to_local(points)
    s, theta, r = canal_coordinates(of.canal, points)
    at = float(of.canal.frame.locate(t12.frame.origin[None])[0][0])
    body = np.linalg.norm((local - [2.0, 14.0, 0.0]) / [9.0, 8.0, 7.0], axis=1) < 1
    epidural = (r < WALL_MM) & (r >= SAC_MM) & (abs(theta) < 1.2) & (abs(s - at) < 14)
    intradural = (r < SAC_MM) & (abs(theta - 0.6) < 0.8) & (r > 3) & (abs(s - at) < 4)
    beside = np.linalg.norm((local - [-26.0, 12.0, 0.0]) / [4.0, 6.0, 5.0], axis=1) < 1
    shape = of.grid.shape
    ids = np.zeros(len(points), np.int32)
    for number, mask in enumerate((body, epidural, intradural, beside), start=1):
        ids[mask] = number
    ids = ids.reshape(shape)
    cement = Cement(
        of.box,
        of.grid,
        (ids > 0).astype(np.int32),
        (ids > 0).astype(np.float32),
        np.zeros(shape, bool),
        np.array([1.0, 0.7, 0.7]),
        15.0,
        12.0,
        detection_limit_hu=1680.0,
    )
    names = ("intravertebral", "epidural", "intradural", "paravertebral")
    deposits = []
    for number, compartment in enumerate(names, start=1):
        where = np.argwhere(ids == number)
        lps = of.grid.to_lps(where)
        ml = len(where) / 1000.0
        leaked = compartment != "intravertebral"
        x, y, z = lps.mean(0)
        a, b, c = np.ptp(lps, axis=0) + 1.0
        deposits.append(
            Deposit(
                number,
                compartment,
                TREATED,
                (TREATED,),
                ml,
                0.03 * ml,
                (x, y, z),
                (a, b, c),
                2900.0,
                0.8,
                "left"
                if compartment == "intradural"
                else "right"
                if compartment == "paravertebral"
                else "midline",
                "basivertebral" if compartment == "epidural" else "unknown",
                "B" if compartment == "epidural" else None,
                (x, y, z) if leaked else None,
                t12.id,
                (t12.id,),
            )
        )
    area = np.pi * WALL_MM**2
    profile = []
    inside = r < WALL_MM
    nearest_plane = of.canal.frame.index(s[inside])
    full = np.bincount(nearest_plane, minlength=len(of.canal.frame.s_mm))
    held = np.bincount(nearest_plane, ids.reshape(-1)[inside] > 0, minlength=len(full))
    for position, share in zip(of.canal.frame.s_mm, held / np.maximum(full, 1), strict=True):
        taken = float(area * share)
        z = float(of.canal.frame.at(position)[0, 2])
        nearest = min(of.vertebrae, key=lambda v: abs(v.frame.origin[2] - z))
        profile.append(CanalSection(float(position), nearest.level, float(area), taken, nearest.id))
    top = max(profile, key=lambda p: p.cement_area_mm2 or 0)
    worst = WorstOcclusion(
        (top.cement_area_mm2 or 0) / area,
        top.cement_area_mm2 or 0,
        area,
        9.3,
        top.at_mm,
        top.level,
        top.vertebra_id,
    )
    measures = []
    for v in of.vertebrae:
        treated = v.level == TREATED
        measures.append(
            VertebraMeasure(
                v.id,
                23.4,
                120.0,
                15.0 if treated else 25.0,
                20.0 if treated else 25.0,
                25.0,
                deposits[0].volume_ml if treated else 0.0,
                deposits[0].volume_ml / 23.4 if treated else 0.0,
                0.2 if treated else None,
                0.5 if treated else None,
                0.3 if treated else None,
                treated or None,
                False if treated else None,
                False if treated else None,
                0.55 if treated else None,
                18.0 if treated else 1.0,
                0.4 if treated else 0.0,
                float(area),
            )
        )
    leakage = Leakage(
        tuple(deposits),
        ids,
        deposits[1].volume_ml + deposits[2].volume_ml,
        tuple(profile),
        worst,
        tuple(measures),
        (QualityNote("streaks", "warning", "Streaks from cement cross the canal at T12."),),
    )
    return cement, leakage


def no_cement(cement: Cement, leakage: Leakage) -> tuple[Cement, Leakage]:
    """The same spine without a drop of cement."""
    nothing = np.zeros_like(leakage.deposit_labels)
    clean = replace(cement, pieces=nothing, fraction=nothing.astype(np.float32))
    profile = tuple(replace(p, cement_area_mm2=0.0) for p in leakage.profile)
    return clean, replace(
        leakage, deposits=(), deposit_labels=nothing, canal_cement_ml=0.0, profile=profile, worst=None
    )
