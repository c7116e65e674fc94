"""A synthetic patient: the scan and everything that is true of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from thecal.anatomy.spine import Spine
from thecal.phantom.deposit_spec import DepositSpec
from thecal.phantom.insert import CEMENT_HU, CementTruth, cement_image, cement_truth
from thecal.phantom.myelogram import Myelogram, fill_sac
from thecal.phantom.needle import TrackSpec, TrueTrack, drill
from thecal.phantom.place import place_deposits
from thecal.phantom.scanner import SOFT, FloatImage, Scanner, add_noise, image, store
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
from thecal.terms import LEVELS
from thecal.volume import Box, Grid, IntArray, LabelArray, Volume


@dataclass(frozen=True, eq=False)
class Case:
    """A scan with its truth.

    Attributes
    ----------
    volume : Volume
    labels : (z, y, x) uint16
        Ids of the contract on the volume's grid, as if there were no cement.
    parts : (z, y, x) uint8
        ``anatomy.spine.Part`` on the volume's grid.
    spine : Spine
        The same as a perfect anatomy backend would give it.
    model : SpineModel
        The person: each vertebra's frame, heights, fracture, trabecular HU.
    cement : CementTruth or None
    tracks : tuple of TrueTrack
    scanner : Scanner
    """

    volume: Volume
    labels: LabelArray
    parts: npt.NDArray[np.uint8]
    spine: Spine
    model: SpineModel
    cement: CementTruth | None
    tracks: tuple[TrueTrack, ...]
    scanner: Scanner

    @property
    def grid(self) -> Grid:
        """The volume's grid."""
        return self.volume.grid

    @property
    def box(self) -> Box:
        """Where the spine lies in the volume."""
        return self.spine.box

    def deposit_labels(self) -> npt.NDArray[np.uint8]:
        """Deposit ids on the volume's grid."""
        shape = self.volume.hu.shape
        return np.zeros(shape, np.uint8) if self.cement is None else self.cement.whole(shape)

    def to_json(self) -> dict[str, Any]:
        """The truth as plain values, keys as in the report where it has them."""
        complete = {v.id for v in self.spine.vertebrae if v.complete}
        truth: dict[str, Any] = {
            "schema": "thecal.phantom/1",
            "seed": self.model.seed,
            "age": round(self.model.age),
            "sex": self.model.sex,
            "shape": list(self.volume.hu.shape),
            "spacing_mm": [float(s) for s in self.grid.spacing_mm],
            "scanner": asdict(self.scanner),
            "vertebrae": [
                {
                    "level": v.level,
                    "id": v.id,
                    "complete": v.id in complete,
                    "fracture": v.fracture,
                    "trabecular_hu": round(v.trabecular_hu, 1),
                    "heights_mm": dict(
                        zip(
                            ("anterior", "middle", "posterior"), (round(h, 2) for h in v.heights), strict=True
                        )
                    ),
                    "heights_before_fracture_mm": dict(
                        zip(("anterior", "middle", "posterior"), (round(h, 2) for h in v.intact), strict=True)
                    ),
                    "origin_mm": [round(float(x), 2) for x in v.frame.origin],
                }
                for v in self.model.vertebrae
                if v.id in {w.id for w in self.spine.vertebrae}
            ],
            "tracks": [asdict(t) for t in self.tracks],
        }
        truth |= cement_json(self.cement, self.spine)
        return truth


def cement_json(cement: CementTruth | None, spine: Spine) -> dict[str, Any]:
    """Deposits and canal filling as plain values."""
    if cement is None:
        return {"deposits": [], "canal": {"cement_ml": 0.0, "max_occlusion": None}}
    s = cement.occlusion_s_mm
    worst = None
    if s is not None:
        row = int(np.argmax(cement.cement_area_mm2 / np.maximum(cement.canal_area_mm2, 1e-9)))
        near = [float(spine.canal.frame.locate(v.frame.origin[None])[0][0]) for v in spine.vertebrae]
        level = spine.vertebrae[int(np.argmin(np.abs(np.array(near) - s)))].id
        worst = {
            "fraction": round(cement.occlusion, 4),
            "cement_area_mm2": round(float(cement.cement_area_mm2[row]), 2),
            "canal_area_mm2": round(float(cement.canal_area_mm2[row]), 2),
            "at_mm": [round(float(x), 2) for x in spine.canal.frame.at(s)[0]],
            "level": LEVELS.get(level),
        }
    return {
        "deposits": [asdict(d) for d in cement.deposits],
        "canal": {"cement_ml": round(cement.canal_cement_ml, 4), "max_occlusion": worst},
    }


