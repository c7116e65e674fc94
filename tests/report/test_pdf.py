"""The page on paper: what the page says, on A4, with its typeface, and no name unless asked."""

from __future__ import annotations

import io
import re
import sys
from dataclasses import replace

import pypdf
import pytest

from thecal.errors import InputError
from thecal.report.build import build_report
from thecal.report.html import draw_pictures, render_for_paper
from thecal.report.like_cases import LikeCase, LikeCases
from thecal.report.markup import Node, read_page
from thecal.report.pdf import render_pdf
from thecal.terms import RESEARCH_USE

A4_POINTS = (595.3, 841.9)


class Paper:
    """A PDF of the leaking patient, and the page that it was set from."""

    def __init__(self, patient, **options) -> None:
        report = build_report(patient.volume, patient.spine, patient.cement, patient.leakage)
        pictures = draw_pictures(patient.volume, patient.spine, patient.leakage)
        self.page = read_page(render_for_paper(report, patient.volume, pictures, **options))
        self.bytes = render_pdf(report, patient.volume, pictures, **options)
        self.again = render_pdf(report, patient.volume, pictures, **options)
        self.pdf = pypdf.PdfReader(io.BytesIO(self.bytes))
        self.sheets = [sheet.extract_text() for sheet in self.pdf.pages]


def bare(text: str) -> str:
    """Without the white that setting changes."""
    return re.sub(r"\s", "", text)


@pytest.fixture(scope="module")
def paper(leaking) -> Paper:
    return Paper(leaking)


def test_every_sentence_and_every_cell_of_the_page_stands_on_paper(paper):
    said = bare("".join(paper.sheets))
    checked = 0
    for tag in ("h1", "h2", "h3", "p", "caption", "th", "td", "li", "dt", "dd", "figcaption"):
        for node in paper.page.every(tag):
            # Hints for the mouse are not for paper.
            if "screen" not in node.classes:
                assert bare(node.text()) in said, node.text()
                checked += 1
    assert checked > 150


def test_the_pictures_are_on_it(paper):
    wanted = [image.attributes["src"] for image in paper.page.every("img")]
    assert wanted == ["axial", "sagittal", "projections"]
    assert sum(len(sheet.images) for sheet in paper.pdf.pages) == 3


def test_every_sheet_is_a4_and_says_research_use_only(paper):
    assert len(paper.sheets) > 1
    for sheet, text in zip(paper.pdf.pages, paper.sheets, strict=True):
        assert (float(sheet.mediabox.width), float(sheet.mediabox.height)) == pytest.approx(
            A4_POINTS, abs=0.5
        )
        assert RESEARCH_USE in text


def test_every_typeface_is_in_the_file(paper):
    fonts = set()
    for sheet in paper.pdf.pages:
        for font in sheet["/Resources"]["/Font"].values():
            described = font.get_object()
            if "/FontDescriptor" in described:
                assert "/FontFile2" in described["/FontDescriptor"]
                fonts.add(str(described["/BaseFont"]).partition("+")[2])
    assert {"DejaVuSans", "DejaVuSans-Bold"} <= fonts


def test_the_same_report_gives_the_same_bytes(paper):
    assert paper.bytes == paper.again


def test_the_name_stands_on_it_only_when_asked(leaking, paper):
    named = replace(leaking.volume, source=replace(leaking.volume.source, patient_name="Doe^Jane"))
    report = build_report(named, None, None, None, not_found="No canal was found.")
    for identified in (False, True):
        pdf = pypdf.PdfReader(io.BytesIO(render_pdf(report, named, {}, identified=identified)))
        assert ("Doe Jane" in pdf.pages[0].extract_text()) == identified
        assert "Doe" not in str(pdf.metadata)


def test_a_report_without_a_spine_is_set_too(leaking):
    report = build_report(leaking.volume, None, None, None, not_found="No canal was found.")
    pdf = pypdf.PdfReader(io.BytesIO(render_pdf(report, leaking.volume, {})))
    assert "Not assessable" in pdf.pages[0].extract_text()


def test_a_part_of_the_page_that_paper_does_not_know_is_no_silence():
    from thecal.report.pdf_flow import Setter

    with pytest.raises(ValueError, match="<video>"):
        Setter({}, 500.0).blocks([Node("section", children=[Node("video")])])


def test_without_the_extra_it_says_how_to_install_it(leaking, monkeypatch):
    report = build_report(leaking.volume, None, None, None, not_found="No canal was found.")
    monkeypatch.setitem(sys.modules, "reportlab", None)
    with pytest.raises(InputError, match=r"^This needs reportlab, .* pip install 'thecal\[pdf\]'$"):
        render_pdf(report, leaking.volume, {})


def test_cases_like_this_stand_on_paper_too(leaking):
    case = LikeCase(
        "Doe 1999",
        "woman of 70, T12",
        ("the same level, T12",),
        (),
        ("signs",),
        "Durotomy",
        "Walks",
        ("A, not B",),
        "doi 1",
    )
    report = build_report(leaking.volume, leaking.spine, leaking.cement, leaking.leakage)
    written = render_pdf(
        report, leaking.volume, {}, like=LikeCases("1 of 1 is near.", (case,), "One report.")
    )
    said = bare("".join(sheet.extract_text() for sheet in pypdf.PdfReader(io.BytesIO(written)).pages))
    for words in (
        "Cases like this",
        "1 of 1 is near.",
        "One report.",
        "woman of 70, T12",
        "Conflict: A, not B",
    ):
        assert bare(words) in said
