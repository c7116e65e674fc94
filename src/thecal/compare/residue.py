"""What is left of each deposit, what is new, and what that means for the canal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import edt
import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import cKDTree

from thecal.cement.contrast_in_sac import hiding_planes
from thecal.compare.match import Moves
from thecal.compare.scanned import Scanned
from thecal.leakage.findings import Deposit, WorstOcclusion
from thecal.leakage.levels import Levels
from thecal.leakage.occlusion import occlusion_along, worst_plane
from thecal.volume import FloatArray, box_of

SAME_MM: Final = 2.0
"""Cement of the later scan this near to cement of the earlier one is that cement: a voxel and the error of
laying one over the other."""
HIDING_MM: Final = 3.0
"""Metal this near hides cement, and streaks are read as cement."""
HIDDEN_SHARE: Final = 0.5
"""With more of a deposit's place hidden, nothing is said of what is left of it."""
GONE_SHARE: Final = 0.05
NEW_MM3: Final = 10.0
BESIDE_METAL_MM: Final = 5.0
"""Most of what is called new within this of metal is the metal's own glare."""
VOLUME_SD_SHARE: Final = 0.04
"""Error of one volume as a share of it, as found on phantoms. That of the border between compartments takes
no part: it is the same for both scans."""
MOVED_RATIO: Final = (0.6, 1.6)
MOVED_MM: Final = 60.0
"""A new deposit as large as one that is gone, and no farther than two vertebrae away, may be that one."""


@dataclass(frozen=True)
class Remnant:
    """One deposit of the earlier scan and what is left of it; None where its place is hidden or not shown."""

    deposit: Deposit
    residual_ml: float | None
    removed_sd_ml: float
    hidden_fraction: float
    after_ids: tuple[int, ...]

    @property
    def removed_ml(self) -> float | None:
        """What is gone of it."""
        return None if self.residual_ml is None else self.deposit.volume_ml - self.residual_ml


@dataclass(frozen=True)
class Arrival:
    """A deposit of the later scan where the earlier one had none; from where, if one of its size is gone."""

    deposit: Deposit
    volume_ml: float
    from_id: int | None
    distance_mm: float | None


@dataclass(frozen=True, eq=False)
class Residue:
    """All that is left and new; ``worst`` and ``share`` (n,) are those in the canal as it was.

    ``ignored`` are deposits of the later scan beside metal where there were none before.
    """

    remnants: tuple[Remnant, ...]
    arrivals: tuple[Arrival, ...]
    canal_ml: float
    worst: WorstOcclusion | None
    share: FloatArray
    ignored: tuple[int, ...] = ()


def residue(before: Scanned, after: Scanned, moves: Moves) -> Residue:
    """Follow each deposit from the earlier scan to the later.

    Each voxel of cement of the later scan is brought to the earlier one by the move of its vertebra and goes
    to the deposit that it then lies in or within 2 mm of. Compartments are thus those of the earlier scan,
    whatever the revision has opened.
    """
    spine, own = before.spine, before.leakage
    later, theirs, cement = after.spine, after.leakage, after.cement
    old = np.argwhere(own.deposit_labels > 0)
    old_ids = own.deposit_labels[tuple(old.T)]
    old_points = spine.grid.to_lps(old)
    new = np.argwhere(theirs.deposit_labels > 0)
    new_ids = theirs.deposit_labels[tuple(new.T)]
    amount = cement.fraction[tuple(new.T)].astype(float) * cement.grid.voxel_mm3
    at = moves.back(later.grid.to_lps(new))
    given = np.zeros(len(new), np.int64)
    if len(old) and len(new):
        away, which = cKDTree(old_points).query(at, distance_upper_bound=SAME_MM)
        near = np.isfinite(away)
        given[near] = old_ids[which[near]]
    left = np.bincount(given, amount, minlength=len(own.deposits) + 1)
    remnants = []
    for deposit in own.deposits:
        ids = tuple(int(i) for i in np.unique(new_ids[given == deposit.id]))
        hidden = _hidden(moves.forward(old_points[old_ids == deposit.id]), after)
        seen = hidden <= HIDDEN_SHARE
        remnants.append(
            Remnant(
                deposit,
                float(left[deposit.id]) / 1000 if seen else None,
                # What is hidden may still be there.
                float(
                    np.hypot(
                        VOLUME_SD_SHARE * np.hypot(deposit.volume_ml, float(left[deposit.id]) / 1000),
                        hidden * deposit.volume_ml,
                    )
                ),
                hidden,
                ids,
            )
        )
    glare = _beside_metal(new, new_ids, after)
    fresh = tuple(d for d in theirs.deposits if d.id not in glare)
    arrivals = _arrivals(fresh, new_ids, given, amount, at, tuple(remnants))
    kept = _in_canal(own.deposits, theirs.deposits, new_ids, given, {a.deposit.id for a in arrivals})
    worst, share = _occlusion(before, after, moves, new[kept])
    ignored = tuple(int(i) for i in sorted(glare) if not (given[new_ids == i] > 0).any())
    return Residue(tuple(remnants), arrivals, float(amount[kept].sum()) / 1000, worst, share, ignored)


