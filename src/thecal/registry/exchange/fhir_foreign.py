"""What other programs' FHIR resources say of a case, by their plain words and the few codes that are sure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from thecal.registry.exchange.fhir_elements import Resource, codings, day, dicts, dig, levels, words
from thecal.registry.exchange.fhir_observations import findings
from thecal.registry.exchange.fhir_terms import GENDERS

Found = list[tuple[str, Resource]]
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
CAUSES: Final = ("osteoporotic", "traumatic", "metastasis", "myeloma", "pathological")
ROOM: Final = ("laminectomy", "durotomy", "corpectomy", "decompression")
CEMENT: Final = (("vertebroplast", "VP"), ("kyphoplast", "KP"))
BROKEN: Final = ("fracture", "fraktur")
STANDING: Final[dict[str, tuple[Any, ...]]] = {
    "Procedure": (None, "completed"),
    "Observation": (None, "preliminary", "final", "amended", "corrected"),
    "ImagingStudy": (None, "available", "unknown"),
}
"""The states in which a resource says what happened; a ward enters things in error, and cancels them."""
DENIED: Final = ("entered-in-error", "refuted")
"""Verification of a condition that is none."""
NAMES: Final = ("official", "usual")
"""Which of several names is hers, the first first."""


def why_not(resource: Resource) -> str | None:
    """Why a resource may not be read at all, in a word or two; None where it may."""
    if resource.get("modifierExtension"):
        # FHIR: who does not know such an extension must not use the resource.
        return "an extension changes its meaning"
    kind = str(resource.get("resourceType"))
    if kind in STANDING and resource.get("status") not in STANDING[kind]:
        return "not done, or entered in error"
    verified = [each.get("code") for each in codings(resource.get("verificationStatus"))]
    if kind == "Condition" and any(each in DENIED for each in verified):
        return "refuted, or entered in error"
    return None


def not_understood(resource: Resource) -> str:
    """Why nothing was found in a resource."""
    name = words(resource.get("code"))
    known = (*BROKEN, *(word for word, _ in CEMENT))
    spoken = resource.get("resourceType") in ("Condition", "Procedure") and any(w in name for w in known)
    return "says no level of the spine" if spoken and not levels(resource) else "not understood"


def patient_of(patient: Resource, *, identified: bool) -> Resource:
    """Sex, and name and birth where they are wanted."""
    sex = next((s for s, word in GENDERS.items() if word == patient.get("gender")), None)
    values: Resource = {} if sex is None else {"sex": sex}
    if identified:
        names = dicts(patient.get("name"))
        names.sort(key=lambda each: NAMES.index(each["use"]) if each.get("use") in NAMES else len(NAMES))
        if names:
            given = names[0].get("given")
            said = [*(given if isinstance(given, list) else []), names[0].get("family", "")]
            text = names[0].get("text") or " ".join(str(word) for word in said if word)
            values |= {"name": str(text)} if text else {}
        if _DAY.fullmatch(str(patient.get("birthDate", ""))):
            values["born"] = str(patient["birthDate"])
    return values


def death_of(patient: Resource) -> Found:
    """That she died, and when where it is said."""
    on = day(patient.get("deceasedDateTime"))
    if not patient.get("deceasedDateTime") and patient.get("deceasedBoolean") is not True:
        return []
    return [("events", {"kind": "death"} | ({} if on is None else {"on": on}))]


def parts_of(resource: Resource, reasons: Sequence[Resource] = ()) -> Found:
    """The parts of a case that a resource says; empty where it says none that is plain.

    ``reasons`` are the conditions for which a procedure was done: they name the level where it does not.
    """
    kind = resource.get("resourceType")
    name = words(resource.get("code"))
    if kind == "Condition":
        return _condition(resource, name)
    if kind == "Procedure":
        return _procedure(resource, name, reasons)
    if kind == "Observation":
        return findings(resource)
    if kind == "ImagingStudy":
        return _imaging(resource)
    return []


def _condition(resource: Resource, name: str) -> Found:
    if not any(word in name for word in BROKEN):
        return []
    cause = next((cause for cause in CAUSES if cause in name), None)
    cause = "metastasis" if cause is None and "metasta" in name else cause
    said: Resource = {} if cause is None else {"cause": cause}
    return [("fractures", {"level": level} | said) for level in levels(resource)]


def _procedure(resource: Resource, name: str, reasons: Sequence[Resource]) -> Found:
    on = day(resource.get("performedDateTime") or dig(resource, "performedPeriod", "start"))
    dated: Resource = {} if on is None else {"on": on}
    treated = levels(resource)
    for word, kind in CEMENT:
        if word in name:
            treated = treated or [level for reason in reasons for level in levels(reason)]
            return [("procedures", {"kind": kind, "level": level} | dated) for level in treated]
    if any(word in name for word in ROOM):
        done: Resource = {word: "yes" for word in ("durotomy", "corpectomy") if word in name}
        if "laminectomy" in name:
            done["laminectomy_levels"] = tuple(treated)
        return [("revisions", done | dated)]
    return []


def _imaging(resource: Resource) -> Found:
    on = day(resource.get("started"))
    dated: Resource = {} if on is None else {"on": on}
    study = next(
        (
            str(each.get("value", "")).removeprefix("urn:oid:")
            for each in dicts(resource.get("identifier"))
            if each.get("system") == "urn:dicom:uid"
        ),
        None,
    )
    dated |= {"study_uid": study} if study else {}
    found: Found = []
    for each in dicts(resource.get("series")) or [{"modality": m} for m in dicts(resource.get("modality"))]:
        modality = dig(each, "modality", "code")
        if modality in ("CT", "MR", "CR", "DX", "XA", "RF", "US"):
            uid = {"series_uid": str(each["uid"])} if each.get("uid") else {}
            found.append(("imaging", {"modality": modality} | dated | uid))
    return found
