"""The one way into anatomy: choose a backend, find the spine, pin its levels."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.metadata import entry_points
from itertools import pairwise
from pathlib import Path

import numpy as np

from thecal.anatomy.backend import AnatomyBackend
from thecal.anatomy.contrast.find import find_contrast
from thecal.anatomy.contrast.note import contrast_note
from thecal.anatomy.levels import levels_from_pin
from thecal.anatomy.spine import Part, Spine
from thecal.errors import InputError
from thecal.quality import QualityNote
from thecal.terms import DISC_OFFSET, USUAL_ORDER
from thecal.volume import Volume

GROUP = "thecal.anatomy"
# Before the path of a label map: repair what networks' maps are known to get wrong.
REPAIR = "repair:"


def find_spine(volume: Volume, *, anatomy: str = "builtin", level: str | None = None) -> Spine:
    """The spine of a volume.

    Parameters
    ----------
    volume : Volume
    anatomy : str
        The name of a backend ("builtin", "totalsegmentator", a plug-in's), or the path of a label map;
        "repair:" before the path asks for its repair.
    level : str, optional
        "T12@-700.5": the vertebra whose body crosses patient z = -700.5 mm is T12; all are renumbered.

    Returns
    -------
    Spine

    Raises
    ------
    InputError
        Where there is no such backend or file, or the level cannot be used.
    SpineNotFound
        Where no spine was found.
    """
    pin = None if level is None else parse_level(level)
    spine = backend(anatomy).find(volume)
    if spine.backend != "builtin" and spine.contrast is None:
        # A label map knows nothing of contrast medium, and cement is looked for in the scan without it.
        spine = replace(spine, contrast=find_contrast(volume, spine.canal.frame))
    if pin is not None:
        spine = pin_level(spine, *pin)
    told = contrast_note(spine)
    return spine if told is None else replace(spine, quality=(*spine.quality, told))


def backend(anatomy: str) -> AnatomyBackend:
    """The backend of that name, or one that reads the label map at that path."""
    for entry in entry_points(group=GROUP):
        if entry.name == anatomy:
            made: AnatomyBackend = entry.load()()
            return made
    path = anatomy.removeprefix(REPAIR)
    if not Path(path).exists():
        names = ", ".join(sorted(entry.name for entry in entry_points(group=GROUP)))
        raise InputError(f"Anatomy {anatomy!r} is neither a backend ({names}) nor a file")
    from thecal.anatomy.backends.given import Given

    return Given(path, repair=anatomy.startswith(REPAIR))


def parse_level(text: str) -> tuple[str, float]:
    """``"T12@-700.5"`` to ("T12", -700.5).

    Raises
    ------
    InputError
        Where the text is anything else.
    """
    match = re.fullmatch(r"\s*([CTL]\d{1,2})\s*@\s*([+-]?\d+(?:\.\d*)?)\s*", text, re.IGNORECASE)
    if match is None or match[1].upper() not in (*USUAL_ORDER, "L6", "T13"):
        raise InputError(f"Level {text!r} is not of the form T12@-700.5 (a vertebra and its z in mm)")
    return match[1].upper(), float(match[2])


def pin_level(spine: Spine, name: str, z_mm: float) -> Spine:
    """The same spine with one vertebra named and all others renumbered from it.

    Parameters
    ----------
    spine : Spine
    name : str
        "T12".
    z_mm : float
        Patient z (LPS) that crosses the vertebra's body; of two, the one with the larger cut is meant.

    Raises
    ------
    InputError
        Where no body crosses that z, or the count would reach above C1.
    """
    at = _vertebra_at(spine, z_mm)
    places = _places(spine)
    naming = levels_from_pin(places, places[at], name)
    old = [v.id for v in spine.vertebrae]
    table = np.arange(int(spine.labels.max()) + 1, dtype=np.uint16)
    for before, now in zip(old, naming.ids, strict=True):
        for offset in (0, DISC_OFFSET):
            if before + offset < len(table):
                table[before + offset] = now + offset
    vertebrae = tuple(
        replace(v, id=i, level=x, level_source="unknown" if x is None else "given")
        for v, i, x in zip(spine.vertebrae, naming.ids, naming.levels, strict=True)
    )
    kept = tuple(q for q in spine.quality if not q.code.startswith(("levels_", "level_", "variant_vertebra")))
    note = QualityNote("level_pinned", "info", f"The levels were counted from {name}, as asked.")
    return replace(
        spine,
        labels=table[spine.labels],
        vertebrae=vertebrae,
        quality=(*kept, note, *naming.quality),
    )


def _vertebra_at(spine: Spine, z_mm: float) -> int:
    """Which vertebra's body is cut most by the plane at that patient z."""
    HALF_SLICE = 0.5 * float(np.abs(spine.grid.affine[2, :3]).max())
    cuts = []
    for v in spine.vertebrae:
        index = np.argwhere((spine.labels == v.id) & (spine.parts == Part.BODY))
        height = spine.grid.to_lps(index)[:, 2]
        cuts.append(int((np.abs(height - z_mm) <= HALF_SLICE + 1e-6).sum()))
    if not cuts or max(cuts) == 0:
        raise InputError(f"No vertebral body that was found crosses z = {z_mm:g} mm")
    return int(np.argmax(cuts))


def _places(spine: Spine) -> list[int]:
    """Each vertebra's place in the row, with gaps where the names that it has say one is missing."""
    upward = USUAL_ORDER[::-1]
    if all(v.level in upward for v in spine.vertebrae):
        places = [upward.index(v.level) for v in spine.vertebrae if v.level is not None]
        if all(b > a for a, b in pairwise(places)):
            return places
    return list(range(len(spine.vertebrae)))
