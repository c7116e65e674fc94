"""Cement put into a scan, with the scan's own blur, thickness, streaks and clipping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from thecal.anatomy.spine import Part, Spine
from thecal.phantom.deposit_spec import DepositSpec, TrueDeposit
from thecal.phantom.grow import Noise
from thecal.phantom.needle import TrackSpec, TrueTrack, drill
from thecal.phantom.place import place_deposits
from thecal.phantom.scanner import Scanner, image
from thecal.phantom.scene import finer, supersampling
from thecal.phantom.select import block_counts
from thecal.phantom.site import Site
from thecal.phantom.streaks import add_streaks
from thecal.terms import EPIDURAL_SPACE, THECAL_SAC
from thecal.volume import Box, FloatArray, Volume

# Homogeneous PMMA with 30 wt-% BaSO4 or 45 wt-% ZrO2 in the powder reads about 3700-5000 HU at
# 70-80 keV, with 20 % BaSO4 about 2400-3200 (computed from X-ray cross-sections); no measured range was
# found.
CEMENT_HU: Final = (2600.0, 5000.0)
_REACH_MM: Final = 80.0
_ACROSS_MM: Final = 62.0


@dataclass(frozen=True, eq=False)
class CementTruth:
    """What is true of the cement in a scan.

    Attributes
    ----------
    deposits : tuple of TrueDeposit
    box : Box
        Where the arrays lie in the volume.
    fraction : (z, y, x) float32
        Share of each voxel that is cement.
    deposit_labels : (z, y, x) uint8
        Deposit that takes most of the voxel, where cement takes at least half; thin deposits keep the
        voxels they fill most.
    s_mm, canal_area_mm2, cement_area_mm2 : (n,) float64
        Along the canal, on slabs 1 mm thick normal to it.
    canal_cement_ml : float
    tracks : tuple of TrueTrack
        Needles' ways that were cut into the scan.
    """

    deposits: tuple[TrueDeposit, ...]
    box: Box
    fraction: npt.NDArray[np.float32]
    deposit_labels: npt.NDArray[np.uint8]
    s_mm: FloatArray
    canal_area_mm2: FloatArray
    cement_area_mm2: FloatArray
    canal_cement_ml: float
    tracks: tuple[TrueTrack, ...] = ()

    @property
    def occlusion(self) -> float:
        """Worst share of the canal taken by cement, 0..1."""
        share = self.cement_area_mm2 / np.maximum(self.canal_area_mm2, 1e-9)
        return float(share.max()) if len(share) else 0.0

    @property
    def occlusion_s_mm(self) -> float | None:
        """Arc length of the worst place; None where no cement lies in the canal."""
        if self.canal_cement_ml <= 0:
            return None
        return float(self.s_mm[np.argmax(self.cement_area_mm2 / np.maximum(self.canal_area_mm2, 1e-9))])

    def whole(self, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
        """``deposit_labels`` on the whole volume."""
        out = np.zeros(shape, np.uint8)
        out[self.box] = self.deposit_labels
        return out


def insert_deposits(
    volume: Volume,
    spine: Spine,
    deposits: Sequence[DepositSpec],
    rng: np.random.Generator,
    *,
    scanner: Scanner | None = None,
    cement_hu: float | None = None,
    tracks: Sequence[TrackSpec] = (),
) -> tuple[Volume, CementTruth]:
    """Put deposits into a CT that has none.

    Parameters
    ----------
    volume : Volume
    spine : Spine
        Anatomy of the clean scan; every deposit keeps to its compartment there.
    deposits : sequence of DepositSpec
    rng : Generator
    scanner : Scanner, optional
        Blur and streaks; by default a soft kernel, slices as thick as the scan says.
    cement_hu : float, optional
        HU of the pure cement; drawn where not given.
    tracks : sequence of TrackSpec
        Needles' ways, cut through the bone before the cement comes.

    Returns
    -------
    volume : Volume
        ``hu`` with the cement, ``source.simulated`` true.
    truth : CementTruth

    Raises
    ------
    InputError
        Where a level is not in the spine.
    """
    spacing = volume.grid.spacing_mm
    step = (float(spacing[0]), float(spacing[1]), float(spacing[2]))
    scanner = scanner or Scanner(slice_fwhm_mm=volume.source.slice_thickness_mm or step[0])
    cement_hu = cement_hu if cement_hu is not None else float(rng.uniform(*CEMENT_HU))
    box = _site_box(volume, spine, deposits)
    factors = supersampling(step)
    site = site_of(volume, spine, box, factors)
    if tracks:
        volume, made = _drilled(volume, site, box, tracks, scanner)
    truths, hu_of = place_deposits(site, deposits, rng, cement_hu)
    truth = replace(cement_truth(site, truths, box), tracks=made if tracks else ())
    tight = _cement_box(site, box, factors)
    if tight is None:
        return volume, truth
    part, fine_part = tight
    occupied = site.cement[fine_part]
    dense = cement_image(site, fine_part, hu_of, rng)
    fine_mm = (step[0] / factors[0], step[1] / factors[1], step[2] / factors[2])
    sigmas = scanner.sigmas_mm(step[0])
    share = image((occupied > 0).view(np.uint8), factors, fine_mm, sigmas)
    bright = image(dense, factors, fine_mm, sigmas)
    z = part[0]
    slices = volume.hu[z].astype(np.float32)
    inner = (slice(None), part[1], part[2])
    slices[inner] = slices[inner] * (1.0 - share) + bright
    add_streaks(slices, step, scanner.streaks, rng)
    ceiling = volume.source.hu_clipped_at or (3071 if int(volume.hu.max()) <= 3071 else 32767)
    hu = volume.hu.copy()
    hu[z] = np.clip(np.rint(slices), -1024, ceiling).astype(np.int16)
    # Padding outside the field of view stays what it was.
    hu[z][volume.hu[z] <= -1024] = volume.hu[z][volume.hu[z] <= -1024]
    return replace(volume, hu=hu, source=replace(volume.source, simulated=True)), truth


def _drilled(
    volume: Volume, site: Site, box: Box, tracks: Sequence[TrackSpec], scanner: Scanner
) -> tuple[Volume, tuple[TrueTrack, ...]]:
    """The scan with the needles' ways in it; ``site.hu`` is cut in place."""
    before = site.hu.copy()
    made = tuple(drill(site, track) for track in tracks)
    change = site.hu.astype(np.float32) - before
    step = [float(mm) for mm in volume.grid.spacing_mm]
    fine_mm = (step[0] / site.factors[0], step[1] / site.factors[1], step[2] / site.factors[2])
    hu = volume.hu.copy()
    soft = hu[box] + image(change, site.factors, fine_mm, scanner.sigmas_mm(step[0]))
    hu[box] = np.clip(np.rint(soft), -1024, 32767).astype(np.int16)
    return replace(volume, hu=hu), made


