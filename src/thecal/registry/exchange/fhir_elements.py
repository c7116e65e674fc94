"""What a FHIR element says in plain words, whatever shape it has; nothing where it is none."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Final

from thecal.registry.exchange.fhir_terms import level_of_code
from thecal.terms import VERSE_IDS

Resource = dict[str, Any]
_LEVEL: Final = re.compile(
    r"\b(?:(?P<level>[CTL]\d{1,2})|Th\s?(?P<chest>\d{1,2})|(?P<german>[HBL])WK\s?(?P<body>\d{1,2}))\b",
    re.IGNORECASE,
)
_ORDINALS: Final = (
    *("first", "second", "third", "fourth", "fifth", "sixth"),
    *("seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth"),
)
_COUNTED: Final = re.compile(
    rf"\b(?P<number>{'|'.join(_ORDINALS)}|\d{{1,2}}(?:st|nd|rd|th)) (?P<part>cervical|thoracic|lumbar)\b",
    re.IGNORECASE,
)
_GERMAN: Final = {"h": "C", "b": "T", "l": "L"}
"""Hals-, Brust- und Lendenwirbelkörper."""
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def dicts(value: Any) -> list[Resource]:
    """The objects of a list; none where it is no list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def dig(value: Any, *keys: str) -> Any:
    """What lies under keys within keys; None where one is not there."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def codings(concept: Any) -> list[Resource]:
    """The codes of a CodeableConcept."""
    return dicts(concept.get("coding")) if isinstance(concept, dict) else []


def words(concept: Any) -> str:
    """All that a CodeableConcept says in words, in small letters."""
    if not isinstance(concept, dict):
        return ""
    said = [concept.get("text"), *(each.get("display") for each in codings(concept))]
    return " ".join(str(word) for word in said if word).lower()


def day(text: Any) -> date | None:
    """The day of a FHIR date or time; None where only a year or a month is known."""
    found = _DAY.match(str(text or ""))
    try:
        return date.fromisoformat(found[0]) if found else None
    except ValueError:
        return None


def levels(resource: Resource) -> list[str]:
    """The vertebrae that a resource is about: by the code of its site, else by the words of site and code."""
    sites = resource.get("bodySite")
    sites = dicts(sites) if isinstance(sites, list) else [sites]
    found = [
        level for site in sites for each in codings(site) if (level := level_of_code(str(each.get("code"))))
    ]
    if not found:
        found = levels_in(" ".join([*(words(site) for site in sites), words(resource.get("code"))]))
    return list(dict.fromkeys(found))


def levels_in(text: str) -> list[str]:
    """The vertebrae that a text names: T12, Th 12, BWK 12, twelfth thoracic."""
    found = []
    for match in _LEVEL.finditer(text):
        if match["level"]:
            found.append(match["level"].upper())
        elif match["chest"]:
            found.append(f"T{match['chest']}")
        else:
            found.append(f"{_GERMAN[match['german'].lower()]}{match['body']}")
    for match in _COUNTED.finditer(text):
        number = match["number"].lower()
        which = _ORDINALS.index(number) + 1 if number in _ORDINALS else int(number[:-2])
        found.append(f"{match['part'][0].upper()}{which}")
    return [level for level in found if level in VERSE_IDS]
