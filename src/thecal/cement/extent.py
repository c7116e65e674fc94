"""How far the cement reaches from its seeds, in fractions of voxels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import cKDTree

from thecal.anatomy.spine import Spine
from thecal.cement.background import background_hu
from thecal.cement.blur import REACH_SIGMAS, blur_weights
from thecal.cement.fractions import cement_fractions
from thecal.cement.nearness import Nearness
from thecal.cement.plateau import Plateau, plateau
from thecal.cement.seeds import REACH_MM
from thecal.volume import BoolArray, Box, FloatArray, IntArray

# Share of pure cement down to which a voxel joins its bright neighbour; thin sheets and veins peak near 0.5.
GROW_SHARE = 0.30
# Voxels no brighter than bone are the blurred edge of cement only so far from what is brighter than bone;
# else growth would run on over cortex that carries no label.
DIM_REACH_MM = 3.0
CONNECT_FRACTION = 0.30
TRACE_FRACTION = 0.02
LEAST_PIECE_MM3 = 2.0
CRUMB_MM3 = 10.0


@dataclass(frozen=True, eq=False)
class Extent:
    """Pieces, fractions, and the brightness of pure cement that they rest on."""

    pieces: npt.NDArray[np.int32]
    fraction: npt.NDArray[np.float32]
    plateau_hu: float
    measured: bool
    clipped: bool


def cement_extent(
    hu: IntArray,
    seeds: BoolArray,
    barred: BoolArray,
    spine: Spine,
    near: Nearness,
    sigma_mm: FloatArray,
    noise_hu: float,
    bone_hu: float,
    clip_hu: int | None,
) -> Extent:
    """Grow the seeds to the cement's blurred edge and turn HU into fractions.

    Parameters
    ----------
    hu : (z, y, x) int16
    seeds, barred : (z, y, x) bool
        Surely cement; surely something else.
    spine, near
    sigma_mm : (3,)
    noise_hu, bone_hu : float
    clip_hu : int or None
    """
    import cc3d

    spacing = spine.grid.spacing_mm
    pieces = np.zeros(hu.shape, np.int32)
    fraction = np.zeros(hu.shape, np.float32)
    general = plateau_of(hu, seeds, clip_hu, sigma_mm, spacing, noise_hu)
    soft = (spine.labels == 60) | (spine.labels == 61) | (near.bone_mm > 3.0)
    low = GROW_SHARE * general.hu
    grown = np.where(soft, hu >= low, hu >= max(low, bone_hu)) & (near.bone_mm <= REACH_MM)
    grown |= seeds
    grown = _near_bright(grown, hu >= bone_hu, spacing)
    if barred.any():
        grown &= ~ndimage.binary_dilation(barred, iterations=1) | seeds
    groups = cc3d.connected_components(grown, connectivity=26)
    wanted = np.unique(groups[seeds])
    core = np.isin(groups, wanted[wanted > 0])
    weights = blur_weights(sigma_mm, spacing)
    reach = np.ceil(REACH_SIGMAS * sigma_mm / spacing).astype(int)
    margin = 2 * reach + np.ceil(4.0 / spacing).astype(int)
    part = _around(core, margin)
    hu, core, barred, seeds = hu[part], core[part], barred[part], seeds[part]
    support = ndimage.binary_dilation(core, np.ones((3, 3, 3), bool)) & ~(barred & ~core)
    clusters, _ = ndimage.label(ndimage.binary_dilation(support), np.ones((3, 3, 3)))
    here = np.zeros(hu.shape, np.float32)
    for number, tight in enumerate(ndimage.find_objects(clusters), start=1):
        box = _wider(tight, margin, hu.shape)
        mine = clusters[box] == number
        own = plateau(hu[box], core[box] & mine, clip_hu, sigma_mm, spacing, noise_hu)
        _fill(hu[box], support[box], mine, _chosen(own, general), clip_hu, weights, reach, spacing,
              barred[box], here[box])  # fmt: skip
    numbered = np.zeros(hu.shape, np.int32)
    _label(here, numbered, spacing)
    _rejoin_crumbs(numbered, here, groups[part], spacing)
    fraction[part], pieces[part] = here, numbered
    return Extent(pieces, fraction, general.hu, general.measured, general.clipped)


def _near_bright(grown: BoolArray, bright: BoolArray, spacing: FloatArray) -> BoolArray:
    """Leave out what is dim and far from anything bright."""
    import edt

    box = _around(grown, np.ceil(DIM_REACH_MM / spacing).astype(int)) if grown.any() else None
    if box is None:
        return grown
    away = edt.edt(~(grown & bright)[box], anisotropy=tuple(spacing), black_border=False, parallel=1)
    grown[box] &= away <= DIM_REACH_MM
    return grown


def plateau_of(
    hu: IntArray,
    seeds: BoolArray,
    clip_hu: int | None,
    sigma_mm: FloatArray,
    spacing_mm: FloatArray,
    noise_hu: float,
) -> Plateau:
    """The plateau of all seeds together."""
    whole = _around(seeds, np.ceil(6.0 / spacing_mm).astype(int))
    return plateau(hu[whole], seeds[whole], clip_hu, sigma_mm, spacing_mm, noise_hu)


def _chosen(own: Plateau, general: Plateau) -> float:
    """A cluster's own plateau where it could be measured, the scan's elsewhere."""
    if own.clipped:
        return general.hu
    return own.hu if own.measured else max(own.hu, general.hu)


def _fill(
    hu: IntArray,
    support: BoolArray,
    mine: BoolArray,
    pure_hu: float,
    clip_hu: int | None,
    weights: tuple[npt.NDArray[np.float32], ...],
    reach: npt.NDArray[np.int64],
    spacing: FloatArray,
    barred: BoolArray,
    out: npt.NDArray[np.float32],
) -> None:
    """Write one cluster's fractions into ``out``; neighbouring clusters count as seen but not as ours."""
    structure = np.ones(2 * np.maximum(1, reach - 1) + 1, bool)
    rim = ndimage.binary_dilation(support, structure)
    ground = background_hu(hu, rim | barred, spacing)
    share = (hu - ground) / np.maximum(pure_hu - ground, 300.0)
    clipped = np.zeros(hu.shape, bool) if clip_hu is None else hu >= clip_hu - 1
    seen = rim & ~ndimage.binary_dilation(barred, iterations=2) if barred.any() else rim
    fraction = cement_fractions(share.astype(np.float32), clipped, support, seen, weights)
    out[mine] = fraction[mine]


