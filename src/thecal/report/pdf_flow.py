"""The parts of the page as reportlab sets them: words, tables, lists and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Final

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_LEFT, TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import CondPageBreak, Flowable, Image, KeepTogether, Paragraph, Spacer, Table

from thecal.report.markup import Node
from thecal.report.palette import FAINT, INK
from thecal.report.pdf_columns import column_widths

if TYPE_CHECKING:
    from thecal.report.drawing import Picture

LINE: Final = HexColor("#d9dde2")
WASH: Final = HexColor("#f5f6f8")
CAUTION: Final = "#6b4a00"
SWATCH_GROUND: Final = HexColor("#3a3f45")
SWATCH_WIDTH: Final = 16.0
SEVERITY_BARS: Final = {"critical": "#b00020", "warning": "#c77700", "info": "#d9dde2"}
# How reportlab calls what the page calls so.
SHAPES: Final = {"b": "b", "strong": "b", "i": "i", "em": "i", "sup": "super", "sub": "sub"}
# As the stylesheet has them: the 3-D view on paper, and the longest sagittal cut.
PROJECTIONS_MM: Final = 120.0
TALLEST_MM: Final = 205.0
SAGITTAL_SHARE: Final = 0.86
POINTS_PER_MM: Final = 72 / 25.4
CELL_PADDING: Final = 2.6
TABLE_SIZE: Final = 7.2
HEADING_KEEPS: Final = 130.0


def _style(size: float, *, leading: float = 1.35, colour: str = INK, bold: bool = False, **more: Any) -> Any:
    return ParagraphStyle(
        "part",
        fontName="DejaVuSans-Bold" if bold else "DejaVuSans",
        fontSize=size,
        leading=leading * size,
        textColor=HexColor(colour),
        **more,
    )


STYLES: Final = {
    "h1": _style(9.0, colour=FAINT, bold=True, spaceBefore=8, spaceAfter=2),
    "h2": _style(12.0, bold=True, spaceBefore=14, spaceAfter=4, keepWithNext=1),
    "h3": _style(9.2, bold=True, spaceBefore=7, spaceAfter=2, keepWithNext=1),
    "p": _style(8.6, spaceBefore=3, spaceAfter=3),
    "first": _style(13.5, leading=1.28, bold=True, spaceAfter=4),
    "finding": _style(11.0, bold=True, spaceAfter=3),
    "plain": _style(11.0, spaceAfter=3),
    "caution": _style(9.4, colour=CAUTION, leftIndent=14, bulletIndent=2, spaceAfter=3),
    "silence": _style(8.2, colour=FAINT, spaceBefore=2, spaceAfter=3),
    "note": _style(7.6, colour=FAINT, spaceBefore=3, spaceAfter=3),
    "caption": _style(7.6, colour=FAINT, spaceBefore=2, spaceAfter=4),
    "li": _style(8.0),
    "page": _style(7.8, colour=FAINT),
}


class Setter:
    """Sets parts of the page on paper of a width.

    Parameters
    ----------
    pictures : mapping
        By the names that the page's ``img`` have as their sources.
    width : float
        Of what is set, points.
    """

    def __init__(self, pictures: Mapping[str, Picture], width: float) -> None:
        self.pictures = pictures
        self.width = width

    def blocks(self, nodes: Sequence[Node]) -> list[Flowable]:
        """What stands under each other, in its order."""
        return [flowable for node in nodes for flowable in self._block(node)]

    def _block(self, node: Node) -> list[Flowable]:
        if "screen" in node.classes or node.attributes.get("id") == "scene" or node.tag == "noscript":
            return []
        match node.tag:
            case "main" | "div":
                return self._headline(node) if "headline" in node.classes else self.blocks(node.nodes())
            case "section":
                inside = self.blocks(node.nodes())
                return [KeepTogether(inside)] if "together" in node.classes else inside
            case "header":
                return [self._page_head(node)]
            case "figure":
                return self._figure(node)
            case "table":
                return self._table(node)
            case "dl":
                return [self._definitions(node)]
            case "ul":
                return self._list(node)
            case "h1" | "h2" | "h3":
                keep = [CondPageBreak(HEADING_KEEPS)] if node.tag == "h2" else []
                return [*keep, Paragraph(inline(node), STYLES[node.tag])]
            case "p":
                named = next((name for name in node.classes if name in STYLES), "p")
                return [Paragraph(inline(node), STYLES[named])]
        raise ValueError(f"<{node.tag}> is not known on paper")

    def _headline(self, node: Node) -> list[Flowable]:
        set_so = []
        for number, sentence in enumerate(node.nodes("p")):
            tone = next(iter(sentence.classes & {"finding", "plain", "caution"}), "plain")
            style = STYLES["first" if number == 0 and tone != "caution" else tone]
            set_so.append(Paragraph(inline(sentence), style, bulletText="?" if tone == "caution" else None))
        return set_so

    def _page_head(self, node: Node) -> Flowable:
        words = [_inline(Node("p", children=[span])) for span in node.nodes("span") if span.text()]
        cells = [Paragraph(word, STYLES["page"]) for word in words[:-1]]
        cells.append(Paragraph(words[-1], ParagraphStyle("right", STYLES["page"], alignment=TA_RIGHT)))
        table = Table([cells], colWidths=[self.width / len(words)] * len(words))
        table.setStyle(
            [
                ("LINEBELOW", (0, 0), (-1, -1), 0.5, LINE),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
            ]
        )
        return table

    def _figure(self, node: Node) -> list[Flowable]:
        parts: list[Flowable] = [Spacer(1, 4)]
        for image in node.every("img"):
            parts.append(self._image(self.pictures[image.attributes["src"]], node))
        for caption in node.nodes("figcaption"):
            parts.append(Paragraph(inline(caption), STYLES["caption"]))
        return [KeepTogether(parts)]

    def _image(self, picture: Picture, node: Node) -> Flowable:
        from PIL import Image as Raster

        pixels = picture.pixels
        high, wide = pixels.shape[:2]
        width = min(self.width, picture.width_in * 72)
        if "projections" in node.classes:
            width = min(width, PROJECTIONS_MM * POINTS_PER_MM)
        elif "sagittal" in node.classes:
            width = min(width, SAGITTAL_SHARE * self.width)
        width = min(width, TALLEST_MM * POINTS_PER_MM * wide / high)
        return Image(_ready(Raster.fromarray(pixels)), width, width * high / wide, hAlign="LEFT")

    def _table(self, node: Node) -> list[Flowable]:
        head = [row.nodes("th", "td") for part in node.nodes("thead") for row in part.nodes("tr")]
        bodies = [row for part in node.nodes("tbody") for row in part.nodes("tr")]
        rows = [*head, *(row.nodes("th", "td") for row in bodies)]
        if not rows or len({len(row) for row in rows}) != 1:
            raise ValueError("the rows of a table differ in length")
        faint = {number + len(head) for number, row in enumerate(bodies) if "within" in row.classes}
        cells = [
            [_cell(cell, head=number < len(head), faint=number in faint) for cell in row]
            for number, row in enumerate(rows)
        ]
        table = Table(
            cells, colWidths=column_widths(cells, self.width, 2 * CELL_PADDING), repeatRows=len(head)
        )
        table.setStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("VALIGN", (0, 0), (-1, len(head) - 1), "BOTTOM"),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
                ("LINEBELOW", (0, len(head) - 1), (-1, len(head) - 1), 0.8, HexColor(FAINT)),
                ("LEFTPADDING", (0, 0), (-1, -1), CELL_PADDING),
                ("RIGHTPADDING", (0, 0), (-1, -1), CELL_PADDING),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
                *(
                    ("BACKGROUND", (0, number + len(head)), (-1, number + len(head)), WASH)
                    for number, row in enumerate(bodies)
                    if "filled" in row.classes
                ),
            ]
        )
        captions = [Paragraph(inline(caption), STYLES["caption"]) for caption in node.nodes("caption")]
        for caption in captions:
            caption.keepWithNext = True
        return [*captions, table]

    def _definitions(self, node: Node) -> Flowable:
        terms, meanings = node.nodes("dt"), node.nodes("dd")
        left, right = _style(TABLE_SIZE + 0.4, colour=FAINT), _style(TABLE_SIZE + 0.4)
        cells = [
            [Paragraph(inline(term), left), Paragraph(inline(meaning), right)]
            for term, meaning in zip(terms, meanings, strict=True)
        ]
        table = Table(cells, colWidths=[0.28 * self.width, 0.72 * self.width])
        table.setStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (0, -1), 0),
                ("TOPPADDING", (0, 0), (-1, -1), 1.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
            ]
        )
        return table

    def _list(self, node: Node) -> list[Flowable]:
        bar = next((SEVERITY_BARS[name] for name in SEVERITY_BARS if name in node.classes), "#d9dde2")
        items: list[Flowable] = []
        # A table each, so that the heading keeps only the first of them on its page.
        for item in node.nodes("li"):
            table = Table([[Paragraph(inline(item), STYLES["li"])]], colWidths=[self.width])
            table.setStyle(
                [
                    ("LINEBEFORE", (0, 0), (0, -1), 2, HexColor(bar)),
                    ("LEFTPADDING", (0, 0), (-1, -1), 8),
                    ("TOPPADDING", (0, 0), (-1, -1), 1.5),
                    ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
                ]
            )
            items.append(table)
        return [*items, Spacer(1, 3)]


def inline(node: Node) -> str:
    """The words in an element as reportlab's own markup."""
    return " ".join(_inline(node).split())


