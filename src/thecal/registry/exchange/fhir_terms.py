"""The words of FHIR that both ways need.

Codes are those that a public source holds: SNOMED CT for the vertebrae (pydicom's dictionary, DICOM PS3.16),
DICOM for modalities, and LOINC 38214-3 for the visual analogue scale of pain (published value sets). Of
everything else no code was verified, and it stands as text.
"""

from __future__ import annotations

from typing import Any, Final

from thecal.dicom.codes import LEVELS
from thecal.registry.case import Scale

PSEUDONYM: Final = "urn:thecal:pseudonym"
PART: Final = "urn:thecal:case-part"
"""Extension that holds a part of a case field by field, so that nothing is lost on the way back."""
SNOMED: Final = "http://snomed.info/sct"
LOINC: Final = "http://loinc.org"
DICOM: Final = "http://dicom.nema.org/resources/ontology/DCM"
GENDERS: Final = {"F": "female", "M": "male", "O": "other"}
PAIN: Final = {"system": LOINC, "code": "38214-3", "display": "Pain severity [Score] Visual analog score"}
SCALES: Final[dict[Scale, str]] = {
    "mrc": "Muscle strength (MRC grade)",
    "isncsci_motor": "ISNCSCI motor score",
    "isncsci_light_touch": "ISNCSCI light touch score",
    "isncsci_pin_prick": "ISNCSCI pin prick score",
    "ais": "ASIA Impairment Scale",
    "frankel": "Frankel grade",
    "bladder": "Bladder function",
    "bowel": "Bowel function",
    "anal_contraction": "Voluntary anal contraction (ISNCSCI)",
    "anal_pressure": "Deep anal pressure (ISNCSCI)",
    "reflex": "Reflex",
    "vas": "Pain, visual analogue scale",
    "odi": "Oswestry Disability Index",
    "walking": "Walking",
}
PROCEDURES: Final = {
    "VP": "Vertebroplasty",
    "KP": "Kyphoplasty",
    "conservative": "Vertebral augmentation, decided against",
}


def level_site(level: str) -> dict[str, Any]:
    """A level as a CodeableConcept: its SNOMED code where there is one, and its name."""
    code = LEVELS.get(level)
    site: dict[str, Any] = {"text": f"{level} vertebra"}
    if code is not None:
        site["coding"] = [{"system": SNOMED, "code": code.value, "display": code.meaning}]
    return site


def level_of_code(code: str) -> str | None:
    """The level of a SNOMED code of a vertebra, or None."""
    return next((level for level, known in LEVELS.items() if known.value == code), None)
