"""What FHIR R4 (4.0.1) allows: the elements of the resources used here, as ``r4_elements.json`` lists them.

The list was made from the models of ``fhirclient`` 4.4, which were generated from R4. "CodeableConcept*" is a
list, "str!" must be there, and a word after it names the choice (``value[x]``) of which one may be there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ELEMENTS: dict[str, dict[str, str]] = json.loads(
    Path(__file__).with_name("r4_elements.json").read_text(encoding="utf-8")
)
DATE = r"\d{4}(-\d\d(-\d\d)?)?"
TIME = r"T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"
SHAPES = {"FHIRDate": DATE, "FHIRDateTime": f"{DATE}({TIME})?", "FHIRInstant": DATE + TIME}
PLAIN = {"str": str, "int": int, "float": (int, float), "bool": bool}


def faults(node: dict[str, Any], kind: str, path: str = "") -> Iterator[str]:
    """Where a resource or element is not as R4 has it."""
    known = ELEMENTS[kind]
    chosen: list[str] = []
    for name, value in node.items():
        at = f"{path}.{name}" if path else f"{kind}.{name}"
        if name == "resourceType" or name.startswith("_"):
            continue
        if name not in known:
            yield f"{at} is no element of R4"
            continue
        form, _, choice = known[name].partition(" ")
        chosen += [choice] if choice else []
        if isinstance(value, list) is not ("*" in form):
            yield f"{at} is {'no ' if '*' in form else ''}list"
            continue
        for each in value if isinstance(value, list) else [value]:
            yield from _faults_of(each, form.rstrip("*!"), at)
    if len(set(chosen)) != len(chosen):
        yield f"{path or kind} has two values of one choice"
    for name, form in known.items():
        choice = form.partition(" ")[2]
        there = choice in chosen if choice else name in node
        if "!" in form and not there:
            yield f"{path or kind} has no {name}"


def _faults_of(value: Any, kind: str, at: str) -> Iterator[str]:
    if kind == "Resource":
        yield from faults(value, value["resourceType"], at) if value["resourceType"] in ELEMENTS else ()
    elif kind in PLAIN:
        if not isinstance(value, PLAIN[kind]) or value == "":
            yield f"{at} is no {kind}"
    elif kind in SHAPES:
        if not re.fullmatch(SHAPES[kind], value):
            yield f"{at} is no {kind}"
    else:
        yield from faults(value, kind, at)
