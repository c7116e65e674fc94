"""Round one vertebra: how far every point is from each thing that a needle must not touch.

All is sampled in the vertebra's own axes, so that "medial", "in front" and "above" are the block's. Distances
are those of a Euclidean distance transform: of the vertebra, its canal and its foramina on a fine block, of
what lies farther off on a coarse and wide one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cc3d
import edt
import numpy as np

from thecal.anatomy.spine import Spine, Vertebra, disc_mask
from thecal.leakage.occlusion import CONFIDENCE_FLOOR
from thecal.needle.search.around import Around
from thecal.needle.search.block import Block, block_of
from thecal.needle.search.fields import FloatField, sampled
from thecal.terms import SACRUM, THECAL_SAC, is_vertebra
from thecal.volume import BoolArray, FloatArray, Volume

NEAR_STEP_MM: Final = 0.8
NEAR_LOW_MM: Final = (-40.0, -40.0, -26.0)
NEAR_HIGH_MM: Final = (40.0, 44.0, 26.0)
"""Left, anterior, cranial of the middle of the posterior wall: bodies are up to 36 mm deep, 56 mm wide and
30 mm high, pedicles end 15 mm behind the wall."""
FAR_STEP_MM: Final = 1.6
FAR_LOW_MM: Final = (-64.0, -64.0, -40.0)
FAR_HIGH_MM: Final = (64.0, 48.0, 40.0)
"""A needle that comes at 45 degrees to pedicle and body runs within."""
CANAL_SHARE: Final = 0.35
"""Where a point is canal by so much, it is canal: rather too near than too far."""
GAP_MM: Final = 2.0
"""Gaps of a vertebra's label up to twice as wide are bone where the scan is as dense."""
GAP_HU: Final = 120.0
CORNER_BODY_MM: Final = (3.0, 7.0)
CORNER_ARCH_MM: Final = (-9.5, -6.0)
"""Where labels show the side wall of the body, and that of the pedicle. The corner between them, which labels
often leave out, is bone inside the line from one wall to the other where the scan is as dense."""
BEYOND_MM: Final = 2.0
"""A pedicle's side wall lies at most so much lateral of the body's waist beside it; what is labelled farther
out is a rib's head."""
PEDICLE_HEIGHTS_MM: Final = (-4.0, 10.0)
"""Heights at which pedicles lie beside the canal, from the middle of the posterior wall (they are centred
some 4 mm above it and at least 10 mm high)."""
CANAL_BEHIND_MM: Final = (-22.0, 3.0)
CANAL_ASIDE_MM: Final = 15.0
CANAL_LEAST_SHARE: Final = 0.9
"""Share of those heights at which the canal must be labelled; below it, it was not found there."""
RIB_HU: Final = 200.0
RIB_OFF_MM: Final = 2.5
"""Nearer to labelled bone, bone without a label is the label's fault; a rib's shaft lies farther off."""
RIB_MM3: Final = 150.0

MEDIAL: Final = "medial pedicle wall"
SAC: Final = "sac"
ROOT: Final = "root in the foramen"
BONE: Final = "neighbouring vertebra"
DISC: Final = "disc"
RIB: Final = "rib"
LUNG: Final = "lung"
GAS: Final = "gas in the body"
AORTA: Final = "aorta"
FOREIGN: Final = "cement or metal"
NEAR: Final = (MEDIAL, ROOT, SAC)
FAR: Final = (BONE, DISC, RIB, LUNG, GAS, AORTA, FOREIGN)
STRUCTURES: Final = NEAR + FAR
FAR_AWAY_MM: Final = 60.0
"""Distance given where a structure is not in the block."""


