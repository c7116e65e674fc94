"""Pairs of scans of one patient with known truth: phantoms, and real CTs with cement put in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from scipy import ndimage

from benchmarks.scans import Window, clean_spine, window
from thecal.anatomy.spine import Spine
from thecal.phantom.deposit_spec import DepositSpec
from thecal.phantom.insert import CementTruth, insert_deposits
from thecal.phantom.revised import Revision, revised_pair
from thecal.phantom.scanner import SHARP, SOFT, Scanner
from thecal.terms import Side
from thecal.volume import AIR_HU, FloatArray, Grid, Volume, resample

Kind = Literal["revision", "nothing removed", "piece moved", "new leak", "fracture since"]
CANAL: Final = ("epidural", "intradural")
CEMENT_HU: Final = 3800.0
NOISE_HU: Final = 20.0
"""Of the second scan of a real CT, whose own noise interpolation has smoothed."""
NOISE_GRAIN_VOXELS: Final = 0.6


@dataclass(frozen=True)
class Job:
    """One pair of scans; on a real CT where ``real`` names one, else a phantom."""

    seed: int
    kind: Kind = "revision"
    screws: bool = False
    sharp: bool = False
    thick: bool = False
    real: Window | None = None


@dataclass(frozen=True, eq=False)
class TruePair:
    """Both scans, the true volumes of each deposit by number (mL), and where the patient went.

    ``added`` deposits, the last ones, are not in the earlier scan. ``still`` says that every bone is where
    the move takes it.
    """

    before: Volume
    after: Volume
    before_ml: tuple[float, ...]
    after_ml: tuple[float, ...]
    compartments: tuple[str, ...]
    move: FloatArray
    added: int = 0
    still: bool = True


def pair_of(job: Job) -> TruePair:
    """Both scans of a job."""
    return _phantom(job) if job.real is None else _real(job, job.real)


def _phantom(job: Job) -> TruePair:
    """T12 filled, with cement in the canal; the lamina of T12 gone, the patient turned and moved."""
    rng = np.random.default_rng(job.seed)
    side: Side = ("right", "left")[int(rng.integers(2))]
    piece = float(rng.uniform(0.2, 0.4))
    deposits = [
        DepositSpec("intravertebral", "T12", float(rng.uniform(2.0, 3.5)), "midline"),
        DepositSpec("epidural", "T12", float(rng.uniform(0.3, 0.6)), side),
        DepositSpec("intradural", "T12", piece, "midline"),
    ]
    revision = Revision(
        gone=(3,),
        cut_above=((2, float(rng.uniform(0.3, 0.7))),),
        laminae=("T12",),
        screws=("T11", "L1") if job.screws else (),
    )
    if job.kind == "nothing removed":
        revision = replace(revision, gone=(), cut_above=(), laminae=())
    elif job.kind == "piece moved":
        revision = replace(revision, added=(DepositSpec("intradural", "L1", piece, "midline"),))
    elif job.kind == "new leak":
        other: Side = "left" if side == "right" else "right"
        revision = replace(revision, added=(DepositSpec("paravertebral", "T12", 0.4, other),))
    elif job.kind == "fracture since":
        revision = replace(revision, collapsed={"T11": "crush"})
    made = revised_pair(
        job.seed,
        # A vertebra at the scan's edge is not measured, and the one that breaks is.
        "T10-L1" if revision.collapsed else "T11-L1",
        deposits,
        revision,
        fractures={"T12": "wedge"},
        spacing_after=(2.0, 0.7, 0.7) if job.thick else (1.25, 0.8, 0.8),
        scanner_after=SHARP if job.sharp else SOFT,
        move=turned(rng, 10.0, 60.0),
        cement_hu=CEMENT_HU,
    )
    return TruePair(
        made.before,
        made.after,
        made.before_ml,
        made.after_ml,
        made.compartments,
        made.move,
        len(revision.added),
        not revision.collapsed,
    )


def _real(job: Job, which: Window) -> TruePair:
    """A real CT with cement put in, and the same CT turned, resampled and noised without part of it."""
    rng = np.random.default_rng(job.seed)
    clean, spine = window(which), clean_spine(which)
    level = _middle_level(spine)
    specs = [
        DepositSpec("intravertebral", level, float(rng.uniform(1.5, 2.5)), "midline"),
        DepositSpec("epidural", level, float(rng.uniform(0.2, 0.4))),
        DepositSpec("intradural", level, float(rng.uniform(0.2, 0.4)), "midline"),
    ]
    pixel = float(clean.grid.spacing_mm[2])
    scanner = Scanner(psf_fwhm_mm=float(np.hypot(0.85, 0.68 * pixel)),
                      slice_fwhm_mm=clean.source.slice_thickness_mm)  # fmt: skip
    (before, held), (part, left) = (
        insert_deposits(clean, spine, some, np.random.default_rng([job.seed, 1]), scanner=scanner,
                        cement_hu=CEMENT_HU)
        for some in (specs, specs[:2])
    )  # fmt: skip
    move = turned(rng, 6.0, 0.0, about=clean.grid.to_lps((np.array(clean.grid.shape) - 1) / 2))
    return TruePair(
        before,
        _scanned_again(part, move, rng),
        _volumes(held, 3),
        _volumes(left, 3),
        tuple(spec.compartment for spec in specs),
        move,
    )


def _middle_level(spine: Spine) -> str:
    whole = [v for v in spine.vertebrae if v.complete]
    middle = whole[len(whole) // 2]
    return middle.level or f"#{middle.id}"


def _volumes(truth: CementTruth, count: int) -> tuple[float, ...]:
    known = {d.id: d.volume_ml for d in truth.deposits}
    return tuple(known.get(number, 0.0) for number in range(1, count + 1))


def _scanned_again(volume: Volume, move: FloatArray, rng: np.random.Generator) -> Volume:
    """The patient after the move, on the same grid's axes; interpolated, with new noise."""
    grid = volume.grid
    lattice = Grid(grid.shape, np.linalg.inv(move) @ grid.affine)
    hu = resample(volume.hu.astype(np.float32), grid, lattice, fill=AIR_HU)
    grain = ndimage.gaussian_filter(rng.normal(size=hu.shape), NOISE_GRAIN_VOXELS)
    hu = hu + NOISE_HU * grain / grain.std()
    ceiling = volume.source.hu_clipped_at or 32767
    stored = np.clip(np.rint(hu), -1024, ceiling).astype(np.int16)
    return replace(volume, hu=stored, source=replace(volume.source, files=()))


def turned(
    rng: np.random.Generator, degrees: float, shift_mm: float, about: FloatArray | None = None
) -> FloatArray:
    """Another position: up to so many degrees about each axis and mm along each."""
    x, y, z = np.radians(rng.uniform(-degrees, degrees, 3))
    about_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_z = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    move = np.eye(4)
    move[:3, :3] = about_x @ about_y @ about_z
    move[:3, 3] = rng.uniform(-shift_mm, shift_mm, 3)
    if about is not None:
        move[:3, 3] += about - move[:3, :3] @ about
    return move
