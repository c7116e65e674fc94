"""Every needle's way through the pedicles of a scan, and what could have been seen of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.spine import Spine, Vertebra
from thecal.cement.deposit_map import Cement
from thecal.leakage.findings import NeedleTrack
from thecal.leakage.pedicles import pedicles
from thecal.leakage.tracks.block import block_of, hides_wall
from thecal.leakage.tracks.bores import bores
from thecal.leakage.tracks.clearance import mirrored
from thecal.leakage.tracks.filled import filled_ways
from thecal.leakage.tracks.measuring import measured
from thecal.leakage.tracks.tubes import GATE_MM
from thecal.quality import QualityNote
from thecal.terms import vertebra_name
from thecal.volume import Box, wider

THICKEST_FOR_BORES_MM: Final = 1.6
"""On thicker slices a hole of 2.4 to 3.4 mm is not told from marrow; 1.5 mm with room for rounding."""
THICKEST_FOR_CASTS_MM: Final = 3.5
NEXT_TO_CEMENT: Final = 1
"""Vertebrae so far from one with cement are searched for empty ways: a wrong level is the next one."""
BESIDE_MM: Final = 15.0
"""A needle's way that leads to a vertebra begins no farther from its bone."""
SAME_WAY_MM: Final = 3.0
"""A hole so near to a cast, in its middle, is the dark rim or the end of that cast's way."""


@dataclass(frozen=True)
class TracksFound:
    """The tracks, and where they were looked for.

    Attributes
    ----------
    tracks : tuple of NeedleTrack
        Caudal to cranial, right before left.
    casts_sought, bores_sought : tuple of int
        Ids of the vertebrae in which cement-filled and empty tracks were looked for.
    notes : tuple of QualityNote
    """

    tracks: tuple[NeedleTrack, ...]
    casts_sought: tuple[int, ...]
    bores_sought: tuple[int, ...]
    notes: tuple[QualityNote, ...]


def find_tracks(hu: npt.NDArray[np.int16], slice_mm: float, spine: Spine, cement: Cement) -> TracksFound:
    """Look for needle tracks in the pedicles of every whole vertebra.

    A track is a straight tube from the skin side of the arch through the pedicle into the body: cement with
    none round it, or a hole of soft tissue or air with bone round it. One open to the canal is known
    by its stretches in the arch and in the body.

    Parameters
    ----------
    hu : (z, y, x) int16
        The spine's crop.
    slice_mm : float
        The greater of slice thickness and spacing.
    spine : Spine
    cement : Cement
        On the spine's crop.

    Returns
    -------
    TracksFound
        Vertebrae that the scan cuts, whose pedicles were not found, or that hold metal are not looked at.
    """
    if slice_mm > THICKEST_FOR_CASTS_MM:
        return TracksFound((), (), (), (_too_thick(slice_mm, THICKEST_FOR_CASTS_MM, "needle tracks"),))
    everywhere = (slice(0, hu.shape[0]), slice(0, hu.shape[1]), slice(0, hu.shape[2]))
    sections = pedicles(spine, cement.pieces > 0, everywhere)
    look_for_bores = slice_mm <= THICKEST_FOR_BORES_MM
    near = _near_cement(spine, cement)
    boxes = ndimage.find_objects(spine.labels)
    tracks: list[NeedleTrack] = []
    sought: list[int] = []
    bored: list[int] = []
    left_out: list[Vertebra] = []
    metal: list[Vertebra] = []
    for vertebra in spine.vertebrae:
        sides = [side for side in (-1, 1) if (vertebra.id, side) in sections]
        if not vertebra.complete or not sides:
            left_out.append(vertebra)
            continue
        if vertebra.id not in near and not _anything_dense(boxes[vertebra.id - 1], spine, cement):
            # No cement near it, so no cast of a needle's way either.
            sought.append(vertebra.id)
            continue
        blocks = {side: block_of(spine, vertebra, side, hu, cement) for side in sides}
        for side, block in blocks.items():
            section = sections[vertebra.id, side]
            if block.metal:
                metal.append(vertebra)
                continue
            # The wall beside a cast is that of the other side, where no cement hides it there.
            other = blocks.get(-side)
            clean = other is not None and not hides_wall(other)
            gate = block.index_of((section.centre_mm[0], GATE_MM, section.centre_mm[1]))
            wall = mirrored(spine.canal) if clean else spine.canal
            casts: list[NeedleTrack] = []
            for tube in filled_ways(block, gate):
                cast = measured(tube, block, "cement", section, wall)
                # What is left round a cast that thick slices blur is that cast again.
                casts += [] if any(_same(cast, other) for other in casts) else [cast]
            # One that leads to the next vertebra was found there.
            casts = [c for c in casts if not any(t.content == "cement" and _same(c, t) for t in tracks)]
            tracks += casts
            if look_for_bores and vertebra.id in near:
                holes = [
                    measured(tube, block, "air" if air else "empty", section, spine.canal)
                    for tube, air in bores(block, gate)
                ]
                tracks += [hole for hole in holes if not any(_same(hole, cast) for cast in casts)]
        if vertebra not in metal:
            sought.append(vertebra.id)
            bored += [vertebra.id] if look_for_bores and vertebra.id in near else []
    notes = _notes(spine, tracks, sought, bored, left_out, metal, slice_mm if not look_for_bores else None)
    return TracksFound(tuple(tracks), tuple(sought), tuple(bored), tuple(notes))


