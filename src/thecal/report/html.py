"""``report.html``: one page, no network, for the screen and for A4."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from thecal.anatomy.spine import Spine
from thecal.cement.deposit_map import Cement
from thecal.leakage.findings import Leakage, VertebraMeasure
from thecal.report.headline import COMPARTMENT_WORDS, deposit_level, headline, leaked, limit_words
from thecal.report.palette import LOOKS
from thecal.report.schema import Deposit, Report, Vertebra
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


@dataclass(frozen=True)
class _VertebraRow:
    """One vertebra of the report with the measures that have no key in it."""

    vertebra: Vertebra
    measure: VertebraMeasure | None

    @property
    def reaches(self) -> str:
        """Where in the body the cement reaches, in words."""
        m = self.measure
        if m is None or not self.vertebra.cement_ml:
            return "–"
        words = []
        if m.posterior_third_reached:
            words.append("posterior third")
        if m.upper_endplate_touched and m.lower_endplate_touched:
            words.append("both endplates")
        elif m.upper_endplate_touched or m.lower_endplate_touched:
            words.append(f"{'upper' if m.upper_endplate_touched else 'lower'} endplate")
        return ", ".join(words) or "neither posterior third nor endplates"


def render_html(
    report: Report,
    volume: Volume,
    spine: Spine | None,
    cement: Cement | None,
    leakage: Leakage | None,
    *,
    identified: bool = False,
) -> str:
    """The page for one report.

    Parameters
    ----------
    report : Report
    volume, spine, cement, leakage
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
    measures = {m.id: m for m in leakage.vertebrae} if leakage else {}
    inside = sorted((d for d in report.deposits if d.compartment == "intravertebral"), key=lambda d: d.id)
    return _template().render(
        report=report,
        headline=headline(report),
        deposits=[*leaked(report), *inside],
        vertebrae=[_VertebraRow(v, measures.get(v.id)) for v in reversed(report.vertebrae)],
        looks=LOOKS,
        words=COMPARTMENT_WORDS,
        routes=_ROUTES,
        limit=limit_words(report),
        severities=_SEVERITY_TITLES,
        noise_hu=cement.noise_hu if cement else None,
        psf_mm=[float(s) for s in cement.psf_sigma_mm] if cement else None,
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
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= {
        "number": _number,
        "percent": _percent,
        "swatch": _swatch,
        "at_level": _at_level,
        "svg": Markup,
    }
    folder = resources.files("thecal.report").joinpath("templates")
    environment.globals["css"] = Markup(folder.joinpath("report.css").read_text(encoding="utf-8"))
    return environment.from_string(folder.joinpath("report.html.j2").read_text(encoding="utf-8"))


def _number(value: float | None, digits: int = 0) -> str:
    # Adding zero turns -0.0 into 0.0.
    return "–" if value is None else f"{round(value, digits) + 0.0:.{digits}f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def _at_level(deposit: Deposit) -> str:
    return deposit_level(deposit)


def _swatch(compartment: str) -> Markup:
    from thecal.report.palette import swatches

    return Markup(swatches()[compartment])
