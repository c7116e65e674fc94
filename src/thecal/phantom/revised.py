"""The same patient after a revision: cement taken out, a lamina removed, screws put in, lying another way."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from thecal.anatomy.spine import Part
from thecal.phantom.deposit_spec import DepositSpec
from thecal.phantom.insert import cement_image
from thecal.phantom.needle import TrackSpec, drill
from thecal.phantom.patient import _scan
from thecal.phantom.place import place_deposits
from thecal.phantom.scanner import SOFT, Scanner, add_noise, store
from thecal.phantom.scene import (
    Kernel,
    finer,
    person_numbers,
    scan_grid,
    spine_box,
    supersampling,
    trabecular_tile,
)
from thecal.phantom.select import majority
from thecal.phantom.site import Site
from thecal.phantom.spine_model import Fracture, Sex, SpineModel, draw_spine
from thecal.phantom.streaks import add_streaks
from thecal.phantom.truth import spine_of
from thecal.volume import FloatArray, Grid, Volume

WOUND_HU: Final = 25
SCREW_HU: Final = 9000
"""Titanium at 120 kV reads some 8000 HU and more on an extended scale."""
SCREW_RADIUS_MM: Final = 2.75
SCREW_MM: Final = 42.0
CEMENT_HU: Final = 3800.0
FINE_MM: Final = 0.5


@dataclass(frozen=True)
class Revision:
    """What was done between the scans.

    Attributes
    ----------
    gone : collection of int
        Numbers of the deposits, from 1 in the order given, that were taken out whole.
    cut_above : mapping as pairs (number, share)
        Deposits of which the upper share of the height was taken out.
    laminae : collection of str
        Levels whose lamina and spinous process were removed.
    screws : collection of str
        Levels with a screw in each pedicle.
    added : sequence of DepositSpec
        Cement that only the later scan shows: a new leak, or a piece that has moved; counted on.
    collapsed : mapping of str
        Vertebrae broken since, above all cement, and how.
    """

    gone: Collection[int] = ()
    cut_above: Sequence[tuple[int, float]] = ()
    laminae: Collection[str] = ()
    screws: Collection[str] = ()
    added: Sequence[DepositSpec] = ()
    collapsed: Mapping[str, Fracture] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class RevisedPair:
    """Both scans, and the true volumes of each deposit by number from 1, mL; 0 where it is gone."""

    before: Volume
    after: Volume
    before_ml: tuple[float, ...]
    after_ml: tuple[float, ...]
    compartments: tuple[str, ...]
    move: FloatArray

    def to_json(self) -> dict[str, Any]:
        """What is true of the later scan as plain values, keys as in the report where it has them."""
        return {
            "schema": "thecal.phantom/1",
            "deposits": [
                {
                    "id": number,
                    "compartment": compartment,
                    "volume_before_ml": round(before, 4),
                    "volume_ml": round(after, 4),
                }
                for number, (compartment, before, after) in enumerate(
                    zip(self.compartments, self.before_ml, self.after_ml, strict=True), start=1
                )
            ],
        }


def revised_pair(
    seed: int,
    levels: str,
    deposits: Sequence[DepositSpec],
    revision: Revision,
    *,
    fractures: dict[str, Fracture] | None = None,
    spacing_before: tuple[float, float, float] = (1.0, 0.7, 0.7),
    spacing_after: tuple[float, float, float] = (1.25, 0.8, 0.8),
    scanner_before: Scanner = SOFT,
    scanner_after: Scanner = SOFT,
    move: FloatArray | None = None,
    fov_mm: float = 150.0,
    age: float | None = None,
    sex: Sex | None = None,
    contrast_hu: float | None = None,
    tracks: Sequence[TrackSpec] = (),
    cement_hu: float = CEMENT_HU,
) -> RevisedPair:
    """Make one patient's scan before and after a revision, with the same cement but for what was taken out.

    Parameters
    ----------
    seed : int
    levels : "T11-L2"
    deposits : sequence of DepositSpec
    revision : Revision
    fractures : {level: kind}
    spacing_before, spacing_after : (z, y, x) mm
    scanner_before, scanner_after : Scanner
    move : (4, 4) float64, optional
        Rigid; where the patient of the second scan lies, LPS mm to LPS mm.
    fov_mm : float
    age, sex, contrast_hu, tracks
        As in :func:`thecal.phantom.patient.make_patient`: with its arguments, its patient and her cement.
    cement_hu : float
        HU of the pure cement.
    """
    model = draw_spine(seed, levels, age=age, sex=sex, fractures=fractures)
    rng = np.random.default_rng([seed, 2])
    person, tile = person_numbers(model, rng, contrast_hu), trabecular_tile(rng)
    kernel = Kernel(model, person, tile)
    first = _Scan(model, kernel, spacing_before, fov_mm, cement_hu)
    site = first.site
    for track in tracks:
        drill(site, track)
    place_deposits(site, deposits, np.random.default_rng([seed, 3]), cement_hu)
    count = len(deposits) + len(revision.added)
    first_cement = site.cement.copy()
    before = first.scanned(first_cement, scanner_before, np.random.default_rng([seed, 4]))
    before_ml = _volumes(first_cement, site.grid, count)
    _add(site, revision.added, np.random.default_rng([seed, 7]), cement_hu, len(deposits))

    if revision.collapsed:
        model = draw_spine(seed, levels, age=age, sex=sex, fractures=fractures, collapsed=revision.collapsed)
        kernel = Kernel(model, person, tile)
    second = _Scan(model, kernel, spacing_after, fov_mm, cement_hu)
    there = second.site
    for track in tracks:
        drill(there, track)
    cement = _moved_cement(site, there.grid)
    for number in revision.gone:
        cement[cement == number] = 0
    for number, share in revision.cut_above:
        own = np.argwhere(site.cement == number)
        heights = site.grid.to_lps(own)[:, 2]
        limit = heights.max() - share * (heights.max() - heights.min())
        z = there.grid.to_lps(np.stack([np.arange(cement.shape[0]), *(np.zeros((2, cement.shape[0])))], 1))[
            :, 2
        ]
        cement[(cement == number) & (z > limit)[:, None, None]] = 0
    _open_laminae(there, model, revision.laminae)
    _screws(there, model, revision.screws)
    cement[there.hu >= SCREW_HU] = 0
    after = second.scanned(cement, scanner_after, np.random.default_rng([seed, 5]))
    shift = np.eye(4) if move is None else move
    grid = Grid(after.grid.shape, shift @ after.grid.affine)
    after = Volume.from_array(
        after.hu,
        grid,
        simulated=True,
        age=after.source.age,
        sex=after.source.sex,
        kvp=after.source.kvp,
        kernel=after.source.kernel,
        slice_thickness_mm=spacing_after[0],
        hu_clipped_at=scanner_after.clip_hu,
    )
    return RevisedPair(
        before,
        after,
        before_ml,
        _volumes(cement, there.grid, count),
        tuple(d.compartment for d in (*deposits, *revision.added)),
        shift,
    )


class _Scan:
    """One scan of the patient, before cement."""

    def __init__(
        self,
        model: SpineModel,
        kernel: Kernel,
        spacing: tuple[float, float, float],
        fov_mm: float,
        cement_hu: float,
    ) -> None:
        self.model = model
        self.spacing = spacing
        self.cement_hu = cement_hu
        self.grid = scan_grid(model, spacing, fov_mm)
        self.box = spine_box(model, self.grid)
        self.coarse, labels, parts = kernel.fill_round(self.grid, self.box)
        self.factors = supersampling(spacing)
        fine_grid = finer(self.grid.crop(self.box), self.factors)
        hu, fine_labels, fine_parts = kernel.fill(fine_grid)
        labels[self.box], parts[self.box] = majority(fine_labels, fine_parts, self.factors)
        spine = spine_of(model, labels, parts, self.grid, self.box)
        self.site = Site(
            fine_grid, self.factors, fine_labels, fine_parts, hu, spine, np.zeros(hu.shape, np.uint8)
        )

    def scanned(self, cement: npt.NDArray[np.uint8], scanner: Scanner, rng: np.random.Generator) -> Volume:
        """The scan with this cement."""
        site = self.site
        site.cement[:] = cement
        held = np.flatnonzero(cement.any(axis=(1, 2)))
        hu = site.hu.copy()
        if len(held):
            part = (slice(int(held[0]), int(held[-1]) + 1), slice(0, hu.shape[1]), slice(0, hu.shape[2]))
            dense = cement_image(site, part, {int(n): self.cement_hu for n in np.unique(cement) if n}, rng)
            where = cement[part] > 0
            hu[part][where] = dense[where].astype(np.int16)
        image = _scan(self.coarse, hu, self.grid, self.box, self.factors, self.spacing, scanner)
        add_streaks(image, self.spacing, scanner.streaks, rng)
        add_noise(image, self.spacing, scanner, rng)
        return Volume.from_array(
            store(image, scanner),
            self.grid,
            simulated=True,
            age=float(round(self.model.age)),
            sex=self.model.sex,
            kvp=scanner.kvp,
            kernel=scanner.kernel,
            slice_thickness_mm=self.spacing[0],
            hu_clipped_at=scanner.clip_hu,
        )


def _add(
    site: Site, added: Sequence[DepositSpec], rng: np.random.Generator, cement_hu: float, from_number: int
) -> None:
    """Put in what the later scan alone shows, numbered on."""
    for number, spec in enumerate(added, start=from_number + 1):
        earlier = site.cement.copy()
        place_deposits(site, [spec], rng, cement_hu)
        # What was placed took number 1; cement that was there is not written over.
        new = (site.cement != earlier) & (earlier == 0)
        site.cement[:] = earlier
        site.cement[new] = number


def _volumes(cement: npt.NDArray[np.uint8], grid: Grid, count: int) -> tuple[float, ...]:
    voxels = np.bincount(cement.ravel(), minlength=count + 1)[1 : count + 1]
    return tuple(float(n) * grid.voxel_mm3 / 1000 for n in voxels)


def _moved_cement(site: Site, grid: Grid) -> npt.NDArray[np.uint8]:
    """The first scan's cement on the second's fine grid; both lie along the patient's axes."""
    held = np.argwhere(site.cement > 0)
    low, high = site.grid.to_lps(held.min(0)) - 1.0, site.grid.to_lps(held.max(0)) + 1.0
    box = grid.box_around(np.stack([low, high]), 0.0)
    index = np.stack(np.meshgrid(*[np.arange(s.start, s.stop) for s in box], indexing="ij"), -1)
    at = np.rint(site.grid.to_index(grid.to_lps(index))).astype(int)
    inside = ((at >= 0) & (at < np.array(site.cement.shape))).all(-1)
    at[~inside] = 0
    cement = np.zeros(grid.shape, np.uint8)
    cement[box] = np.where(inside, site.cement[tuple(np.moveaxis(at, -1, 0))], 0)
    return cement


