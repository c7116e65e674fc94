"""Which studies are pooled: never patients with vertebrae unasked, and nothing left out in silence."""

from __future__ import annotations

import pytest

from thecal.errors import InputError
from thecal.registry.literature.library import library
from thecal.registry.pooling.binomial_normal import fit
from thecal.registry.pooling.pool import Pooled, Question, pool


def pooled(**asked: str) -> Pooled:
    return pool(library().incidence, Question(**asked))


@pytest.fixture(scope="module")
def usual() -> Pooled:
    return pooled()


def test_unasked_only_vertebrae_after_vertebroplasty_are_pooled(usual: Pooled) -> None:
    assert {study.row.procedure for study in usual.studies} == {"VP"}
    assert {study.row.counted for study in usual.studies} == {"vertebrae", "either"}
    assert [study.row.id for study in usual.studies] == [
        "cleft2021-any-cleft",
        "cleft2021-any-no-cleft",
        "wjso2022-any",
        "venmans-any",
    ]


def test_what_is_left_out_is_named_with_the_reason(usual: Pooled) -> None:
    why = {one.row.id: one.reason for one in usual.left_out}
    about = [row for row in library().incidence if row.what == "any"]
    assert len(why) + len(usual.studies) == len(about)
    assert why["martin-any"] == "counts patients"
    assert why["kunshan-any"] == "kyphoplasty"
    assert why["yeom-any"].startswith("counts leaks")
    assert why["ding-VP"] == "what was counted is not clear"
    assert why["zhan-VP"].startswith("a review")


def test_patients_with_one_vertebra_each_are_pooled_with_either() -> None:
    found = pooled(counted="patients")
    assert [study.row.id for study in found.studies] == [
        "martin-any",
        "cleft2021-any-cleft",
        "cleft2021-any-no-cleft",
    ]
    assert not any("together" in warning for warning in found.warnings)


def test_who_asks_for_both_is_warned() -> None:
    found = pooled(what="canal", counted="any")
    assert any(warning.startswith("Patients and vertebrae are pooled together") for warning in found.warnings)
    mixed = pooled(what="C", procedure="any")
    assert any(warning.startswith("Vertebroplasty and kyphoplasty are pooled") for warning in mixed.warnings)


def test_the_page_never_claims_a_systematic_search(usual: Pooled) -> None:
    assert any("no systematic search" in warning for warning in usual.warnings)
    assert any("4 rows hardly say" in warning for warning in usual.warnings)
    assert any("Arms of one study" in warning for warning in usual.warnings)


def test_leaving_one_out_is_pooling_the_others(usual: Pooled) -> None:
    assert [study for study, _ in usual.without] == list(usual.studies)
    left, rest = usual.without[2]
    others = [study for study in usual.studies if study is not left]
    again = fit([s.events for s in others], [s.n for s in others])
    assert rest == again


def test_a_single_study_is_listed_and_not_pooled() -> None:
    found = pooled(procedure="KP")
    assert [study.row.id for study in found.studies] == ["kunshan-any"]
    assert found.fit is None
    assert found.why_not == "A single study is not pooled"
    assert found.studies[0].interval == pytest.approx((0.168, 0.253), abs=1e-3)


def test_a_conflict_goes_with_its_study() -> None:
    found = pooled(what="canal_cortical", counted="patients")
    assert any("26/3175 is 0.82 %" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"what": "lung"}, "No study counts lung: there are any, canal"),
        ({"what": "intradural"}, "what was counted is not clear"),
        ({"population": "martian"}, "population: osteoporotic"),
    ],
)
def test_a_question_that_nothing_answers_is_told(asked: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        pooled(**asked)
