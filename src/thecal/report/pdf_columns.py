"""How wide the columns of a table are: each holds its longest word, the rest goes where words are many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def column_widths(rows: Sequence[Sequence[Any]], width: float, padding: float) -> list[float]:
    """Widths of a table's columns, points.

    Parameters
    ----------
    rows : (n, m) sequence of reportlab paragraphs
    width : float
        Of the whole table, points.
    padding : float
        At both sides of a cell together, points.

    Returns
    -------
    list of float
        That fill ``width``. Each column gets what its longest word needs; what is left is shared by how much
        more its longest line would take.
    """
    columns = list(zip(*rows, strict=True))
    least = [
        max(cell.minWidth() + cell.style.leftIndent for cell in column) + padding + 0.5 for column in columns
    ]
    most = [max(max(_line_widths(cell)) for cell in column) + padding + 0.5 for column in columns]
    left = width - sum(least)
    if left <= 0:
        return [width * narrow / sum(least) for narrow in least]
    wants = [max(wide - narrow, 0.0) for wide, narrow in zip(most, least, strict=True)]
    if sum(wants) <= left:
        spare = (left - sum(wants)) / len(columns)
        return [narrow + want + spare for narrow, want in zip(least, wants, strict=True)]
    return [narrow + left * want / sum(wants) for narrow, want in zip(least, wants, strict=True)]


def _line_widths(cell: Any) -> list[float]:
    """How wide each line of a cell would be if only its own breaks broke it."""
    cell.wrap(1e6, 1e6)
    indent = cell.style.leftIndent
    return [indent + float(width) for width in cell.getActualLineWidths0()] or [0.0]
