"""Places and parts of a picture on the command line are read, or refused in one sentence."""

from __future__ import annotations

import pytest

from thecal.cli.picture_places import part_of_picture, place, walls
from thecal.errors import InputError


def test_a_part_of_a_filmed_screen_is_first_row_and_column_then_how_many() -> None:
    part = part_of_picture("40,300,1000,900")
    assert part is not None
    assert (part.row, part.column, part.rows, part.columns) == (40, 300, 1000, 900)
    assert part_of_picture(None) is None


@pytest.mark.parametrize("text", ["40,300", "a,b,c,d", "1,2,3.5,4", ""])
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="--crop takes"):
        part_of_picture(text)


def test_walls_are_rows_and_columns_of_both() -> None:
    assert walls(("240,340", "238,260"), None) == (240.0, 340.0, 238.0, 260.0)
    with pytest.raises(InputError, match="give one of them"):
        walls(("240,340", "238,260"), "1,2")


@pytest.mark.parametrize("text", ["nan,3", "3", "3;4"])
def test_a_place_that_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="--at takes rows and columns"):
        place("--at", text)
