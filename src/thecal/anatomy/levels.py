"""Names for the vertebrae that were found: never a silent guess."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from thecal.errors import InputError
from thecal.quality import QualityNote
from thecal.terms import FIRST_UNKNOWN_VERTEBRA, USUAL_ORDER, VERSE_IDS, LevelSource


@dataclass(frozen=True)
class LevelEvidence:
    """What one vertebra shows of its number; None where the scan does not tell.

    Attributes
    ----------
    rib : float or None
        Probability, from the scan alone, that it bears ribs.
    sacrum_below : float or None
        Probability that its caudal neighbour is the sacrum; read for the lowest vertebra.
    skull_above : float or None
        Probability that it is the atlas, C1; read for the highest vertebra.
    """

    rib: float | None = None
    sacrum_below: float | None = None
    skull_above: float | None = None


@dataclass(frozen=True)
class Naming:
    """Names for a row of vertebrae, caudal to cranial.

    Attributes
    ----------
    levels : tuple of str or None
    ids : tuple of int
        Labels of the contract; 201 upward where the number is not known.
    source : "given", "sacrum", "ribs" or "unknown"
    probability : float
        Of this naming among all that were weighed; 0 where the source is "unknown".
    alternatives : tuple of (tuple of str, float)
        The best namings with their probabilities, best first, this one included.
    quality : tuple of QualityNote
    """

    levels: tuple[str | None, ...]
    ids: tuple[int, ...]
    source: LevelSource
    probability: float
    alternatives: tuple[tuple[tuple[str, ...], float], ...] = ()
    quality: tuple[QualityNote, ...] = ()


@dataclass(frozen=True)
class _Column:
    """One way a person's vertebrae may be counted, caudal to cranial."""

    names: tuple[str, ...]
    prior: float
    ribless: tuple[str, ...] = ()  # thoracic vertebrae without ribs
    ribbed: tuple[str, ...] = ()  # lumbar vertebrae with ribs


def name_levels(evidence: Sequence[LevelEvidence], *, k: int = 3) -> Naming:
    """Name a row of adjacent vertebrae from the sacrum, the ribs and the skull.

    Every usual and variant column (six or four lumbar vertebrae, thirteen or eleven pairs of ribs, a lumbar
    rib, a twelfth vertebra without one) is laid against the row at every place; the names' probabilities
    follow from how the evidence fits and how common the variant is. The row is named only where something
    anchors it: the sacrum below its last vertebra, the border between ribs and none, or the atlas.

    Parameters
    ----------
    evidence : sequence of LevelEvidence
        Caudal to cranial, no vertebra left out between two others.
    k : int
        How many namings to return as alternatives.

    Returns
    -------
    Naming
        ``source`` is "unknown" and the ids start at 201 where no anchor is seen.
    """
    CERTAIN = 0.8  # an anchor is one when its evidence is this sure
    LEAST_AT_SACRUM, LEAST_BY_RIBS = 0.5, 0.8  # less probable namings are told but not used
    n = len(evidence)
    if n == 0:
        return Naming((), (), "unknown", 0.0)
    sacrum = (evidence[0].sacrum_below or 0.0) >= CERTAIN
    ribs = [e.rib for e in evidence]
    last_rib = _border(ribs, CERTAIN)
    first_rib = _border(ribs[::-1], CERTAIN)
    skull = (evidence[-1].skull_above or 0.0) >= CERTAIN
    if not (sacrum or last_rib or first_rib or skull):
        return unknown_levels(n)

    weighed: dict[tuple[str, ...], float] = {}
    for column in _columns():
        starts = len(column.names) - n + 1
        for start in range(starts):
            names = column.names[start : start + n]
            fit = _place(evidence, start, starts) * _likelihood(evidence, names, column)
            weighed[names] = weighed.get(names, 0.0) + column.prior * fit
    total = sum(weighed.values())
    if total <= 0:
        return unknown_levels(n)
    ranked = sorted(((names, p / total) for names, p in weighed.items()), key=lambda item: -item[1])
    names, probability = ranked[0]
    source: LevelSource = "sacrum" if sacrum else "ribs"
    notes = _notes(evidence, ranked, sacrum, last_rib)
    if probability < (LEAST_AT_SACRUM if sacrum else LEAST_BY_RIBS):
        unknown = unknown_levels(n)
        doubt = _doubt(ranked, used=False)
        return Naming(
            unknown.levels, unknown.ids, "unknown", 0.0, tuple(ranked[:k]), (*unknown.quality, doubt)
        )
    return Naming(names, tuple(VERSE_IDS[x] for x in names), source, probability, tuple(ranked[:k]), notes)


