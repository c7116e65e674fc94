"""From volume, spine and cement to everything the report says of the leak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from thecal.anatomy.spine import Spine
from thecal.cement.contrast_in_sac import hiding_planes
from thecal.cement.deposit_map import Cement
from thecal.leakage.body import bodies
from thecal.leakage.compartments import assign
from thecal.leakage.deposits import describe, pieces_of
from thecal.leakage.findings import Deposit, Leakage
from thecal.leakage.intradural.probability import DEFAULT_PRIOR
from thecal.leakage.intradural.read import read_signs
from thecal.leakage.levels import Levels
from thecal.leakage.measures import measure_vertebrae
from thecal.leakage.occlusion import occlusion_along, sections, worst_plane
from thecal.leakage.pieces import Speck, deposit_parts
from thecal.leakage.regions import EPIDURAL, SAC
from thecal.leakage.revision.plan import plan_revision
from thecal.leakage.route import origins
from thecal.leakage.tracks import find_tracks
from thecal.quality import QualityNote
from thecal.terms import vertebra_name
from thecal.volume import Grid, Volume

MOST_NAMED: Final = 6
"""Specks whose places a note gives."""


def find_leakage(
    volume: Volume, spine: Spine, cement: Cement, intradural_prior: float = DEFAULT_PRIOR
) -> Leakage:
    """See :func:`thecal.leakage.find_leakage`."""
    notes: list[QualityNote] = []
    hu = spine.plain_hu(volume)
    shape = spine.labels.shape
    levels = Levels.of(spine)
    shapes = bodies(spine)
    labels = np.zeros(shape, np.int32)
    at = assign(spine, cement, hu)
    deposits: tuple[Deposit, ...] = ()
    if at is None:
        regions, pieces = [], []
        in_canal = np.zeros((1, 1, 1), np.float32)
        grid = spine.grid
    else:
        grid = spine.grid.crop(at.box)
        fraction = np.ascontiguousarray(cement.fraction[at.box])
        parts, codes, dropped = deposit_parts(at.codes, fraction, grid.spacing_mm, cement.detection_limit_mm3)
        if dropped:
            notes += _specks(dropped, cement.detection_limit_mm3, grid, levels)
        regions = [int(code) for code in codes]
        pieces = pieces_of(parts, len(regions), at, cement, volume, spine)
        came = origins(parts, codes, at.region, spine.parts[at.box], fraction, grid)
        deposits = tuple(
            describe(i + 1, piece, regions[i], came.get(i + 1), parts, cement, volume, spine, levels, shapes)
            for i, piece in enumerate(pieces)
        )
        labels[at.box] = parts
        is_canal = np.concatenate([[False], np.isin(codes, (SAC, EPIDURAL))])
        in_canal = np.where(is_canal[parts], fraction, np.float32(0)).astype(np.float32)
    hiding = hiding_planes(spine, cement.detection_limit_hu or 0.0)
    canal = occlusion_along(spine.canal, in_canal, grid, spine.grid, cement.metal, hiding)
    assessable = np.isfinite(canal.cement_mm2)
    some_hidden = bool((np.isfinite(canal.canal_mm2) & ~assessable).any())
    if not assessable.any():
        notes.append(
            QualityNote(
                "canal_not_assessable",
                "critical",
                "Contrast medium in the canal is as bright as cement may be: whether cement lies there "
                "cannot be told."
                if hiding.any()
                else "The canal was not found well enough to say how much of it cement takes.",
            )
        )
    measured, further = measure_vertebrae(spine, cement, hu, shapes, pieces, regions, levels, canal)
    canal_mm3 = sum(
        float(p.volume_mm3.sum()) for p, r in zip(pieces, regions, strict=True) if r in (SAC, EPIDURAL)
    )
    slice_mm = max(float(volume.grid.spacing_mm[0]), volume.source.slice_thickness_mm or 0.0)
    needles = find_tracks(hu, slice_mm, spine, cement)
    found = Leakage(
        deposits=deposits,
        deposit_labels=labels,
        canal_cement_ml=canal_mm3 / 1000 if assessable.any() and (canal_mm3 > 0 or not some_hidden) else None,
        profile=sections(canal, spine.canal, levels),
        worst=worst_plane(canal, spine.canal, levels, in_canal, grid),
        vertebrae=measured,
        quality=(*notes, *further, *needles.notes),
        tracks=needles.tracks,
        casts_sought=needles.casts_sought,
        bores_sought=needles.bores_sought,
    )
    plan = plan_revision(spine, cement, found)
    if isinstance(plan, str):
        found = replace(found, quality=(*found.quality, QualityNote("revision_not_planned", "info", plan)))
    else:
        found = replace(found, revision=plan)
    signs, dural = read_signs(volume, spine, cement, found, intradural_prior)
    return replace(found, signs=signs, dural=dural)


def _specks(dropped: Sequence[Speck], limit_mm3: float, grid: Grid, levels: Levels) -> list[QualityNote]:
    """A warning for specks in the canal, and a word on the others, each with the places."""
    in_canal = [speck for speck in dropped if speck.region in (SAC, EPIDURAL)]
    elsewhere = [speck for speck in dropped if speck.region not in (SAC, EPIDURAL)]
    notes: list[QualityNote] = []
    for specks, severity, where in (
        (in_canal, "warning", " in the canal"),
        (elsewhere, "info", ""),
    ):
        if specks:
            count = "1 speck" if len(specks) == 1 else f"{len(specks)} specks"
            were = "was" if len(specks) == 1 else "were"
            named = "; ".join(_place(speck, grid, levels) for speck in specks[:MOST_NAMED])
            more = "; and others" if len(specks) > MOST_NAMED else ""
            notes.append(
                QualityNote(
                    "specks_left_out",
                    severity,  # type: ignore[arg-type]
                    f"{count}{where} as bright as cement, below the detection limit of {limit_mm3:.0f} mm3, "
                    f"{were} left out of the deposits: {named}{more}.",
                )
            )
    return notes


def _place(speck: Speck, grid: Grid, levels: Levels) -> str:
    """A speck in words: 2 mm3 at T12, z = -804.5 mm."""
    point = grid.to_lps(speck.index)
    vertebra = levels.at(float(levels.along(point[None])[0]))
    at = f" at {vertebra_name(vertebra.level, vertebra.id)}" if vertebra else ""
    return f"{speck.volume_mm3:.0f} mm3{at}, z = {point[2]:.1f} mm"
