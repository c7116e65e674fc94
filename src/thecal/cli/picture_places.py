"""Places and parts of a picture as they are written on the command line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from thecal.errors import InputError

if TYPE_CHECKING:
    from thecal.fluoro.sources.cropped import Part

EXAMPLE = {"--at": "--at 240,310", "--walls": "--walls 240,340 238,260"}


def place(option: str, text: str | None) -> tuple[float, float] | None:
    """Row and column.

    Raises
    ------
    InputError
        Where a text is no two numbers.
    """
    if text is None:
        return None
    try:
        row, column = (float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(f"{option} takes rows and columns, as in {EXAMPLE[option]}") from error
    if not (math.isfinite(row) and math.isfinite(column)):
        raise InputError(f"{option} takes rows and columns, as in {EXAMPLE[option]}")
    return row, column


def walls(texts: tuple[str, str] | None, at: str | None) -> tuple[float, float, float, float] | None:
    """Row and column of the posterior wall, then of the anterior."""
    if texts is None:
        return None
    if at is not None:
        raise InputError("--at and --walls say the same: give one of them")
    places = [place("--walls", text) for text in texts]
    (back, front) = [one for one in places if one is not None]
    return (*back, *front)


def part_of_picture(text: str | None) -> Part | None:
    """First row and column, rows and columns."""
    from thecal.fluoro.sources.cropped import Part

    if text is None:
        return None
    try:
        row, column, rows, columns = (int(number) for number in text.split(","))
    except ValueError as error:
        raise InputError(
            "--crop takes first row, first column, rows and columns, as in --crop 40,300,1000,1000"
        ) from error
    return Part(row, column, rows, columns)
