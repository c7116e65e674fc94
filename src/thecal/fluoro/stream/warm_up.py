"""All that a watch computes, once, before it looks at a patient: afterwards no picture waits for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from thecal.fluoro.frame import Frame
from thecal.fluoro.projection.line_integrals import FloatImage, line_integrals
from thecal.fluoro.projection.view import View
from thecal.fluoro.sources.arrival import SourceGeometry
from thecal.fluoro.stream.options import WatchOptions
from thecal.fluoro.stream.planned_model import PlannedModel
from thecal.fluoro.stream.standing import USUAL, standing
from thecal.fluoro.target import Target

PICTURES: Final = 48
RATE_HZ: Final = 7.5
PER_MM: Final = 0.02
"""Attenuation of water at some 60 keV, 1/mm (from memory); only the look of a picture depends on it."""
BRIGHT: Final = 3500.0
NOISE: Final = 12.0


def warm_up(target: Target, options: WatchOptions, geometry: SourceGeometry | None) -> None:
    """Let a picture model of its own read pictures that are drawn from the CT; cement comes into the last.

    Numba compiles or loads on the way, a minute the very first time and seconds later. What is read is
    thrown away.
    """
    # Its own pictures are not mirrored, and have the body in their middle: what was clicked on the patient's
    # may lie outside them.
    options = replace(options, flip=False, at=None, walls=None)
    if geometry is None and options.view is None and options.primary_deg is None:
        options = replace(options, view="lateral")
    shape = USUAL.shape if geometry is None else geometry.shape
    view = standing(target, options, geometry, shape).view
    plain, row, column = _drawn(target, view)
    model = PlannedModel(target, options, geometry)
    dice = np.random.default_rng(0)
    for number in range(PICTURES):
        grown = max(number - 2 * PICTURES // 3, 0)
        picture = plain + dice.normal(0.0, NOISE, shape).astype(np.float32)
        picture[row - grown : row + grown, column - grown : column + grown] *= 0.6
        pixels = np.clip(picture, 0.0, 4095.0).astype(np.uint16)
        model.see(Frame(number, number / RATE_HZ, pixels))


def _drawn(target: Target, view: View) -> tuple[FloatImage, int, int]:
    """A picture of the CT without noise, and where the body's middle is drawn on it."""
    water = np.clip(np.asarray(target.hu, np.float32) / 1000.0 + 1.0, 0.0, None)
    through = np.exp(-PER_MM * line_integrals(water, target.grid, view))
    picture = BRIGHT * through / max(float(np.percentile(through, 90.0)), 1e-9)
    middle = target.frame.to_lps((0.0, 0.5 * target.depth_mm, 0.0))
    row, column = (int(v) for v in np.clip(view.project(middle), 0, np.array(view.shape) - 1))
    return picture.astype(np.float32), row, column
