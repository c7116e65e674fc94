"""The published cases and studies as frozen values: each figure with source, certainty and conflict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import Any, Final, Literal

from thecal.errors import InputError
from thecal.registry.literature.tables import stored_tables

Certainty = Literal["R", "R2", "S", "D", "M"]
Counted = Literal["patients", "vertebrae", "either", "leaks", "unclear"]
CERTAINTY_WORDS: Final[dict[Certainty, str]] = {
    "R": "read in the paper's abstract or record",
    "R2": "read in a third party's transcription of the paper",
    "S": "said by the founding paper (Liao 2025)",
    "D": "computed or inferred here from what is printed",
    "M": "from memory, not checked",
}
WHAT_WORDS: Final[dict[str, str]] = {
    "any": "any leak",
    "canal": "leak into the canal",
    "canal_cortical": "leak into the canal through the posterior wall",
    "canal_decompressed": "leak into the canal that was decompressed",
    "intradural": "leak inside the dura",
    "B": "leak by the basivertebral vein (Yeom B)",
    "S": "leak by a segmental vein (Yeom S)",
    "C": "leak through the cortex (Yeom C)",
    "D": "leak into the disc",
    "endplate": "leak through the end plate",
    "paravertebral": "leak beside the vertebra",
    "prevertebral_venous": "leak into prevertebral veins",
    "venous": "leak into veins",
    "needle_track": "cement along the needle's way",
    "disc_or_paravertebral": "leak into the disc or beside the vertebra",
    "pulmonary_embolism": "cement in the lungs",
}


@dataclass(frozen=True)
class Source:
    """One publication; what is None is not known here, and no identifier was looked for beyond these."""

    id: str
    name: str
    kind: str
    authors: str | None
    year: int | None
    title: str | None
    journal: str | None
    volume: str | None
    issue: str | None
    pages: str | None
    doi: str | None
    pmid: str | None
    pmcid: str | None
    url: str | None
    certainty: Certainty
    read: str
    read_on: date
    note: str | None

    @property
    def short(self) -> str:
        """The source in a line: authors, year, journal, identifier."""
        names = (self.authors or "").split("; ")
        who = names[0] + (" and others" if len(names) > 1 else "")
        known = [who, str(self.year or ""), self.journal or "", self.link or ""]
        return ", ".join(word for word in known if word)

    @property
    def link(self) -> str | None:
        """The identifier that leads to it, or its address."""
        if self.doi:
            return f"doi {self.doi}"
        return self.pmcid or (f"PMID {self.pmid}" if self.pmid else self.url)


@dataclass(frozen=True)
class CaseValue:
    """One thing that a source says of a patient.

    Attributes
    ----------
    field : str
        What is said; the choices stand in ``datapackage.json``.
    side, muscle, when : str or None
    as_printed : str
        The source's own words.
    understood : str or None
        What they are taken for; None where no value is read into them.
    unit : str or None
    source : Source
    where : str
        The place in the source.
    certainty : str
    conflict : str or None
        What speaks against it. Such a value is shown and never used.
    conflict_source : Source or None
    """

    field: str
    side: Literal["left", "right"] | None
    muscle: str | None
    when: str | None
    as_printed: str
    understood: str | None
    unit: str | None
    source: Source
    where: str
    certainty: Certainty
    conflict: str | None
    conflict_source: Source | None

    @property
    def usable(self) -> bool:
        """Whether it has a value and nothing speaks against it."""
        return self.understood is not None and self.conflict is None

    @property
    def inferred(self) -> bool:
        """Whether thecal's authors read it into the words, which do not say it of this patient."""
        return self.certainty == "D"


