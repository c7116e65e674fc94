"""Published cases like the one on the page: a value that whoever knows the literature hands over."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LikeCase:
    """One case of the box.

    Attributes
    ----------
    name, who : str
        What it is called, and its patient in words.
    because, apart, unknown : tuple of str
        What makes it alike, what sets it apart, and what is not known of both and did not count.
    done, became : str
        What was done, and what became of the patient.
    conflicts : tuple of str
        Where its sources disagree.
    source : str or None
        Where it is published.
    inferences : tuple of str
        What is read into the sources' words, and not printed of this patient.
    """

    name: str
    who: str
    because: tuple[str, ...]
    apart: tuple[str, ...]
    unknown: tuple[str, ...]
    done: str
    became: str
    conflicts: tuple[str, ...]
    source: str | None
    inferences: tuple[str, ...] = ()


@dataclass(frozen=True)
class LikeCases:
    """The box: one sentence on the whole, the near cases, and how little they prove."""

    sentence: str
    rows: tuple[LikeCase, ...]
    caveat: str
