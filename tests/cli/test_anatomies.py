"""``thecal anatomies``."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint

import pytest

from thecal.anatomy import listing
from thecal.cli import run


def entry(name: str, where: str) -> EntryPoint:
    return EntryPoint(name, where, "thecal.anatomy")


def test_a_person_reads_which_backends_can_run(capsys, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("THECAL_TOTALSEGMENTATOR", raising=False)
    assert run(["anatomies"]) == 0
    said = capsys.readouterr().out
    assert "builtin 0" in said
    assert said.index("builtin") < said.index("totalsegmentator")
    assert ".seg.nrrd" in said


def test_a_machine_reads_why_one_cannot(capsys, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("THECAL_TOTALSEGMENTATOR", raising=False)
    assert run(["anatomies", "--json"]) == 0
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert found["builtin"]["runs"] is True
    assert found["builtin"]["why_not"] is None
    assert found["totalsegmentator"]["runs"] is False
    assert "not installed" in found["totalsegmentator"]["why_not"]


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("no_such_module:Backend", "could not be loaded"),
        ("json:JSONDecoder", "has not what a backend needs"),
        ("math:pi", "could not be loaded"),
    ],
)
def test_a_broken_plug_in_is_listed_with_its_fault_and_hides_no_other(monkeypatch, capsys, where, says):
    real = listing.entry_points(group=listing.GROUP)
    monkeypatch.setattr(listing, "entry_points", lambda group: [*real, entry("broken", where)])
    assert run(["anatomies"]) == 0
    said = capsys.readouterr().out
    assert says in said
    assert "builtin" in said
