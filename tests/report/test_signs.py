"""Each present sign is drawn where it is seen best, with its sentence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from thecal.leakage.findings import DuralFinding, IntraduralSign, Leakage
from thecal.report.build import build_report
from thecal.report.headline import headline
from thecal.report.html import draw_pictures, render_html
from thecal.report.signs import shown_signs, signs_picture

FOUND = DuralFinding("probable", 0.94, (0.78, 0.99), 0.5, 15.9, (("layering", 0.89),))


def with_signs(patient, *states: str) -> Leakage:
    """Layering and spread, in these states, at the deposit within the sac's outline."""
    at = next(d.centroid_mm for d in patient.leakage.deposits if d.compartment == "intradural")
    names = ("layering", "multilevel_spread")
    signs = tuple(
        IntraduralSign(name, state, 12.0, "mm", 3.0, f"{name} is seen.", "Liao 2025", at)  # type: ignore[arg-type]
        for name, state in zip(names, states, strict=True)
    )
    return replace(patient.leakage, signs=signs, dural=FOUND)


def test_only_present_signs_are_drawn_each_with_its_sentence(leaking) -> None:
    picture = signs_picture(leaking.volume, leaking.spine, with_signs(leaking, "present", "absent"))
    assert picture is not None
    assert len(picture.figure.axes) == 1
    assert "A, layering: layering is seen." in picture.caption
    assert "multilevel_spread is seen" not in picture.caption


def test_without_a_present_sign_there_is_no_picture(leaking) -> None:
    assert shown_signs(with_signs(leaking, "absent", "not_assessable")) == ()
    assert "signs" not in draw_pictures(leaking.volume, leaking.spine, leaking.leakage)


def test_the_ring_lies_on_the_place(leaking) -> None:
    leakage = with_signs(leaking, "present", "absent")
    picture = signs_picture(leaking.volume, leaking.spine, leakage)
    assert picture is not None
    _, theta, r = leaking.spine.canal.frame.locate([leakage.signs[0].at_mm])
    # Of all lines drawn the ring alone has 49 points.
    x, y = next(line.get_data() for line in picture.figure.axes[0].lines if len(line.get_xdata()) == 49)
    middle = (x.max() + x.min()) / 2, (y.max() + y.min()) / 2
    assert np.allclose(middle, (r[0] * np.sin(theta[0]), r[0] * np.cos(theta[0])), atol=0.1)


def test_the_page_and_the_headline_say_how_probable_it_is_and_on_what_prior(leaking) -> None:
    leakage = with_signs(leaking, "present", "present")
    report = build_report(leaking.volume, leaking.spine, leaking.cement, leakage)
    page = render_html(report, leaking.volume, leaking.spine, leakage)
    assert 'class="signs"' in page
    assert "from a prior of 0.5" in page
    words = " ".join(sentence.text for sentence in headline(report))
    assert "Cement inside the dura is probable: 94 %, 78 % to 99 %, at even prior odds." in words
    assert "these are seen: layering and spread over further levels" in words
    assert "Not assessable: a needle's way through the medial wall of the pedicle" in words
