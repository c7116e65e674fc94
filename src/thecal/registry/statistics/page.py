"""The statistics as one page that loads nothing from anywhere."""

from __future__ import annotations

from functools import cache
from math import isfinite
from pathlib import Path

import jinja2

from thecal import __version__
from thecal.errors import InputError
from thecal.registry.grades import CONVENTION
from thecal.registry.pictures import statistics_svg
from thecal.registry.statistics.build import Statistics
from thecal.registry.statistics.intervals import FEWEST, Share
from thecal.registry.statistics.ordinal import Estimate
from thecal.registry.statistics.waiting import Waiting
from thecal.report.page import page_template
from thecal.terms import RESEARCH_USE


def write_statistics_page(path: Path, found: Statistics) -> None:
    """Write the page; what stood there is replaced, or left as it was where it cannot be.

    Raises
    ------
    InputError
        Where it cannot be written.
    """
    text = statistics_page(found)
    half = path.with_name(f".{path.name}.half")
    try:
        half.write_text(text, encoding="utf-8")
        half.replace(path)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise InputError(f"--out {path} cannot be written: {error.strerror}") from error


def statistics_page(found: Statistics) -> str:
    """The page: complete HTML."""
    return _template().render(
        s=found,
        version=__version__,
        research_use=RESEARCH_USE,
        convention=CONVENTION,
        fewest=FEWEST,
        headline=headline(found),
        forests=[(table, statistics_svg.forest(table)) for table in found.leaks],
        curves=statistics_svg.strength_curves(found.strength.curves),
        delays=statistics_svg.delays(found.decompression.patients),
        waits=[
            (wait, statistics_svg.waiting_curve(wait), waiting_sentence(wait), waiting_counts(wait))
            for wait in (found.walking, found.sphincters)
        ],
    )


def headline(found: Statistics) -> list[str]:
    """The first lines: how many cases, and the leak rate where it can be said."""
    cases = "1 case" if found.cases == 1 else f"{found.cases} cases"
    leak = found.leaks[0].rows[0]
    said = [f"{cases} in the registry, without those withdrawn."]
    if not found.cases:
        return ["The registry is empty."]
    if leak.total:
        said.append(f"Of those whose cement was looked at, a leak is written down of {share_words(leak)}.")
    return said


def share_words(row: Share) -> str:
    """A share in words: "12 of 40 patients, 30.0 % (95 % CI 16.6 to 46.5)"."""
    of = f"{row.events} of {row.total} patient{'' if row.total == 1 else 's'}"
    if row.value is None:
        return of
    low, high = row.low or 0.0, row.high or 0.0
    return f"{of}, {100 * row.value:.1f} % (95 % CI {100 * low:.1f} to {100 * high:.1f})"


def interval_words(row: Share) -> str:
    """A share and its interval in percent, without the sign; a dash where the numbers are small."""
    if row.value is None or row.low is None or row.high is None:
        return "–"
    return f"{100 * row.value:.1f} ({100 * row.low:.1f} to {100 * row.high:.1f})"


def estimate_words(found: Estimate) -> str:
    """An estimate with its interval, two decimals."""
    if not isfinite(found.value):
        return "cannot be told"
    if found.low is None or found.high is None:
        return f"{found.value:.2f}, no interval"
    return f"{found.value:.2f} (95 % CI {found.low:.2f} to {found.high:.2f})"


def waiting_sentence(found: Waiting) -> str:
    """When half have it again: between two days, for nobody looked in between; empty under ten patients."""
    if found.between is None:
        return ""
    half = found.between.median()
    if half is None:
        return "Half do not have it again within the time observed (Turnbull)."
    return f"Half have it again between day {half[0]:.0f} and day {half[1]:.0f} (Turnbull)."


def waiting_counts(found: Waiting) -> str:
    """Beside the estimate: patients, what is known of them, and on how many intervals it rests."""
    recovered = sum(patient.first_with is not None for patient in found.patients)
    gap = "" if found.gap_days is None else f", {found.gap_days:.0f} days apart (median)"
    held = 0 if found.between is None else found.between.mass.size
    begun = (
        "" if found.first_day is None else f" That visit was {found.first_day:.0f} days after the deficit."
    )
    return (
        f"{len(found.patients)} patients: of {recovered} it is known between which two visits{gap}; "
        f"{len(found.patients) - recovered} did not have it at their last visit. They have {found.pairs} "
        f"different intervals; the estimate rests on {held}, and does not tell where within one of them it "
        f"came about.{begun}"
    )


@cache
def _template() -> jinja2.Template:
    return page_template(
        "thecal.registry.statistics",
        "statistics.html.j2",
        interval=interval_words,
        estimate=estimate_words,
        p=lambda value: "< 0.001" if value < 0.001 else f"{value:.3f}",
    )