def _near_cement(spine: Spine, cement: Cement) -> set[int]:
    """Ids of vertebrae where a needle may have been: with cement, and the next ones; without any, all."""
    order = [v.id for v in spine.vertebrae]
    treated = [i for i, label in enumerate(order) if (cement.pieces[spine.labels == label] > 0).any()]
    if not treated:
        return set(order)
    return {label for i, label in enumerate(order) if min(abs(i - t) for t in treated) <= NEXT_TO_CEMENT}


def _anything_dense(box: Box, spine: Spine, cement: Cement) -> bool:
    """Whether cement or metal lies in a vertebra's box or beside it."""
    around = wider(box, np.ceil(BESIDE_MM / spine.grid.spacing_mm).astype(int), spine.labels.shape)
    return bool((cement.pieces[around] > 0).any() or cement.metal[around].any())


def _same(hole: NeedleTrack, cast: NeedleTrack) -> bool:
    a, b = np.array(hole.entry_mm), np.array(hole.tip_mm)
    start, end = np.array(cast.entry_mm), np.array(cast.tip_mm)
    axis = (end - start) / np.linalg.norm(end - start)
    away = [np.linalg.norm((p - start) - ((p - start) @ axis) * axis) for p in ((a + b) / 2, a, b)]
    return bool(away[0] < SAME_WAY_MM and min(away[1:]) < SAME_WAY_MM)


def _notes(
    spine: Spine,
    tracks: list[NeedleTrack],
    sought: list[int],
    bored: list[int],
    left_out: list[Vertebra],
    metal: list[Vertebra],
    too_thick_mm: float | None,
) -> list[QualityNote]:
    notes = []
    kinds = "cement-filled ones"
    if bored:
        kinds = "cement-filled, air-filled and empty ones"
        if len(bored) < len(sought):
            kinds = (
                f"cement-filled ones; air-filled and empty ones in {len(bored)}, with cement or next to it"
            )
    if sought:
        said = (
            "none was found, which does not show that no needle passed: tracks narrower than 2.4 mm, healed "
            "ones, empty ones that end before the body, run in very thin bone or deep in the canal are not "
            "seen"
            if not tracks
            else "tracks narrower than 2.4 mm, healed ones, empty ones that end before the body, run in "
            "very thin bone or deep in the canal are not among them"
        )
        notes.append(
            QualityNote(
                "tracks_looked_for",
                "info",
                f"Needle tracks ({kinds}) were looked for in the pedicles of {len(sought)} of "
                f"{len(spine.vertebrae)} vertebrae; {said}.",
            )
        )
    if too_thick_mm is not None:
        notes.append(_too_thick(too_thick_mm, 1.5, "empty and air-filled needle tracks"))
    for where, code, why in (
        (left_out, "tracks_not_sought", "the scan cuts them or their pedicles were not found"),
        (list(dict.fromkeys(metal)), "tracks_hidden_by_metal", "metal lies in or beside them"),
    ):
        if where:
            names = ", ".join(vertebra_name(v.level, v.id) for v in where)
            notes.append(
                QualityNote(code, "info", f"Needle tracks were not looked for everywhere in {names}: {why}.")
            )
    return notes


def _too_thick(slice_mm: float, most_mm: float, what: str) -> QualityNote:
    return QualityNote(
        "tracks_not_assessable",
        "info",
        f"Slices of {slice_mm:g} mm do not show {what} (at most {most_mm:g} mm): none is looked for.",
    )