def _site_box(volume: Volume, spine: Spine, deposits: Sequence[DepositSpec]) -> Box:
    """The scan's voxels round the levels that get cement, within the spine's crop."""
    wanted = {d.level for d in deposits}
    centres = [v.frame.origin for v in spine.vertebrae if v.level in wanted or f"#{v.id}" in wanted]
    if not centres:
        centres = [v.frame.origin for v in spine.vertebrae]
    across = np.array(
        [
            [x, y, z]
            for x in (-_ACROSS_MM, _ACROSS_MM)
            for y in (-_ACROSS_MM, _ACROSS_MM)
            for z in (-_REACH_MM, _REACH_MM)
        ]
    )
    corners = (np.array(centres)[:, None, :] + across[None]).reshape(-1, 3)
    box = volume.grid.box_around(corners, 0.0)
    low = [max(b.start, s.start) for b, s in zip(box, spine.box, strict=True)]
    high = [min(b.stop, s.stop) for b, s in zip(box, spine.box, strict=True)]
    return (slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2]))


def _upsample(array: npt.NDArray[Any], factors: tuple[int, int, int]) -> npt.NDArray[Any]:
    for axis, factor in enumerate(factors):
        array = np.repeat(array, factor, axis=axis)
    return array


def site_of(volume: Volume, spine: Spine, box: Box, factors: tuple[int, int, int]) -> Site:
    """The site of a real scan: each label's voxels cut into fine ones."""
    inside = tuple(slice(b.start - s.start, b.stop - s.start) for b, s in zip(box, spine.box, strict=True))
    labels = _upsample(spine.labels[inside], factors)
    return Site(
        grid=finer(volume.grid.crop(box), factors),
        factors=factors,
        labels=labels,
        parts=_upsample(spine.parts[inside], factors),
        hu=_upsample(volume.hu[box], factors),
        spine=spine,
        cement=np.zeros(labels.shape, np.uint8),
    )


