"""``report.html``: one page, no network, for the screen and for A4."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup

from thecal.anatomy.spine import Spine
from thecal.leakage.findings import Leakage
from thecal.leakage.intradural.meaning import PRESENT_BELOW
from thecal.report.headline import (
    COMPARTMENT_WORDS,
    deposit_level,
    headline,
    leaked,
    limit_words,
    place_words,
)
from thecal.report.like_cases import LikeCases
from thecal.report.page import page_template
from thecal.report.palette import LOOKS
from thecal.report.schema import Report, Sign, Vertebra
from thecal.terms import RESEARCH_USE
from thecal.volume import Volume

if TYPE_CHECKING:
    from thecal.report.drawing import Picture

_ROUTES = {
    "basivertebral": "basivertebral vein",
    "segmental": "segmental vein",
    "cortical": "cortical defect",
    "endplate": "endplate",
    "needle": "needle",
    "unknown": "not known",
}
# What the page calls its pictures, in their order.
PICTURES = ("axial", "sagittal", "projections")
# Drawn only where there is something to show.
SOMETIMES = ("signs", "dorsal")
_SEVERITY_TITLES = {
    "critical": "Critical: no statement can rest on this",
    "warning": "Warnings: read the results with this in mind",
    "info": "For information",
}


def _present_from(sign: Sign) -> str:
    """From which value on a sign is present, with its direction."""
    assert sign.threshold is not None
    return f"{PRESENT_BELOW.get(sign.name, '≥')} {sign.threshold:.2f}"


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


def draw_pictures(volume: Volume, spine: Spine | None, leakage: Leakage | None) -> dict[str, Picture]:
    """The page's pictures by name; none without a spine."""
    if spine is None or leakage is None:
        return {}
    from thecal.report.axial import axial_picture
    from thecal.report.dorsal import dorsal_picture
    from thecal.report.projections import projections_picture
    from thecal.report.sagittal import sagittal_picture
    from thecal.report.signs import signs_picture

    pictures = {
        "axial": axial_picture(volume, spine, leakage),
        "sagittal": sagittal_picture(volume, spine, leakage),
        "projections": projections_picture(spine, leakage),
    }
    sometimes = {
        "signs": signs_picture(volume, spine, leakage),
        "dorsal": dorsal_picture(spine, leakage),
    }
    return pictures | {name: picture for name, picture in sometimes.items() if picture is not None}


def render_html(
    report: Report,
    volume: Volume,
    spine: Spine | None,
    leakage: Leakage | None,
    *,
    identified: bool = False,
    pictures: Mapping[str, Picture] | None = None,
    like: LikeCases | None = None,
) -> str:
    """The page for one report.

    Parameters
    ----------
    report : Report
    volume, spine, leakage
        For the pictures; without a spine the page has none.
    identified : bool
        Whether the patient's name may stand on it.
    pictures : mapping, optional
        Those of :func:`draw_pictures` where they have been drawn already.
    like : LikeCases, optional
        Published cases like this one.

    Returns
    -------
    str
        Complete HTML that loads nothing from anywhere.
    """
    drawn = draw_pictures(volume, spine, leakage) if pictures is None else pictures
    scene = None
    if spine is not None and leakage is not None:
        from thecal.report.scene import scene_json

        scene = Markup(scene_json(spine, leakage))
    return _rendered(
        report,
        volume,
        identified,
        drawn,
        like,
        scene=scene,
        plotly_js=None if scene is None else Markup(_plotly_js()),
    )


@dataclass(frozen=True)
class _NamedPicture:
    """A picture as the page for paper has it: its name in its place."""

    name: str
    picture: Picture

    @property
    def svg(self) -> str:
        return f'<img src="{self.name}">'

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self.picture, attribute)


def render_for_paper(
    report: Report,
    volume: Volume,
    pictures: Mapping[str, Picture],
    *,
    identified: bool = False,
    like: LikeCases | None = None,
) -> str:
    """The same page without what only a browser can show; a picture is an ``img`` with its name as source."""
    named = {name: _NamedPicture(name, picture) for name, picture in pictures.items()}
    return _rendered(report, volume, identified, named, like, scene=None, plotly_js=None)


def _rendered(
    report: Report,
    volume: Volume,
    identified: bool,
    pictures: Mapping[str, Any],
    like: LikeCases | None,
    **live: Markup | None,
) -> str:
    inside = sorted((d for d in report.deposits if d.compartment == "intravertebral"), key=lambda d: d.id)
    return _template().render(
        report=report,
        headline=headline(report),
        deposits=[*leaked(report), *inside],
        vertebrae=list(reversed(report.vertebrae)),
        confidence=confidence_words(report),
        like=like,
        looks=LOOKS,
        words=COMPARTMENT_WORDS,
        routes=_ROUTES,
        limit=limit_words(report),
        severities=_SEVERITY_TITLES,
        patient_name=_name_words(volume.source.patient_name) if identified else None,
        research_use=RESEARCH_USE,
        **{name: pictures.get(name) for name in (*PICTURES, *SOMETIMES)},
        **live,
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
    return page_template(
        "thecal.report",
        "report.html.j2",
        at_level=deposit_level,
        reaches=_reaches,
        present_from=_present_from,
    )
