"""``compare.json`` and ``compare.html``, both or neither."""

from __future__ import annotations

from functools import cache
from math import hypot
from pathlib import Path

import jinja2

from thecal.compare.build import Compared
from thecal.compare.schema import ComparedDeposit, Comparison
from thecal.report.headline import COMPARTMENT_WORDS, place_words, volume_words
from thecal.report.page import page_template
from thecal.report.palette import LOOKS
from thecal.report.replaced_files import replaced_files
from thecal.terms import RESEARCH_USE

STATES = {
    "gone": "gone",
    "partly_removed": "partly removed",
    "left": "left",
    "not_assessable": "not assessable",
}
IN_CANAL = ("intradural", "epidural")
NOTHING_SDS = 2.0
"""Within so many standard deviations of the difference nothing is said to be gone."""
KEPT_SHAPE = 0.98
"""A box that lost 30 % of its height agreed by 0.965 with itself, bones of real CT that lost none by 0.99."""
MOST_NAMED = 4
"""Deposits that the page names in its first lines."""


def write_comparison(out: Path, found: Compared) -> None:
    """Write both files into ``out``, which is made where it does not exist.

    Raises
    ------
    InputError
        Where ``out`` cannot be written to.
    """
    page = render_page(found)
    texts = {"compare.json": found.comparison.to_json(), "compare.html": page}
    with replaced_files(out, texts) as folder:
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")


def summary(found: Comparison) -> list[str]:
    """The comparison in a few sentences; never clears a patient."""
    said = []
    canal = [d for d in found.deposits if d.compartment in IN_CANAL]
    if not canal:
        said.append("No cement was detected in the canal on the earlier CT.")
    elif any(d.residual_ml is None for d in canal):
        said.append(
            "What is left of the cement in the canal could not be told for all of it: metal or "
            "contrast medium hides it, or the later CT does not show the place."
        )
    else:
        total, left = sum(d.before_ml for d in canal), sum(d.residual_ml or 0.0 for d in canal)
        doubt = NOTHING_SDS * hypot(*(d.removed_sd_ml for d in canal))
        if abs(total - left) <= doubt:
            said.append(
                f"Of {volume_words(total)} of cement in the canal, no part is measurably gone: "
                f"{volume_words(left)} is seen there now, and a difference below {volume_words(doubt)} means "
                "nothing."
            )
        else:
            said.append(
                f"Of {volume_words(total)} of cement in the canal, {volume_words(max(total - left, 0.0))} is "
                f"no longer seen and {volume_words(left)} is left."
            )
        said += _where_left(canal)
    before, after = found.canal.before, found.canal.after
    if before is not None and found.canal.after_ml is not None:
        now = f"{100 * after.fraction:.0f} %" if after is not None else "none that is seen"
        said.append(
            f"Cement took up to {100 * before.fraction:.0f} % of the canal at "
            f"{place_words(before.level, before.vertebra_id)}; now it takes {now} of the canal as it was."
        )
    for d in found.new_deposits:
        how = "new" if d.from_id is None else f"perhaps deposit {d.from_id}, moved by {d.distance_mm:.0f} mm"
        said.append(
            f"Cement {COMPARTMENT_WORDS[d.compartment]}, {volume_words(d.volume_ml)}, was not there before: "
            f"{how}."
        )
    for v in found.vertebrae:
        if v.fractured_since:
            at = place_words(v.level, v.before_id)
            at = at[0].upper() + at[1:]
            beside = ", beside a filled vertebra" if v.next_to_cement else ""
            if v.agreement is not None and v.agreement >= KEPT_SHAPE:
                beside += (
                    f"; its bone agrees with the earlier one ({v.agreement:.2f}), so that this may be an "
                    "error of the heights"
                )
            said.append(
                f"{at} has lost up to {100 * (v.height_loss_since or 0):.0f} % of its height since{beside}."
            )
    said += [note.message for note in found.quality if note.severity != "info"]
    return said


def _where_left(canal: list[ComparedDeposit]) -> list[str]:
    """Where the rest lies, the largest first, in one sentence; none where none is seen."""
    rests = sorted((d for d in canal if d.state != "gone"), key=lambda d: -(d.residual_ml or 0.0))
    if not rests:
        return []
    words = [
        f"{volume_words(d.residual_ml or 0.0)} {COMPARTMENT_WORDS[d.compartment]} at "
        f"{place_words(d.level, d.vertebra_id)} ({d.side}; deposit {d.id})"
        for d in rests[:MOST_NAMED]
    ]
    more = len(rests) - len(words)
    return [f"Left: {', '.join(words)}{f', and {more} more' if more else ''}."]


def render_page(found: Compared) -> str:
    """The page: complete HTML that loads nothing from anywhere."""
    from thecal.compare.picture import axial_before_and_after, sagittal_before_and_after

    return _template().render(
        c=found.comparison,
        sentences=summary(found.comparison),
        axial=axial_before_and_after(found),
        sagittal=sagittal_before_and_after(found),
        looks=LOOKS,
        states=STATES,
        research_use=RESEARCH_USE,
    )


@cache
def _template() -> jinja2.Template:
    return page_template("thecal.compare", "compare.html.j2")