def _cement_box(site: Site, box: Box, factors: tuple[int, int, int]) -> tuple[Box, Box] | None:
    """Scan voxels (of the volume) and fine voxels round all cement, with room for the blur."""
    starts, stops = [], []
    for axis in range(3):
        held = np.flatnonzero((site.cement > 0).any(axis=tuple(a for a in range(3) if a != axis)))
        if len(held) == 0:
            return None
        size = site.cement.shape[axis] // factors[axis]
        starts.append(max(0, held[0] // factors[axis] - 6))
        stops.append(min(size, held[-1] // factors[axis] + 7))
    part = tuple(slice(b.start + a, b.start + o) for b, a, o in zip(box, starts, stops, strict=True))
    fine = tuple(slice(a * f, o * f) for a, o, f in zip(starts, stops, factors, strict=True))
    return part, fine  # type: ignore[return-value]


def cement_image(
    site: Site, part: Box, hu_of: dict[int, float], rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """HU of the cement on the fine grid, 0 elsewhere; trabeculae and pores dilute it within bone."""
    occupied = site.cement[part]
    table = np.zeros(256, np.float32)
    for number, value in hu_of.items():
        table[number] = value
    dense = table[occupied]
    index = np.argwhere(occupied > 0)
    if len(index) == 0:
        return dense
    points = site.grid.to_lps(index + np.array([s.start for s in part]))
    noise = Noise(np.random.default_rng(rng.integers(0, 2**63))).at(points, 2.2)
    where = tuple(index.T)
    in_bone = site.parts[part][where] == Part.BODY
    pure = np.where(in_bone, 0.84 + 0.09 * noise, 0.98 + 0.02 * noise)
    dense[where] *= np.clip(pure, 0.5, 1.0).astype(np.float32)
    return dense


def cement_truth(site: Site, deposits: tuple[TrueDeposit, ...], box: Box) -> CementTruth:
    """Fractions, labels and the canal's filling from the supersampled cement."""
    factors = np.array(site.factors)
    shape = tuple(n // f for n, f in zip(site.cement.shape, site.factors, strict=True))
    fraction = np.zeros(shape, np.float32)
    block_counts(site.cement, factors, 0, fraction)
    labels = np.zeros(shape, np.uint8)
    most = np.zeros(shape, np.float32)
    for deposit in deposits:
        share = np.zeros(shape, np.float32)
        block_counts(site.cement, factors, deposit.id, share)
        cut = min(0.5, 0.6 * float(share.max()))
        better = (share >= cut) & (share > most)
        labels[better] = deposit.id
        most[better] = share[better]
    s, canal, cement = _canal_filling(site)
    held = site.labels[site.cement > 0]
    in_canal = float(((held == THECAL_SAC) | (held == EPIDURAL_SPACE)).sum())
    return CementTruth(
        deposits, box, fraction, labels, s, canal, cement, in_canal * site.grid.voxel_mm3 / 1000.0
    )


def _canal_filling(site: Site) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Areas of canal and of cement in it on slabs of 1 mm along the canal, where there is cement near."""
    frame = site.spine.canal.frame
    in_cement = np.flatnonzero((site.cement > 0).any(axis=(1, 2)))
    if len(in_cement) == 0:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    reach = int(np.ceil(12.0 / site.grid.spacing_mm[0]))
    start = max(0, int(in_cement[0]) - reach)
    stop = min(site.labels.shape[0], int(in_cement[-1]) + reach + 1)
    label = site.labels[start:stop]
    index = np.argwhere((label == THECAL_SAC) | (label == EPIDURAL_SPACE)) + np.array([start, 0, 0])
    held = site.cement[tuple(index.T)] > 0
    if not held.any():
        return np.zeros(0), np.zeros(0), np.zeros(0)
    z = index[:, 0]
    near = (z >= z[held].min() - reach) & (z <= z[held].max() + reach)
    index, held = index[near], held[near]
    s, _, _ = frame.locate(site.grid.to_lps(index))
    edges = np.arange(np.floor(s.min()), np.ceil(s.max()) + 1.0, 1.0)
    canal = np.histogram(s, edges)[0] * site.grid.voxel_mm3
    cement = np.histogram(s[held], edges)[0] * site.grid.voxel_mm3
    # The outermost slabs are cut by the window and are not whole planes.
    keep = slice(4, -4) if len(canal) > 16 else slice(None)
    return ((edges[:-1] + edges[1:]) / 2)[keep], canal[keep].astype(float), cement[keep].astype(float)
