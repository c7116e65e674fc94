"""How far the cement reaches from its seeds, in fractions of voxels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import cKDTree

from thecal.anatomy.spine import Part, Spine
from thecal.cement.background import background_hu
from thecal.cement.blur import REACH_SIGMAS, blur_weights
from thecal.cement.fractions import cement_fractions
from thecal.cement.nearness import Nearness
from thecal.cement.plateau import Plateau, plateau
from thecal.cement.seeds import REACH_MM
from thecal.terms import EPIDURAL_SPACE, THECAL_SAC
from thecal.volume import BoolArray, Box, FloatArray, IntArray, box_of, wider

# Share of pure cement down to which a voxel joins its bright neighbour; thin sheets and veins peak near 0.5.
GROW_SHARE = 0.30
# Voxels as bright as bone may be are the blurred edge of cement only so far from what is surely brighter;
# else growth would run on over cortex and osteophytes.
DIM_REACH_MM = 3.0
CLEAR_OF_BONE_MM = 3.0
# Cement in a body is thinned by the trabeculae and marrow caught in it (bone volume 8 to 15 % of spongiosa in
# the elderly); in veins, disc, canal and tracks it is pure.
PURE_OVER_BODY = 1.10
# The border between the two is known to about this, to either side alike: a sheet against the posterior wall
# that was measured against the body's thinned cement would come out too large.
BODY_BORDER_MM = 1.0
BODY_MM3 = 300.0
BONY_GROUND_HU = 200.0
CORTEX_PERCENTILE = 75
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
    sure_hu: float,
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
    sure_hu : float
        HU from which a voxel is cement wherever it lies.
    clip_hu : int or None
    """
    spacing = spine.grid.spacing_mm
    pieces = np.zeros(hu.shape, np.int32)
    fraction = np.zeros(hu.shape, np.float32)
    general = plateau_of(hu, seeds, clip_hu, sigma_mm, spacing, noise_hu)
    low = GROW_SHARE * general.hu
    groups = _grown(hu, seeds, barred, spine, near, low, bone_hu, sure_hu)
    core: BoolArray = groups > 0
    if not core.any():
        return Extent(pieces, fraction, general.hu, general.measured, general.clipped)
    weights = blur_weights(sigma_mm, spacing)
    reach = np.ceil(REACH_SIGMAS * sigma_mm / spacing).astype(int)
    margin = 2 * reach + np.ceil(4.0 / spacing).astype(int)
    part = _around(core, margin)
    hu, core, barred, seeds = hu[part], core[part], barred[part], seeds[part]
    parts = spine.parts[part]
    support = ndimage.binary_dilation(core, np.ones((3, 3, 3), bool)) & ~(barred & ~core)
    arch = (parts == Part.ARCH) & ~core
    clear = arch & ~ndimage.binary_dilation(support, iterations=2)
    cortex_hu = float(np.percentile(hu[clear], CORTEX_PERCENTILE)) if clear.any() else 0.0
    bordering = (spine.labels[part] == 0) & (near.bone_mm[part] <= CLEAR_OF_BONE_MM) & ~core
    in_body = parts == Part.BODY
    thinned = bool(np.count_nonzero(seeds & in_body) * spine.grid.voxel_mm3 > BODY_MM3)
    clusters, _ = ndimage.label(ndimage.binary_dilation(support), np.ones((3, 3, 3)))
    here = np.zeros(hu.shape, np.float32)
    for number, tight in enumerate(ndimage.find_objects(clusters), start=1):
        box = wider(tight, margin, hu.shape)
        mine = clusters[box] == number
        own = plateau(hu[box], core[box] & mine, clip_hu, sigma_mm, spacing, noise_hu)
        pure = _pure_hu(own, general, in_body[box], core[box] & mine, thinned, spacing)
        _fill(hu[box], support[box], arch[box], bordering[box], cortex_hu, mine, pure, clip_hu, weights,
              reach, spacing, barred[box], here[box])  # fmt: skip
    numbered = np.zeros(hu.shape, np.int32)
    _label(here, numbered, spacing)
    _rejoin_crumbs(numbered, here, groups[part], spacing)
    fraction[part], pieces[part] = here, numbered
    return Extent(pieces, fraction, general.hu, general.measured, general.clipped)