def _inline(node: Node) -> str:
    said = []
    for child in node.children:
        if isinstance(child, str):
            said.append(escape(child, quote=False))
        elif child.tag == "br":
            said.append("<br/>")
        elif child.tag in SHAPES:
            said.append(f"<{SHAPES[child.tag]}>{_inline(child)}</{SHAPES[child.tag]}>")
        elif child.tag == "small":
            said.append(f'<br/><font size="6.2" color="{FAINT}">{_inline(child)}</font>')
        elif child.tag == "span":
            bold = "research" in child.classes
            said.append(f"<b>{_inline(child)}</b>" if bold else _inline(child))
        elif "swatch" not in child.classes:
            raise ValueError(f"<{child.tag}> is not known among words on paper")
    return "".join(said)


class _Swatched(Paragraph):  # type: ignore[misc]
    """Words behind the line that a compartment is drawn with; its name tells it to who sees no colours."""

    def __init__(self, words: str, style: Any, swatch: Node) -> None:
        super().__init__(words, ParagraphStyle("swatched", style, leftIndent=SWATCH_WIDTH + 4.0))
        self.line = next(swatch.every("line")).attributes

    def draw(self) -> None:
        super().draw()
        canvas, size = self.canv, self.style.fontSize
        middle = self.height - 0.62 * size
        canvas.saveState()
        canvas.setFillColor(SWATCH_GROUND)
        canvas.roundRect(0, middle - 0.4 * size, SWATCH_WIDTH, 0.8 * size, 1, stroke=0, fill=1)
        canvas.setStrokeColor(HexColor(self.line["stroke"]))
        canvas.setLineWidth(1.8)
        dashes = [0.6 * float(part) for part in self.line.get("stroke-dasharray", "").split()]
        if dashes:
            canvas.setDash(dashes)
        canvas.line(2, middle, SWATCH_WIDTH - 2, middle)
        canvas.restoreState()


def _cell(node: Node, *, head: bool, faint: bool) -> Any:
    left = "word" in node.classes or (node.tag == "th" and not head)
    style = _style(
        TABLE_SIZE,
        leading=1.28,
        colour=FAINT if head or faint else INK,
        bold=node.tag == "th",
        alignment=TA_LEFT if left else TA_RIGHT,
    )
    for swatch in node.nodes("svg"):
        return _Swatched(inline(node), style, swatch)
    return Paragraph(inline(node), style)


def _ready(raster: Any) -> Any:
    """A picture in memory as reportlab takes it."""
    import io

    buffer = io.BytesIO()
    raster.save(buffer, format="PNG", compress_level=1)
    buffer.seek(0)
    return buffer
