"""The plan for a revision in ``report.json`` and on the page."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from thecal.leakage.findings import Leakage
from thecal.leakage.revision.plan import plan_revision
from thecal.report.build import build_report
from thecal.report.html import render_html
from thecal.report.schema import json_schema


@pytest.fixture(scope="module")
def planned(leaking) -> Leakage:
    plan = plan_revision(leaking.spine, leaking.cement, leaking.leakage)
    assert not isinstance(plan, str)
    return replace(leaking.leakage, revision=plan)


def test_the_plan_stands_in_the_report_and_satisfies_the_schema(leaking, planned):
    report = build_report(leaking.volume, leaking.spine, leaking.cement, planned)
    jsonschema.validate(json.loads(report.to_json()), json_schema())
    assert report.revision is not None
    in_canal = {d.id for d in report.deposits if d.compartment in ("intradural", "epidural", "foraminal")}
    assert set(report.revision.fragments) == in_canal
    assert [f.id for f in report.revision.fragment_measures] == report.revision.fragments
    assert len(report.revision.laminectomy_levels) == len(report.revision.laminae)


def test_the_page_says_that_the_plan_is_one_to_discuss_and_draws_it(leaking, planned):
    report = build_report(leaking.volume, leaking.spine, leaking.cement, planned)
    page = render_html(report, leaking.volume, leaking.spine, planned)
    assert "A revision to discuss" in page
    assert "This is a plan to discuss" in page
    assert "the yellow bars behind the canal" in page


def test_without_a_plan_the_page_has_no_such_section(untouched):
    report = build_report(untouched.volume, untouched.spine, untouched.cement, untouched.leakage)
    assert report.revision is None
    page = render_html(report, untouched.volume, untouched.spine, untouched.leakage)
    assert "A revision to discuss" not in page
