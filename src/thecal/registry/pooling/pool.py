"""Which published studies are pooled, what speaks against it, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from thecal.errors import InputError
from thecal.registry.literature.library import WHAT_WORDS, Incidence
from thecal.registry.pooling.binomial_normal import Fit, fit
from thecal.registry.proportion import clopper_pearson

Counting = Literal["vertebrae", "patients", "any"]
Procedures = Literal["VP", "KP", "any"]
FEW_STUDIES: Final = 5
"""Below, tau is hardly known, and the page says so (a convention of this program)."""
NOT_A_REVIEW: Final = (
    "The studies are those that the founding paper and thecal's authors came across: "
    "no systematic search was made"
)


@dataclass(frozen=True)
class Question:
    """What is to be pooled; None and "any" take all."""

    what: str = "any"
    procedure: Procedures = "VP"
    counted: Counting = "vertebrae"
    modality: str | None = None
    population: str | None = None

    @property
    def words(self) -> str:
        """The question as a title."""
        procedure = {"VP": "vertebroplasty", "KP": "kyphoplasty", "any": "vertebroplasty or kyphoplasty"}
        per = {
            "vertebrae": "of treated vertebrae",
            "patients": "of patients",
            "any": "of patients or vertebrae",
        }
        seen = f", on {self.modality}" if self.modality else ""
        whose = f", {self.population}" if self.population else ""
        what = WHAT_WORDS[self.what]
        return (
            f"{what[0].upper()}{what[1:]} after {procedure[self.procedure]}, {per[self.counted]}{whose}{seen}"
        )


@dataclass(frozen=True)
class Study:
    """One row that is pooled, with its exact interval."""

    row: Incidence
    events: int
    n: int
    interval: tuple[float, float]

    @property
    def share(self) -> float:
        """Its rate, 0 to 1."""
        return self.events / self.n


@dataclass(frozen=True)
class LeftOut:
    """A row on the same leak that is not pooled, and why."""

    row: Incidence
    reason: str


@dataclass(frozen=True)
class Pooled:
    """The answer.

    Attributes
    ----------
    question : Question
    studies : tuple of Study
        Largest first.
    fit : Fit or None
        None for a single study, or where all or none leaked; ``why_not`` then says so.
    without : tuple of (Study, Fit)
        The fit of the others, for each study that is left out; empty for fewer than three studies.
    left_out : tuple of LeftOut
    warnings : tuple of str
    """

    question: Question
    studies: tuple[Study, ...]
    fit: Fit | None
    why_not: str | None
    without: tuple[tuple[Study, Fit], ...]
    left_out: tuple[LeftOut, ...]
    warnings: tuple[str, ...]


def pool(rows: Iterable[Incidence], question: Question) -> Pooled:
    """Pool the rows that answer a question.

    Rows that count something else (patients against vertebrae, vertebroplasty against kyphoplasty) are left
    out unless the question asks for both; then a warning says so.

    Parameters
    ----------
    rows : iterable of Incidence
    question : Question

    Returns
    -------
    Pooled

    Raises
    ------
    InputError
        Where nothing is known of such a leak, or no row can be pooled.
    """
    about = [row for row in rows if row.what == question.what]
    if not about:
        raise InputError(f"No study counts {question.what}: there are {', '.join(WHAT_WORDS)}")
    studies, left_out = [], []
    for row in about:
        reason = _why_not(row, question)
        if reason is None and row.counts is not None:
            events, n = row.counts
            studies.append(Study(row, events, n, clopper_pearson(events, n)))
        else:
            left_out.append(LeftOut(row, reason or "no count is printed"))
    if not studies:
        why = "; ".join(dict.fromkeys(f"{one.row.name}: {one.reason}" for one in left_out))
        raise InputError(f"No study can answer: {question.words} ({why})")
    studies.sort(key=lambda study: (-study.n, study.row.id))
    found, why_not = _fitted(studies)
    without = []
    if found is not None and len(studies) > 2:
        for study in studies:
            rest, _ = _fitted([other for other in studies if other is not study])
            if rest is not None:
                without.append((study, rest))
    return Pooled(
        question=question,
        studies=tuple(studies),
        fit=found,
        why_not=why_not,
        without=tuple(without),
        left_out=tuple(left_out),
        warnings=_warnings(studies, question),
    )


def _fitted(studies: list[Study]) -> tuple[Fit | None, str | None]:
    try:
        return fit([s.events for s in studies], [s.n for s in studies]), None
    except InputError as error:
        return None, str(error)


def _why_not(row: Incidence, question: Question) -> str | None:
    if row.measure != "incidence":
        return "says how often a leak is seen, or compares, and not how often cement leaks"
    if row.source.kind in ("meta-analysis", "review"):
        return "a review, which may hold the other studies"
    if row.counts is None:
        return "no count is printed, and none follows"
    if row.counted == "leaks":
        return "counts leaks, several of which may lie at one vertebra"
    if row.counted == "unclear":
        return "what was counted is not clear"
    if question.procedure != "any" and row.procedure != question.procedure:
        both = {
            "VP": "vertebroplasty",
            "KP": "kyphoplasty",
            "both": "vertebroplasty and kyphoplasty together",
        }
        return f"{both[row.procedure]}"
    if question.counted != "any" and row.counted not in (question.counted, "either"):
        return f"counts {row.counted}"
    if question.modality is not None and row.modality != question.modality:
        return f"looked for on: {row.modality}"
    if question.population is not None and row.population != question.population:
        return f"population: {row.population}"
    return None


def _warnings(studies: list[Study], question: Question) -> tuple[str, ...]:
    rows = [study.row for study in studies]
    told = []
    counted = {row.counted for row in rows} - {"either"}
    if len(counted) > 1:
        told.append(
            "Patients and vertebrae are pooled together: a patient with several vertebrae leaks more often"
        )
    if len({row.procedure for row in rows}) > 1:
        told.append("Vertebroplasty and kyphoplasty are pooled together: kyphoplasty leaks less")
    populations = sorted({row.population for row in rows})
    if len(populations) > 1:
        told.append(f"The vertebrae differ: {', '.join(populations)}")
    modalities = sorted({row.modality for row in rows})
    if len(modalities) > 1 or modalities == ["not stated"]:
        told.append(f"What leaks were looked for on differs, or is not known here: {', '.join(modalities)}")
    sources = [row.source.id for row in rows]
    if len(set(sources)) < len(sources):
        told.append("Arms of one study count as studies of their own")
    computed = [row.name for row in rows if row.events_from == "percentage"]
    if computed:
        told.append(f"Counts that follow from a printed percentage: {'; '.join(computed)}")
    told += [f"{row.name}: {row.conflict}" for row in rows if row.conflict is not None]
    if 1 < len(studies) < FEW_STUDIES:
        told.append(f"{len(studies)} rows hardly say how far studies differ")
    return (*told, NOT_A_REVIEW)
