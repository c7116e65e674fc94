"""A synthetic patient: the scan and everything that is true of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from thecal.phantom.scanner import SOFT, Scanner, add_noise, image, store
from thecal.phantom.scene import Kernel, finer, person_numbers, scan_grid, spine_box, supersampling, trabecular_tile
from thecal.phantom.spine_model import Fracture, Sex, SpineModel, draw_spine
from thecal.volume import Box, Grid, LabelArray, Volume


@dataclass(frozen=True, eq=False)
class Case:
    """A scan with its truth.

    Attributes
    ----------
    volume : Volume
    labels : (z, y, x) uint16
        Ids of the contract on the volume's grid.
    parts : (z, y, x) uint8
        ``anatomy.spine.Part`` on the volume's grid.
    box : Box
        Where the spine lies.
    model : SpineModel
    scanner : Scanner
    """

    volume: Volume
    labels: LabelArray
    parts: npt.NDArray[np.uint8]
    box: Box
    model: SpineModel
    scanner: Scanner
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def grid(self) -> Grid:
        """The volume's grid."""
        return self.volume.grid


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
    """
    model = draw_spine(seed, levels, age=age, sex=sex, fractures=fractures)
    rng = np.random.default_rng([seed, 2])
    kernel = Kernel(model, person_numbers(model, rng, contrast_hu), trabecular_tile(rng))
    grid = scan_grid(model, spacing_mm, fov_mm)
    coarse, labels, parts = kernel.fill(grid)
    box = spine_box(model, grid)
    factors = supersampling(spacing_mm)
    fine_grid = finer(grid.crop(box), factors)
    fine_hu, _, _ = kernel.fill(fine_grid)
    sigmas = scanner.sigmas_mm(spacing_mm[0])
    spacing = (float(spacing_mm[0]), float(spacing_mm[1]), float(spacing_mm[2]))
    hu = image(coarse, (1, 1, 1), spacing, sigmas)
    fine_mm = tuple(s / f for s, f in zip(spacing, factors, strict=True))
    inner = image(fine_hu, factors, fine_mm, sigmas)  # type: ignore[arg-type]
    edge = 3
    target = tuple(
        slice(s.start + (edge if k and s.start else 0), s.stop - (edge if k and s.stop < n else 0))
        for k, (s, n) in enumerate(zip(box, grid.shape, strict=True))
    )
    hu[target] = inner[tuple(slice(t.start - s.start, t.stop - s.start) for t, s in zip(target, box, strict=True))]
    add_noise(hu, spacing, scanner, rng)
    volume = Volume.from_array(
        store(hu, scanner),
        grid,
        simulated=True,
        age=round(model.age),
        sex=model.sex,
        kvp=scanner.kvp,
        kernel=scanner.kernel,
        slice_thickness_mm=scanner.slice_fwhm_mm or spacing[0],
        hu_clipped_at=scanner.clip_hu,
    )
    return Case(volume, labels, parts, box, model, scanner)