def make_patient(
    seed: int,
    levels: str | Sequence[str] = "T10-L3",
    *,
    spacing_mm: tuple[float, float, float] = (1.0, 0.7, 0.7),
    fov_mm: float = 220.0,
    fractures: Mapping[str, Fracture] | None = None,
    age: float | None = None,
    sex: Sex | None = None,
    scanner: Scanner = SOFT,
    contrast_hu: float | None = None,
    myelogram: Myelogram | None = None,
    deposits: Sequence[DepositSpec] = (),
    tracks: Sequence[TrackSpec] = (),
    cement_hu: float | None = None,
    canal_size: float = 1.0,
    sac_share: float | None = None,
) -> Case:
    """Make a patient and scan her.

    Parameters
    ----------
    seed : int
        The same seed and arguments give the same bytes.
    levels : "T10-L3"
        Levels wholly in the scan.
    spacing_mm : (z, y, x)
    fov_mm : float
        Side of the square reconstruction field.
    fractures : {level: "wedge", "biconcave" or "crush"}
    age, sex, contrast_hu : optional
        Drawn where not given.
    scanner : Scanner
    myelogram : Myelogram, optional
        Contrast medium in the sac; ``contrast_hu`` is that in the vessels.
    deposits : sequence of DepositSpec
    tracks : sequence of TrackSpec
    cement_hu : float, optional
        HU of the pure cement.
    canal_size, sac_share
        As for ``draw_spine``: stenosed, fatty and slim canals.

    Raises
    ------
    InputError
        Where a level is not among those shown.
    """
    model = draw_spine(
        seed, levels, age=age, sex=sex, fractures=fractures, canal_size=canal_size, sac_share=sac_share
    )
    rng = np.random.default_rng([seed, 2])
    kernel = Kernel(model, person_numbers(model, rng, contrast_hu), trabecular_tile(rng))
    spacing = (float(spacing_mm[0]), float(spacing_mm[1]), float(spacing_mm[2]))
    grid = scan_grid(model, spacing, fov_mm)
    box = spine_box(model, grid)
    coarse, labels, parts = kernel.fill_round(grid, box)
    factors = supersampling(spacing)
    site_grid = finer(grid.crop(box), factors)
    fine, fine_labels, fine_parts = kernel.fill(site_grid)
    labels[box], parts[box] = majority(fine_labels, fine_parts, factors)
    spine = spine_of(model, labels, parts, grid, box)
    site = Site(site_grid, factors, fine_labels, fine_parts, fine, spine, np.zeros(fine.shape, np.uint8))
    if myelogram is not None:
        fill_sac(site, myelogram)
    cement_rng = np.random.default_rng([seed, 3])
    made = tuple(drill(site, track) for track in tracks)
    truth: CementTruth | None = None
    if deposits:
        pure = cement_hu if cement_hu is not None else float(cement_rng.uniform(*CEMENT_HU))
        found, hu_of = place_deposits(site, deposits, cement_rng, pure)
        truth = cement_truth(site, found, box)
        _pour(site, hu_of, cement_rng)
    hu = _scan(coarse, fine, grid, box, factors, spacing, scanner)
    if deposits:
        add_streaks(hu, spacing, scanner.streaks, cement_rng)
    add_noise(hu, spacing, scanner, rng)
    volume = Volume.from_array(
        store(hu, scanner),
        grid,
        simulated=True,
        age=float(round(model.age)),
        sex=model.sex,
        kvp=scanner.kvp,
        kernel=scanner.kernel,
        slice_thickness_mm=scanner.slice_fwhm_mm or spacing[0],
        hu_clipped_at=scanner.clip_hu,
    )
    return Case(volume, labels, parts, spine, model, truth, made, scanner)


def _pour(site: Site, hu_of: dict[int, float], rng: np.random.Generator) -> None:
    """Replace the tissue of the fine grid by cement where there is any."""
    held = np.flatnonzero(site.cement.any(axis=(1, 2)))
    if len(held) == 0:
        return
    part = (slice(int(held[0]), int(held[-1]) + 1), slice(0, site.hu.shape[1]), slice(0, site.hu.shape[2]))
    dense = cement_image(site, part, hu_of, rng)
    where = site.cement[part] > 0
    site.hu[part][where] = dense[where].astype(np.int16)


def _scan(
    coarse: IntArray,
    fine: IntArray,
    grid: Grid,
    box: Box,
    factors: tuple[int, int, int],
    spacing: tuple[float, float, float],
    scanner: Scanner,
) -> FloatImage:
    """Blur the tissues onto the scan's grid: the spine from its fine grid, the rest from the scan's own."""
    sigmas = scanner.sigmas_mm(spacing[0])
    hu = image(coarse, (1, 1, 1), spacing, sigmas)
    fine_mm = (spacing[0] / factors[0], spacing[1] / factors[1], spacing[2] / factors[2])
    inner = image(fine, factors, fine_mm, sigmas)
    # The blur needs a rim of true tissue, so the fine part's own edge is left out.
    edge = 3
    target = tuple(
        slice(s.start + (edge if k and s.start else 0), s.stop - (edge if k and s.stop < n else 0))
        for k, (s, n) in enumerate(zip(box, grid.shape, strict=True))
    )
    hu[target] = inner[
        tuple(slice(t.start - s.start, t.stop - s.start) for t, s in zip(target, box, strict=True))
    ]
    return hu