def unknown_levels(count: int) -> Naming:
    """Ids from 201 upward, caudal to cranial, where nothing anchors the numbers."""
    note = QualityNote(
        "levels_unknown",
        "warning",
        "Neither the sacrum nor the last rib was seen well enough to number the vertebrae; they are counted "
        "from 201 upward, caudal to cranial, and --level can name one.",
    )
    ids = tuple(FIRST_UNKNOWN_VERTEBRA + i for i in range(count))
    return Naming((None,) * count, ids, "unknown", 0.0, (), (note,))


def levels_from_pin(places: Sequence[int], pinned: int, name: str) -> Naming:
    """Names of a whole row from the name of one vertebra, by the usual count.

    Parameters
    ----------
    places : sequence of int
        Where each vertebra stands in the row, caudal to cranial: 0, 1, 2 ... with a number left out where a
        vertebra is missing.
    pinned : int
        The place of the named one.
    name : str
        "T12".

    Raises
    ------
    InputError
        Where the name is no vertebra, or the row would reach above C1.
    """
    if name not in VERSE_IDS or name == "sacrum":
        raise InputError(f"{name} is not the name of a vertebra; write C1..C7, T1..T13 or L1..L6")
    upward = list(USUAL_ORDER[::-1])
    if name == "T13":
        upward.insert(upward.index("T12"), "T13")
    upward.insert(0, "L6")
    zero = upward.index(name) - pinned
    above = sum(zero + place >= len(upward) for place in places)
    if above:
        raise InputError(f"Calling that vertebra {name} leaves {above} vertebrae above C1")
    levels = tuple(upward[zero + place] if zero + place >= 0 else None for place in places)
    ids = tuple(FIRST_UNKNOWN_VERTEBRA + i if x is None else VERSE_IDS[x] for i, x in enumerate(levels))
    notes: list[QualityNote] = []
    if "L6" in levels and name != "L6":
        notes.append(
            QualityNote(
                "level_pin_gives_l6",
                "warning",
                f"Counting from {name} gives a vertebra below L5, called L6 here; check the level.",
            )
        )
    if None in levels:
        notes.append(
            QualityNote(
                "level_pin_below_l6",
                "warning",
                f"Counting from {name} leaves vertebrae below L6, which keep no name; check the level.",
            )
        )
    return Naming(levels, ids, "given", 1.0, (), tuple(notes))


def _border(ribs: Sequence[float | None], certain: float) -> bool:
    """Whether a vertebra surely without ribs is followed by one with them, at most one doubtful between."""
    for i, low in enumerate(ribs):
        if low is not None and low <= 1 - certain:
            for high in ribs[i + 1 : i + 3]:
                if high is not None and high >= certain:
                    return True
    return False


def _columns() -> Iterator[_Column]:
    """The usual column and its variants.

    The priors say only that a variant is a matter of a few in a hundred and two at once of a few in ten
    thousand: published rates spread widely with definition and count (lumbosacral transition 4-36 %), and
    the evidence, not the prior, has to decide.
    """
    FEW, RARE = 0.03, 0.01
    usual = USUAL_ORDER[::-1]
    lumbar, rest = usual[:5], usual[5:]
    yield _Column(usual, 1 - 3 * FEW - 3 * RARE)
    yield _Column(("L6", *usual), FEW)
    yield _Column(usual[1:], FEW)
    yield _Column((*lumbar, "T13", *rest), RARE)
    yield _Column(tuple(x for x in usual if x != "T12"), RARE)
    yield _Column(usual, FEW, ribless=("T12",))
    yield _Column(usual, RARE, ribbed=("L1",))
    yield _Column(usual, RARE, ribbed=("C7",))


