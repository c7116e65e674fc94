"""The report's box of published cases; offline, and only where cement lies in the canal."""

from __future__ import annotations

from thecal.registry.similar.entries import published_entries
from thecal.registry.similar.nearest import Near, nearest
from thecal.registry.similar.traits import cement_in_canal, traits_of_report
from thecal.report.like_cases import LikeCase, LikeCases
from thecal.report.schema import Report


def cases_like(report: Report) -> LikeCases | None:
    """The published cases that are near an assessment.

    Parameters
    ----------
    report : Report

    Returns
    -------
    LikeCases or None
        None where no cement was found in the canal.
    """
    if not cement_in_canal(report):
        return None
    found = nearest(traits_of_report(report), published_entries())
    return LikeCases(found.sentence, tuple(_row(one) for one in found.near), caveat(found.searched))


def caveat(searched: int) -> str:
    """How little so few reports prove."""
    return (
        f"All that thecal holds are {searched} case reports. Such reports are written of what is unusual, "
        "most are known here by abstract and table alone, and what became of a few patients says nothing of "
        "what will become of another. Near means alike in what is known of both, no more."
    )


def _row(one: Near) -> LikeCase:
    entry = one.entry
    return LikeCase(
        name=entry.name,
        who=entry.account.who,
        because=one.because,
        apart=one.apart,
        unknown=one.unknown,
        done=entry.account.done,
        became=entry.account.became,
        conflicts=entry.conflicts,
        source=entry.source,
        inferences=entry.inferences,
    )
