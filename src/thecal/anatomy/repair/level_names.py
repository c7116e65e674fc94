"""Names of levels that cannot all be right: skipped, doubled or out of their order along the spine."""

from __future__ import annotations

from collections import Counter

import numpy as np

from thecal.frames import CanalFrame
from thecal.quality import QualityNote
from thecal.terms import DISC_OFFSET, USUAL_ORDER, VERSE_IDS, level_name
from thecal.volume import FloatArray, LabelArray


def names_in_order(
    labels: LabelArray, ids: list[int], heights_mm: FloatArray
) -> tuple[LabelArray, list[int], list[QualityNote]]:
    """Renumber the vertebrae where most of them agree on the count and some do not.

    Bodies follow each other at a spacing that changes slowly, so each has a place in the row, and a place
    is left free where a body is missing. A name and its place tell where the count would start; what most
    names tell is taken. Where no count has more than half of the names, they stay and are doubted.

    Parameters
    ----------
    labels : (z, y, x) uint16
    ids : list of int
        Of the vertebrae whose names are known.
    heights_mm : (n,) float64
        Of their bodies along the canal.

    Returns
    -------
    labels : (z, y, x) uint16
    ids : list of int
        In the same order as given.
    notes : list of QualityNote
    """
    upward = [VERSE_IDS[name] for name in reversed(USUAL_ORDER)]
    if len(ids) < 3 or any(i not in upward for i in ids):
        # L6, T13: the count is not the usual one, and nothing here can tell.
        return labels, ids, []
    order = np.argsort(heights_mm)
    places = _places(np.asarray(heights_mm, float)[order])
    named = [upward.index(ids[k]) for k in order]
    starts = Counter(n - p for n, p in zip(named, places, strict=True))
    if len(starts) == 1:
        return labels, ids, []
    start, votes = starts.most_common(1)[0]
    old = ", ".join(level_name(ids[k]) or "" for k in order[::-1])
    last = start + int(places[-1])
    if 2 * votes <= len(ids) or start < 0 or last >= len(upward):
        note = QualityNote(
            "level_names_doubtful",
            "warning",
            f"The levels of the label map ({old}) do not follow each other; pin one with --level.",
        )
        return labels, ids, [note]
    renamed = {ids[k]: upward[start + int(p)] for k, p in zip(order, places, strict=True)}
    table = np.arange(int(labels.max(initial=0)) + 1, dtype=np.uint16)
    for before, now in renamed.items():
        for offset in (0, DISC_OFFSET):
            if before + offset < len(table):
                table[before + offset] = now + offset
    new = ", ".join(level_name(renamed[ids[k]]) or "" for k in order[::-1])
    note = QualityNote(
        "repaired_level_names",
        "warning",
        f"The levels of the label map ({old}) do not follow each other; counted as most of them have it, "
        f"they are {new}. Pin one with --level where that is wrong.",
    )
    return table[labels], [renamed[i] for i in ids], [note]


def _places(heights_mm: FloatArray) -> list[int]:
    """Each body's place in the row; a gap of nearly two spacings leaves one free."""
    gaps = np.diff(heights_mm)
    places = [0]
    for k, gap in enumerate(gaps):
        around = np.delete(gaps, k)[max(0, k - 2) : k + 2]
        usual = float(np.median(around)) if len(around) else float(gap)
        places.append(places[-1] + max(1, round(float(gap) / max(usual, 1.0) - 0.15)))
    return places


def heights_of_bodies(
    seeds: np.typing.NDArray[np.int64], labels: LabelArray, to_lps: FloatArray, frame: CanalFrame
) -> dict[int, float]:
    """Mean height along the canal of each vertebra's middle, by label."""
    index = np.argwhere(seeds > 0)
    s = frame.locate(index @ to_lps[:3, :3].T + to_lps[:3, 3])[0]
    own = labels[tuple(index.T)]
    return {int(i): float(s[own == i].mean()) for i in np.unique(own)}
