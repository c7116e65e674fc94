"""The cases that another is compared with: what each looked like, what was done, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Final

from thecal.registry.case import Case, Outcome
from thecal.registry.literature.as_case import NOT_STATED, as_case, timed_outcomes
from thecal.registry.literature.library import CaseValue, PublishedCase, library
from thecal.registry.similar.traits import Traits, traits_of_case
from thecal.report.headline import listed

UNKNOWN: Final = "not known"
INITIAL: Final = "initial"
"""How the tables call the time at which the patient was first examined after the cement."""
SCALE_WORDS: Final = {
    "mrc": "strength",
    "isncsci_motor": "ISNCSCI motor",
    "isncsci_light_touch": "ISNCSCI light touch",
    "isncsci_pin_prick": "ISNCSCI pin prick",
    "ais": "AIS",
    "frankel": "Frankel",
    "bladder": "bladder",
    "bowel": "bowel",
    "reflex": "reflex",
    "vas": "VAS",
    "odi": "ODI",
    "walking": "walking",
}


@dataclass(frozen=True)
class Account:
    """A case in words: its patient (age, sex, level), what was done, and what became of her."""

    who: str
    done: str
    became: str


@dataclass(frozen=True)
class Entry:
    """One case to compare with.

    Attributes
    ----------
    name : str
    own : bool
        Of a registry, not published.
    traits : Traits
    told : callable
        Gives the account; only of cases that are shown, for a registry may hold many.
    conflicts, inferences : tuple of str
        Where its sources disagree, and what is read into their words here.
    source : str or None
        Where it is published.
    """

    name: str
    own: bool
    traits: Traits
    told: Callable[[], Account] = field(compare=False)
    conflicts: tuple[str, ...] = ()
    inferences: tuple[str, ...] = ()
    source: str | None = None

    @cached_property
    def account(self) -> Account:
        """The case in words; of a published one in the papers' own."""
        return self.told()


@cache
def published_entries() -> tuple[Entry, ...]:
    """The cases of the literature."""
    return tuple(_published(case) for case in library().cases)


def own_entries(cases: Iterable[Case]) -> tuple[Entry, ...]:
    """The cases of a registry; one that was withdrawn is none."""
    return tuple(_own(case) for case in cases if not case.withdrawn)


def _who(case: Case) -> str:
    sex = {"F": "woman", "M": "man", "O": "person", None: "person"}[case.patient.sex]
    age = f" of {case.patient.age_years:g}" if case.patient.age_years is not None else ""
    cause = next((f.cause for f in case.fractures if f.cause is not None), None)
    levels = traits_of_case(case).levels
    where = f", {listed(levels)}" if levels else ""
    return f"{sex}{age}{where}{f', {cause}' if cause else ''}"


def _published(published: PublishedCase) -> Entry:
    case = as_case(published)
    first = [outcome for when, outcome in timed_outcomes(published) if when == INITIAL]
    return Entry(
        name=published.name,
        own=False,
        traits=traits_of_case(case, first),
        told=lambda: Account(_who(case), _printed_operations(published), _printed_outcome(published)),
        conflicts=published.conflicts,
        inferences=published.inferences,
        source=published.source.link or published.source.journal,
    )


def _printed_operations(published: PublishedCase) -> str:
    none = [v for v in published.of("operated") if v.understood == "no"]
    if none:
        return none[0].as_printed
    whole = [v for v in published.of("operation") if v.conflict is None]
    steps = [
        v for v in published.of("fixation", "corpectomy", "laminectomy", "durotomy") if v.conflict is None
    ]
    left = [v for v in published.of("residual_cement") if v.conflict is None]
    words = _once((whole or sorted(steps, key=lambda v: v.when or "")) + left)
    return "; ".join(words) or UNKNOWN


def _printed_outcome(published: PublishedCase) -> str:
    later = [
        v
        for v in published.values
        if v.when not in (INITIAL, NOT_STATED, None)
        and not (v.when or "").startswith(("operation", "day 1", "discharge"))
        and v.field in ("mrc", "walking", "outcome", "bladder", "bowel")
        and v.conflict is None
    ]
    words = []
    for when in dict.fromkeys(v.when for v in later):
        now = [v for v in later if v.when == when]
        time = "at the final follow-up" if when == "final" else f"after {when}"
        said = [*_strength(now), *_once([v for v in now if v.field != "mrc"])]
        words.append(f"{time}: {'; '.join(said)}")
    return ". ".join(word[0].upper() + word[1:] for word in words) or UNKNOWN


def _strength(values: list[CaseValue]) -> list[str]:
    """Strength in words: a cell of both sides once, else the muscles of each grade."""
    graded = [v for v in values if v.field == "mrc"]
    pairs = list(dict.fromkeys(v.as_printed for v in graded if "/" in v.as_printed))
    words = [f"strength {pair} (left/right)" for pair in pairs]
    single: dict[str, list[str]] = {}
    for value in graded:
        if "/" not in value.as_printed:
            single.setdefault(value.as_printed, []).append(value.muscle or "lower limb")
    words += [f"{listed(list(dict.fromkeys(muscles)))} {grade}" for grade, muscles in single.items()]
    return words


def _once(values: list[CaseValue]) -> list[str]:
    return list(dict.fromkeys(v.as_printed for v in values))


def _own(case: Case) -> Entry:
    return Entry(
        name=case.patient.pseudonym,
        own=True,
        traits=traits_of_case(case),
        told=lambda: Account(_who(case), _own_operations(case), _own_outcome(case.outcomes)),
    )


def _own_operations(case: Case) -> str:
    words = []
    for revision in case.revisions:
        steps = [
            name
            for name, state in (
                ("durotomy", revision.durotomy),
                ("corpectomy", revision.corpectomy),
                ("fixation", revision.fixation),
            )
            if state == "yes"
        ]
        if revision.laminectomy_levels:
            steps.insert(0, f"laminectomy {listed(revision.laminectomy_levels)}")
        words.append(", ".join(steps) or "an operation without particulars")
    return "; then ".join(words) or "no operation is recorded"


def _own_outcome(outcomes: tuple[Outcome, ...]) -> str:
    """The last finding on each scale, muscle and side."""
    last: dict[tuple[str, str | None, str | None], Outcome] = {}
    timed = sorted(
        outcomes, key=lambda o: (o.days if o.days is not None else -1.0, o.on.toordinal() if o.on else 0)
    )
    for outcome in timed:
        last[(outcome.scale, outcome.muscle, outcome.side)] = outcome
    words = [
        " ".join(
            word
            for word in (SCALE_WORDS[o.scale], o.muscle, o.side, o.choice or o.as_written, _time(o))
            if word is not None
        )
        for o in last.values()
    ]
    return "; ".join(words) or UNKNOWN


def _time(outcome: Outcome) -> str | None:
    if outcome.days is not None:
        return f"(day {outcome.days:g})"
    return None if outcome.on is None else f"({outcome.on.isoformat()})"