@dataclass(frozen=True, eq=False)
class KeepAway:
    """One vertebra's blocks of distances.

    Attributes
    ----------
    vertebra : Vertebra
    near : (3, left, anterior, cranial) float32
        Distance of each point from each of ``NEAR``, mm; negative in the canal, 0 inside the others.
    far : (7, left, anterior, cranial) float32
        The same for each of ``FAR``, on the wide block.
    solid : (left, anterior, cranial) float32
        Depth in the vertebra's own bone, mm, negative outside; on the fine block.
    block : Block
        The fine block itself.
    seen : tuple of str
        Structures that are in the blocks.
    canal_found : bool
        Whether the canal is known at all heights of the pedicles. Where it is not, ``near`` says nothing of
        the medial wall, and no way may be planned or graded.
    scanned : (left, anterior, cranial) bool
        Of the wide block: what lies in the scan.
    filled : bool
        Whether this vertebra itself holds cement or metal already.
    """

    vertebra: Vertebra
    near: FloatField
    far: FloatField
    solid: FloatField
    block: Block
    seen: tuple[str, ...]
    canal_found: bool
    scanned: BoolArray
    filled: bool = False

    def distance(self, structure: str, local: FloatArray) -> FloatArray:
        """Distance of points (..., 3) of the frame from one of ``STRUCTURES``, mm (see ``near``)."""
        if structure in NEAR:
            return sampled(self.near[NEAR.index(structure)], NEAR_LOW_MM, NEAR_STEP_MM, local, FAR_AWAY_MM)
        return sampled(self.far[FAR.index(structure)], FAR_LOW_MM, FAR_STEP_MM, local, FAR_AWAY_MM)

    def looked_at(self, local: FloatArray) -> BoolArray:
        """Whether points (..., 3) of the frame lie in the wide block and in the scan."""
        index = np.rint((np.asarray(local, float) - FAR_LOW_MM) / FAR_STEP_MM).astype(int)
        inside: BoolArray = np.asarray(((index >= 0) & (index < np.array(self.scanned.shape))).all(-1))
        index = np.where(inside[..., None], index, 0)
        seen: BoolArray = inside & self.scanned[index[..., 0], index[..., 1], index[..., 2]]
        return seen

    def depth_in_bone(self, local: FloatArray) -> FloatArray:
        """Depth of points (..., 3) in the vertebra's own bone, mm, negative outside."""
        return sampled(self.solid, NEAR_LOW_MM, NEAR_STEP_MM, local, -FAR_AWAY_MM)


def keep_away(
    volume: Volume, spine: Spine, vertebra: Vertebra, around: Around, foreign: BoolArray | None = None
) -> KeepAway:
    """The blocks of one vertebra.

    Parameters
    ----------
    volume : Volume
    spine : Spine
    vertebra : Vertebra
    around : Around
        Of the same scan.
    foreign : (z, y, x) bool, optional
        Cement and metal in the spine's crop.
    """
    fine = block_of(volume, spine, vertebra, NEAR_LOW_MM, NEAR_HIGH_MM, NEAR_STEP_MM)
    wide = block_of(volume, spine, vertebra, FAR_LOW_MM, FAR_HIGH_MM, FAR_STEP_MM)
    canal = fine.canal >= CANAL_SHARE
    own = fine.own >= 0.5
    other = _table(fine, vertebra)[fine.labels] & ~own
    foramen = fine.foramen & ~own
    own = _closed(own, fine.hu) & ~(canal | other | foramen | disc_mask(fine.labels))
    near = {MEDIAL: canal, ROOT: foramen, SAC: fine.labels == THECAL_SAC}
    mine = wide.own >= 0.5
    points = wide.points(vertebra)
    lung, gas, aorta = (around.at(m, points) for m in (around.lung, around.gas, around.aorta))
    bone, disc = _table(wide, vertebra)[wide.labels] & ~mine, disc_mask(wide.labels) & ~mine
    there = _foreign(spine, foreign, points)
    labelled = mine | bone | disc | (wide.canal > CANAL_SHARE)
    far = {
        BONE: bone,
        DISC: disc,
        RIB: _ribs(wide.hu, labelled | aorta | there),
        LUNG: lung,
        GAS: gas,
        AORTA: aorta,
        FOREIGN: there,
    }
    return KeepAway(
        vertebra,
        np.stack([-_signed(canal)] + [_away(near[name], NEAR_STEP_MM) for name in NEAR[1:]]),
        np.stack([_away(far[name], FAR_STEP_MM) for name in FAR]),
        _signed(own),
        fine,
        tuple(name for name in STRUCTURES if (near | far)[name].any()),
        _canal_found(spine, vertebra, canal),
        np.isfinite(wide.hu),
        foreign is not None and bool((foreign & (spine.labels == vertebra.id)).any()),
    )


