"""Plausible sets of deposits, drawn by seed, for the benchmarks."""

from __future__ import annotations

from typing import Final

import numpy as np

from thecal.anatomy.spine import Spine
from thecal.errors import InputError
from thecal.phantom.deposit_spec import FORMS, DepositSpec, Form
from thecal.terms import Compartment, Side

# Leaks are drawn evenly over the compartments rather than by their incidence, so that each is tested often.
LEAKS: Final[tuple[Compartment, ...]] = (
    "epidural",
    "intradural",
    "intradiscal",
    "foraminal",
    "paravertebral",
    "needle_track",
)
DRAWN: Final[dict[Compartment, tuple[Form, ...]]] = {
    **FORMS,
    "epidural": ("crescent", "recess", "basivertebral", "plexus"),
    "intradural": ("piece", "sheets"),
}
"""Forms that are drawn. The others are made on purpose to be mistaken for one another."""
SMALLEST_MM3: Final = 20.0
LARGEST_MM3: Final[dict[Compartment, float]] = {
    "epidural": 1200.0,
    "intradural": 600.0,
    "intradiscal": 1500.0,
    "foraminal": 400.0,
    "paravertebral": 1500.0,
    "needle_track": 350.0,
}
MOST_LEAKS: Final = 4
# Fill as a share of the body: about 15 % restores stiffness, 30 % overshoots (Liebschner 2001, Molloy 2003,
# both from memory); 2 mL restores strength (Belkoff 2001) and 4.5 mL leaks more than 3.7 (Venmans 2011).
FILL_SHARE: Final = (0.08, 0.32)
MOST_FILL_ML: Final = 7.0


def draw_case(
    spine: Spine, rng: np.random.Generator, *, levels: tuple[str, ...] | None = None
) -> tuple[DepositSpec, ...]:
    """Draw the fill of one vertebra (seldom two) and up to four leaks from it.

    Parameters
    ----------
    spine : Spine
        Complete vertebrae of it are candidates; those whose level is unknown go by ``#id``.
    rng : Generator
    levels : tuple of str, optional
        Restrict the candidates.

    Raises
    ------
    InputError
        Where no vertebra is complete.
    """
    names = [v.level or f"#{v.id}" for v in spine.vertebrae if v.complete]
    if levels is not None:
        names = [n for n in names if n in levels]
    if not names:
        raise InputError("No complete vertebra to put cement in")
    treated = [names[int(rng.integers(len(names)))]]
    if len(names) > 2 and rng.random() < 0.15:
        other = names[int(rng.integers(len(names)))]
        treated = list(dict.fromkeys([*treated, other]))
    specs: list[DepositSpec] = []
    for level in treated:
        side: Side | None = "midline" if rng.random() < 0.7 else None
        vertebra = next(v for v in spine.vertebrae if (v.level or f"#{v.id}") == level)
        body_ml = float(spine.body_mask(vertebra).sum()) * spine.grid.voxel_mm3 / 1000.0
        fill = min(MOST_FILL_ML, body_ml * float(rng.uniform(*FILL_SHARE)))
        specs.append(DepositSpec("intravertebral", level, fill, side))
    for _ in range(int(rng.integers(0, MOST_LEAKS + 1))):
        compartment = LEAKS[int(rng.integers(len(LEAKS)))]
        forms = DRAWN[compartment]
        form = forms[int(rng.integers(len(forms)))]
        low, high = np.log(SMALLEST_MM3), np.log(LARGEST_MM3[compartment])
        volume = float(np.exp(rng.uniform(low, high))) / 1000.0
        sides: tuple[Side | None, ...] = ("left", "right", None)
        chosen = sides[int(rng.integers(len(sides)))]
        size = None
        if form == "piece":
            # Proportions of the founding paper's piece, 8 x 4 mm, scaled to the volume.
            scale = (volume * 1000.0 / 120.0) ** (1 / 3)
            size = (8.0 * scale, 4.0 * scale, 6.5 * scale)
        specs.append(
            DepositSpec(
                compartment, treated[int(rng.integers(len(treated)))], volume, chosen, form, size_mm=size
            )
        )
    # The same kind twice in one place would be one deposit.
    unique = {(s.compartment, s.level, s.form): s for s in specs}
    return tuple(unique.values())