def _grown(
    hu: IntArray,
    seeds: BoolArray,
    barred: BoolArray,
    spine: Spine,
    near: Nearness,
    low: float,
    bone_hu: float,
    sure_hu: float,
) -> npt.NDArray[np.uint32]:
    """Seeds with the bright voxels that hang on them, numbered by connection, (z, y, x).

    In the canal and clear of bone anything above ``low`` is bright, elsewhere what outshines bone as well.
    """
    import edt

    grown: BoolArray = (hu >= low) & (near.bone_mm <= REACH_MM)
    if bone_hu > low:
        dim = np.flatnonzero(grown & (hu < bone_hu))
        labels = spine.labels.ravel()[dim]
        soft = (
            (labels == THECAL_SAC)
            | (labels == EPIDURAL_SPACE)
            | (near.bone_mm.ravel()[dim] > CLEAR_OF_BONE_MM)
        )
        grown.ravel()[dim[~soft]] = False
    grown |= seeds
    result = np.zeros(hu.shape, np.uint32)
    box = box_of(grown)
    if box is None:
        return result
    _keep_seeded(grown[box], seeds[box])
    spacing = spine.grid.spacing_mm
    box = box_of(grown)
    if box is None:
        return result
    grown, seeds, barred = grown[box], seeds[box], barred[box]
    labels = spine.labels[box]
    apart = near.bone_mm[box] > CLEAR_OF_BONE_MM
    if apart[grown].any():
        # Ribs and processes that carry no label lie apart from labelled bone and are bone all the same.
        apart &= background_hu(hu[box], grown, spacing) <= BONY_GROUND_HU
        grown &= apart | (near.bone_mm[box] <= CLEAR_OF_BONE_MM) | (hu[box] >= bone_hu) | seeds
    soft = (labels == THECAL_SAC) | (labels == EPIDURAL_SPACE) | apart
    bright = grown & (hu[box] >= np.where(soft | seeds, min(bone_hu, sure_hu), sure_hu))
    away = edt.edt(~bright, anisotropy=tuple(spacing), black_border=False, parallel=1)
    grown &= away <= DIM_REACH_MM
    if barred.any():
        grown &= ~ndimage.binary_dilation(barred, iterations=1) | seeds
    result[box] = _keep_seeded(grown, seeds)
    return result


def _keep_seeded(grown: BoolArray, seeds: BoolArray) -> npt.NDArray[np.uint32]:
    """Leave in ``grown``, in place, only what hangs together with a seed; its groups."""
    import cc3d

    groups: npt.NDArray[np.uint32] = cc3d.connected_components(grown, connectivity=26, out_dtype=np.uint32)
    seeded = np.zeros(int(groups.max()) + 1, bool)
    seeded[groups[seeds]] = True
    seeded[0] = False
    grown &= seeded[groups]
    groups[~grown] = 0
    return groups


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


def _pure_hu(
    own: Plateau, general: Plateau, in_body: BoolArray, core: BoolArray, thinned: bool, spacing: FloatArray
) -> npt.NDArray[np.float32]:
    """HU of a voxel full of cement, voxel by voxel of a cluster.

    A cluster's own plateau where it could be measured, the scan's elsewhere; in a scan whose plateau was read
    in a body, cement outside it is purer.
    """
    import edt

    in_bone = float(in_body[core].mean()) > 0.5
    free = PURE_OVER_BODY if thinned else 1.0
    if in_bone:
        inside = general.hu if own.clipped else own.hu if own.measured else max(own.hu, general.hu)
        outside = inside * free
    else:
        least = general.hu * free
        trusted = own.measured and not own.clipped and not thinned
        outside = own.hu if trusted else least if own.clipped else max(own.hu, least)
        inside = outside / free
    if not in_body.any():
        return np.full(in_body.shape, outside, np.float32)
    away, deep = (
        edt.edt(mask, anisotropy=tuple(spacing), black_border=False, parallel=1)
        for mask in (~in_body, in_body)
    )
    # Both distances are to the nearest voxel's middle on the other side: the border is where they agree.
    clear = np.clip(0.5 + 0.5 * (away - deep) / BODY_BORDER_MM, 0.0, 1.0)
    pure: npt.NDArray[np.float32] = (inside + (outside - inside) * clear).astype(np.float32)
    return pure


def _fill(
    hu: IntArray,
    support: BoolArray,
    arch: BoolArray,
    bordering: BoolArray,
    cortex_hu: float,
    mine: BoolArray,
    pure_hu: npt.NDArray[np.float32],
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
    # The cortex of pedicle, facet and rib is as bright as thinly filled voxels would be.
    bony = arch | (bordering & (ground > BONY_GROUND_HU))
    ground[bony] = np.maximum(ground[bony], cortex_hu)
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
    box = box_of(mask, margin)
    assert box is not None
    return box
