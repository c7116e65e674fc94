"""``report.pdf``: the page on A4, by reportlab (the extra ``[pdf]``)."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from thecal import __version__
from thecal.extras import load_extra
from thecal.report.html import render_for_paper
from thecal.report.like_cases import LikeCases
from thecal.report.markup import Node, read_page
from thecal.report.schema import Report
from thecal.terms import RESEARCH_USE
from thecal.volume import Volume

if TYPE_CHECKING:
    from thecal.report.drawing import Picture

POINTS_PER_MM: Final = 72 / 25.4
SIDE_MM: Final = 13.0
TOP_MM: Final = 13.0
BOTTOM_MM: Final = 16.0
PAGE_MM: Final = (210.0, 297.0)
TITLE: Final = "Bone cement on this CT"
FOOT_SIZE: Final = 7.5


def check_pdf_can_be_made() -> None:
    """Raise `InputError` where the extra ``[pdf]`` is not installed."""
    load_extra("reportlab", "pdf")


def render_pdf(
    report: Report,
    volume: Volume,
    pictures: Mapping[str, Picture],
    *,
    identified: bool = False,
    like: LikeCases | None = None,
) -> bytes:
    """The page for one report as a PDF of A4 pages.

    Parameters
    ----------
    report : Report
    volume : Volume
    pictures : mapping
        Those of :func:`thecal.report.html.draw_pictures`.
    identified : bool
        Whether the patient's name may stand on it.
    like : LikeCases, optional
        Published cases like this one.

    Returns
    -------
    bytes
        With its typeface in it; the same for the same report.

    Raises
    ------
    InputError
        Where the extra ``[pdf]`` is not installed.
    """
    check_pdf_can_be_made()
    from reportlab import rl_config
    from reportlab.platypus import SimpleDocTemplate

    from thecal.report.pdf_flow import Setter

    # Text that holds the bytes of pictures would make them a quarter larger, and slow to write.
    rl_config.useA85 = 0
    register_typeface()
    page = render_for_paper(report, volume, pictures, identified=identified, like=like)
    body = next(read_page(page).every("body"))
    side, width = SIDE_MM * POINTS_PER_MM, (PAGE_MM[0] - 2 * SIDE_MM) * POINTS_PER_MM
    buffer = io.BytesIO()
    document = SimpleDocTemplate(
        buffer,
        pagesize=tuple(mm * POINTS_PER_MM for mm in PAGE_MM),
        leftMargin=side,
        rightMargin=side,
        topMargin=TOP_MM * POINTS_PER_MM,
        bottomMargin=BOTTOM_MM * POINTS_PER_MM,
        title=TITLE,
        author=f"thecal {__version__}",
        subject=RESEARCH_USE,
        creator=f"thecal {__version__}",
        lang="en",
        invariant=1,
    )
    # The frame keeps 6 points of its own on each side.
    story = Setter(pictures, width - 12.0).blocks(_shown(body))
    document.build(story, onFirstPage=_foot, onLaterPages=_foot)
    return buffer.getvalue()


def register_typeface() -> None:
    """DejaVu Sans, which matplotlib brings along: it has every sign that the report uses."""
    from matplotlib import get_data_path
    from reportlab.lib.fonts import addMapping
    from reportlab.pdfbase.pdfmetrics import getRegisteredFontNames, registerFont
    from reportlab.pdfbase.ttfonts import TTFont

    folder = Path(get_data_path()) / "fonts" / "ttf"
    for name, bold, italic in (("DejaVuSans", 0, 0), ("DejaVuSans-Bold", 1, 0), ("DejaVuSans-Oblique", 0, 1)):
        if name not in getRegisteredFontNames():
            registerFont(TTFont(name, str(folder / f"{name}.ttf")))
            addMapping("DejaVuSans", bold, italic, name)


def _shown(body: Node) -> list[Node]:
    """The parts of the page that are set once; the line at its foot is on every sheet."""
    return [node for node in body.nodes() if node.tag not in ("footer", "script")]


def _foot(canvas: Any, document: Any) -> None:
    """The line at the foot of each sheet, and its number."""
    width = PAGE_MM[0] * POINTS_PER_MM
    side, height = SIDE_MM * POINTS_PER_MM + 6.0, 8.0 * POINTS_PER_MM
    canvas.saveState()
    canvas.setFont("DejaVuSans-Bold", FOOT_SIZE)
    canvas.drawString(side, height, RESEARCH_USE)
    canvas.setFont("DejaVuSans", FOOT_SIZE)
    canvas.drawRightString(width - side, height, str(document.page))
    canvas.setLineWidth(0.5)
    canvas.line(side, height + 3.5 * POINTS_PER_MM, width - side, height + 3.5 * POINTS_PER_MM)
    canvas.restoreState()
