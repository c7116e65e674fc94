"""Findings on the registry's scales in other programs' FHIR observations and their components."""

from __future__ import annotations

import re
from typing import Any, Final

from thecal.errors import InputError
from thecal.registry.case import CHOICES, Scale
from thecal.registry.exchange.fhir_elements import Resource, codings, day, dicts, dig, words
from thecal.registry.exchange.fhir_terms import PAIN
from thecal.registry.readings import read_finding

_SIDE: Final = re.compile(r"\b(left|right)\b", re.IGNORECASE)
_STRENGTH: Final = re.compile(r"\b(muscle|strength|mrc|grade|of|the|motor)\b|[()]", re.IGNORECASE)
SCALE_WORDS: Final[tuple[tuple[str, Scale], ...]] = (
    ("oswestry", "odi"),
    ("visual analog", "vas"),
    ("asia impairment", "ais"),
    ("frankel", "frankel"),
    ("muscle strength", "mrc"),
    ("mrc", "mrc"),
    ("walking", "walking"),
    ("bladder function", "bladder"),
    ("bowel function", "bowel"),
    ("voluntary anal contraction", "anal_contraction"),
    ("deep anal pressure", "anal_pressure"),
)
"""What an observation's name holds, and the scale that it means; the first that fits."""


def findings(observation: Resource) -> list[tuple[str, Resource]]:
    """The outcomes that an observation says: its own value, and that of each component."""
    found = []
    scale = _scale(observation.get("code"))
    for part in (observation, *dicts(observation.get("component"))):
        own = scale if part is observation else _scale(part.get("code")) or scale
        written = _value(part)
        if own is None or not written:
            continue
        outcome = _outcome(own, written)
        if outcome is None:
            continue
        effective = observation.get("effectiveDateTime") or observation.get("effectiveInstant")
        on = day(effective or dig(observation, "effectivePeriod", "start"))
        outcome |= {} if on is None else {"on": on}
        if own == "mrc":
            # A component of "muscle strength" is named by its muscle alone.
            site = words(observation.get("bodySite"))
            outcome |= _place(f"{site} {words(part.get('code'))}" if part is not observation else site)
        found.append(("outcomes", outcome))
    return found


def _scale(code: Any) -> Scale | None:
    if any(each.get("code") == PAIN["code"] for each in codings(code)):
        return "vas"
    name = words(code)
    return next((scale for word, scale in SCALE_WORDS if word in name), None)


def _outcome(scale: Scale, written: str) -> Resource | None:
    try:
        value, choice = read_finding(scale, written.lower() if scale in CHOICES else written)
    except InputError:
        return None
    return {"scale": scale, "as_written": written, "value": value, "choice": choice}


def _place(site: str) -> Resource:
    """The side and the muscle that words name."""
    side = _SIDE.search(site)
    muscle = " ".join(_STRENGTH.sub(" ", _SIDE.sub(" ", site)).split()).strip(" ,")
    return ({"side": side[1]} if side else {}) | ({"muscle": muscle} if muscle else {})


def _value(part: Resource) -> str:
    quantity = dig(part, "valueQuantity", "value")
    if dig(part, "valueQuantity", "comparator"):
        return ""  # "less than" is no number
    if quantity is None:
        quantity = part.get("valueInteger")
    if quantity is not None:
        return f"{quantity:g}" if isinstance(quantity, int | float) else str(quantity)
    concept = part.get("valueCodeableConcept")
    if isinstance(concept, dict):
        displays = [each.get("display") for each in codings(concept)]
        return str(concept.get("text") or next((d for d in displays if d), ""))
    return str(part.get("valueString") or "").strip()
