"""What may leave the registry."""

from __future__ import annotations

from datetime import date, timedelta

from case_values import cases
from hypothesis import given

from thecal.registry.case import Case
from thecal.registry.exchange.leaving import leaving

SHIFT = 37
CASE = Case.model_validate(
    {
        "patient": {"pseudonym": "P1", "name": "Somebody Known", "born": date(1950, 2, 3)},
        "procedures": [{"kind": "VP", "level": "T12", "on": date(2024, 5, 1), "notes": "seen by Dr Nobody"}],
        "imaging": [{"modality": "CT", "on": date(2024, 5, 2), "study_uid": "1.2.3", "series_uid": "1.2.4"}],
        "deficit": {"present": "yes", "description": "Mrs Somebody cannot walk"},
    }
)


def _out(case: Case, **options: bool) -> Case:
    [left] = leaving([case], lambda _: SHIFT, **options)
    return left


def test_a_withdrawn_case_never_leaves_not_even_identified() -> None:
    gone = CASE.model_copy(update={"withdrawn": True})
    assert list(leaving([gone], lambda _: SHIFT, identified=True)) == []


def test_names_births_images_and_free_text_stay_at_home() -> None:
    text = _out(CASE).model_dump_json()
    for secret in ("Somebody", "1950", "1.2.3", "1.2.4", "Nobody", "2024-05-01"):
        assert secret not in text


def test_notes_leave_only_when_asked_for() -> None:
    left = _out(CASE, notes=True)
    assert left.procedures[0].notes == "seen by Dr Nobody"
    assert left.patient.name is None


def test_identified_means_as_it_is() -> None:
    assert _out(CASE, identified=True) == CASE


@given(cases())
def test_dates_move_together_so_that_intervals_stay(case: Case) -> None:
    left = _out(case)
    for part in ("procedures", "imaging", "revisions", "outcomes", "events"):
        for before, after in zip(getattr(case, part), getattr(left, part), strict=True):
            if before.on is not None:
                assert after.on - before.on == timedelta(days=SHIFT)
