"""One page of an injection."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import jinja2
import numpy as np
from markupsafe import Markup

from thecal.fluoro.injection.chart import injection_chart
from thecal.fluoro.injection.chronicle import Chronicle, KeyPicture
from thecal.fluoro.screen.look import LEVEL_LOOKS, NOT_CLEARED
from thecal.fluoro.screen.message import jpeg, outline
from thecal.fluoro.stream.canal import canal_leaks
from thecal.fluoro.stream.events import FaultBegins
from thecal.fluoro.stream.recording import Opening
from thecal.report.page import page_template
from thecal.report.replaced_files import replaced_files
from thecal.terms import RESEARCH_USE

NAME: Final = "injection.html"
ORDER: Final = ("first cement", "near", "stop", "leak", "canal leak", "lost")
KEY_QUALITY: Final = 80
AROUND_BODY: Final = 2.6
"""Side of a key picture, as a multiple of the body's larger side."""


@dataclass(frozen=True)
class KeyFigure:
    """A key picture for the page."""

    title: str
    words: str
    svg: Markup


def write_injection_page(out: Path, opening: Opening, chronicle: Chronicle) -> Path:
    """Write the page into ``out``; its path."""
    page = render_injection_page(opening, chronicle)
    with replaced_files(out, [NAME]) as folder:
        (folder / NAME).write_text(page, encoding="utf-8")
    return out / NAME


def render_injection_page(opening: Opening, chronicle: Chronicle) -> str:
    """Complete HTML that loads nothing from anywhere."""
    share = 1 / 3 if opening.options.posterior == "third" else 1 / 4
    return _template().render(
        opening=opening,
        end=chronicle.end,
        sentences=headline(opening, chronicle),
        chart=injection_chart(chronicle, opening.target.depth_mm, share),
        keys=[_figure(chronicle.keys[name]) for name in ORDER if name in chronicle.keys],
        changes=chronicle.changes,
        faults=_faults(chronicle.faults),
        beyond=chronicle.beyond,
        looks=LEVEL_LOOKS,
        not_cleared=NOT_CLEARED,
        research_use=RESEARCH_USE,
    )


def headline(opening: Opening, chronicle: Chronicle) -> list[str]:
    """The injection in a few sentences; never clears a patient."""
    if nothing_told(chronicle):
        return ["Nothing could be told in this watch."]
    said = []
    canal = next((change for change in chronicle.changes if canal_leaks(change.leaks)), None)
    if canal is not None:
        where = ", ".join(canal_leaks(canal.leaks))
        said.append(f"Cement on the canal's side was said at {clock(canal.at_s)}: {where}.")
    for level, words in (
        ("leak", "A leak was said"),
        ("stop", f"The posterior {opening.options.posterior} was said to be reached"),
        ("near", "Cement was said to come near"),
    ):
        first = next((change for change in chronicle.changes if level in (change.level, *change.also)), None)
        if first is not None:
            said.append(f"{words} at {clock(first.at_s)}: {first.why.rstrip('.')}.")
    if not said:
        said.append("No alarm was said for cement.")
    blind = blind_s(chronicle)
    if blind > 0.5:
        said.append(f"For {blind:.0f} s of the watch nothing could be told (lost).")
    return said


def nothing_told(chronicle: Chronicle) -> bool:
    """Whether the watch was never other than ``lost``: no alarm then says nothing of the cement."""
    return all(change.level == "lost" and not change.also for change in chronicle.changes)


def blind_s(chronicle: Chronicle) -> float:
    """How long the level was ``lost``, s."""
    ends = chronicle.end.at_s if chronicle.end else max([*chronicle.at_s[-1:], 0.0])
    stops = [change.at_s for change in chronicle.changes[1:]] + [ends]
    spans = zip(chronicle.changes, stops, strict=False)
    return sum(max(stop - change.at_s, 0.0) for change, stop in spans if change.level == "lost")


def clock(seconds: float) -> str:
    """Minutes and seconds, to a tenth."""
    tenths = round(10.0 * seconds)
    return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"


def _figure(key: KeyPicture) -> KeyFigure:
    rows, columns = key.frame.pixels.shape
    x, y, width, height = _window(key)
    data = base64.b64encode(jpeg(key.frame, KEY_QUALITY)).decode()
    lines = [outline(one) for one in key.reading.outlines] if key.reading is not None else []
    paths = "".join(
        f'<path d="{line["path"]}" stroke="{line["colour"]}" fill="none" stroke-width="2" '
        f'vector-effect="non-scaling-stroke"><title>{line["name"]}</title></path>'
        for line in lines
    )
    svg = (
        f'<svg viewBox="{x:g} {y:g} {width:g} {height:g}" role="img" aria-label="{key.name}">'
        f'<image href="data:image/jpeg;base64,{data}" width="{columns}" height="{rows}"/>{paths}</svg>'
    )
    title = "First cement" if key.name == "first cement" else f"First {key.name}"
    return KeyFigure(f"{title}, {clock(key.at_s)}", f"{key.why.rstrip('.')}.", Markup(svg))


def _window(key: KeyPicture) -> tuple[float, float, float, float]:
    """The part of the picture round the body: x, y, width, height in pixels, square where there is room."""
    rows, columns = key.frame.pixels.shape
    bodies = [one.pixels for one in key.reading.outlines if one.name == "body"] if key.reading else []
    if not bodies or not len(bodies[0]):
        return 0.0, 0.0, float(columns), float(rows)
    low, high = bodies[0].min(axis=0), bodies[0].max(axis=0)
    side = min(AROUND_BODY * float((high - low).max()), float(rows), float(columns))
    y, x = np.clip((low + high) / 2 - side / 2, 0.0, np.array([rows, columns]) - side)
    return round(float(x), 1), round(float(y), 1), round(side, 1), round(side, 1)


def _faults(faults: list[FaultBegins]) -> list[tuple[str, int, str, str]]:
    """Each kind of fault: how often, when first, and what was said then."""
    kinds: dict[str, list[FaultBegins]] = {}
    for fault in faults:
        kinds.setdefault(fault.kind, []).append(fault)
    return [
        (kind.replace("_", " "), len(found), clock(found[0].at_s), found[0].text)
        for kind, found in kinds.items()
    ]


@cache
def _template() -> jinja2.Template:
    return page_template("thecal.fluoro.injection", "injection.html.j2", clock=clock)
