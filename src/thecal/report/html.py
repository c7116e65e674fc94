"""``report.html``: one page, no network, for the screen and for A4."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from thecal.anatomy.spine import Spine
from thecal.leakage.findings import Leakage
from thecal.report.headline import (
    COMPARTMENT_WORDS,
    deposit_level,
    headline,
    leaked,
    limit_words,
    place_words,
)
from thecal.report.page import page_template
from thecal.report.palette import LOOKS
from thecal.report.schema import Report, Vertebra
from thecal.terms import RESEARCH_USE
from thecal.volume import Volume

_ROUTES = {
    "basivertebral": "basivertebral vein",
    "segmental": "segmental vein",
    "cortical": "cortical defect",
    "endplate": "endplate",
    "needle": "needle",
    "unknown": "not known",
}
_SEVERITY_TITLES = {
    "critical": "Critical: no statement can rest on this",
    "warning": "Warnings: read the results with this in mind",
    "info": "For information",
}


def _reaches(vertebra: Vertebra) -> str:
    """Where in the body the cement reaches, in words."""
    at = vertebra.cement_reaches
    if at.posterior_third is None:
        return "–"
    words = []
    if at.posterior_third:
        words.append("posterior third")
    if at.upper_endplate and at.lower_endplate:
        words.append("both endplates")
    elif at.upper_endplate or at.lower_endplate:
        words.append(f"{'upper' if at.upper_endplate else 'lower'} endplate")
    return ", ".join(words) or "neither posterior third nor endplates"


def confidence_words(report: Report) -> str | None:
    """How sure the anatomy is of itself, in one line; None without a spine."""
    if not report.vertebrae:
        return None
    rows = [f"{place_words(v.level, v.id)} {v.confidence:.2f}" for v in reversed(report.vertebrae)]
    words = f"vertebrae: {', '.join(rows)}"
    known = [s for s in report.canal.profile if s.confidence is not None]
    if report.canal.confidence is None or not known:
        return words
    least = min(known, key=lambda s: s.confidence or 0.0)
    at = "" if least.vertebra_id is None else f" at {place_words(least.level, least.vertebra_id)}"
    return f"{words}; canal {report.canal.confidence:.2f} in the middle, least {least.confidence:.2f}{at}"


def render_html(
    report: Report,
    volume: Volume,
    spine: Spine | None,
    leakage: Leakage | None,
    *,
    identified: bool = False,
) -> str:
    """The page for one report.

    Parameters
    ----------
    report : Report
    volume, spine, leakage
        For the pictures; without a spine the page has none.
    identified : bool
        Whether the patient's name may stand on it.

    Returns
    -------
    str
        Complete HTML that loads nothing from anywhere.
    """
    pictures: dict[str, Any] = {"axial": None, "sagittal": None, "projections": None, "scene": None}
    if spine is not None and leakage is not None:
        from thecal.report.axial import axial_picture
        from thecal.report.projections import projections_picture
        from thecal.report.sagittal import sagittal_picture
        from thecal.report.scene import scene_json

        pictures = {
            "axial": axial_picture(volume, spine, leakage),
            "sagittal": sagittal_picture(volume, spine, leakage),
            "projections": projections_picture(spine, leakage),
            "scene": Markup(scene_json(spine, leakage)),
        }
    inside = sorted((d for d in report.deposits if d.compartment == "intravertebral"), key=lambda d: d.id)
    return _template().render(
        report=report,
        headline=headline(report),
        deposits=[*leaked(report), *inside],
        vertebrae=list(reversed(report.vertebrae)),
        confidence=confidence_words(report),
        looks=LOOKS,
        words=COMPARTMENT_WORDS,
        routes=_ROUTES,
        limit=limit_words(report),
        severities=_SEVERITY_TITLES,
        patient_name=_name_words(volume.source.patient_name) if identified else None,
        research_use=RESEARCH_USE,
        plotly_js=Markup(_plotly_js()) if pictures["scene"] is not None else None,
        **pictures,
    )


def _name_words(name: str | None) -> str | None:
    """A DICOM person name as it is read: "Doe^Jane" is "Doe Jane"."""
    return None if name is None else " ".join(part for part in name.split("^") if part)


def _plotly_js() -> str:
    # Read as data: importing plotly itself would take longer than drawing all pictures.
    text = resources.files("plotly").joinpath("package_data/plotly.min.js").read_text(encoding="utf-8")
    return text.replace("</script", "<\\/script")


@cache
def _template() -> jinja2.Template:
    return page_template("thecal.report", "report.html.j2", at_level=deposit_level, reaches=_reaches)