def _foreign(spine: Spine, foreign: BoolArray | None, points: FloatArray) -> BoolArray:
    """Cement and metal at LPS points (..., 3)."""
    if foreign is None or not foreign.any():
        return np.zeros(points.shape[:-1], bool)
    index = np.rint(spine.grid.to_index(points)).astype(int)
    inside: BoolArray = np.asarray(((index >= 0) & (index < np.array(foreign.shape))).all(-1))
    index = np.where(inside[..., None], index, 0)
    found: BoolArray = inside & foreign[index[..., 0], index[..., 1], index[..., 2]]
    return found


def _canal_found(spine: Spine, vertebra: Vertebra, canal: BoolArray) -> bool:
    """Whether the canal is labelled at the pedicles' heights, and was not merely guessed there."""
    x, y, z = (low + NEAR_STEP_MM * np.arange(n) for low, n in zip(NEAR_LOW_MM, canal.shape, strict=True))
    beside = (z >= PEDICLE_HEIGHTS_MM[0]) & (z <= PEDICLE_HEIGHTS_MM[1])
    behind = (y >= CANAL_BEHIND_MM[0]) & (y <= CANAL_BEHIND_MM[1])
    here = canal[np.ix_(np.abs(x) <= CANAL_ASIDE_MM, behind, beside)].any(axis=(0, 1))
    height = vertebra.frame.to_local(spine.canal.frame.points)
    near = (np.abs(height[:, 2] - sum(PEDICLE_HEIGHTS_MM) / 2.0) <= np.ptp(PEDICLE_HEIGHTS_MM) / 2.0) & (
        np.abs(height[:, 1]) <= -NEAR_LOW_MM[1]
    )
    unsure = ~(spine.canal.confidence[near] >= CONFIDENCE_FLOOR)
    return bool(here.mean() >= CANAL_LEAST_SHARE) and not unsure.any()


def _table(block: Block, vertebra: Vertebra) -> BoolArray:
    """By label: whether it is another vertebra or the sacrum."""
    return np.array(
        [
            (is_vertebra(i) or i == SACRUM) and i != vertebra.id
            for i in range(int(block.labels.max(initial=0)) + 1)
        ]
    )


def _away(mask: BoolArray, step_mm: float) -> FloatField:
    """Distance from a mask's surface, 0 inside."""
    if not mask.any():
        return np.full(mask.shape, FAR_AWAY_MM, np.float32)
    away = edt.edt(~mask, anisotropy=(step_mm,) * 3, black_border=False)
    distance: FloatField = np.clip(away - step_mm / 2, 0.0, FAR_AWAY_MM).astype(np.float32)
    return distance


def _signed(mask: BoolArray) -> FloatField:
    """Depth in a mask, negative outside."""
    if not mask.any():
        return np.full(mask.shape, -FAR_AWAY_MM, np.float32)
    scale = (NEAR_STEP_MM,) * 3
    within = edt.edt(mask, anisotropy=scale, black_border=False)
    outside = edt.edt(~mask, anisotropy=scale, black_border=False)
    signed: FloatField = np.where(mask, within - NEAR_STEP_MM / 2, NEAR_STEP_MM / 2 - outside).astype(
        np.float32
    )
    return signed


