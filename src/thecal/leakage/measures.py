"""Sizes, fill and density of every vertebra, and why any of them is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy import ndimage

from thecal.anatomy.spine import Part, Spine, Vertebra
from thecal.cement.deposit_map import Cement
from thecal.leakage.body import Body
from thecal.leakage.deposits import Piece
from thecal.leakage.fill import Fill, fill_of
from thecal.leakage.findings import VertebraMeasure
from thecal.leakage.heights import GENANT_MILD, Heights, height_losses, heights_of
from thecal.leakage.levels import Levels
from thecal.leakage.occlusion import Occlusion
from thecal.leakage.regions import BONE
from thecal.leakage.trabecular import trabecular_hu
from thecal.quality import QualityNote
from thecal.terms import vertebra_name
from thecal.volume import BoolArray, FloatArray, IntArray

THICK_FOR_HEIGHTS_MM: Final = 2.0
"""From this distance of slices on, thin discs blur into their endplates."""
PLAIN_BODY: Final = 0.3
"""Below this confidence a body's edges are hardly seen. Chosen here."""


def measure_vertebrae(
    spine: Spine,
    cement: Cement,
    hu: IntArray,
    shapes: dict[int, Body],
    pieces: Sequence[Piece],
    regions: Sequence[int],
    levels: Levels,
    canal: Occlusion,
) -> tuple[tuple[VertebraMeasure, ...], tuple[QualityNote, ...]]:
    """One measure for each vertebra, in the spine's order, with notes on what could not be had.

    ``cement_ml`` is all cement in the bone, body and arch; the fill and its thirds are of the body alone.
    A vertebra cut by the scan's edge has no heights, body volume, fill or thirds.
    """
    notes: list[QualityNote] = []
    within = {v.id: _cement_in(v, pieces, regions) for v in spine.vertebrae}
    treated = [within[v.id][1].sum() > 0 for v in spine.vertebrae]
    heights = [heights_of(shapes[v.id]) if v.complete and v.id in shapes else None for v in spine.vertebrae]
    losses = height_losses(heights, [bool(t) for t in treated])
    density = _densities(spine, cement, hu, shapes, notes)
    hidden = _holding_metal(spine, cement)
    measured = []
    for vertebra, tall, loss, hounsfield in zip(spine.vertebrae, heights, losses, density, strict=True):
        points, amount = within[vertebra.id]
        body = shapes.get(vertebra.id)
        if not vertebra.complete:
            notes.append(
                QualityNote(
                    "vertebra_incomplete",
                    "info",
                    f"{_name(vertebra, first=True)} is cut by the scan's edge: its heights and fill are not "
                    "measured.",
                )
            )
        elif body is None or tall is None:
            notes.append(
                QualityNote(
                    "body_not_measured",
                    "warning",
                    f"The body of {_name(vertebra)} was not found well enough to measure its heights.",
                )
            )
        whole = body if vertebra.complete else None
        fill = None
        if whole is not None:
            in_body = _in_body(points, vertebra, whole, spine)
            fill = fill_of(vertebra, whole, points[in_body], amount[in_body])
        held = None if vertebra.id in hidden and not amount.sum() > 0 else float(amount.sum())
        if held is None:
            fill = None
        measured.append(_measure(vertebra, whole, tall, loss, hounsfield, held, fill, levels, canal))
    doubted = uncertain_losses(spine, measured)
    if doubted:
        names = ", ".join(_name(v) for v in spine.vertebrae if v.id in doubted)
        notes.append(
            QualityNote(
                "heights_uncertain",
                "warning",
                f"The loss of height read of {names} is uncertain: {_why_uncertain(spine)}. Look at the cut "
                "before taking it for a fracture.",
            )
        )
    return tuple(measured), tuple(notes)


def uncertain_losses(spine: Spine, measured: Sequence[VertebraMeasure]) -> set[int]:
    """Ids of vertebrae that read as fractured by endplates that the scan hardly shows."""
    thick = float(spine.grid.spacing_mm[0]) >= THICK_FOR_HEIGHTS_MM
    sure = {v.id: v.confidence >= PLAIN_BODY for v in spine.vertebrae}
    return {
        m.id
        for m in measured
        if (m.height_loss_fraction or 0.0) >= 1 - GENANT_MILD and (thick or not sure[m.id])
    }


def _why_uncertain(spine: Spine) -> str:
    slice_mm = float(spine.grid.spacing_mm[0])
    if slice_mm >= THICK_FOR_HEIGHTS_MM:
        return f"slices {slice_mm:.1f} mm apart blur the endplates"
    return "the edges of the body are hardly seen, where cement or the scan's noise hides them"


