"""Sizes of the vertebrae by level, from the literature.

Each column says where it is from. "From memory" marks figures that were not checked against the paper; they
shape a phantom and are no finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from thecal.terms import USUAL_ORDER


@dataclass(frozen=True)
class LevelSize:
    """Mean adult size of one level (mm, degrees), both sexes."""

    body_width: float
    body_depth: float
    body_height: float
    canal_width: float
    canal_ap: float
    pedicle_width: float
    pedicle_height: float
    pedicle_angle: float
    disc_below: float
    tilt: float
    """Forward lean of the cranial axis, supine, degrees: the sagittal profile."""


# Body width: T1-T12 Panjabi 1991, from memory; L1-L5 between Panjabi 1992 and Yadav 2020 (CT, n = 302).
# Depth: Panjabi, from memory. Posterior height: Panjabi 1991 text, 14.3 mm at T1, 0.8 mm a level to T12;
# L1-L5 Panjabi 1992. Canal: T1-T10 Panjabi 1991, from memory; T11-T12 Panjabi 1991 Table 4; L1-L5 between
# Panjabi 1992 and Griffith 2016 (CT, n = 1080). Pedicles: Zindrick 1987, from memory but for the lumbar
# widths; T4, T5 as Kaur 2016 and Kim 2009. Disc heights and the sagittal profile: from memory.
_TABLE: Final[dict[str, tuple[float, ...]]] = {
    "T1": (24.5, 18.5, 14.3, 21.8, 16.0, 8.6, 9.9, 27.0, 4.0, 26.0),
    "T2": (24.9, 19.6, 15.1, 19.5, 15.6, 7.0, 12.0, 19.0, 4.0, 26.0),
    "T3": (24.6, 22.7, 15.9, 18.0, 15.5, 5.6, 12.4, 17.0, 4.0, 24.0),
    "T4": (24.5, 23.3, 16.6, 17.0, 15.5, 4.6, 12.1, 14.0, 4.0, 20.0),
    "T5": (24.9, 24.3, 17.4, 17.0, 15.4, 4.5, 11.9, 13.0, 4.0, 15.0),
    "T6": (26.2, 26.0, 18.1, 17.0, 15.4, 5.2, 12.2, 10.0, 4.2, 10.0),
    "T7": (27.8, 27.4, 18.9, 17.0, 15.4, 5.3, 12.1, 10.0, 4.4, 5.0),
    "T8": (29.5, 27.9, 19.6, 18.0, 15.4, 5.9, 12.5, 10.0, 4.6, 0.0),
    "T9": (30.6, 29.3, 20.4, 18.0, 15.5, 6.1, 13.4, 8.0, 4.8, -4.0),
    "T10": (32.0, 29.8, 21.1, 18.2, 15.5, 6.3, 14.4, 5.0, 5.2, -8.0),
    "T11": (35.0, 30.2, 21.8, 19.4, 16.0, 7.8, 16.2, 1.0, 6.0, -11.0),
    "T12": (38.0, 30.8, 22.7, 21.6, 16.9, 7.6, 15.6, -4.0, 7.0, -13.0),
    "L1": (40.0, 31.8, 23.8, 22.0, 16.8, 8.0, 15.2, 9.0, 8.2, -13.0),
    "L2": (42.0, 33.0, 24.3, 22.2, 16.2, 8.5, 15.0, 11.0, 9.4, -10.0),
    "L3": (43.8, 33.8, 24.3, 23.0, 15.8, 9.9, 14.9, 14.0, 10.4, -4.0),
    "L4": (46.0, 34.4, 24.1, 24.4, 16.2, 12.4, 14.8, 18.0, 11.0, 6.0),
    "L5": (48.0, 34.4, 23.4, 27.4, 17.8, 16.5, 14.0, 27.0, 9.8, 21.0),
    "sacrum": (50.0, 32.0, 26.0, 30.0, 16.0, 18.0, 14.0, 0.0, 0.0, 38.0),
}
LEVELS_MODELLED: Final[tuple[str, ...]] = tuple(_TABLE)

WOMEN_SCALE: Final = 0.95
MEN_SCALE: Final = 1.03


def mean_size(level: str) -> LevelSize:
    """Mean adult size of a level (T1..L5, sacrum: its first segment)."""
    return LevelSize(*_TABLE[level])


def levels_between(first: str, last: str) -> tuple[str, ...]:
    """Levels from the cranial to the caudal one, both included, in cranial to caudal order."""
    order = (*USUAL_ORDER, "sacrum")
    a, b = order.index(first), order.index(last)
    return order[min(a, b) : max(a, b) + 1]


def trabecular_hu_mean(age_years: float) -> float:
    """Mean HU of L1 trabecular bone at 120 kV.

    A line between 226 HU under 30 y and 89 HU at 90 y and over (Jang 2019, doi 10.1148/radiol.2019181648);
    the spread between persons is about 40 HU.
    """
    return float(np.interp(age_years, [25.0, 92.0], [226.0, 89.0]))