def _closed(own: BoolArray, hu: FloatField) -> BoolArray:
    """The bone with gaps of its label filled where the scan shows bone."""
    bright = hu > GAP_HU
    own = own & ~_beyond_body(own)
    corner = _corners(own)
    whole: BoolArray = own | ((_closing(own, GAP_MM) | corner) & bright)
    # Marrow within a filled corner is darker than its cortex.
    whole |= _closing(whole, GAP_MM) & corner
    return whole


def _beyond_body(own: BoolArray) -> BoolArray:
    """Beside the pedicles, farther out than the body is wide: there a label has run onto a rib."""
    x, y, _ = (low + NEAR_STEP_MM * np.arange(n) for low, n in zip(NEAR_LOW_MM, own.shape, strict=True))
    in_body = (y >= CORNER_BODY_MM[0]) & (y <= CORNER_BODY_MM[1])
    beside = (y >= CORNER_ARCH_MM[0]) & (y <= CORNER_BODY_MM[0])
    out = np.zeros(own.shape, bool)
    for sign in (-1.0, 1.0):
        wide = (sign * x)[own[:, in_body].any(axis=(1, 2))].max(initial=0.0)
        if wide > 0.0:
            out |= (sign * x > wide + BEYOND_MM)[:, None, None] & beside[None, :, None]
    return out


def _corners(own: BoolArray) -> BoolArray:
    """Between the side wall of the body and that of the pedicle, at every height where both are labelled."""
    x, y, _ = (low + NEAR_STEP_MM * np.arange(n) for low, n in zip(NEAR_LOW_MM, own.shape, strict=True))
    in_body = (y >= CORNER_BODY_MM[0]) & (y <= CORNER_BODY_MM[1])
    in_arch = (y >= CORNER_ARCH_MM[0]) & (y <= CORNER_ARCH_MM[1])
    back, front = sum(CORNER_ARCH_MM) / 2.0, sum(CORNER_BODY_MM) / 2.0
    share = np.clip((y - back) / (front - back), 0.0, 1.0)
    between = (y >= CORNER_ARCH_MM[0]) & (y <= CORNER_BODY_MM[1])
    corner = np.zeros(own.shape, bool)
    for sign in (-1.0, 1.0):
        lateral = np.where(sign * x > 0, sign * x, -np.inf)[:, None, None]
        body = np.where(own[:, in_body], lateral, -np.inf).max(axis=(0, 1))
        arch = np.where(own[:, in_arch], lateral, -np.inf).max(axis=(0, 1))
        both = np.isfinite(body) & np.isfinite(arch)
        wall = np.where(both, 0.0, -1.0) + np.where(both, arch, 0.0)[None] * (1 - share)[:, None]
        wall = wall + np.where(both, body, 0.0)[None] * share[:, None]
        corner |= (lateral >= 0.0) & (lateral <= wall[None]) & between[None, :, None]
    return corner


def _closing(mask: BoolArray, radius_mm: float) -> BoolArray:
    scale = (NEAR_STEP_MM,) * 3
    grown = edt.edt(~mask, anisotropy=scale, black_border=False) <= radius_mm
    closed: BoolArray = edt.edt(grown, anisotropy=scale, black_border=False) > radius_mm
    return closed


def _ribs(hu: FloatField, taken: BoolArray) -> BoolArray:
    """Bone that has no label, off the bone that has one."""
    free = edt.edt(~taken, anisotropy=(FAR_STEP_MM,) * 3, black_border=False) > RIB_OFF_MM
    bright = (hu > RIB_HU) & free
    parts = np.asarray(cc3d.connected_components(bright.astype(np.uint8), connectivity=6))
    sizes = np.bincount(parts.ravel()) * FAR_STEP_MM**3
    sizes[0] = 0.0
    kept: BoolArray = (sizes >= RIB_MM3)[parts]
    return kept