def _measure(
    vertebra: Vertebra,
    body: Body | None,
    tall: Heights | None,
    loss: float | None,
    hounsfield: float | None,
    cement_mm3: float | None,
    fill: Fill | None,
    levels: Levels,
    canal: Occlusion,
) -> VertebraMeasure:
    return VertebraMeasure(
        id=vertebra.id,
        body_volume_ml=body.volume_mm3 / 1000 if body else None,
        trabecular_hu=hounsfield,
        height_anterior_mm=tall.anterior if tall else None,
        height_middle_mm=tall.middle if tall else None,
        height_posterior_mm=tall.posterior if tall else None,
        cement_ml=None if cement_mm3 is None else cement_mm3 / 1000,
        fill_fraction=fill.fill_fraction if fill else None,
        cement_anterior=fill.anterior if fill else None,
        cement_middle=fill.middle if fill else None,
        cement_posterior=fill.posterior if fill else None,
        posterior_third_reached=fill.posterior_third_reached if fill else None,
        upper_endplate_touched=fill.upper_endplate_touched if fill else None,
        lower_endplate_touched=fill.lower_endplate_touched if fill else None,
        cement_left_fraction=fill.left if fill else None,
        wedge_degrees=tall.wedge_degrees if tall else None,
        height_loss_fraction=loss,
        canal_area_mm2=_canal_area(vertebra, levels, canal),
    )


def _name(vertebra: Vertebra, *, first: bool = False) -> str:
    """The vertebra in words; ``first`` where a sentence begins with it."""
    name = vertebra_name(vertebra.level, vertebra.id)
    return name[0].upper() + name[1:] if first else name


def _cement_in(
    vertebra: Vertebra, pieces: Sequence[Piece], regions: Sequence[int]
) -> tuple[FloatArray, FloatArray]:
    own = [p for p, region in zip(pieces, regions, strict=True) if region == BONE + vertebra.id]
    if not own:
        return np.zeros((0, 3)), np.zeros(0)
    return np.concatenate([p.points for p in own]), np.concatenate([p.volume_mm3 for p in own])


def _holding_metal(spine: Spine, cement: Cement) -> set[int]:
    """Ids of vertebrae with metal in or at them, where cement that was not seen may well be there."""
    where = ndimage.find_objects(cement.metal.astype(np.uint8))
    if not where:
        return set()
    box = tuple(slice(max(0, part.start - 3), part.stop + 3) for part in where[0])
    at = ndimage.binary_dilation(cement.metal[box], iterations=2)
    return {int(label) for label in np.unique(spine.labels[box][at])}


def _in_body(points: FloatArray, vertebra: Vertebra, body: Body, spine: Spine) -> BoolArray:
    """Cement of a bone that is in its body: by part, and where the label misses it, by place."""
    if not len(points):
        return np.zeros(0, bool)
    index = np.rint(spine.grid.to_index(points)).astype(int)
    at = tuple(np.clip(index, 0, np.array(spine.grid.shape) - 1).T)
    own = spine.labels[at] == vertebra.id
    part = np.where(own, spine.parts[at], Part.NONE)
    before_wall = vertebra.frame.to_local(points)[:, 1] > body.posterior_mm - 2.0
    inside: BoolArray = (part == Part.BODY) | ((part != Part.ARCH) & before_wall)
    return inside


def _canal_area(vertebra: Vertebra, levels: Levels, canal: Occlusion) -> float | None:
    """Median area over the middle half of the vertebra's share of the canal."""
    index = next(i for i, v in enumerate(levels.vertebrae) if v.id == vertebra.id)
    low, high = levels.edges_mm[index : index + 2]
    s = levels.spine.canal.frame.s_mm
    area = canal.canal_mm2[np.abs(s - (low + high) / 2) <= (high - low) / 4]
    area = area[np.isfinite(area)]
    return float(np.median(area)) if len(area) else None


def _densities(
    spine: Spine, cement: Cement, hu: IntArray, shapes: dict[int, Body], notes: list[QualityNote]
) -> list[float | None]:
    """Trabecular HU of each body; from the nearest neighbours where cement leaves too little."""
    own = [trabecular_hu(hu, cement, shapes[v.id]) if v.id in shapes else None for v in spine.vertebrae]
    result: list[float | None] = []
    for i, (vertebra, value) in enumerate(zip(spine.vertebrae, own, strict=True)):
        if value is None and vertebra.id in shapes:
            near = [
                next((own[j] for j in reach if own[j] is not None), None)
                for reach in (range(i - 1, -1, -1), range(i + 1, len(own)))
            ]
            known = [n for n in near if n is not None]
            value = float(np.mean(known)) if known else None
            source = "taken from its neighbours" if known else "not measured"
            lies_in = (cement.pieces[shapes[vertebra.id].box] > 0) & shapes[vertebra.id].mask
            why = (
                f"Too little of {_name(vertebra)} is free of cement"
                if lies_in.any()
                else f"Too little of the spongiosa of {_name(vertebra)} is in view, away from its cortex"
            )
            notes.append(
                QualityNote(
                    "trabecular_hu_from_neighbours" if known else "trabecular_hu_not_measured",
                    "info",
                    f"{why}: its trabecular HU is {source}.",
                )
            )
        result.append(value)
    return result
