"""``compare.json`` and ``compare.html``, both or neither."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jinja2

from thecal.compare.build import Compared
from thecal.compare.schema import Comparison
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
            "What is left of the cement in the canal could not be told for all of it: metal hides it."
        )
    else:
        total, left = sum(d.before_ml for d in canal), sum(d.residual_ml or 0.0 for d in canal)
        said.append(
            f"Of {volume_words(total)} of cement in the canal, {volume_words(max(total - left, 0.0))} is no "
            f"longer seen and {volume_words(left)} is left."
        )
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
            said.append(
                f"{at} has lost up to {100 * (v.height_loss_since or 0):.0f} % of its height since{beside}."
            )
    said += [note.message for note in found.quality if note.severity != "info"]
    return said


def render_page(found: Compared) -> str:
    """The page: complete HTML that loads nothing from anywhere."""
    from thecal.compare.picture import before_and_after

    return _template().render(
        c=found.comparison,
        sentences=summary(found.comparison),
        picture=before_and_after(found),
        looks=LOOKS,
        states=STATES,
        research_use=RESEARCH_USE,
    )


@cache
def _template() -> jinja2.Template:
    return page_template("thecal.compare", "compare.html.j2")