def _place(evidence: Sequence[LevelEvidence], start: int, starts: int) -> float:
    """Probability that the row starts at a place of the column, from what is seen at its two ends."""
    FLOOR = 0.01  # no single reading is surer than this
    probability = 1.0
    for seen, end in ((evidence[0].sacrum_below, 0), (evidence[-1].skull_above, starts - 1)):
        if seen is None:
            probability /= starts
            continue
        sure = min(max(seen, FLOOR), 1 - FLOOR)
        probability *= sure if start == end else (1 - sure) / max(1, starts - 1)
    return probability


def _likelihood(evidence: Sequence[LevelEvidence], names: Sequence[str], column: _Column) -> float:
    """How well the ribs that are seen and those that are not fit the names."""
    FLOOR = 0.04  # a rib may be missed, or another taken for it, this often whatever is seen
    fit = 1.0
    for one, name in zip(evidence, names, strict=True):
        if one.rib is not None:
            bears = (name.startswith("T") and name not in column.ribless) or name in column.ribbed
            fit *= min(max(one.rib if bears else 1 - one.rib, FLOOR), 1 - FLOOR)
    return fit


def _notes(
    evidence: Sequence[LevelEvidence],
    ranked: Sequence[tuple[tuple[str, ...], float]],
    sacrum: bool,
    last_rib: bool,
) -> tuple[QualityNote, ...]:
    DOUBT = 0.1  # a second naming this probable is told
    notes: list[QualityNote] = []
    names = ranked[0][0]
    if len(ranked) > 1 and ranked[1][1] >= DOUBT:
        notes.append(_doubt(ranked, used=True))
    unusual = [x for x in names if x in ("L6", "T13")]
    missing = [x for x in ("L5", "T12") if _skips(names, x, evidence)]
    if unusual or missing:
        told = [f"an {x}" if x == "L6" else f"a {x}" for x in unusual] + [f"no {x}" for x in missing]
        notes.append(
            QualityNote(
                "variant_vertebra_count", "warning", f"This spine appears to have {' and '.join(told)}."
            )
        )
    if sacrum and not last_rib:
        notes.append(
            QualityNote(
                "levels_from_sacrum_alone",
                "warning",
                "The levels are counted from the sacrum, taking the vertebra above it for L5; the last rib "
                "is not seen, so a sixth or a missing lumbar vertebra cannot be told.",
            )
        )
    if last_rib and not sacrum:
        notes.append(
            QualityNote(
                "levels_from_ribs_alone",
                "warning",
                "The levels are counted from the last rib, taking its vertebra for T12; the sacrum is not "
                "seen, so a thirteenth or a missing twelfth pair of ribs cannot be told.",
            )
        )
    return tuple(notes)


def _doubt(ranked: Sequence[tuple[tuple[str, ...], float]], *, used: bool) -> QualityNote:
    """Both ways to count, said with their probabilities."""
    TOLD = 0.05
    first, *rest = [f"{_span(names)} ({p:.0%})" for names, p in ranked[:3] if p >= TOLD]
    start = f"The vertebrae are numbered {first}, but" if used else f"The vertebrae could be {first}, and"
    message = f"{start} could also be {', or '.join(rest)}: what is seen of sacrum and ribs allows both."
    return QualityNote("levels_in_doubt", "warning", message)


def _span(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]} upward"


def _skips(names: Sequence[str], level: str, evidence: Sequence[LevelEvidence]) -> bool:
    """Whether a level is passed over although the row covers its place."""
    if level in names:
        return False
    if level == "L5":
        return names[0] == "L4" and (evidence[0].sacrum_below or 0.0) > 0.5
    return "T11" in names and "L1" in names