def _open_laminae(site: Site, model: SpineModel, levels: Collection[str]) -> None:
    for v in model.vertebrae:
        if v.level in levels:
            voxels = np.argwhere((site.labels == v.id) & (site.parts == Part.ARCH))
            local = v.frame.to_local(site.grid.to_lps(voxels))
            behind = (local[:, 1] < -(0.55 * v.size.canal_ap)) & (np.abs(local[:, 0]) < 11.0)
            site.hu[tuple(voxels[behind].T)] = WOUND_HU


def _screws(site: Site, model: SpineModel, levels: Collection[str]) -> None:
    for v in model.vertebrae:
        if v.level not in levels:
            continue
        arch = np.argwhere((site.labels == v.id) & (site.parts == Part.ARCH))
        local = v.frame.to_local(site.grid.to_lps(arch))
        for side in (-1, 1):
            slab = local[
                (local[:, 1] < -3) & (local[:, 1] > -7) & (side * local[:, 0] > 6) & (side * local[:, 0] < 24)
            ]
            if not len(slab):
                continue
            middle = np.median(slab, axis=0)
            start = middle + np.array([0.0, -16.0, 0.0])
            ends = v.frame.to_lps(np.stack([start, start + np.array([0.0, SCREW_MM, 0.0])]))
            box = site.grid.box_around(ends, 6.0)
            index = np.stack(np.meshgrid(*[np.arange(s.start, s.stop) for s in box], indexing="ij"), -1)
            at = v.frame.to_local(site.grid.to_lps(index)) - start
            inside = (np.hypot(at[..., 0], at[..., 2]) <= SCREW_RADIUS_MM) & (at[..., 1] >= 0)
            site.hu[box][inside & (at[..., 1] <= SCREW_MM)] = SCREW_HU
