"""Who and what a FHIR resource refers to: by address, by ``urn:uuid``, within itself, or by an identifier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import unquote

from thecal.registry.exchange.fhir_elements import Resource, dicts
from thecal.registry.exchange.fhir_terms import PSEUDONYM

UUID: Final = "urn:uuid:"
BY_IDENTIFIER: Final = "Patient?identifier="


class References:
    """The resources of one bundle, and the pseudonyms of its patients.

    ``entries`` are the address (``fullUrl``) and the resource of each.
    """

    def __init__(self, entries: Sequence[tuple[str, Resource]]) -> None:
        self._resources: dict[str, Resource] = {}
        self._people: dict[str, str] = {}
        self._by_identifier: dict[str, set[str]] = {}
        for full, resource in entries:
            for key in _keys(full, resource):
                self._resources.setdefault(key, resource)
            pseudonym = pseudonym_of(full, resource) if resource.get("resourceType") == "Patient" else ""
            if not pseudonym:
                continue
            for key in _keys(full, resource):
                self._people.setdefault(key, pseudonym)
            for key in _identifiers(resource):
                self._by_identifier.setdefault(key, set()).add(pseudonym)

    def whose(self, resource: Resource, around: Resource | None = None) -> str | None:
        """The pseudonym of the patient whom a resource is about; None where she is not in this bundle.

        ``around`` is the resource that contains it, and says it where it does not itself.
        """
        subject = resource.get("subject") or resource.get("patient")
        if not isinstance(subject, dict):
            return None if around is None else self.whose(around)
        reference = str(subject.get("reference") or "")
        if reference.startswith("#"):
            inside = self.referred(reference, around or resource)
            return self._identified(_identifiers(inside)) if inside else None
        if BY_IDENTIFIER in reference:
            return self._identified([unquote(reference.partition(BY_IDENTIFIER)[2])])
        for key in _written(reference):
            if key in self._people:
                return self._people[key]
        return self._identified(_identifiers({"identifier": [subject.get("identifier")]}))

    def referred(self, reference: Any, around: Resource) -> Resource | None:
        """The resource that a reference means; ``#`` is one that the resource around contains."""
        if not isinstance(reference, str):
            return None
        if reference.startswith("#"):
            held = dicts(around.get("contained"))
            return next((each for each in held if each.get("id") == reference[1:]), None)
        return next((self._resources[key] for key in _written(reference) if key in self._resources), None)

    def _identified(self, keys: Sequence[str]) -> str | None:
        """The one patient who has such an identifier."""
        for key in keys:
            found = self._by_identifier.get(key, set())
            if len(found) == 1:
                return next(iter(found))
        return None


def pseudonym_of(full: str, patient: Resource) -> str:
    """The pseudonym of an own bundle, the server's id, or the uuid; a hospital's number is not taken."""
    for identifier in dicts(patient.get("identifier")):
        if identifier.get("system") == PSEUDONYM:
            return str(identifier.get("value") or "").strip()
    given = str(patient.get("id") or "").strip()
    return given or (full.removeprefix(UUID).strip() if full.startswith(UUID) else "")


def _keys(full: str, resource: Resource) -> Iterator[str]:
    if full:
        yield full
    if resource.get("id"):
        yield f"{resource.get('resourceType')}/{resource['id']}"


def _written(reference: str) -> Iterator[str]:
    """A reference as it is written, without its version, and without the server."""
    plain = reference.partition("/_history/")[0]
    yield from (reference, plain, "/".join(plain.split("/")[-2:]))


def _identifiers(resource: Resource) -> list[str]:
    """Each identifier with its system, and then by itself."""
    held = [each for each in dicts(resource.get("identifier")) if each.get("value")]
    whole = [f"{each['system']}|{each['value']}" for each in held if each.get("system")]
    return [*whole, *(str(each["value"]) for each in held)]
