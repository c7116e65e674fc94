"""Cases from FHIR R4 bundles: this program's field by field, other people's as far as they are plain.

The JSON is read as it is, for R4 and R4B alike; no library checks it. What is not understood is named.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from thecal.errors import InputError
from thecal.registry.exchange.drafts import ROW, Drafts, Incoming, Origin
from thecal.registry.exchange.fhir_foreign import dicts, parts_of, patient_of
from thecal.registry.exchange.fhir_terms import PART, PSEUDONYM
from thecal.registry.exchange.fields import LISTS, fields_of
from thecal.registry.exchange.texts import from_text

LARGEST_BYTES: Final = 2_000_000_000
Resource = dict[str, Any]


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
    names: dict[str, str] = {}
    births: dict[str, str] = {}
    patients = [
        (at, full, resource)
        for at, (full, resource) in enumerate(entries, start=1)
        if resource.get("resourceType") == "Patient"
    ]
    for at, full, patient in patients:
        pseudonym = _pseudonym(patient)
        drafts.rows += 1
        if not pseudonym:
            drafts.wrong(None, path.name, at, ROW, "", "a Patient needs an id or a pseudonym")
            continue
        draft = drafts.begin_case(pseudonym, path.name, at)
        for reference in (full, f"Patient/{patient.get('id')}"):
            names[reference] = pseudonym
        values = draft.part("patient", 1, Origin(path.name, at, {}))
        values.update(patient_of(patient, identified=identified))
        own = _own(patient)
        if own is not None:
            _read_own(drafts, path.name, at, pseudonym, own)
        else:
            births[pseudonym] = str(patient.get("birthDate", ""))
    for at, (_, resource) in enumerate(entries, start=1):
        kind = str(resource.get("resourceType"))
        if kind == "Patient":
            continue
        drafts.rows += 1
        whose = _subject(resource, names)
        if whose is None:
            drafts.not_taken.append(f"entry {at}, {kind}: of no patient of this bundle")
            continue
        own = _own(resource)
        if own is not None:
            _read_own(drafts, path.name, at, whose, own)
            continue
        if kind == "DocumentReference" and "urn:thecal:sha256" in json.dumps(resource):
            continue  # It is named by the imaging it belongs to.
        found = parts_of(resource)
        if not found:
            drafts.not_taken.append(f"entry {at}, {kind}: not understood")
        for part, values in found:
            number = None if part in LISTS else 1
            drafts.of(whose).part(part, number, Origin(path.name, at, {})).update(values)
    for pseudonym, draft in drafts.drafts.items():
        _age(draft.parts, births.get(pseudonym, ""))
    return drafts.finish()


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


def _pseudonym(patient: Resource) -> str:
    """The pseudonym of an own bundle, or the server's id; a hospital's number is not taken."""
    for identifier in dicts(patient.get("identifier")):
        if identifier.get("system") == PSEUDONYM:
            return str(identifier.get("value") or "").strip()
    return str(patient.get("id") or "").strip()


def _subject(resource: Resource, names: dict[str, str]) -> str | None:
    subject = resource.get("subject") or resource.get("patient") or {}
    reference = str(subject.get("reference", "")) if isinstance(subject, dict) else ""
    tail = "/".join(reference.split("/")[-2:])
    return names.get(reference) or names.get(tail)


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
