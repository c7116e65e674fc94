"""Strength as doctors write it, and its number.

The MRC scale has six grades, 0 to 5; doctors divide them further with + and −. What was written is kept
verbatim. Beside it stands a number by a **convention of this program**: a plus is a third of a grade more
and a minus a third less, so that 4+ is 4.33 and 4− is 3.67. The number orders grades and draws curves;
distances between grades mean nothing, and statistics use the order alone (`GradeRead.rank`).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from thecal.errors import InputError

THIRD: Final = 1.0 / 3.0
"""What a plus adds and a minus takes, in grades; rounded to hundredths, as it is shown."""
CONVENTION: Final = (
    "A plus counts as a third of a grade more and a minus as a third less (4+ is 4.33, 4- is 3.67): a "
    "convention of this program. Tests use the order of the grades, never these distances."
)
GRADES: Final[tuple[str, ...]] = (
    *("0", "1-", "1", "1+", "2-", "2", "2+", "3-", "3", "3+", "4-", "4", "4+", "5-", "5"),
)
"""Every grade, weakest first. 0 is divided no further, and nothing is more than 5."""
ROMAN: Final = {"I": "1", "II": "2", "III": "3", "IV": "4", "V": "5"}
LONGEST: Final = 40
"""Characters; a sentence about a grade repeats no more of what was written, for it may be anything."""
_DIGIT: Final = r"[0-5]|IV|V|I{1,3}"
_ONE: Final = re.compile(
    rf"(?:MRC|GRADE|M|肌力)?\s*(?P<digit>{_DIGIT})(?:\.0+)?\s*(?P<sign>[+-]?)\s*(?:/\s*(?:5|V)(?:\.0+)?|级|級)?"
)
_PAIR: Final = re.compile(r"(?P<left>[^/]+)/(?P<right>[^/]+)")
_DASHES: Final = str.maketrans(dict.fromkeys("‐‑‒–—−﹣－", "-") | {"﹢": "+", "＋": "+"})


@dataclass(frozen=True)
class GradeRead:
    """One grade.

    Attributes
    ----------
    as_written : str
        Verbatim, without the blanks around it.
    grade : str
        The same in this program's writing, one of ``GRADES``.
    """

    as_written: str
    grade: str

    @property
    def value(self) -> float:
        """The grade as a number by the convention of this module: 4+ is 4.33 and 4− is 3.67."""
        return _VALUES[self.grade]

    @property
    def rank(self) -> int:
        """Its place among ``GRADES``, weakest 0: what ordinal statistics use."""
        return GRADES.index(self.grade)


def one_grade(text: str) -> GradeRead:
    """Read one grade: "4", "4+", "4 −", "4/5", "4 +/5", "IV", "M3", "4级".

    A stroke followed by 5 is "of five". Two other grades about a stroke are left and right, and are refused
    here: see `left_right`.

    Raises
    ------
    InputError
        Where this is no grade, or not one.
    """
    written = text.strip()
    plain = _plain(written)
    found = _ONE.fullmatch(plain)
    if found is None:
        pair = _PAIR.fullmatch(plain)
        if pair and all(_ONE.fullmatch(side.strip()) for side in pair.groups()):
            raise InputError(
                f"{_short(written)} is two grades, left and right: give each its own, or say that the column "
                "is left/right"
            )
        raise InputError(
            f"{_short(written)} is no grade of strength: 0 to 5, with + or - where it was written"
        )
    digit = ROMAN.get(found["digit"], found["digit"])
    grade = digit + found["sign"]
    if grade not in GRADES:
        raise InputError(f"{_short(written)} is no grade of strength: the scale ends at 0 and at 5")
    return GradeRead(written, grade)


def left_right(text: str) -> tuple[GradeRead, GradeRead]:
    """Read two grades written left/right, as Table 1 of the founding paper prints them ("5/2").

    "4/5" is left 4 and right 5 here, and four of five for `one_grade`: only who wrote the column knows.

    Raises
    ------
    InputError
        Where these are not two grades.
    """
    written = text.strip()
    pair = _PAIR.fullmatch(written.replace("／", "/"))
    if pair is None:
        raise InputError(f"{_short(written)} is not two grades written left/right, like 5/2")
    return one_grade(pair["left"]), one_grade(pair["right"])


def grade_value(text: str) -> float:
    """The number of one grade by the convention of this module: 4+ is 4.33 and 4− is 3.67.

    Raises
    ------
    InputError
        Where this is no grade, or not one.
    """
    return one_grade(text).value


def _plain(written: str) -> str:
    """Superscripts, full-width and Roman figures as plain letters; every dash a minus; capitals."""
    return unicodedata.normalize("NFKC", written.translate(_DASHES)).translate(_DASHES).upper().strip()


def _short(written: str) -> str:
    return repr(written if len(written) <= LONGEST else written[: LONGEST - 1] + "…")


_VALUES: Final = {
    grade: round(int(grade[0]) + {"": 0.0, "+": THIRD, "-": -THIRD}[grade[1:]], 2) for grade in GRADES
}