def _label(fraction: npt.NDArray[np.float32], pieces: npt.NDArray[np.int32], spacing: FloatArray) -> None:
    """Number the pieces by 26-connectivity of well-filled voxels; traces join the nearest piece."""
    import cc3d

    fraction[fraction < TRACE_FRACTION] = 0.0
    groups = cc3d.connected_components(fraction >= CONNECT_FRACTION, connectivity=26).astype(np.int32)
    volume = np.bincount(groups.ravel(), weights=fraction.ravel()) * float(np.prod(spacing))
    keep = volume >= LEAST_PIECE_MM3
    keep[0] = False
    numbers = np.where(keep, np.cumsum(keep), 0).astype(np.int32)
    pieces[...] = numbers[groups]
    for _ in range(2):
        spread = ndimage.grey_dilation(pieces, size=(3, 3, 3))
        joins = (pieces == 0) & (fraction > 0)
        pieces[joins] = spread[joins]
    fraction[pieces == 0] = 0.0


def _rejoin_crumbs(
    pieces: npt.NDArray[np.int32],
    fraction: npt.NDArray[np.float32],
    groups: npt.NDArray[np.uint32],
    spacing: FloatArray,
) -> None:
    """Give crumbs that the deconvolution broke off back to the piece they are one bright group with.

    A crumb's neighbour in the scan is joined to it without a gap (``groups``); two deposits of size that
    touch only through the blur stay apart.
    """
    count = int(pieces.max())
    if count < 2:
        return
    inside = np.flatnonzero(pieces)
    owner, group = pieces.ravel()[inside], groups.ravel()[inside]
    volume = np.bincount(owner, weights=fraction.ravel()[inside], minlength=count + 1).astype(np.float64)
    volume *= float(np.prod(spacing))
    places = np.stack(np.unravel_index(inside, pieces.shape), axis=1) * spacing
    renamed = np.arange(count + 1)
    for crumb in np.flatnonzero(volume < CRUMB_MM3)[1:]:
        mine = owner == crumb
        shared = np.unique(group[mine & (group > 0)])
        if len(shared) == 0:
            # Bright rim that belongs to no deposit: bone caught between the blurs of two.
            renamed[crumb] = 0
            continue
        near = np.isin(group, shared)
        largest = float(volume[owner[near]].max(initial=0.0))
        if volume[crumb] >= largest:
            continue
        large = near & ~mine & (volume[owner] >= min(CRUMB_MM3, largest))
        distance, nearest = cKDTree(places[large]).query(places[mine])
        renamed[crumb] = owner[large][nearest[int(np.argmin(distance))]]
    kept = np.unique(np.append(renamed, 0))
    pieces[...] = np.searchsorted(kept, renamed).astype(np.int32)[pieces]
    fraction[pieces == 0] = 0.0


def _around(mask: BoolArray, margin: npt.NDArray[np.int64]) -> Box:
    return _wider(ndimage.find_objects(mask.astype(np.uint8))[0], margin, mask.shape)


def _wider(box: Box, margin: npt.NDArray[np.int64], shape: tuple[int, ...]) -> Box:
    low = [max(0, s.start - int(m)) for s, m in zip(box, margin, strict=True)]
    high = [min(n, s.stop + int(m)) for s, m, n in zip(box, margin, shape, strict=True)]
    return (slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2]))
