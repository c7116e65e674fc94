"""``plan.html``: one page, no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup

from thecal import __version__
from thecal.anatomy.spine import Spine, Vertebra
from thecal.needle.outputs import words
from thecal.needle.outputs.needles import PlannedNeedle, depth_marks, level_key, level_words, needles_of
from thecal.needle.plan_value import Audit, Corridor, LevelPlan, SideAnswer, Trajectory
from thecal.quality import QualityNote
from thecal.report.page import page_template
from thecal.terms import RESEARCH_USE

if TYPE_CHECKING:
    from thecal.report.drawing import Picture


@dataclass(frozen=True, eq=False)
class LevelPictures:
    """The pictures of one level: those of its first needle, of two needles, of all, and of the pedicles."""

    first: tuple[Picture, ...]
    two: tuple[Picture, ...]
    aim: Picture | None
    pedicles: Picture | None = None


@dataclass(frozen=True, eq=False)
class Section:
    """One level as the page shows it."""

    plan: LevelPlan
    vertebra: Vertebra
    pictures: LevelPictures
    files: tuple[str, ...]

    @property
    def key(self) -> str:
        """Its place on the page."""
        return level_key(self.plan)

    @property
    def name(self) -> str:
        """The level in words."""
        return words.capital(level_words(self.plan))

    @property
    def in_words(self) -> str:
        """The level within a sentence."""
        return level_words(self.plan)

    @property
    def first(self) -> PlannedNeedle | None:
        """The needle that the top tells of."""
        return words.first_needle(self.plan)

    @property
    def needles(self) -> tuple[PlannedNeedle, ...]:
        """All needles."""
        return needles_of(self.plan)

    @property
    def blocked(self) -> tuple[SideAnswer, ...]:
        """The sides without a safe path."""
        return tuple(a for a in self.plan.sides if a.best is None)

    @property
    def corridors(self) -> tuple[Corridor, ...]:
        """The pedicles that were measured."""
        return tuple(a.corridor for a in self.plan.sides if a.corridor is not None)

    def marks(self, way: Trajectory) -> dict[str, tuple[float, float]]:
        """Depth marks of a needle by name: mm, and percent of its length."""
        whole = max(way.tip_depth_mm, 1e-6)
        return {m.words: (m.depth_mm, 100.0 * m.depth_mm / whole) for m in depth_marks(way)}


@dataclass(frozen=True, eq=False)
class Audited:
    """Needles of a later CT against the plan, each with its picture."""

    audit: Audit
    pictures: tuple[Picture, ...]


def render_plan(
    sections: Sequence[Section],
    spine: Spine,
    *,
    notes: Sequence[QualityNote] = (),
    audit: Audited | None = None,
    files: Sequence[str] = (),
    simulated: bool = False,
) -> str:
    """The page: complete HTML that loads nothing from anywhere.

    Parameters
    ----------
    sections : sequence of Section
        One a level, in the order of the plan.
    spine : Spine
    notes : sequence of QualityNote
        What weakens the plan.
    audit : Audited, optional
        Needles seen on a later CT, with their pictures.
    files : sequence of str
        What else lies in the folder, for all levels.
    simulated : bool
        Whether the scan is a phantom.
    """
    return _template().render(
        sections=sections,
        spine=spine,
        notes=notes,
        audit=audit,
        files=files,
        simulated=simulated,
        research_use=RESEARCH_USE,
        plan_css=Markup(_css()),
        version=__version__,
        w=words,
    )


@cache
def _css() -> str:
    return resources.files("thecal.needle.outputs").joinpath("templates/plan.css").read_text(encoding="utf-8")


@cache
def _template() -> jinja2.Template:
    from thecal.needle.pictures.lighter import lighter

    return page_template(
        "thecal.needle.outputs", "plan.html.j2", light=lambda picture: Markup(lighter(picture.svg))
    )
