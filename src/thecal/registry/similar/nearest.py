"""How far two cases are from each other, and which are near: a mean over what is known of both.

The distance is Gower's (1971, Biometrics 27:857; from memory): for each trait a distance from 0 (the same)
to 1 (as far as it counts), and their weighted mean over the traits that are known of both cases. Near cases
are ordered by their likeness, the sum of weight times 1 - 2 distance over the same traits: what is the same
speaks for a case, what is as far as can be against it, and what is not known for neither. Weights and the
border of "near" are conventions of this program; no study has measured what likeness is worth. Nothing is
predicted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from thecal.registry.similar.entries import Entry
from thecal.registry.similar.traits import FULL_STRENGTH, Traits, vertebrae_apart
from thecal.report.headline import listed

WEIGHTS: Final[dict[str, float]] = {
    "level": 2.0,
    "cement inside the dura": 2.0,
    "cement outside the dura": 1.0,
    "signs": 1.0,
    "deficit": 1.0,
    "strength": 1.0,
    "sphincters": 0.5,
}
FAR_VERTEBRAE: Final = 4.0
"""Vertebrae apart at which levels are as different as they can be: conus and cauda lie within so many."""
NEAR: Final = 0.20
"""Cases are near up to this distance: all that is known is the same but the level, by a vertebra, say."""
FEWEST: Final = 2
"""Traits that must be known of both; one of them is the level."""
AT_MOST: Final = 3
HALFWAY: Final = 0.5
Words = tuple[float, str, str]
"""Distance, what is alike, what is apart."""
NUMBERS: Final = ("no", "one", "two", "three", "four", "five", "six")


@dataclass(frozen=True)
class Compared:
    """One trait of two cases: how far apart, and what is alike and what is not, in words or empty."""

    trait: str
    distance: float
    alike: str
    apart: str


@dataclass(frozen=True)
class Near:
    """One case held against the one that is asked about.

    Attributes
    ----------
    entry : Entry
    distance : float
        0 the same in all that is known, 1 as far as can be.
    compared : tuple of Compared
    unknown : tuple of str
        Traits that are not known of one or both, and did not count.
    """

    entry: Entry
    distance: float
    compared: tuple[Compared, ...]
    unknown: tuple[str, ...]

    @property
    def likeness(self) -> float:
        """How much speaks for it, less what speaks against it."""
        return sum(WEIGHTS[one.trait] * (1.0 - 2.0 * one.distance) for one in self.compared)

    @property
    def because(self) -> tuple[str, ...]:
        """What makes them alike, in words."""
        return tuple(one.alike for one in self.compared if one.alike)

    @property
    def apart(self) -> tuple[str, ...]:
        """What sets them apart, in words."""
        return tuple(one.apart for one in self.compared if one.apart)


@dataclass(frozen=True)
class Nearest:
    """The answer: the near cases, the most alike first, and one sentence on the whole."""

    near: tuple[Near, ...]
    searched: int
    sentence: str


def nearest(traits: Traits, entries: Iterable[Entry], *, at_most: int = AT_MOST) -> Nearest:
    """The cases that are near, with reasons.

    Parameters
    ----------
    traits : Traits
        Of the case that is asked about.
    entries : iterable of Entry
        Published cases, own ones, or both.
    at_most : int

    Returns
    -------
    Nearest
        Cases of the same likeness stay in the order of ``entries``.
    """
    among = list(entries)
    what = _what(among)
    if not among:
        return Nearest((), 0, "There is no case to compare with.")
    if not traits.levels:
        return Nearest((), len(among), "No case is compared: the level of the cement is not known.")
    held = [_held(traits, entry) for entry in among]
    known = [one for one in held if one is not None and len(one.compared) >= FEWEST]
    if not known:
        return Nearest((), len(among), "No case is compared: besides the level nothing is known of both.")
    near = sorted((one for one in known if one.distance <= NEAR), key=lambda one: -one.likeness)
    if not near:
        first = min(known, key=lambda one: one.distance)
        why = "; ".join(first.apart) or "; ".join(first.because)
        return Nearest(
            (),
            len(among),
            f"None of {len(among)} {what} is near; the least far is {first.entry.name}: {why}.",
        )
    shown = near[:at_most]
    count = f"{len(near)} of {len(among)} {what} {'is' if len(near) == 1 else 'are'} near"
    more = f"; the {len(shown)} most alike are shown" if len(near) > len(shown) else ""
    return Nearest(tuple(shown), len(among), f"{count}{more}.")


def _what(entries: list[Entry]) -> str:
    own = sum(entry.own for entry in entries)
    if own == 0:
        return "published cases"
    return "own cases" if own == len(entries) else "published and own cases"


def _held(traits: Traits, entry: Entry) -> Near | None:
    """Both cases trait by trait; None where the level of one is not known."""
    there = entry.traits
    found = {
        "level": _level(traits, there),
        "cement inside the dura": _either(traits.intradural, there.intradural, "cement inside the dura"),
        "cement outside the dura": _either(
            traits.epidural, there.epidural, "cement in the canal outside the dura"
        ),
        "signs": _signs(traits, there),
        "deficit": _either(traits.deficit, there.deficit, "a deficit"),
        "strength": _strength(traits, there),
        "sphincters": _either(traits.sphincter, there.sphincter, "impaired bladder or bowel"),
    }
    if found["level"] is None:
        return None
    compared = tuple(Compared(name, *one) for name, one in found.items() if one is not None)
    weight = sum(WEIGHTS[one.trait] for one in compared)
    distance = sum(WEIGHTS[one.trait] * one.distance for one in compared) / weight
    return Near(entry, distance, compared, tuple(name for name, one in found.items() if one is None))


def _level(here: Traits, there: Traits) -> Words | None:
    pairs = [(vertebrae_apart(a, b), a, b) for a in here.levels for b in there.levels]
    if not pairs:
        return None
    steps, mine, its = min(pairs)
    if steps == 0:
        shared = [level for level in here.levels if level in there.levels]
        return 0.0, f"the same level{'s' if len(shared) > 1 else ''}, {listed(shared)}", ""
    count = NUMBERS[steps] if steps < len(NUMBERS) else str(steps)
    words = f"{its} there, {count} vertebra{'e' if steps > 1 else ''} from {mine}"
    return _placed(min(1.0, steps / FAR_VERTEBRAE), words)


def _either(here: bool | None, there: bool | None, words: str) -> Words | None:
    if here is None or there is None:
        return None
    if here == there:
        return 0.0, f"{words} in both" if here else f"no {words.removeprefix('a ')} in either", ""
    return 1.0, "", f"{words} there, not here" if there else f"{words} here, not there"


def _signs(here: Traits, there: Traits) -> Words | None:
    both = [name for name in here.signs if name in there.signs]
    if not both:
        return None
    shared = [_plain(name) for name in both if here.signs[name] and there.signs[name]]
    other = [_plain(name) for name in both if here.signs[name] != there.signs[name]]
    none = f"none of these signs in either: {listed([_plain(name) for name in both])}"
    alike = f"signs in both: {listed(shared)}" if shared else "" if other else none
    apart = f"signs of one alone: {listed(other)}" if other else ""
    return len(other) / len(both), alike, apart


def _strength(here: Traits, there: Traits) -> Words | None:
    if here.weakest is None or there.weakest is None:
        return None
    apart = abs(here.weakest - there.weakest)
    if apart == 0.0:
        return 0.0, f"weakest grade {here.weakest:g} in both", ""
    return _placed(apart / FULL_STRENGTH, f"weakest grade {there.weakest:g} there, {here.weakest:g} here")


def _placed(distance: float, words: str) -> Words:
    """Words of a difference: what is less than halfway apart still makes alike."""
    return (distance, words, "") if distance < HALFWAY else (distance, "", words)


def _plain(name: str) -> str:
    return name.replace("_", " ")
