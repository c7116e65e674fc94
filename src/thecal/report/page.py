"""A page that is one file, and how it writes figures."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup


def page_template(package: str, name: str, **filters: Callable[..., Any]) -> jinja2.Template:
    """The template of a page beside a package's code, with the style and the filters that all pages share."""
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= {
        "number": _number,
        "percent": _percent,
        "swatch": _swatch,
        "at_level": _at_level,
        "svg": Markup,
        **filters,
    }
    css = resources.files("thecal.report").joinpath("templates/report.css").read_text(encoding="utf-8")
    environment.globals["css"] = Markup(css)
    page = resources.files(package).joinpath("templates", name)
    return environment.from_string(page.read_text(encoding="utf-8"))


def _number(value: float | None, digits: int = 0) -> str:
    # Adding zero turns -0.0 into 0.0.
    return "–" if value is None else f"{round(value, digits) + 0.0:.{digits}f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def _at_level(deposit: Any) -> str:
    from thecal.report.headline import place_words

    return place_words(deposit.level, deposit.vertebra_id)


def _swatch(compartment: str) -> Markup:
    from thecal.report.palette import swatches

    return Markup(swatches()[compartment])
