"""What other programs' FHIR resources say of a case, by their plain words and the few codes that are sure."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Final

from thecal.errors import InputError
from thecal.registry.case import CHOICES, Scale
from thecal.registry.exchange.fhir_terms import GENDERS, PAIN, level_of_code
from thecal.registry.readings import read_finding
from thecal.terms import VERSE_IDS

Resource = dict[str, Any]
Found = list[tuple[str, Resource]]
_LEVEL: Final = re.compile(r"\b(?:(?P<level>[CTL]\d{1,2})|Th\s?(?P<chest>\d{1,2}))\b", re.IGNORECASE)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_SIDE: Final = re.compile(r"\b(left|right)\b", re.IGNORECASE)
SCALE_WORDS: Final[tuple[tuple[str, Scale], ...]] = (
    ("oswestry", "odi"),
    ("visual analog", "vas"),
    ("asia impairment", "ais"),
    ("frankel", "frankel"),
    ("muscle strength", "mrc"),
    ("mrc", "mrc"),
    ("walking", "walking"),
    ("bladder function", "bladder"),
    ("bowel function", "bowel"),
    ("voluntary anal contraction", "anal_contraction"),
    ("deep anal pressure", "anal_pressure"),
)
"""What an observation's name holds, and the scale that it means; the first that fits."""
CAUSES: Final = ("osteoporotic", "traumatic", "metastasis", "myeloma", "pathological")
ROOM: Final = ("laminectomy", "durotomy", "corpectomy", "decompression")


def dicts(value: Any) -> list[Resource]:
    """The objects of a list; none where it is no list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def patient_of(patient: Resource, *, identified: bool) -> Resource:
    """Sex, and name and birth where they are wanted."""
    sex = next((s for s, word in GENDERS.items() if word == patient.get("gender")), None)
    values: Resource = {} if sex is None else {"sex": sex}
    if identified:
        names = dicts(patient.get("name"))
        if names:
            given = names[0].get("given")
            words = [*(given if isinstance(given, list) else []), names[0].get("family", "")]
            text = names[0].get("text") or " ".join(str(word) for word in words if word)
            values |= {"name": str(text)} if text else {}
        if _DAY.fullmatch(str(patient.get("birthDate", ""))):
            values["born"] = str(patient["birthDate"])
    return values


def parts_of(resource: Resource) -> Found:
    """The parts of a case that a resource says; empty where it says none that is plain."""
    kind = resource.get("resourceType")
    name = _words(resource.get("code"))
    if kind == "Condition":
        return _condition(resource, name)
    if kind == "Procedure":
        return _procedure(resource, name)
    if kind == "Observation":
        return _observation(resource, name)
    if kind == "ImagingStudy":
        return _imaging(resource)
    return []


def _condition(resource: Resource, name: str) -> Found:
    if "fracture" not in name:
        return []
    cause = next((cause for cause in CAUSES if cause in name), None)
    cause = "metastasis" if cause is None and "metasta" in name else cause
    said: Resource = {} if cause is None else {"cause": cause}
    return [("fractures", {"level": level} | said) for level in _levels(resource, name)]


def _procedure(resource: Resource, name: str) -> Found:
    if resource.get("status") not in (None, "completed"):
        return []
    on = _day(resource.get("performedDateTime") or _dig(resource, "performedPeriod", "start"))
    dated: Resource = {} if on is None else {"on": on}
    levels = _levels(resource, name)
    for word, kind in (("vertebroplasty", "VP"), ("kyphoplasty", "KP")):
        if word in name:
            return [("procedures", {"kind": kind, "level": level} | dated) for level in levels]
    if any(word in name for word in ROOM):
        done: Resource = {word: "yes" for word in ("durotomy", "corpectomy") if word in name}
        if "laminectomy" in name:
            done["laminectomy_levels"] = tuple(levels)
        return [("revisions", done | dated)]
    return []


def _observation(resource: Resource, name: str) -> Found:
    scale = next((scale for word, scale in SCALE_WORDS if word in name), None)
    codes = {each.get("code") for each in _codings(resource.get("code"))}
    scale = "vas" if PAIN["code"] in codes else scale
    written = _value(resource)
    if scale is None or not written:
        return []
    try:
        value, choice = read_finding(scale, written.lower() if scale in CHOICES else written)
    except InputError:
        return []
    outcome: Resource = {"scale": scale, "as_written": written, "value": value, "choice": choice}
    on = _day(resource.get("effectiveDateTime"))
    outcome |= {} if on is None else {"on": on}
    site = _words(resource.get("bodySite"))
    if scale == "mrc" and site:
        side = _SIDE.search(site)
        outcome |= {"side": side[1]} if side else {}
        muscle = " ".join(_SIDE.sub("", site).split()).strip(" ,")
        outcome |= {"muscle": muscle} if muscle else {}
    return [("outcomes", outcome)]


def _imaging(resource: Resource) -> Found:
    on = _day(resource.get("started"))
    dated: Resource = {} if on is None else {"on": on}
    study = next(
        (
            str(each.get("value", "")).removeprefix("urn:oid:")
            for each in dicts(resource.get("identifier"))
            if isinstance(each, dict) and each.get("system") == "urn:dicom:uid"
        ),
        None,
    )
    dated |= {"study_uid": study} if study else {}
    series = [each for each in dicts(resource.get("series")) if isinstance(each, dict)]
    found: Found = []
    for each in series or [{"modality": m} for m in dicts(resource.get("modality"))]:
        modality = _dig(each, "modality", "code")
        if modality in ("CT", "MR", "CR", "DX", "XA", "RF", "US"):
            uid = {"series_uid": str(each["uid"])} if each.get("uid") else {}
            found.append(("imaging", {"modality": modality} | dated | uid))
    return found


def _levels(resource: Resource, name: str) -> list[str]:
    sites = dicts(resource.get("bodySite"))
    sites = sites if isinstance(sites, list) else [sites]
    found = [
        level for site in sites for each in _codings(site) if (level := level_of_code(str(each.get("code"))))
    ]
    if not found:
        for match in _LEVEL.finditer(" ".join([*(_words(site) for site in sites), name])):
            level = match["level"].upper() if match["level"] else f"T{match['chest']}"
            if level in VERSE_IDS:
                found.append(level)
    return list(dict.fromkeys(found))


def _codings(concept: Any) -> list[Resource]:
    return dicts(concept.get("coding")) if isinstance(concept, dict) else []


def _words(concept: Any) -> str:
    """All that a CodeableConcept says in words, in small letters."""
    if not isinstance(concept, dict):
        return ""
    said = [concept.get("text"), *(each.get("display") for each in _codings(concept))]
    return " ".join(str(word) for word in said if word).lower()


def _value(resource: Resource) -> str:
    quantity = _dig(resource, "valueQuantity", "value")
    if quantity is None:
        quantity = resource.get("valueInteger")
    if quantity is not None:
        return f"{quantity:g}" if isinstance(quantity, int | float) else str(quantity)
    concept = resource.get("valueCodeableConcept")
    if isinstance(concept, dict):
        displays = [each.get("display") for each in _codings(concept)]
        return str(concept.get("text") or next((d for d in displays if d), ""))
    return str(resource.get("valueString") or "").strip()


def _day(text: Any) -> date | None:
    """The day of a FHIR date or time; None where only a year or a month is known."""
    found = _DAY.match(str(text or ""))
    try:
        return date.fromisoformat(found[0]) if found else None
    except ValueError:
        return None


def _dig(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