def _beside_metal(voxels: npt.NDArray[np.intp], ids: npt.NDArray[np.int32], after: Scanned) -> set[int]:
    """Deposits of the later scan most of which lies right beside metal."""
    if not after.cement.metal.any() or not len(voxels):
        return set()
    grid = after.spine.grid
    tree = cKDTree(grid.to_lps(np.argwhere(after.cement.metal)))
    near = np.isfinite(tree.query(grid.to_lps(voxels), distance_upper_bound=BESIDE_METAL_MM)[0])
    return {int(i) for i in np.unique(ids) if near[ids == i].mean() > HIDDEN_SHARE}


def _hidden(points: FloatArray, after: Scanned) -> float:
    """Share of places that the later scan does not show, or that metal or contrast medium hides there."""
    grid = after.spine.grid
    index = np.rint(grid.to_index(points)).astype(int)
    inside = ((index >= 0) & (index < np.array(grid.shape))).all(-1)
    lost = float((~inside).mean())
    contrast = hiding_planes(after.spine, after.cement.detection_limit_hu or 0.0)
    if contrast.any():
        frame = after.spine.canal.frame
        lost += float((inside & contrast[frame.index(frame.locate(points)[0])]).mean())
    if not inside.any() or not after.cement.metal.any():
        return min(lost, 1.0)
    box = grid.box_around(points[inside], 2 * HIDING_MM)
    metal = after.cement.metal[box]
    if not metal.any():
        return lost
    away = edt.edt(~metal, anisotropy=tuple(grid.spacing_mm), black_border=False)
    start = np.array([part.start for part in box])
    hit = away[tuple((index[inside] - start).T)] <= HIDING_MM
    return min(lost + float(hit.mean()) * float(inside.mean()), 1.0)


def _arrivals(
    deposits: tuple[Deposit, ...],
    ids: npt.NDArray[np.int32],
    given: npt.NDArray[np.int64],
    amount: FloatArray,
    at: FloatArray,
    remnants: tuple[Remnant, ...],
) -> tuple[Arrival, ...]:
    gone = [
        r for r in remnants if r.residual_ml is not None and r.residual_ml <= GONE_SHARE * r.deposit.volume_ml
    ]
    found = []
    for deposit in deposits:
        mine = ids == deposit.id
        fresh = mine & (given == 0)
        volume = float(amount[fresh].sum())
        if volume < NEW_MM3 or volume < 0.5 * float(amount[mine].sum()):
            continue
        middle = np.average(at[fresh], axis=0, weights=amount[fresh])
        origin: tuple[float, Remnant] | None = None
        for r in gone:
            ratio = volume / 1000 / max(r.deposit.volume_ml, 1e-9)
            distance = float(np.linalg.norm(middle - np.array(r.deposit.centroid_mm)))
            if MOVED_RATIO[0] <= ratio <= MOVED_RATIO[1] and distance <= MOVED_MM:
                origin = min(origin, (distance, r), key=lambda o: o[0]) if origin else (distance, r)
        if origin is not None:
            gone.remove(origin[1])
        found.append(
            Arrival(
                deposit,
                volume / 1000,
                origin[1].deposit.id if origin else None,
                origin[0] if origin else None,
            )
        )
    return tuple(found)


def _in_canal(
    old: tuple[Deposit, ...],
    new: tuple[Deposit, ...],
    ids: npt.NDArray[np.int32],
    given: npt.NDArray[np.int64],
    arrived: set[int],
) -> npt.NDArray[np.bool_]:
    """Voxels of the later scan's cement that lie in the canal."""
    canal = ("intradural", "epidural")
    kept = np.isin(given, [d.id for d in old if d.compartment in canal])
    kept |= (given == 0) & np.isin(ids, [d.id for d in new if d.compartment in canal and d.id in arrived])
    return kept


def _occlusion(
    before: Scanned, after: Scanned, moves: Moves, voxels: npt.NDArray[np.intp]
) -> tuple[WorstOcclusion | None, FloatArray]:
    """The residue in the canal as it was before: a canal that was opened has no wall to measure against."""
    spine, later, cement = before.spine, after.spine, after.cement
    share = np.zeros(len(spine.canal.frame.s_mm))
    canal = ndimage.binary_dilation(spine.canal_mask(), iterations=2)
    box = box_of(canal)
    if box is None or not len(voxels):
        return None, share
    held = np.zeros(later.labels.shape, np.float32)
    held[tuple(voxels.T)] = cement.fraction[tuple(voxels.T)]
    grid = spine.grid.crop(box)
    index = np.argwhere(canal[box])
    there = later.grid.to_index(moves.forward(grid.to_lps(index)))
    filled = np.zeros(grid.shape, np.float32)
    filled[tuple(index.T)] = ndimage.map_coordinates(held, there.T, order=1, mode="constant", cval=0.0)
    areas = occlusion_along(spine.canal, filled, grid, spine.grid)
    share = areas.cement_mm2 / areas.canal_mm2
    return worst_plane(areas, spine.canal, Levels.of(spine), filled, grid), share
