"""FHIR R4: what is exported keeps to it, and bundles as servers send them are taken in.

The bundles are written by hand, in the ways of a HAPI server's search, a hospital's interface and a
transaction; the people in them are invented.
"""

from __future__ import annotations

import copy
import json
from datetime import date
from pathlib import Path

import pytest
from case_values import registries
from hypothesis import given, settings
from r4 import faults

from thecal.cli import run
from thecal.registry.case import Case
from thecal.registry.exchange.drafts import Incoming
from thecal.registry.exchange.fhir_elements import levels_in
from thecal.registry.exchange.fhir_in import read_fhir
from thecal.registry.exchange.fhir_out import bundle_of
from thecal.registry.store import open_store

BUNDLES = Path(__file__).with_name("bundles")


def _read(name: str, **options: bool) -> Incoming:
    incoming = read_fhir(BUNDLES / f"{name}.json", **options)
    assert incoming.problems == []
    return incoming


def test_what_is_exported_keeps_to_r4() -> None:
    """The library that checks an export knows R4B only; here it is held against R4's own elements."""

    @settings(max_examples=15)
    @given(registries())
    def keeps(cases: list[Case]) -> None:
        assert list(faults(bundle_of(cases), "Bundle")) == []

    keeps()


@pytest.mark.parametrize("path", sorted(BUNDLES.glob("*.json")), ids=lambda path: path.stem)
def test_the_bundles_here_are_r4(path: Path) -> None:
    bundle = json.loads(path.read_text(encoding="utf-8"))
    assert list(faults(bundle, "Bundle")) == []
    spoiled = copy.deepcopy(bundle)
    spoiled["entry"][1]["resource"]["occurrenceDateTime"] = "2024-01-01"  # R5's name
    assert [fault.rpartition(".")[2] for fault in faults(spoiled, "Bundle")] == [
        "occurrenceDateTime is no element of R4"
    ]


def test_a_servers_search_with_versions_extensions_and_errors_is_read() -> None:
    incoming = _read("hapi_searchset")
    [case] = incoming.cases
    assert (case.patient.pseudonym, case.patient.sex, case.patient.age_years) == ("593210", "F", 72)
    assert [(f.level, f.cause) for f in case.fractures] == [("T12", "osteoporotic")]
    # The procedure names no level; the condition that it was done for does.
    assert [(p.kind, p.level, p.on) for p in case.procedures] == [("VP", "T12", date(2024, 3, 12))]
    assert [(o.side, o.muscle, o.as_written, o.value, o.on) for o in case.outcomes] == [
        ("left", "quadriceps", "4", 4.0, date(2024, 3, 13)),
        ("right", "quadriceps", "2+", 2.33, date(2024, 3, 13)),
    ]
    assert [(e.kind, e.on) for e in case.events] == [("death", date(2024, 8, 28))]
    assert incoming.not_taken == [
        "entry 4, Condition: refuted, or entered in error",
        "entry 7, Observation: not done, or entered in error",
        "entry 8, Practitioner: of no patient of this bundle",
        "entry 9, OperationOutcome: of no patient of this bundle",
    ]


def test_of_several_names_the_official_one_is_taken_with_the_key_only() -> None:
    [named] = _read("hapi_searchset", identified=True).cases
    assert (named.patient.name, named.patient.born) == ("Ida B. Invented", date(1951, 11, 23))
    text = _read("hapi_searchset").cases[0].model_dump_json()
    assert not any(secret in text for secret in ("Invented", "1951", "MRN-000815", "Made", "OR 4"))


def test_a_transaction_of_urn_uuids_with_contained_resources_is_read() -> None:
    incoming = _read("transaction_urn_uuid")
    [case] = incoming.cases
    assert case.patient.pseudonym == "4f9c9a6e-5a43-4cf2-9d0e-8d21f3f6a001"
    assert (case.patient.sex, case.patient.age_years) == ("M", None)
    assert [(f.level, f.cause) for f in case.fractures] == [("L1", "metastasis")]
    assert [(p.kind, p.level) for p in case.procedures] == [("KP", "L1")]
    assert [(i.modality, i.on) for i in case.imaging] == [("CT", date(2023, 11, 3))]
    # One is found by her identifier, the other by a conditional reference.
    assert [(o.scale, o.as_written, o.on) for o in case.outcomes] == [
        ("odi", "42", date(2024, 2, 2)),
        ("walking", "independent", None),
    ]
    assert case.events == ()
    assert incoming.not_taken == [
        "entry 3, Procedure: not done, or entered in error",
        "entry 6, Encounter: not understood",
    ]


def test_a_hospitals_interface_with_much_left_out_is_read() -> None:
    incoming = _read("hospital_everything")
    [case] = incoming.cases
    assert (case.patient.sex, case.patient.age_years, case.patient.born) == (None, None, None)
    assert [f.level for f in case.fractures] == ["T11"]
    assert [(p.kind, p.level) for p in case.procedures] == [("VP", "T11"), ("VP", "T12")]
    assert case.revisions[0].laminectomy_levels == ("T11", "T12")
    assert [(o.scale, o.choice) for o in case.outcomes] == [("ais", "C"), ("walking", "aided")]
    assert incoming.not_taken == [
        "entry 4, Procedure: says no level of the spine",
        # A verbal rating is no visual analogue scale.
        "entry 6, Observation: not understood",
        "entry 9, DocumentReference: not understood",
        # Of a patient within it, who has no identifier, nobody knows who she is.
        "entry 10, Observation: of no patient of this bundle",
    ]


def test_a_resource_whose_meaning_an_unknown_extension_changes_is_not_taken(tmp_path: Path) -> None:
    bundle = json.loads((BUNDLES / "hospital_everything.json").read_text(encoding="utf-8"))
    modifier = [{"url": "http://example.org/was-not-done", "valueBoolean": True}]
    bundle["entry"][2]["resource"]["modifierExtension"] = modifier
    (tmp_path / "bundle.json").write_text(json.dumps(bundle), encoding="utf-8")
    incoming = read_fhir(tmp_path / "bundle.json")
    assert incoming.cases[0].procedures == ()
    assert "entry 3, Procedure: an extension changes its meaning" in incoming.not_taken


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("twelfth thoracic vertebra", ["T12"]),
        ("Structure of 1st lumbar vertebra", ["L1"]),
        ("BWK 11 und LWK2", ["T11", "L2"]),
        ("Th 12", ["T12"]),
        ("first rib, left femur", []),
        ("T45", []),
    ],
)
def test_a_level_is_read_as_it_is_spoken(text: str, found: list[str]) -> None:
    assert levels_in(text) == found


def test_a_servers_bundle_is_tried_and_then_taken_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("THECAL_REGISTRY", str(tmp_path / "registry.sqlite"))
    monkeypatch.delenv("THECAL_REGISTRY_KEY_FILE", raising=False)
    assert run(["registry", "init"]) == 0
    path = str(BUNDLES / "hapi_searchset.json")
    assert run(["registry", "import", path, "--dry-run"]) == 0
    assert "1 case would be added" in capsys.readouterr().out
    assert run(["registry", "import", path, "--who", "ada"]) == 0
    with open_store(tmp_path / "registry.sqlite") as store:
        assert [case.patient.pseudonym for case in store.cases()] == ["593210"]
