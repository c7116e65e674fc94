"""Cases from FHIR R4 bundles: this program's field by field, other people's as far as they are plain.

The JSON is read as it is, for R4 and R4B alike; no library checks it. What is not understood is named.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from thecal.errors import InputError
from thecal.registry.exchange.drafts import ROW, Drafts, Incoming, Origin
from thecal.registry.exchange.fhir_elements import Resource, dicts
from thecal.registry.exchange.fhir_foreign import death_of, not_understood, parts_of, patient_of, why_not
from thecal.registry.exchange.fhir_references import References, pseudonym_of
from thecal.registry.exchange.fhir_terms import PART
from thecal.registry.exchange.fields import LISTS, fields_of
from thecal.registry.exchange.texts import from_text

LARGEST_BYTES: Final = 2_000_000_000
CONTAINED: Final = ("Condition", "Procedure", "Observation", "ImagingStudy")
"""Resources within another one that are read like it."""


def read_fhir(path: Path, *, identified: bool = False) -> Incoming:
    """Read one bundle.

    Parameters
    ----------
    path : Path
        JSON.
    identified : bool
        Take names and births too, which only a registry with a key keeps. Else a birth gives the age and
        goes.

    Raises
    ------
    InputError
        Where it is no FHIR bundle. What is wrong in single entries is in ``problems``; their "row" is the
        entry's number.
    """
    entries = _entries(path)
    drafts = Drafts()
    references = References(entries)
    births: dict[str, str] = {}
    # A resource may stand before the patient whom it is about.
    for at, (full, resource) in enumerate(entries, start=1):
        if resource.get("resourceType") == "Patient":
            drafts.rows += 1
            _read_patient(drafts, path.name, at, full, resource, births, identified=identified)
    for at, (_, resource) in enumerate(entries, start=1):
        if resource.get("resourceType") != "Patient":
            drafts.rows += 1
            _read_resource(drafts, path.name, at, resource, references)
    for pseudonym, draft in drafts.drafts.items():
        _age(draft.parts, births.get(pseudonym, ""))
    return drafts.finish()


def _read_patient(
    drafts: Drafts,
    file: str,
    at: int,
    full: str,
    patient: Resource,
    births: dict[str, str],
    *,
    identified: bool,
) -> None:
    pseudonym = pseudonym_of(full, patient)
    if not pseudonym:
        drafts.wrong(None, file, at, ROW, "", "a Patient needs an id or a pseudonym")
        return
    draft = drafts.begin_case(pseudonym, file, at)
    values = draft.part("patient", 1, Origin(file, at, {}))
    values.update(patient_of(patient, identified=identified))
    own = _own(patient)
    if own is not None:
        _read_own(drafts, file, at, pseudonym, own)
        return
    births[pseudonym] = str(patient.get("birthDate", ""))
    for part, said in death_of(patient):
        draft.part(part, None, Origin(file, at, {})).update(said)


def _read_resource(drafts: Drafts, file: str, at: int, resource: Resource, references: References) -> None:
    """What one resource, and those that it contains, say of the patient whom they are about."""
    kind = str(resource.get("resourceType"))
    whose = references.whose(resource)
    if whose is None:
        drafts.not_taken.append(f"entry {at}, {kind}: of no patient of this bundle")
        return
    own = _own(resource)
    if own is not None:
        _read_own(drafts, file, at, whose, own)
        return
    if kind == "DocumentReference" and "urn:thecal:sha256" in json.dumps(resource):
        return  # It is named by the imaging it belongs to.
    inside = [each for each in dicts(resource.get("contained")) if each.get("resourceType") in CONTAINED]
    for each in (resource, *inside):
        kind = str(each.get("resourceType")) + ("" if each is resource else " within it")
        person = references.whose(each, resource)
        reasons = [
            reason
            for said in dicts(each.get("reasonReference"))
            if (reason := references.referred(said.get("reference"), resource)) and why_not(reason) is None
        ]
        refused = "of no patient of this bundle" if person is None else why_not(each)
        found = [] if refused else parts_of(each, reasons)
        if not found or person is None:
            drafts.not_taken.append(f"entry {at}, {kind}: {refused or not_understood(each)}")
            continue
        for part, values in found:
            _take(drafts, file, at, person, part, values)


def _take(drafts: Drafts, file: str, at: int, pseudonym: str, part: str, values: Resource) -> None:
    """Put one part into her draft; a fracture that several visits name is one fracture."""
    draft = drafts.of(pseudonym)
    if part == "fractures":
        for known in draft.parts.get(part, {}).values():
            if known.get("level") == values["level"]:
                known.update({name: value for name, value in values.items() if name not in known})
                return
    draft.part(part, None if part in LISTS else 1, Origin(file, at, {})).update(values)


def _entries(path: Path) -> list[tuple[str, Resource]]:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise InputError(f"{path.name} is too large")
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path.name} cannot be read") from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{path.name} is no JSON") from error
    if not isinstance(content, dict) or content.get("resourceType") != "Bundle":
        raise InputError(f"{path.name} is no FHIR bundle")
    entries = content.get("entry", [])
    if not isinstance(entries, list):
        raise InputError(f"{path.name} is no FHIR bundle: its entries are no list")
    found = []
    for entry in entries:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            found.append((str(entry.get("fullUrl", "")), resource))
    return found


def _own(resource: Resource) -> Resource | None:
    """The fields that this program wrote, by name; None where another did."""
    for extension in dicts(resource.get("extension")):
        if extension.get("url") == PART:
            return {
                str(each.get("url")): value
                for each in dicts(extension.get("extension"))
                for key, value in each.items()
                if key.startswith("value")
            }
    return None


def _read_own(drafts: Drafts, file: str, at: int, pseudonym: str, own: Resource) -> None:
    draft = drafts.of(pseudonym)
    part, number = str(own.pop("part", "")), own.pop("number", 0)
    try:
        fields = fields_of(part)
    except (KeyError, StopIteration):
        drafts.wrong(draft, file, at, ROW, "", "is no part of a case")
        return
    place = int(number) if isinstance(number, int) and number > 0 else None
    values = draft.part(
        part, place if part in LISTS else 1, Origin(file, at, {name: name for name in fields})
    )
    for name, value in own.items():
        field = fields.get(name)
        if field is None:
            drafts.wrong(draft, file, at, ROW, "", f"has a field that is none of {', '.join(fields)}")
            continue
        try:
            is_text = isinstance(value, str) and field.kind != "number"
            values[name] = from_text(field, value) if is_text else value
        except InputError as error:
            drafts.wrong(draft, file, at, name, "", str(error))


def _age(parts: dict[str, dict[int, Resource]], born: str) -> None:
    """The age at the first procedure, in whole years, where the bundle gives a whole birth and no age."""
    from datetime import date

    patient = parts.get("patient", {}).get(1, {})
    days = [p["on"] for p in parts.get("procedures", {}).values() if isinstance(p.get("on"), date)]
    if "age_years" in patient or not days or len(born) != 10:
        return
    try:
        birth = date.fromisoformat(born)
    except ValueError:
        return
    on = min(days)
    age = on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))
    if age >= 0:
        patient["age_years"] = float(age)
