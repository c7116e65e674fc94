"""One dataset without its patient: every element, in every nested item."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from thecal import __version__
from thecal.dicom.confidentiality.profile import EDITION, Action, table
from thecal.dicom.confidentiality.pseudonyms import Secret
from thecal.dicom.elements import MALFORMED, as_number, many, text_of

# Text that people write freely. What the table leaves of it is removed: no CT needs it to be read.
_FREE_TEXT: Final = {"LT", "ST", "UT", "PN", "UR"}
_BYTES: Final = {"OB", "OW", "OD", "OF", "OL", "OV", "UN"}
_KEPT_BYTES: Final = {"PixelData", "FloatPixelData", "ExtendedOffsetTable", "ExtendedOffsetTableLengths"} | {
    "LUTData"
}
_DUMMIES: Final = {"DA": "19000101", "DT": "19000101000000", "TM": "000000", "DS": "0", "IS": "0"}
_TEXT: Final = {"AE", "CS", "LO", "LT", "SH", "ST", "UC", "UT"}
_BINARY_NUMBERS: Final = {"FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"}
# Encrypted Attributes Sequence: the original identity, for whoever holds the key.
_ENCRYPTED: Final = 0x04000500
# Scheduling and procedure steps; what comes after in group 0040 belongs to pixels and structured content.
_AFTER_THE_ORDER: Final = 0x2000
_WHO: Final = {"PatientName", "PatientID", "PatientBirthDate", "PatientSex"}
# A computer of the house, and a device by its number there; the table has neither.
_WHERE: Final = {"NTPSourceAddress", "DeviceID"}
# PS3.16 table 8-1: the schemes that a CT may use and that are everybody's.
_PUBLIC_SCHEMES: Final = frozenset(
    {"DCM", "SCT", "SRT", "SNM3", "UCUM", "LN", "RADLEX", "FMA", "NCIt", "UMLS"}
)
_WELL_KNOWN: Final = "1.2.840.10008."
_AGE: Final = re.compile(r"\d{3}[DWMY]")
_NAMES: Final = re.compile(r"[\w'’-]{3,}")
_NUMBERED: Final = (
    "PatientID",
    "OtherPatientIDs",
    "AccessionNumber",
    "StudyID",
    "AdmissionID",
    "PatientBirthDate",
    "PatientTelephoneNumbers",
    "MedicalRecordLocator",
    "IssuerOfPatientID",
)
_OF_THE_SCANNER: Final = {
    "ConvolutionKernel",
    "Manufacturer",
    "ManufacturerModelName",
    "RescaleType",
    "SoftwareVersions",
}
_APART: Final = ("StudyInstanceUID", "FrameOfReferenceUID", "SeriesInstanceUID", "SOPInstanceUID")
_FEWEST_SIGNS: Final = 4
_CHARACTERISTICS: Final = ("PatientSex", "PatientAge", "PatientSize", "PatientWeight")
# Beyond it people are so few that their age may name them (45 CFR 164.514, b 2 i C).
OLDEST_TOLD_YEARS: Final = 90
BASIC_PROFILE: Final = ("113100", "Basic Application Confidentiality Profile")
CHARACTERISTICS: Final = ("113108", "Retain Patient Characteristics Option")
MODIFIED_DATES: Final = (
    "113107",
    "Retain Longitudinal Temporal Information Modified Dates Option",
)


@dataclass(frozen=True)
class Plan:
    """How a run replaces.

    Attributes
    ----------
    secret : Secret
    keep_intervals : bool
        Whether dates are moved rather than taken out.
    keep_characteristics : bool
        Whether sex, age, size and weight stay.
    """

    secret: Secret
    keep_intervals: bool = False
    keep_characteristics: bool = False


def identity_of(dataset: Any) -> str:
    """What tells patients apart: number and issuer, else name and birth date, else study or series."""
    number = text_of(dataset, "PatientID")
    if number:
        return f"{number}\0{text_of(dataset, 'IssuerOfPatientID')}"
    name, born = text_of(dataset, "PatientName"), text_of(dataset, "PatientBirthDate")
    if name or born:
        return f"{name}\0{born}"
    # Nobody in particular; but not the same nobody as in the next study.
    uids = (text_of(dataset, keyword) for keyword in _APART)
    return next((uid for uid in uids if uid), "")


def deidentify_dataset(dataset: Any, plan: Plan) -> None:
    """Take the patient out of a dataset, in place; its pixels and its file meta information are not touched.

    Parameters
    ----------
    dataset : pydicom dataset
    plan : Plan
    """
    from pydicom.dataset import Dataset

    identity = identity_of(dataset)
    words = identifying_words(dataset)
    person = _characteristics(dataset) if plan.keep_characteristics else {}
    _clean(dataset, plan, identity, words)
    for keyword, value in person.items():
        setattr(dataset, keyword, value)
    dataset.PatientName = dataset.PatientID = plan.secret.patient(identity)
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = f"PS3.15 {EDITION} basic profile, thecal {__version__}"
    codes = [
        BASIC_PROFILE,
        *([MODIFIED_DATES] if plan.keep_intervals else []),
        *([CHARACTERISTICS] if plan.keep_characteristics else []),
    ]
    dataset.DeidentificationMethodCodeSequence = []
    for value, meaning in codes:
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
        dataset.DeidentificationMethodCodeSequence.append(item)
    dataset.LongitudinalTemporalInformationModified = "MODIFIED" if plan.keep_intervals else "REMOVED"


def _characteristics(dataset: Any) -> dict[str, str]:
    """Sex, age, size and weight, where they are what their types allow."""
    kept = {}
    for keyword in _CHARACTERISTICS:
        text = text_of(dataset, keyword)
        if keyword == "PatientSex":
            text = text if text in ("F", "M", "O") else ""
        elif keyword == "PatientAge":
            text = text if _AGE.fullmatch(text) else ""
            if text.endswith("Y") and int(text[:3]) > OLDEST_TOLD_YEARS:
                text = f"{OLDEST_TOLD_YEARS:03d}Y"
        elif as_number(text) is None:
            text = ""
        if text:
            kept[keyword] = text
    return kept


def identifying_words(dataset: Any) -> frozenset[str]:
    """The names and numbers that say who the patient and the people round her are, in lower case."""
    words: set[str] = set()

    def gather(item: Any, element: Any) -> None:
        if element.VR == "PN":
            words.update(word.lower() for word in _NAMES.findall(str(element.value or "")))
        elif element.keyword in _NUMBERED:
            words.update(
                str(value).strip().lower()
                for value in many(element.value or ())
                if len(str(value).strip()) >= _FEWEST_SIGNS
            )

    for element in _readable(dataset):
        gather(dataset, element)
        if element.VR == "SQ":
            for item in element.value:
                words |= identifying_words(item)
    return frozenset(words)


def _readable(dataset: Any) -> list[Any]:
    """The elements whose values can be read; the others are deleted."""
    found = []
    for tag in list(dataset.keys()):
        try:
            element = dataset[tag]
            element.value  # noqa: B018 — read now, while it can be caught
        except (*MALFORMED, KeyError, AttributeError):
            del dataset[tag]
        else:
            found.append(element)
    return found


def _clean(dataset: Any, plan: Plan, identity: str, words: frozenset[str]) -> None:
    for element in _readable(dataset):
        if _is_foreign(element):
            del dataset[element.tag]
            continue
        action = table().get(int(element.tag))
        if element.VR in ("DA", "DT") and plan.keep_intervals and "Birth" not in element.keyword:
            element.value = [plan.secret.moved(str(v), identity) for v in many(element.value or ())] or None
        elif element.VR == "TM" and plan.keep_intervals and "Birth" not in element.keyword:
            continue
        elif action is Action.REMOVE or (action is Action.DUMMY and element.VR == "SQ"):
            del dataset[element.tag]
        elif action is Action.EMPTY:
            element.value = [] if element.VR == "SQ" else None
        elif action is Action.DUMMY:
            _replace(dataset, element)
        elif element.VR == "SQ":
            kept = [item for item in element.value if not _is_local_code(item)]
            if element.value and not kept:
                del dataset[element.tag]
                continue
            element.value = kept
            for item in kept:
                _clean(item, plan, identity, words)
        elif element.VR == "UI":
            element.value = [_mapped(str(uid), plan) for uid in many(element.value or ())] or None
        elif element.VR in ("DA", "DT", "TM", *_FREE_TEXT):
            del dataset[element.tag]
        elif element.VR in _TEXT:
            _without_words(element, words)


def _is_foreign(element: Any) -> bool:
    """What a shared image has no need of, whatever the table says.

    Private elements, repeating groups (overlays, curves), the order and the visit, what else is known of the
    patient, unknown elements, encrypted ones, and bytes that are not pixels.
    """
    from pydicom.datadict import dictionary_has_tag

    group = element.tag.group
    return (
        bool(group % 2)
        or 0x5000 <= group <= 0x50FF
        or 0x6000 <= group <= 0x60FF
        or group in (0x0032, 0x0038)
        or (group == 0x0040 and element.tag.element < _AFTER_THE_ORDER)
        or (group == 0x0010 and element.keyword not in _WHO)
        or int(element.tag) == _ENCRYPTED
        or element.keyword in _WHERE
        or not dictionary_has_tag(element.tag)
        or (element.VR in _BYTES and element.keyword not in _KEPT_BYTES)
    )


def _is_local_code(item: Any) -> bool:
    """Whether an item is a code of somebody's own scheme, which names the house where it is used."""
    scheme = text_of(item, "CodingSchemeDesignator")
    return bool(scheme) and scheme not in _PUBLIC_SCHEMES


def _replace(dataset: Any, element: Any) -> None:
    """Put a value that says nothing in place of one that does; where the type has none, take it out."""
    if element.VR in _DUMMIES:
        element.value = _DUMMIES[element.VR]
    elif element.VR in _TEXT or element.VR == "PN":
        element.value = "REMOVED"
    elif element.VR in _BINARY_NUMBERS:
        element.value = 0
    else:
        del dataset[element.tag]


def _mapped(uid: str, plan: Plan) -> str:
    """Another UID for one that somebody made; those of the standard, which name classes, stay."""
    return uid if not uid or uid.startswith(_WELL_KNOWN) else plan.secret.uid(uid)


def _without_words(element: Any, words: frozenset[str]) -> None:
    """Empty an element in which the patient's own name or number stands, though it is not meant for it."""
    text = " ".join(str(value) for value in many(element.value or ())).lower()
    if element.VR == "CS" or element.keyword in _OF_THE_SCANNER:
        # A word of a fixed list, or the scanner's own; a name among them ("HEAD", "Sharp") is nobody's.
        found = any(word in text and any(sign.isdigit() for sign in word) for word in words)
    else:
        found = any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) for word in words)
    if found:
        element.value = None
