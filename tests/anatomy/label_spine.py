"""A spine of simple solids for the tests of this folder: its HU, its labels and the truth behind them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thecal.volume import Grid, Volume

BODY_HALF_WIDTH, BODY_HALF_DEPTH, BODY_HEIGHT, DISC = 20.0, 15.0, 24.0, 8.0
CANAL_HALF_WIDTH, CANAL_HALF_DEPTH = 11.0, 8.0
SEGMENT = BODY_HEIGHT + DISC


@dataclass
class LabelSpine:
    volume: Volume
    labels: np.ndarray
    centres: list[np.ndarray]  # of the bodies, LPS mm, caudal first


def label_spine(
    ids: list[int],
    *,
    spacing: float = 1.5,
    ribs: tuple[int, ...] = (),
    sacrum: bool = False,
    canal: bool = True,
    seed: int = 0,
) -> LabelSpine:
    """Vertebrae ``ids`` caudal to cranial on a straight canal along z through x = y = 0."""
    below = 70.0 if sacrum else 14.0
    low = np.array([-85.0, -55.0, -below])
    high = np.array([85.0, 50.0, len(ids) * SEGMENT + 6.0])
    shape = tuple(int(n) for n in np.floor((high - low)[::-1] / spacing))
    affine = np.eye(4)
    affine[:3, :3] = np.diag([spacing] * 3)[:, ::-1]
    affine[:3, 3] = low
    grid = Grid(shape, affine)
    index = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), axis=-1)
    x, y, z = np.moveaxis(grid.to_lps(index), -1, 0)
    labels = np.zeros(shape, np.uint16)
    hu = np.full(shape, 50.0)
    in_canal = (x / CANAL_HALF_WIDTH) ** 2 + (y / CANAL_HALF_DEPTH) ** 2 <= 1
    ring = ((x / (CANAL_HALF_WIDTH + 6)) ** 2 + (y / (CANAL_HALF_DEPTH + 6)) ** 2 <= 1) & ~in_canal
    body_y = -CANAL_HALF_DEPTH - BODY_HALF_DEPTH
    centres = []
    for i, name in enumerate(ids):
        centre = np.array([0.0, body_y, i * SEGMENT + BODY_HEIGHT / 2])
        centres.append(centre)
        w = z - centre[2]
        body = ((x / BODY_HALF_WIDTH) ** 2 + ((y - body_y) / BODY_HALF_DEPTH) ** 2 <= 1) & (
            np.abs(w) <= BODY_HEIGHT / 2
        )
        body |= (np.abs(x) <= 14) & (y > body_y) & (y <= -CANAL_HALF_DEPTH) & (np.abs(w) <= BODY_HEIGHT / 2)
        pedicle = ring & (np.abs(x) > 9) & (w > -2) & (w < 11) & (y > -CANAL_HALF_DEPTH - 4)
        lamina = ring & (y > 3) & (np.abs(w) <= 11)
        spinous = (np.abs(x) <= 3) & (y > CANAL_HALF_DEPTH) & (y < 38) & (np.abs(w + 3) <= 9)
        process = (np.abs(x) > 13) & (np.abs(x) <= 40) & (np.abs(y - 2) <= 4) & (np.abs(w - 4) <= 5)
        bone = (body | pedicle | lamina | spinous | process) & ~in_canal
        labels[bone & (labels == 0)] = name
        hu[bone] = 260.0
        if name in ribs:
            rib = (
                (np.abs(x) > 38)
                & (np.abs(x) <= 84)
                & (np.abs(y - 2 - 0.2 * (np.abs(x) - 38)) <= 4)
                & (np.abs(w - 4 + 0.4 * (np.abs(x) - 38)) <= 5)
            )
            hu[rib] = 300.0
    if sacrum:
        wide = np.where(z < 0, 50.0 + 0.2 * z, 0.0)
        mass = (np.abs(x) <= wide) & (np.abs(y + 10) <= 20) & (z <= -DISC) & ~in_canal
        joint = (np.abs(x) > wide + 1) & (np.abs(x) <= wide + 4)
        ilium = (np.abs(x) > wide + 4) & (np.abs(x) <= wide + 20) & (np.abs(y + 10) <= 30) & (z <= 5)
        hu[mass] = 240.0
        hu[ilium & ~joint & (z < 0)] = 350.0
        labels[mass] = 26
    if canal:
        labels[in_canal & (labels == 0)] = 61
        labels[((x / 8.5) ** 2 + (y / 6.0) ** 2 <= 1) & (labels == 61)] = 60
    hu[in_canal] = 20.0
    hu += np.random.default_rng(seed).normal(0, 10, shape)
    return LabelSpine(Volume.from_array(np.rint(hu), grid), labels, centres)
