"""Cases through FHIR R4 bundles."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from case_values import registries
from hypothesis import given, settings
from hypothesis import strategies as st

from thecal.errors import InputError
from thecal.phantom.simulated_cases import simulated_cases
from thecal.registry.case import Case
from thecal.registry.exchange.fhir_in import read_fhir
from thecal.registry.exchange.fhir_out import bundle_of, checked_json

pytest.importorskip("fhir.resources")

FOREIGN = {
    "resourceType": "Bundle",
    "type": "searchset",
    "entry": [
        {
            "fullUrl": "https://ehr.example.org/Patient/p7",
            "resource": {
                "resourceType": "Patient",
                "id": "p7",
                "identifier": [{"system": "urn:hospital", "value": "MRN-4711"}],
                "name": [{"family": "Mustermann", "given": ["Erika"]}],
                "gender": "female",
                "birthDate": "1954-06-01",
            },
        },
        {
            "resource": {
                "resourceType": "Condition",
                "code": {"text": "Osteoporotic vertebral fracture"},
                "bodySite": [{"coding": [{"system": "http://snomed.info/sct", "code": "23215003"}]}],
                "subject": {"reference": "Patient/p7"},
            }
        },
        {
            "resource": {
                "resourceType": "Procedure",
                "status": "completed",
                "code": {"text": "Percutaneous vertebroplasty Th12"},
                "performedDateTime": "2024-05-31T09:30:00+02:00",
                "subject": {"reference": "https://ehr.example.org/Patient/p7"},
            }
        },
        {
            "resource": {
                "resourceType": "Procedure",
                "status": "completed",
                "code": {"text": "Laminectomy T12 and durotomy"},
                "performedPeriod": {"start": "2024-06-01"},
                "subject": {"reference": "Patient/p7"},
            }
        },
        {
            "resource": {
                "resourceType": "Observation",
                "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": "38214-3"}]},
                "effectiveDateTime": "2024-06-30",
                "valueQuantity": {"value": 3},
                "subject": {"reference": "Patient/p7"},
            }
        },
        {
            "resource": {
                "resourceType": "Observation",
                "status": "final",
                "code": {"text": "Muscle strength"},
                "bodySite": {"text": "Left quadriceps"},
                "valueString": "4-/5",
                "subject": {"reference": "Patient/p7"},
            }
        },
        {
            "resource": {
                "resourceType": "ImagingStudy",
                "status": "available",
                "started": "2024-06-01",
                "series": [{"uid": "1.2.3", "modality": {"code": "CT"}}],
                "subject": {"reference": "Patient/p7"},
            }
        },
        {
            "resource": {
                "resourceType": "Observation",
                "status": "final",
                "code": {"text": "Haemoglobin"},
                "valueQuantity": {"value": 13},
                "subject": {"reference": "Patient/p7"},
            }
        },
    ],
}


def test_what_is_exported_is_a_bundle_and_comes_back_as_it_was() -> None:
    @settings(max_examples=25)
    @given(registries())
    def back(cases: list[Case]) -> None:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "bundle.json"
            path.write_text(checked_json(bundle_of(cases)), encoding="utf-8")
            incoming = read_fhir(path, identified=True)
        assert incoming.problems == []
        assert incoming.not_taken == []
        assert incoming.cases == cases

    back()


def _write(content: object, tmp_path: Path) -> Path:
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_another_programs_bundle_is_read_as_far_as_it_is_plain(tmp_path: Path) -> None:
    incoming = read_fhir(_write(FOREIGN, tmp_path))
    assert incoming.problems == []
    [case] = incoming.cases
    assert (case.patient.pseudonym, case.patient.sex, case.patient.age_years) == ("p7", "F", 69.0)
    assert [(f.level, f.cause) for f in case.fractures] == [("T12", "osteoporotic")]
    assert [(p.kind, p.level, p.on) for p in case.procedures] == [("VP", "T12", date(2024, 5, 31))]
    assert case.revisions[0].laminectomy_levels == ("T12",)
    assert case.revisions[0].durotomy == "yes"
    pain, strength = case.outcomes
    assert (pain.scale, pain.value) == ("vas", 3.0)
    assert (strength.muscle, strength.side, strength.as_written, strength.value) == (
        "quadriceps",
        "left",
        "4-/5",
        3.67,
    )
    assert case.imaging[0].series_uid == "1.2.3"
    assert incoming.not_taken == ["entry 8, Observation: not understood"]


def test_a_name_is_taken_only_where_it_is_wanted(tmp_path: Path) -> None:
    path = _write(FOREIGN, tmp_path)
    assert "Mustermann" not in read_fhir(path).cases[0].model_dump_json()
    assert "4711" not in read_fhir(path, identified=True).cases[0].model_dump_json()
    assert read_fhir(path, identified=True).cases[0].patient.name == "Erika Mustermann"


def test_levels_carry_their_snomed_code_and_what_was_not_verified_none() -> None:
    [case] = simulated_cases(1, 5)
    resources = [entry["resource"] for entry in bundle_of([case])["entry"]]
    codes = {coding["system"] for r in resources for coding in r.get("code", {}).get("coding", [])}
    assert codes <= {"http://loinc.org"}
    fracture = next(
        r for r in resources if r["resourceType"] == "Condition" and "fracture" in r["code"]["text"]
    )
    assert fracture["bodySite"][0]["coding"][0]["system"] == "http://snomed.info/sct"


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"resourceType": "Patient"}', '{"resourceType":"Bundle","entry":3}']
)
def test_a_file_that_is_no_bundle_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"no FHIR bundle|no JSON"):
        read_fhir(path)


def test_an_own_bundle_that_somebody_changed_is_told_and_not_taken(tmp_path: Path) -> None:
    bundle = bundle_of(simulated_cases(1, 5))
    text = json.dumps(bundle).replace('"valueString": "VP"', '"valueString": "XP"')
    text = text.replace('"valueString": "KP"', '"valueString": "XP"')
    incoming = read_fhir(_write(json.loads(text), tmp_path))
    assert incoming.cases == []
    assert any("one of VP, KP" in problem.sentence for problem in incoming.problems)


SERVERS = [
    path.read_text(encoding="utf-8") for path in sorted(Path(__file__).with_name("bundles").glob("*.json"))
]
NODES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.just([])
    | st.just({})
    | st.just([[1]])
)


def _places(node: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(each for key, value in inner for each in _places(value, (*path, key)))]


OWN = json.dumps(bundle_of(simulated_cases(1, 5)))


@settings(max_examples=100)
@given(st.data())
def test_a_bundle_broken_anywhere_is_read_or_refused_in_one_sentence(data: st.DataObject) -> None:
    texts = [json.dumps(FOREIGN), OWN, *SERVERS]
    bundle = json.loads(data.draw(st.sampled_from(texts)))
    place = data.draw(st.sampled_from(_places(bundle)[1:]))
    parent = bundle
    for key in place[:-1]:
        parent = parent[key]
    parent[place[-1]] = data.draw(NODES)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "bundle.json"
        path.write_text(json.dumps(bundle), encoding="utf-8")
        said = ""
        try:
            incoming = read_fhir(path, identified=True)
            said = " ".join(str(problem) for problem in incoming.problems)
        except InputError as error:
            said = str(error)
    assert "\n" not in said
    assert not any(name in said for name in ("Mustermann", "Invented", "Ausgedacht", "Phantasie"))


def test_bladder_and_anal_examination_of_another_program_are_read_by_the_convention(tmp_path: Path) -> None:
    def observed(name: str, said: str) -> dict[str, object]:
        found = {"resourceType": "Observation", "code": {"text": name}, "valueString": said}
        return {"resource": {**found, "subject": {"reference": "Patient/p7"}}}

    entries = [
        FOREIGN["entry"][0],
        observed("Bladder function", "Urinary retention"),
        observed("Voluntary anal contraction (VAC)", "Absent"),
        observed("Deep anal pressure", "yes"),
        observed("Bladder function", "catheter"),
    ]
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps({"resourceType": "Bundle", "entry": entries}), encoding="utf-8")
    incoming = read_fhir(path)
    assert [(o.scale, o.as_written, o.choice) for o in incoming.cases[0].outcomes] == [
        ("bladder", "Urinary retention", "impaired"),
        ("anal_contraction", "Absent", "no"),
        ("anal_pressure", "yes", "yes"),
    ]
    assert incoming.not_taken == ["entry 5, Observation: not understood"]
    text = checked_json(bundle_of(incoming.cases))
    assert "Voluntary anal contraction (ISNCSCI)" in text
