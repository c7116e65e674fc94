from __future__ import annotations

import json

import jsonschema
from patients import patient, plan_of

from thecal.needle.outputs.document import plan_document
from thecal.needle.outputs.schema import json_schema
from thecal.needle.outputs.summary import summary
from thecal.needle.plan import Wish
from thecal.terms import RESEARCH_USE


def test_plan_json_follows_its_schema_and_says_research_use_only():
    case = patient()
    plans = [plan_of("T12"), plan_of("L1")]
    written = json.loads(plan_document(case.volume, case.spine, Wish(), plans).to_json())
    jsonschema.validate(written, json_schema())
    assert written["research_use"] == RESEARCH_USE
    assert [level["level"] for level in written["levels"]] == ["T12", "L1"]


def test_a_side_without_a_way_is_written_as_null_with_its_reason():
    case = patient()
    wish = Wish(margin_mm=9.0, approach="transpedicular")
    written = plan_document(case.volume, case.spine, wish, [plan_of("T12", wish)])
    assert all(side.best is None and side.reason for side in written.levels[0].sides)
    said = " ".join(summary([plan_of("T12", wish)]))
    assert "no safe path on this side" in said


def test_the_summary_never_calls_a_way_safe():
    said = " ".join(summary([plan_of("L1")])).replace("no safe path", "")
    assert "safe" not in said.lower()
    assert RESEARCH_USE in said
