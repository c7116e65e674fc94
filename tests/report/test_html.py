"""The page: complete, alone on disk, anonymous, and honest about what it does not know."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from thecal.report.build import build_report
from thecal.report.html import render_html

VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(HTMLParser):
    """What a browser would load, and whether every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href") and value and not value.startswith(("#", "data:")):
                self.loads.append(value)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def page_of(patient, **options) -> str:
    report = build_report(patient.volume, patient.spine, patient.cement, patient.leakage)
    return render_html(report, patient.volume, patient.spine, patient.leakage, **options)


@pytest.fixture(scope="module")
def html(leaking) -> str:
    return page_of(leaking)


def test_the_page_loads_nothing_and_closes_what_it_opens(html):
    page = Page(html)
    assert page.open == []
    assert page.loads == []
    assert not re.search(r"@import|url\(\s*['\"]?(?!#|data:)", html[: html.index("</style>")])


def test_the_page_stays_small_enough_to_mail(html):
    assert len(html.encode()) < 12e6


def test_headline_pictures_tables_and_reservations_are_there(html):
    text = Page(html).text
    for words in (
        "Cement outside the bone at T12",
        "28 % of the canal at T12",
        "Cut normal to the canal at T12, where cement takes most of the canal",
        "2 · epidural 1.1 mL",
        "share of the canal taken",
        "0.245 ± 0.007",
        "basivertebral vein",
        "15/20/25",
        "Streaks from cement cross the canal at T12.",
        "Smallest deposit this scan shows",
        "Research use only",
    ):
        assert words in text


def test_the_page_names_the_patient_only_when_asked(leaking, html):
    assert "Jane" not in html
    assert "Doe Jane" in page_of(leaking, identified=True)


def test_what_a_file_says_of_itself_cannot_become_markup(leaking):
    from dataclasses import replace

    kernel = "</style><script>alert(1)</script>"
    volume = replace(leaking.volume, source=replace(leaking.volume.source, kernel=kernel))
    report = build_report(volume, leaking.spine, leaking.cement, leaking.leakage)
    page = render_html(report, volume, leaking.spine, leaking.leakage)
    assert kernel not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_page_without_cement_never_clears_the_patient(untouched):
    text = Page(page_of(untouched)).text
    assert (
        "No cement detected in or near the vertebrae above 12 mm³, for cement of 1700 HU and brighter."
        in text
    )
    assert "That does not clear the patient" in text
    assert "a sign that is absent excludes nothing" in text
    assert "no leak" not in text.lower()
    assert "none seen" in text
    assert "0.00" not in text[text.index("Vertebrae") :]


def test_a_page_without_a_spine_says_why_and_has_no_pictures(leaking):
    report = build_report(leaking.volume, None, None, None, not_found="No canal was found.")
    page = Page(render_html(report, leaking.volume, None, None))
    assert page.open == []
    assert "No canal was found." in page.text
    assert "Not assessable" in page.text
    assert "Along the canal" not in page.text


def test_the_same_assessment_is_the_same_page(leaking, html):
    assert page_of(leaking) == html


def test_unknown_levels_and_many_specks_still_make_a_page(leaking):
    from dataclasses import replace

    import numpy as np

    unnamed = tuple(replace(v, level=None, id=201 + i) for i, v in enumerate(leaking.spine.vertebrae))
    spine = replace(leaking.spine, vertebrae=unnamed)
    labels = leaking.leakage.deposit_labels.copy()
    deposits = list(leaking.leakage.deposits)
    for number in range(5, 60):
        labels[number, 40, 20] = number
        point = tuple(spine.grid.to_lps([number, 40, 20]))
        deposits.append(
            replace(deposits[3], id=number, level=None, levels_spanned=(), volume_ml=0.001, centroid_mm=point)
        )
    worst = replace(leaking.leakage.worst, level=None, vertebra_id=203, residual_ap_mm=None)
    leakage = replace(
        leaking.leakage,
        deposits=tuple(
            replace(d, level=None, levels_spanned=(), vertebra_id=203, vertebra_ids=(203,)) for d in deposits
        ),
        deposit_labels=labels,
        worst=worst,
        profile=tuple(replace(p, level=None, vertebra_id=203) for p in leaking.leakage.profile),
    )
    assert np.unique(labels).size == 60
    report = build_report(leaking.volume, spine, leaking.cement, leakage)
    page = render_html(report, leaking.volume, spine, leakage)
    text = Page(page).text
    assert "Cement outside the bone at vertebra no. 203" in text
    assert "28 % of the canal at vertebra no. 203 (72 of 254 mm²)" in text
    assert "Cut normal to the canal at vertebra no. 203" in text
    assert "Largest share 28 % at vertebra no. 203" in page
    assert "unknown level" not in text
