"""What a segment of a DICOM SEG or of a .seg.nrrd is, by its codes and its name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from thecal.dicom.codes import LEVELS, PHYSICAL_OBJECT, SACRUM, VERTEBRAL_CANAL
from thecal.dicom.codes import THECAL_SAC as SAC_CODE
from thecal.errors import InputError
from thecal.terms import DISC_OFFSET, EPIDURAL_SPACE, FIRST_UNKNOWN_VERTEBRA, THECAL_SAC, VERSE_IDS
from thecal.terms import SACRUM as SACRUM_ID

# VerSe's id of the cord; in the contract the first disc is 101.
CORD_ID: Final = 100

# SNOMED CT, as pydicom's dictionary has them (PS3.16).
_SPINAL_CORD = "2748008"
_PLACE_OF_CODE: Final[dict[str, int]] = (
    {code.value: VERSE_IDS[level] for level, code in LEVELS.items()}
    | {SACRUM.value: SACRUM_ID, VERTEBRAL_CANAL.value: EPIDURAL_SPACE}
    | {SAC_CODE.value: THECAL_SAC, _SPINAL_CORD: CORD_ID}
)
# 49755003 morphologically altered structure: a lesion named after its level is not that vertebra.
_NOT_ANATOMY: Final = {PHYSICAL_OBJECT.value, "49755003"}
_NOT_BONE: Final = re.compile(
    r"\b(cement|pmma|screws?|rods?|implants?|cages?|ribs?|costa\w*|nerves?|roots?|rootlets?|ganglion|drg|"
    r"muscles?|arter\w+|aorta|veins?|ligament\w*|tumou?rs?|metastas\w+|lesions?|fractures?|haematoma|hematoma|"
    r"foram\w+|needles?|leak\w*|deposits?|joints? space|musc\w*)\b"
)
_ORDINALS: Final = (
    *("first", "second", "third", "fourth", "fifth", "sixth"),
    *("seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth"),
)
_REGIONS: Final = {"cervical": "C", "thoracic": "T", "dorsal": "T", "lumbar": "L"}


class Code3(NamedTuple):
    """A coded concept as read: scheme, value."""

    scheme: str
    value: str


def segment_id(name: str, *, category: Code3 | None = None, codes: Iterable[Code3] = ()) -> int | None:
    """The contract's id of a segment, `CORD_ID` for the cord; None where it is none of ours.

    The whole canal is given as `EPIDURAL_SPACE`: a sac is painted over it.

    Parameters
    ----------
    name : str
        For people: "T12", "vertebrae_L1", "disc below T12", "19" (VerSe), "vertebra no. 203".
    category : Code3, optional
        Of the segmented property.
    codes : iterable of Code3
        Property type, its modifiers and the anatomic region, nearest first.

    Raises
    ------
    InputError
        Where name and codes tell two different vertebrae.
    """
    if category is not None and category.value in _NOT_ANATOMY:
        return None
    by_name = id_of_name(name)
    if by_name is None and _NOT_BONE.search(_plain(name)):
        return None
    by_code = next((_PLACE_OF_CODE[c.value] for c in codes if c.value in _PLACE_OF_CODE), None)
    if by_code is None or by_name is None:
        return by_code if by_name is None else by_name
    if by_name != by_code and is_named_vertebra(by_name) and is_named_vertebra(by_code):
        called = {i: level for level, i in VERSE_IDS.items()}
        raise InputError(
            f"a segment is called {called[by_name]} and coded as {called[by_code]}; make the two agree"
        )
    # "Disc below T12" may be coded by its region, the vertebra.
    return by_name


def is_named_vertebra(label: int) -> bool:
    """Whether an id is a vertebra whose level is known."""
    return label != SACRUM_ID and label in VERSE_IDS.values()


def id_of_name(name: str) -> int | None:
    """The contract's id of a segment by its name alone; None where the name is none of ours."""
    plain = _plain(name)
    if plain.isdigit():
        return int(plain)
    if _NOT_BONE.search(plain):
        return None
    found = _levels(plain)
    if re.search(r"\b(discs?|disks?|ivd|discus)\b", plain):
        # "T12-L1", "disc below T12", "L5/S1": the upper one names it.
        return DISC_OFFSET + min(found) if found and min(found) != SACRUM_ID else None
    if len(found) == 1:
        return found.pop()
    if found:
        return None
    if re.search(r"\b(sacrum|sacral|os sacrum)\b", plain):
        return SACRUM_ID
    if re.search(r"\b(epidural|outside)\b", plain):
        return EPIDURAL_SPACE
    if re.search(r"\bcord\b|\bmedulla spinalis\b|\bmyelon\b", plain):
        return CORD_ID
    if re.search(r"\b(sac|dural|dura|thecal)\b", plain):
        return THECAL_SAC
    if re.search(r"\b(canal|canalis)\b", plain):
        return EPIDURAL_SPACE
    return None


def _plain(name: str) -> str:
    """Lower case, one space between words; "vertebrae_T12" and "Th12/L1" fall apart."""
    return re.sub(r"[\s_\-/.,:;()\[\]]+", " ", name.lower()).strip()


def _levels(plain: str) -> set[int]:
    """Ids of all vertebrae that a name tells."""
    names = {
        f"{'T' if region in ('th', 'd') else region.upper()}{int(number)}"
        for region, number in re.findall(r"\b(c|th|t|d|l)\s?(\d{1,2})\b", plain)
    }
    for region, letter in _REGIONS.items():
        for pattern in (rf"\b(\w+) {region} vertebra", rf"\b{region} (?:vertebra )?(\d{{1,2}})\b"):
            for word in re.findall(pattern, plain):
                number = re.fullmatch(r"(\d{1,2})(st|nd|rd|th)?", word)
                if number:
                    names.add(f"{letter}{int(number[1])}")
                elif word in _ORDINALS:
                    names.add(f"{letter}{_ORDINALS.index(word) + 1}")
    names |= {level for word, level in (("atlas", "C1"), ("axis", "C2")) if re.search(rf"\b{word}\b", plain)}
    found = {VERSE_IDS[n] for n in names if n in VERSE_IDS}
    if re.search(r"\bs\s?[1-5]\b", plain):
        found.add(SACRUM_ID)
    unknown = re.search(r"\bvertebra no (2\d\d)\b", plain)
    if unknown and int(unknown[1]) >= FIRST_UNKNOWN_VERTEBRA:
        found.add(int(unknown[1]))
    return found


def paint_order(labels: Iterable[int]) -> list[int]:
    """Ids in the order to paint them: what lies inside or is sharper comes later."""

    def rank(label: int) -> int:
        if label in (CORD_ID, EPIDURAL_SPACE, THECAL_SAC):
            return (CORD_ID, EPIDURAL_SPACE, THECAL_SAC).index(label)
        return 3 if DISC_OFFSET < label < FIRST_UNKNOWN_VERTEBRA else 4

    return sorted(set(labels), key=lambda label: (rank(label), label))
