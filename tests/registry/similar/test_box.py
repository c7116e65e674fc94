"""The report's box: only where cement lies in the canal, and never a prognosis."""

from __future__ import annotations

import re

import pytest
from toy_patient import cement_of, no_cement, spine, volume

from thecal.registry.similar.box import cases_like
from thecal.registry.similar.traits import traits_of_report
from thecal.report.build import build_report
from thecal.report.html import render_for_paper
from thecal.report.like_cases import LikeCases
from thecal.report.schema import Observations, Report


class Toy:
    """The toy patient with and without cement."""

    def __init__(self) -> None:
        self.spine = spine()
        self.cement, self.leakage = cement_of(self.spine)
        self.volume = volume(self.spine, self.cement)
        self.clean = no_cement(self.cement, self.leakage)

    def report(self, *, clean: bool = False, **options) -> Report:
        cement, leakage = self.clean if clean else (self.cement, self.leakage)
        return build_report(self.volume, self.spine, cement, leakage, **options)

    def page(self, report: Report, box: LikeCases | None) -> str:
        """As it is for paper, without pictures."""
        return render_for_paper(report, self.volume, {}, like=box)


@pytest.fixture(scope="module")
def toy() -> Toy:
    return Toy()


def test_the_level_is_that_of_the_filled_body_at_the_cement(toy: Toy) -> None:
    report = toy.report()
    lower = [d.model_copy(update={"level": "L1"}) for d in report.deposits]
    assert traits_of_report(report.model_copy(update={"deposits": lower})).levels == ("T12",)
    far = [d.model_copy(update={"level": "L4"}) for d in report.deposits]
    assert traits_of_report(report.model_copy(update={"deposits": far})).levels == ("L4",)


def probable(report: Report) -> Report:
    said = {"finding": "probable", "probability": 0.9, "interval": (0.8, 0.95), "prior": 0.5}
    dura = report.intradural.model_copy(update=said | {"likelihood_ratio": 9.0})
    return report.model_copy(update={"intradural": dura})


def test_without_cement_in_the_canal_there_is_no_box(toy: Toy) -> None:
    assert cases_like(toy.report(clean=True)) is None


def test_traits_are_those_of_the_cement_in_the_canal(toy: Toy) -> None:
    report = probable(toy.report(observations=Observations(deficit="yes")))
    traits = traits_of_report(report)
    assert traits.levels == ("T12",)
    assert (traits.intradural, traits.epidural, traits.deficit) == (True, True, True)
    assert traits_of_report(toy.report()).deficit is None


def test_where_the_canal_could_not_be_read_nothing_is_said_of_it(toy: Toy) -> None:
    report = toy.report()
    blind = [s.model_copy(update={"cement_area_mm2": None}) for s in report.canal.profile]
    canal = report.canal.model_copy(update={"profile": blind})
    dura = report.intradural.model_copy(update={"finding": "not_assessable"})
    traits = traits_of_report(report.model_copy(update={"canal": canal, "intradural": dura}))
    assert traits.epidural is None
    assert traits.intradural is None


def test_the_box_says_how_few_they_are_and_shows_conflicts(toy: Toy) -> None:
    box = cases_like(probable(toy.report()))
    assert box.rows[0].name == "Liao 2025"
    assert "12 case reports" in box.caveat
    assert "says nothing of what will become of another" in box.caveat
    assert any("Figure 2h" in conflict for conflict in box.rows[0].conflicts)


def test_the_page_shows_the_box_after_the_plan_and_predicts_nothing(toy: Toy) -> None:
    report = probable(toy.report())
    box = cases_like(report)
    page = toy.page(report, box)
    part = page[page.index("<h2>Cases like this</h2>") :]
    part = re.sub(r"<[^>]+>", " ", part[: part.index("</section>")])
    for word in ("Liao 2025", "the same level, T12", "durotomy", "Conflict:", "12 case reports"):
        assert word in part
    for word in ("prognosis", "expect", "probab", "likely", "chance", "should", "recommend"):
        assert word not in part.lower()
    without = toy.page(report, None)
    assert "Cases like this" not in without


def test_that_none_is_near_is_said_on_the_page(toy: Toy) -> None:
    dura = toy.report().intradural.model_copy(update={"finding": "not_detected"})
    report = toy.report().model_copy(update={"intradural": dura})
    box = cases_like(report)
    assert box.rows == ()
    page = toy.page(report, box)
    assert "None of 12 published cases is near" in page
