"""How each level looks and sounds: its own colour, its own shape, its own word, its own tone.

Colours are those of Okabe and Ito (2008), told apart with any colour vision; none stands for a level alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from thecal.fluoro.reading import Level


@dataclass(frozen=True)
class LevelLook:
    """One level.

    Attributes
    ----------
    word : str
    colour, ink : str
        Of its field, and of what is written on it.
    shape : str
        SVG path within 100 x 100.
    beeps : tuple of (float, float, float)
        Tones as (begin s, length s, Hz), repeated every ``every_s``; none for ``ok``.
    every_s : float
    """

    word: str
    colour: str
    ink: str
    shape: str
    beeps: tuple[tuple[float, float, float], ...] = ()
    every_s: float = 0.0


LEVEL_LOOKS: Final[dict[Level, LevelLook]] = {
    "ok": LevelLook("OK", "#009E73", "#ffffff", "M50 8A42 42 0 1 1 49.9 8Z"),
    "near": LevelLook("NEAR", "#F0E442", "#000000", "M50 8L94 88H6Z", ((0.0, 0.12, 660.0),), 1.5),
    "stop": LevelLook(
        "STOP",
        "#D55E00",
        "#ffffff",
        "M32 6H68L94 32V68L68 94H32L6 68V32Z",
        ((0.0, 0.1, 880.0), (0.16, 0.1, 880.0), (0.32, 0.1, 880.0)),
        1.0,
    ),
    "leak": LevelLook(
        "LEAK",
        "#CC79A7",
        "#000000",
        "M50 4C62 28 84 46 84 64A34 32 0 0 1 16 64C16 46 38 28 50 4Z",
        ((0.0, 0.2, 1175.0), (0.25, 0.2, 784.0)),
        0.6,
    ),
    "lost": LevelLook(
        "LOST",
        "#ffffff",
        "#000000",
        "M20 6L50 36L80 6L94 20L64 50L94 80L80 94L50 64L20 94L6 80L36 50L6 20Z",
        ((0.0, 0.35, 220.0),),
        1.0,
    ),
}
CANAL_LOOK: Final = LevelLook(
    "CANAL LEAK",
    "#CC79A7",
    "#000000",
    "M50 4C62 28 84 46 84 64A34 32 0 0 1 16 64C16 46 38 28 50 4ZM44 40H56V62H44ZM44 70H56V82H44Z",
    ((0.0, 0.09, 1568.0), (0.11, 0.09, 784.0), (0.22, 0.09, 1568.0), (0.33, 0.09, 784.0)),
    0.45,
)
"""Of ``leak``, where cement is on the canal's side."""
OUTLINE_COLOURS: Final[dict[str, str]] = {
    "body": "#56B4E9",
    "posterior wall": "#D55E00",
    "posterior third": "#E69F00",
    "posterior quarter": "#E69F00",
    "front": "#F0E442",
    "needle": "#ffffff",
    "leak": "#CC79A7",
}
OTHER_OUTLINE: Final = "#009E73"
NOT_CLEARED: Final = (
    "OK says only that no cement is seen where it must not be: many leaks do not show on fluoroscopy."
)
"""By each picture: people saw 21 % of epidural leaks (Palm 2018, doi 10.1055/s-0038-1641734, abstract)."""
