"""Every key of the contract of ``thecal assess`` is in the schema, and is null only where it may be.

The lists are written by hand from the contract: a schema that changed by itself would not agree with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from thecal.report.schema import json_schema

# What every report states of every scan, vertebra, deposit, sign and track.
ALWAYS_STATED = {
    "schema": "string",
    "software": "object",
    "software.name": "string",
    "software.version": "string",
    "software.anatomy": "object",
    "input": "object",
    "input.kind": "string",
    "input.shape": "array",
    "input.spacing_mm": "array",
    "input.orientation": "string",
    "input.simulated": "boolean",
    "vertebrae": "array",
    "vertebrae[].id": "integer",
    "vertebrae[].level_source": "string",
    "vertebrae[].complete": "boolean",
    "vertebrae[].heights_mm": "object",
    "vertebrae[].cement_by_third": "object",
    "vertebrae[].centre_mm": "array",
    "deposits": "array",
    "deposits[].id": "integer",
    "deposits[].compartment": "string",
    "deposits[].levels_spanned": "array",
    "deposits[].volume_ml": "number",
    "deposits[].volume_sd_ml": "number",
    "deposits[].centroid_mm": "array",
    "deposits[].extent_mm": "array",
    "deposits[].mean_hu": "number",
    "deposits[].clipped_fraction": "number",
    "deposits[].side": "string",
    "deposits[].route": "string",
    "canal": "object",
    "canal.max_occlusion.fraction": "number",
    "canal.max_occlusion.cement_area_mm2": "number",
    "canal.max_occlusion.canal_area_mm2": "number",
    "canal.max_occlusion.at_mm": "number",
    "canal.profile": "array",
    "canal.profile[].at_mm": "number",
    "intradural": "object",
    "intradural.finding": "string",
    "intradural.signs": "array",
    "intradural.signs[].name": "string",
    "intradural.signs[].state": "string",
    "intradural.signs[].explanation": "string",
    "intradural.signs[].source": "string",
    "tracks": "array",
    "tracks[].side": "string",
    "tracks[].entry_mm": "array",
    "tracks[].tip_mm": "array",
    "tracks[].breach": "string",
    "observations": "object",
    "observations.extradural_cement_at_surgery": "string",
    "observations.rounded_mass_on_fluoroscopy": "string",
    "observations.deficit": "string",
    "revision.levels": "array",
    "revision.laminectomy_levels": "array",
    "revision.durotomy.from_mm": "number",
    "revision.durotomy.to_mm": "number",
    "revision.durotomy.length_mm": "number",
    "revision.fragments": "array",
    "revision.fixation_levels": "array",
    "quality": "array",
    "quality[].code": "string",
    "quality[].severity": "string",
    "quality[].message": "string",
    "timings_s": "object",
}
# What a scan may not show, or a header not say: null then, never 0.
NULL_WHERE_NOT_KNOWN = {
    "software.anatomy.name": "string",
    "software.anatomy.version": "string",
    "input.series_uid": "string",
    "input.slice_thickness_mm": "number",
    "input.kvp": "number",
    "input.kernel": "string",
    "input.age": "number",
    "input.sex": "string",
    "input.hu_clipped_at": "integer",
    "vertebrae[].level": "string",
    "vertebrae[].body_volume_ml": "number",
    "vertebrae[].trabecular_hu": "number",
    "vertebrae[].heights_mm.anterior": "number",
    "vertebrae[].heights_mm.middle": "number",
    "vertebrae[].heights_mm.posterior": "number",
    "vertebrae[].cement_ml": "number",
    "vertebrae[].fill_fraction": "number",
    "vertebrae[].cement_by_third.anterior": "number",
    "vertebrae[].cement_by_third.middle": "number",
    "vertebrae[].cement_by_third.posterior": "number",
    "vertebrae[].canal_area_mm2": "number",
    "deposits[].level": "string",
    "deposits[].yeom": "string",
    "deposits[].breach_mm": "array",
    "canal.cement_ml": "number",
    "canal.max_occlusion": "object",
    "canal.max_occlusion.residual_ap_mm": "number",
    "canal.max_occlusion.level": "string",
    "canal.profile[].level": "string",
    "canal.profile[].canal_area_mm2": "number",
    "canal.profile[].cement_area_mm2": "number",
    "intradural.probability": "number",
    "intradural.detection_limit_mm3": "number",
    "intradural.signs[].value": "number",
    "intradural.signs[].unit": "string",
    "intradural.signs[].threshold": "number",
    "tracks[].level": "string",
    "tracks[].transverse_angle": "number",
    "tracks[].sagittal_angle": "number",
    "tracks[].medial_wall_clearance_mm": "number",
    "tracks[].breach_mm": "number",
    "revision": "object",
    "revision.durotomy": "object",
}
# The words that a key may hold, and no others.
WORDS = {
    "schema": {"thecal.report/1"},
    "software.name": {"thecal"},
    "vertebrae[].level_source": {"given", "sacrum", "ribs", "unknown"},
    "deposits[].compartment": {
        "intravertebral",
        "intradiscal",
        "epidural",
        "intradural",
        "foraminal",
        "paravertebral",
        "needle_track",
        "unassigned",
    },
    "deposits[].side": {"left", "right", "midline"},
    "deposits[].route": {"basivertebral", "segmental", "cortical", "endplate", "needle", "unknown"},
    "deposits[].yeom": {"B", "S", "C"},
    "intradural.finding": {"probable", "possible", "not_detected", "not_assessable"},
    "intradural.signs[].name": {
        "medial_puncture",
        "layering",
        "no_extradural_cement",
        "sac_conforming_shape",
        "root_outlines",
        "multilevel_spread",
        "separated_from_posterior_wall",
    },
    "intradural.signs[].state": {"present", "absent", "not_assessable"},
    "tracks[].breach": {"none", "medial", "lateral", "superior", "inferior"},
    "observations.extradural_cement_at_surgery": {"seen", "none", "unknown"},
    "observations.rounded_mass_on_fluoroscopy": {"yes", "no", "unknown"},
    "observations.deficit": {"yes", "no", "unknown"},
    "quality[].severity": {"info", "warning", "critical"},
}


class Key:
    """One key of the schema: its types, whether null is one of them, the words it may hold."""

    def __init__(self, value: dict[str, Any], known: dict[str, Any], required: bool) -> None:
        options = [_followed(option, known) for option in value.get("anyOf", [value])]
        self.types = {str(option.get("type")) for option in options}
        self.nullable = "null" in self.types
        self.words = {
            word
            for option in options
            for word in option.get("enum", [option["const"]] if "const" in option else [])
        }
        self.required = required
        self.options = options


def _followed(part: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    return known[part["$ref"].rpartition("/")[2]] if "$ref" in part else part


def _keys(part: dict[str, Any], known: dict[str, Any], prefix: str) -> Iterator[tuple[str, Key]]:
    for name, value in part.get("properties", {}).items():
        key = Key(value, known, name in part.get("required", []))
        yield prefix + name, key
        for option in key.options:
            yield from _keys(option, known, f"{prefix}{name}.")
            yield from _keys(_followed(option.get("items", {}), known), known, f"{prefix}{name}[].")


SCHEMA = json_schema()
KEYS = dict(_keys(SCHEMA, SCHEMA["$defs"], ""))


@pytest.mark.parametrize("name", sorted(ALWAYS_STATED))
def test_what_every_report_states_is_there_and_never_null(name: str) -> None:
    assert KEYS[name].required
    assert KEYS[name].types == {ALWAYS_STATED[name]}


@pytest.mark.parametrize("name", sorted(NULL_WHERE_NOT_KNOWN))
def test_what_may_not_be_known_is_there_and_null_then(name: str) -> None:
    assert KEYS[name].required
    assert KEYS[name].types == {NULL_WHERE_NOT_KNOWN[name], "null"}


@pytest.mark.parametrize("name", sorted(WORDS))
def test_a_key_holds_the_words_of_the_contract_and_no_others(name: str) -> None:
    assert KEYS[name].words == WORDS[name]


def test_seconds_are_told_by_stage() -> None:
    (seconds,) = KEYS["timings_s"].options
    assert seconds["additionalProperties"] == {"type": "number"}
