"""Elements of a DICOM dataset as plain values; None or empty where they are absent or malformed."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from pydicom.errors import BytesLengthException

from thecal.volume import FloatArray

# All that pydicom raises on bytes that are not DICOM where they should be, found by damaging files at random.
MALFORMED: Final = (
    BytesLengthException,  # a length that does not fit the type
    ValueError,  # a character set that is none
    TypeError,  # a character set that is a number
    NotImplementedError,  # a type that DICOM does not have
    OverflowError,  # a whole number of "1e400"
    OSError,  # a sequence without items
    struct.error,  # an item that ends within its first bytes
    IndexError,  # a Japanese name that ends within a character
    RecursionError,  # sequences nested a thousand deep
)


def value_of(dataset: Any, keyword: str | int) -> Any:
    """An element's value; None where it is absent, empty or not what its type allows.

    By its tag, for what has no keyword, the element itself.
    """
    try:
        value = dataset.get(keyword)
    except MALFORMED:
        return None
    return None if value is None or value == "" else value


def many(value: Any) -> Iterable[Any]:
    """A value as what it holds, one or several."""
    return [value] if isinstance(value, str) or not hasattr(value, "__iter__") else value


def items_of(dataset: Any, keyword: str) -> list[Any]:
    """The items of a sequence; none where it is absent or no sequence."""
    from pydicom.sequence import Sequence

    value = value_of(dataset, keyword)
    return list(value) if isinstance(value, Sequence) else []


def text_of(dataset: Any, keyword: str) -> str:
    """An element as text, empty where it is absent."""
    value = value_of(dataset, keyword)
    return "" if value is None else str(value).strip().strip("\0")


def words_of(dataset: Any, keyword: str, *, upper: bool = True) -> tuple[str, ...]:
    """An element of several values as words."""
    value = value_of(dataset, keyword)
    words = [] if value is None else [str(word).strip() for word in many(value)]
    return tuple(word.upper() if upper else word for word in words if word)


def as_number(value: Any) -> float | None:
    """A finite number; None where the value is none."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if np.isfinite(number) else None


def as_integer(value: Any) -> int | None:
    """A whole number; None where the value is no number."""
    number = as_number(value)
    return None if number is None else int(number)


def number_of(dataset: Any, keyword: str) -> float | None:
    """An element's first value as a number."""
    value = value_of(dataset, keyword)
    return as_number(next(iter(many(value)), None)) if value is not None else None


def integer_of(dataset: Any, keyword: str) -> int | None:
    """An element's first value as a whole number."""
    number = number_of(dataset, keyword)
    return None if number is None else int(number)


def as_vector(value: Any, size: int) -> FloatArray | None:
    """A value of so many numbers; None where it is anything else."""
    if value is None:
        return None
    numbers = [as_number(part) for part in many(value)]
    if len(numbers) != size or any(number is None for number in numbers):
        return None
    return np.array(numbers, float)
