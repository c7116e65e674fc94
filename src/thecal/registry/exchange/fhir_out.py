"""Cases as a FHIR R4 bundle (extra ``[fhir]``).

``fhir.resources`` 8 has R4B and not R4. Of the resources and types used here R4B changed no element that is
written (https://hl7.org/fhir/R4B/diff.html), so that its models check an R4 bundle; the tests hold exports
against a list of R4's own elements.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import date
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from thecal.errors import InputError
from thecal.extras import load_extra
from thecal.registry.case import Case
from thecal.registry.exchange.fhir_terms import (
    DICOM,
    GENDERS,
    PAIN,
    PART,
    PROCEDURES,
    PSEUDONYM,
    SCALES,
    level_site,
)
from thecal.registry.exchange.fields import fields_of
from thecal.registry.exchange.parts import PartRow, part_rows
from thecal.registry.exchange.texts import to_text
from thecal.terms import RESEARCH_USE

VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
VERIFIED: Final = {"yes": "confirmed", "no": "refuted", "unknown": "unconfirmed"}
UID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
"""What FHIR takes for an id; another stays in the extension."""
Resource = dict[str, Any]


def bundle_of(cases: Iterable[Case]) -> Resource:
    """A collection: for each case a Patient, and a resource for each of her parts."""
    entries = []
    for case in cases:
        patient = _urn(case, "patient", 1)
        for part in part_rows(case):
            for name, resource in _resources(part, patient):
                entries.append({"fullUrl": _urn(case, name, part.number), "resource": resource})
    bundle: Resource = {
        "resourceType": "Bundle",
        "type": "collection",
        "meta": {"tag": [{"system": "urn:thecal", "code": "research-use", "display": RESEARCH_USE}]},
    }
    return bundle | ({"entry": entries} if entries else {})


def checked_json(bundle: Resource) -> str:
    """The bundle as JSON, after ``fhir.resources`` found nothing wrong with it.

    Raises
    ------
    InputError
        Where the extra is not installed, or the bundle is none.
    """
    from pydantic import ValidationError

    model = load_extra("fhir.resources.R4B.bundle", "fhir").Bundle
    text = json.dumps(bundle, ensure_ascii=False, indent=1)
    try:
        model.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(word) for word in first["loc"])
        raise InputError(f"This registry makes no FHIR bundle: {where}: {first['msg']}") from error
    return text + "\n"


def _resources(part: PartRow, patient: str) -> list[tuple[str, Resource]]:
    values = part.values
    subject = {"reference": patient}
    if part.part == "patient":
        return [("patient", _patient(values) | _extension(part, without=("pseudonym", "name", "born")))]
    if part.part == "imaging":
        return _imaging(part, subject)
    made = {
        "deficit": _deficit,
        "fractures": _fracture,
        "procedures": _procedure,
        "leaks": _leak,
        "revisions": _revision,
        "outcomes": _outcome,
        "events": _event,
    }[part.part](values)
    return [(part.part, made | {"subject": subject} | _extension(part))]


def _patient(values: Resource) -> Resource:
    made: Resource = {
        "resourceType": "Patient",
        "identifier": [{"system": PSEUDONYM, "value": values["pseudonym"]}],
    }
    if values["sex"]:
        made["gender"] = GENDERS[values["sex"]]
    if values["name"]:
        made["name"] = [{"text": values["name"]}]
    return made | _on("birthDate", values["born"])


def _deficit(values: Resource) -> Resource:
    code = {"system": VERIFICATION, "code": VERIFIED[values["present"]]}
    made: Resource = {
        "resourceType": "Condition",
        "verificationStatus": {"coding": [code]},
        "code": {"text": "Neurological deficit after bone cement"},
    }
    return made | _on("onsetDateTime", values["on"])


def _fracture(values: Resource) -> Resource:
    cause = f" ({values['cause']})" if values["cause"] else ""
    return {
        "resourceType": "Condition",
        "code": {"text": f"Vertebral fracture{cause}"},
        "bodySite": [level_site(values["level"])],
    }


def _procedure(values: Resource) -> Resource:
    made: Resource = {
        "resourceType": "Procedure",
        "status": "not-done" if values["kind"] == "conservative" else "completed",
        "code": {"text": PROCEDURES[values["kind"]]},
        "bodySite": [level_site(values["level"])],
    }
    if values["notes"]:
        made["note"] = [{"text": values["notes"]}]
    return made | _on("performedDateTime", values["on"])


def _revision(values: Resource) -> Resource:
    done = [name for name in ("durotomy", "corpectomy", "fixation") if values[name] == "yes"]
    done = ["laminectomy", *done] if values["laminectomy_levels"] else done
    levels = dict.fromkeys((*values["laminectomy_levels"], *values["fixation_levels"]))
    made: Resource = {
        "resourceType": "Procedure",
        "status": "completed",
        "code": {"text": f"Revision after bone cement: {', '.join(done) or 'not specified'}"},
    }
    if levels:
        made["bodySite"] = [level_site(level) for level in levels]
    if values["notes"]:
        made["note"] = [{"text": values["notes"]}]
    return made | _on("performedDateTime", values["on"])


def _imaging(part: PartRow, subject: Resource) -> list[tuple[str, Resource]]:
    values = part.values
    modality = {"system": DICOM, "code": values["modality"]}
    study: Resource = {
        "resourceType": "ImagingStudy",
        "status": "available",
        "subject": subject,
        "modality": [modality],
    }
    if values["study_uid"]:
        study["identifier"] = [{"system": "urn:dicom:uid", "value": f"urn:oid:{values['study_uid']}"}]
    if values["series_uid"] and UID.fullmatch(values["series_uid"]):
        study["series"] = [{"uid": values["series_uid"], "modality": modality}]
    found = [("imaging", study | _on("started", values["on"]) | _extension(part))]
    if values["report_sha256"]:
        document: Resource = {
            "resourceType": "DocumentReference",
            "status": "current",
            "subject": subject,
            "description": "report.json of thecal assess, by the SHA-256 of the file; kept in the registry",
            "masterIdentifier": {"system": "urn:thecal:sha256", "value": values["report_sha256"]},
            "content": [{"attachment": {"contentType": "application/json", "title": "report.json"}}],
        }
        found.append(("document", document))
    return found


def _leak(values: Resource) -> Resource:
    made = _observation("Bone cement outside the vertebra")
    made["valueCodeableConcept"] = {"text": values["compartment"].replace("_", " ")}
    if values["level"]:
        made["bodySite"] = level_site(values["level"])
    if values["volume_ml"] is not None:
        volume = {"value": values["volume_ml"], "unit": "mL"}
        made["component"] = [{"code": {"text": "Volume"}, "valueQuantity": volume}]
    return made


def _outcome(values: Resource) -> Resource:
    made = _observation(SCALES[values["scale"]])
    if values["scale"] == "vas":
        made["code"]["coding"] = [PAIN]
    made["valueString"] = values["as_written"]
    place = " ".join(word for word in (values["side"], values["muscle"]) if word)
    if place:
        made["bodySite"] = {"text": place}
    return made | _on("effectiveDateTime", values["on"])


def _event(values: Resource) -> Resource:
    made: Resource = {"resourceType": "Condition", "code": {"text": values["kind"].replace("_", " ")}}
    if values["level"]:
        made["bodySite"] = [level_site(values["level"])]
    return made | _on("onsetDateTime", values["on"])


def _observation(words: str) -> Resource:
    return {"resourceType": "Observation", "status": "final", "code": {"text": words}}


def _on(element: str, on: date | None) -> Resource:
    return {} if on is None else {element: on.isoformat()}


def _extension(part: PartRow, without: tuple[str, ...] = ()) -> Resource:
    """Every field of the part that says something, so that this program reads back what it wrote."""
    inner: list[Resource] = [
        {"url": "part", "valueCode": part.part},
        {"url": "number", "valueInteger": part.number},
    ]
    for name, field in fields_of(part.part).items():
        value = part.values[name]
        if value is None or value == () or name in without:
            continue
        if field.kind == "number":
            inner.append({"url": name, "valueDecimal": value})
        elif field.kind == "date":
            inner.append({"url": name, "valueDate": value.isoformat()})
        else:
            inner.append({"url": name, "valueString": to_text(value)})
    return {"extension": [{"url": PART, "extension": inner}]}


def _urn(case: Case, part: str, number: int) -> str:
    return f"urn:uuid:{uuid5(NAMESPACE_URL, f'urn:thecal:{case.patient.pseudonym}:{part}:{number}')}"
