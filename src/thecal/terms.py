"""The vocabulary: levels, label ids, compartments. No logic beyond looking a word up."""

from __future__ import annotations

from typing import Final, Literal, get_args

Compartment = Literal[
    "intravertebral",
    "intradiscal",
    "epidural",
    "intradural",
    "foraminal",
    "paravertebral",
    "needle_track",
    "unassigned",
]
Side = Literal["left", "right", "midline"]
Route = Literal["basivertebral", "segmental", "cortical", "endplate", "needle", "unknown"]
Yeom = Literal["B", "S", "C"]
TrackContent = Literal["cement", "air", "empty"]
Breach = Literal["none", "medial", "lateral", "superior", "inferior"]
Grade = Literal["A", "B", "C", "D", "E"]
LevelSource = Literal["given", "sacrum", "ribs", "unknown"]
Severity = Literal["info", "warning", "critical"]
SignName = Literal[
    "medial_puncture",
    "layering",
    "no_extradural_cement",
    "sac_conforming_shape",
    "root_outlines",
    "multilevel_spread",
    "separated_from_posterior_wall",
]

COMPARTMENTS: Final[tuple[Compartment, ...]] = get_args(Compartment)
SIGNS: Final[tuple[SignName, ...]] = get_args(SignName)

# VerSe convention (Sekuboyina 2021, doi 10.1016/j.media.2021.102166): cranial to caudal.
VERSE_IDS: Final[dict[str, int]] = (
    {f"C{n}": n for n in range(1, 8)}
    | {f"T{n}": 7 + n for n in range(1, 13)}
    | {f"L{n}": 19 + n for n in range(1, 7)}
    | {"sacrum": 26, "T13": 28}
)
LEVELS: Final[dict[int, str]] = {number: name for name, number in VERSE_IDS.items()}

SACRUM: Final = 26
THECAL_SAC: Final = 60
EPIDURAL_SPACE: Final = 61
DISC_OFFSET: Final = 100
FIRST_UNKNOWN_VERTEBRA: Final = 201

# Cranial to caudal, as counted in most people; T13, L6 and a missing L5 are variants of it.
USUAL_ORDER: Final[tuple[str, ...]] = tuple(
    [f"C{n}" for n in range(1, 8)] + [f"T{n}" for n in range(1, 13)] + [f"L{n}" for n in range(1, 6)]
)

RESEARCH_USE: Final = "Research use only. Not for diagnosis, treatment planning or intra-operative guidance."


def is_vertebra(label: int) -> bool:
    """Whether a label of ``anatomy.nii.gz`` is a vertebra other than the sacrum."""
    return 1 <= label <= 25 or label == 28 or 201 <= label <= 299


def is_disc(label: int) -> bool:
    """Whether a label of ``anatomy.nii.gz`` is a disc, of a vertebra whose level is known or not."""
    return label > DISC_OFFSET and not is_vertebra(label) and is_vertebra(label - DISC_OFFSET)


def vertebra_name(level: str | None, label: int) -> str:
    """A vertebra in words: its level, or its number in ``anatomy.nii.gz`` where the level is not known."""
    return level or f"vertebra no. {label}"


def level_name(label: int) -> str | None:
    """The level's name for a vertebra id, or None where its number is not known."""
    return LEVELS.get(label)


EVEN_ODDS: Final = 0.5
"""The probability of cement inside the dura before the CT, unless the user states another."""