@dataclass(frozen=True)
class PublishedCase:
    """One published patient; ``table_row`` is her row in Table 1 of the founding paper."""

    id: str
    name: str
    source: Source
    table_row: int | None
    note: str | None
    values: tuple[CaseValue, ...]

    def of(self, *fields: str, when: str | None = None) -> tuple[CaseValue, ...]:
        """What is said under these names, at a time where one is asked for; conflicts and all."""
        return tuple(v for v in self.values if v.field in fields and (when is None or v.when == when))

    @property
    def conflicts(self) -> tuple[str, ...]:
        """Each disagreement once, with what it is about."""
        found: dict[str, str] = {}
        for value in self.values:
            if value.conflict is not None:
                what = "strength" if value.field == "mrc" else value.field.replace("_", " ")
                said = f"{what} “{value.as_printed}” ({value.source.name})"
                found.setdefault(value.conflict, f"{said}: {value.conflict}")
        return tuple(found.values())

    @property
    def inferences(self) -> tuple[str, ...]:
        """Each value that is inferred here and used, with the words that it is inferred from."""
        return tuple(
            f"{value.field.replace('_', ' ')} “{str(value.understood).replace('_', ' ')}” is read into "
            f"“{value.as_printed}” ({value.source.name})"
            for value in self.values
            if value.inferred and value.usable
        )


@dataclass(frozen=True)
class Incidence:
    """One row of a study: how many of how many, where the cement went, and how it was looked for.

    ``counted`` says what ``n`` counts; ``events`` and ``n`` are None where the paper prints no count and none
    follows from a percentage.
    """

    id: str
    source: Source
    group: str | None
    measure: Literal["incidence", "detection", "ratio", "difference", "agreement"]
    procedure: Literal["VP", "KP", "both"]
    modality: str
    population: str
    counted: Counted
    what: str
    events: int | None
    n: int | None
    events_from: Literal["printed", "percentage"] | None
    printed: str
    where: str
    certainty: Certainty
    conflict: str | None
    conflict_source: Source | None
    note: str | None

    @property
    def name(self) -> str:
        """The study, and its arm where it has several."""
        return self.source.name + (f", {self.group}" if self.group else "")

    @property
    def counts(self) -> tuple[int, int] | None:
        """Events and their number, where both are known."""
        return None if self.events is None or self.n is None else (self.events, self.n)


@dataclass(frozen=True)
class Library:
    """All that is stored."""

    sources: Mapping[str, Source]
    cases: tuple[PublishedCase, ...]
    incidence: tuple[Incidence, ...]

    def case(self, name: str) -> PublishedCase:
        """The case of a name or key, however it is spelled.

        Raises
        ------
        InputError
            Where there is none, or the name fits several.
        """
        wanted = _plain(name)
        exact = [c for c in self.cases if wanted in (_plain(c.id), _plain(c.name))]
        found = exact or [c for c in self.cases if wanted and wanted in _plain(c.name)]
        if len(found) == 1:
            return found[0]
        if not found:
            raise InputError(
                f"No published case is called {name}: there are {', '.join(c.name for c in self.cases)}"
            )
        raise InputError(f"{name} fits {' and '.join(c.name for c in found)}")


@cache
def library() -> Library:
    """The library that thecal ships; read once, never written."""
    tables = stored_tables()
    sources: dict[str, Source] = {str(row["id"]): Source(**_any(row)) for row in tables["sources"]}

    def sourced(row: Mapping[str, Any]) -> dict[str, Any]:
        against = row["conflict_source"]
        return {
            **row,
            "source": sources[row["source"]],
            "conflict_source": None if against is None else sources[against],
        }

    values: dict[str, list[CaseValue]] = {}
    for row in tables["case_values"]:
        cells = sourced(row)
        values.setdefault(cells.pop("case"), []).append(CaseValue(**cells))
    cases = tuple(
        PublishedCase(
            **{**_any(row), "source": sources[str(row["source"])]},
            values=tuple(values.get(str(row["id"]), ())),
        )
        for row in tables["cases"]
    )
    incidence = tuple(Incidence(**sourced(row)) for row in tables["incidence"])
    return Library(MappingProxyType(sources), cases, incidence)


def _any(row: Mapping[str, Any]) -> dict[str, Any]:
    return dict(row)


def _plain(name: str) -> str:
    from unicodedata import normalize

    return "".join(sign for sign in normalize("NFKD", name).lower() if sign.isalnum() and sign.isascii())
