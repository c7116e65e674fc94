"""One part of a case is pointed at and changed; where it is not plain which, nothing is guessed."""

from __future__ import annotations

import pytest
from registry_cases import founding

from thecal.errors import InputError
from thecal.registry.case import Case, Imaging, Leak
from thecal.registry.edit import Entry, part_at, part_of_texts, pointed, texts_of, with_fields, without
from thecal.registry.questions import PARTS

SHA = "a" * 64


def _corrected(case: Case, *given: str) -> Case:
    return with_fields(case, dict(each.split("=", 1) for each in given), with_name=False)


def test_a_corrected_grade_keeps_its_words_and_gets_their_number() -> None:
    found = _corrected(founding(), "outcomes.4.as_written=4-").outcomes[3]
    assert (found.as_written, found.value, found.days) == ("4-", 3.67, 30)


def test_every_part_says_the_same_after_it_was_only_looked_at() -> None:
    case = founding()
    for field in ("patient", *PARTS):
        parts = getattr(case, field)
        for number in range(1, len(parts) + 1) if isinstance(parts, tuple) else (None,):
            entry = Entry(field, number)
            part = part_at(case, entry)
            assert part_of_texts(entry, part, texts_of(part), with_name=False) == part


def test_a_scale_and_what_was_written_on_it_change_at_once() -> None:
    found = _corrected(founding(), "outcomes.5.scale=walking", "outcomes.5.as_written=Aided").outcomes[4]
    assert (found.scale, found.choice) == ("walking", "aided")
    with pytest.raises(InputError, match=r"outcomes\.5\.as_written: walking is one of"):
        _corrected(founding(), "outcomes.5.scale=walking")


def test_what_was_wrongly_known_becomes_not_known() -> None:
    case = _corrected(founding(), "patient.age_years=", "fractures.1.posterior_wall=")
    assert case.patient.age_years is None
    assert case.fractures[0].posterior_wall == "unknown"


def test_a_sign_is_corrected_and_the_others_stay() -> None:
    leak = _corrected(founding(), "leaks.1.signs_layering=absent").leaks[0]
    assert {sign.name: sign.state for sign in leak.signs} == {"layering": "absent", "root_outlines": "absent"}


def test_a_new_entry_takes_its_place_after_the_others() -> None:
    case = _corrected(founding(), "procedures.new.kind=KP", "procedures.new.level=l1", "deficit.present=no")
    assert [each.level for each in case.procedures] == ["T12", "L1"]
    assert case.deficit is not None
    assert case.deficit.present == "no"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("outcomes.as_written=4", "has 5 outcomes: say which, outcomes.1 to outcomes.5"),
        ("outcomes.6.as_written=4", "has no outcomes.6: it has 5"),
        ("outcomes.0.as_written=4", "has no outcomes.0"),
        ("outcomes.5=4", "Say which field of outcomes.5, like outcomes.scale"),
        ("age_years=7", "An entry is one of patient, fractures"),
        ("patient.1.age_years=7", "A case has one patient"),
        ("outcomes.1.value=4", "The number follows from as_written"),
        ("outcomes.5.side=left", "outcomes.5 has no field side"),
        ("patient.pseudonym=B2", "A case keeps its pseudonym"),
        ("patient.name=Erika", "kept only by a registry with a key"),
        ("imaging.1.report_sha256=" + SHA, "Reports come by thecal registry attach"),
        ("procedures.1.kind=", "procedures.1.kind: This one is needed"),
        ("procedures.1.volume_ml=lots", "procedures.1.volume_ml: "),
    ],
)
def test_what_is_not_plain_is_refused_in_one_sentence(given: str, said: str) -> None:
    with pytest.raises(InputError) as told:
        _corrected(founding(), given)
    assert said in str(told.value)
    assert "\n" not in str(told.value)


def _attached() -> Case:
    """The founding case with a report, from which its second leak was read."""
    case = founding()
    leaks = (case.leaks[0], Leak(compartment="epidural", level="T12", report_sha256=SHA))
    imaging = (Imaging(modality="CT", series_uid="1.2.3", report_sha256=SHA),)
    return case.model_copy(update={"imaging": imaging, "leaks": leaks})


def test_what_a_report_says_is_not_made_to_say_anything_else() -> None:
    with pytest.raises(InputError, match=r"leaks\.2 was read from an attached report"):
        _corrected(_attached(), "leaks.2.compartment=intradural")
    with pytest.raises(InputError, match="is the one that its attached report names"):
        _corrected(_attached(), "imaging.1.series_uid=1.2.4")
    dated = _corrected(_attached(), "imaging.1.on=2024-05-31")
    assert dated.imaging[0].report_sha256 == SHA


def test_entries_are_taken_out_together_by_the_numbers_that_were_shown() -> None:
    case = founding()
    entries = [pointed(case, each)[0] for each in ("outcomes.1", "outcomes.3", "deficit", "events")]
    left, reports = without(case, entries)
    assert left.outcomes == (case.outcomes[1], *case.outcomes[3:])
    assert (left.deficit, left.events, reports) == (None, (), ())


def test_with_an_assessed_series_go_its_report_and_the_leaks_read_from_it() -> None:
    left, reports = without(_attached(), [Entry("imaging", 1)])
    assert (left.imaging, left.leaks, reports) == ((), (founding().leaks[0],), (SHA,))


def test_one_of_several_is_never_taken_out_by_guess() -> None:
    with pytest.raises(InputError, match=r"say which, leaks\.1 to leaks\.2"):
        pointed(founding(), "leaks")
    with pytest.raises(InputError, match=r"Name the entry alone, outcomes\.2"):
        pointed(founding(), "outcomes.2.side")
