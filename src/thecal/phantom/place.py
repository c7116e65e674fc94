"""Putting deposits into a site, one after the other, and saying what is then true of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.phantom.deposit_spec import ORIGIN, DepositSpec, Point, TrueDeposit
from thecal.phantom.grow import Noise, nearest_first
from thecal.phantom.shapes import MAKERS
from thecal.phantom.site import Site, s_of
from thecal.terms import Side
from thecal.volume import FloatArray

# Forms that lie in one piece; the others are allowed several (sheets, the poles of a plexus).
_LOOSE = {"sheets", "plexus", "fill", "cast"}
_SIDES: dict[Side, int] = {"left": 1, "midline": 0, "right": -1}
_MIDLINE_MM = 2.0
# Share of a deposit that must lie at a level for it to be said to span it.
_SPANNED_SHARE = 0.05


def place_deposits(
    site: Site, specs: Sequence[DepositSpec], rng: np.random.Generator, cement_hu: float
) -> tuple[tuple[TrueDeposit, ...], dict[int, float]]:
    """Grow each deposit in its own compartment.

    ``site.cement`` is filled in place. A deposit whose compartment has no room is left out; one that
    finds less room than asked is smaller, and its truth says so.

    Returns
    -------
    deposits : tuple of TrueDeposit
    hu : {id: HU of its cement}
    """
    voxel = site.grid.voxel_mm3
    truths: list[TrueDeposit] = []
    hu: dict[int, float] = {}
    for spec in specs:
        child = np.random.default_rng(rng.integers(0, 2**63))
        vertebra = site.vertebra(spec.level)
        side = _SIDES[spec.side] if spec.side else int(child.integers(-1, 2))
        index, cost, breach = MAKERS[spec.shape](site, vertebra, side, spec, Noise(child), child)
        count = round(spec.volume_ml * 1000.0 / voxel)
        taken = nearest_first(index, cost, count, connected=spec.shape not in _LOOSE)
        if len(taken) * voxel < 2.0:
            continue
        number = len(truths) + 1
        site.cement[tuple(taken.T)] = number
        hu[number] = spec.hu or cement_hu
        truths.append(_truth(site, spec, number, taken, breach, hu[number]))
    return tuple(truths), hu


def _point(values: FloatArray) -> Point:
    return (round(float(values[0]), 2), round(float(values[1]), 2), round(float(values[2]), 2))


def _truth(
    site: Site,
    spec: DepositSpec,
    number: int,
    taken: npt.NDArray[np.intp],
    breach: FloatArray | None,
    hu: float,
) -> TrueDeposit:
    points = site.grid.to_lps(taken)
    vertebra = site.vertebra(spec.level)
    centroid = points.mean(0)
    extent = points.max(0) - points.min(0) + site.grid.spacing_mm[::-1]
    lateral = float(vertebra.frame.to_local(centroid)[0])
    side: Side = "midline" if abs(lateral) < _MIDLINE_MM else ("left" if lateral > 0 else "right")
    route, yeom = ORIGIN[spec.shape]
    low = taken.min(0)
    mask = np.zeros(taken.max(0) - low + 1, bool)
    mask[tuple((taken - low).T)] = True
    pieces = int(ndimage.label(mask, np.ones((3, 3, 3), bool))[1])
    return TrueDeposit(
        id=number,
        compartment=spec.compartment,
        level=spec.level,
        levels_spanned=levels_of(site, points),
        volume_ml=len(taken) * site.grid.voxel_mm3 / 1000.0,
        centroid_mm=_point(centroid),
        extent_mm=_point(extent),
        side=side,
        route=route,
        yeom=yeom,
        breach_mm=None if breach is None else _point(breach),
        form=spec.shape,
        hu=hu,
        pieces=pieces,
    )


def levels_of(site: Site, points: FloatArray) -> tuple[str, ...]:
    """Levels that points (m, 3) lie at, cranial first; a level reaches half-way to its neighbours."""
    vertebrae = site.spine.vertebrae
    s, _, _ = site.spine.canal.frame.locate(points[:: max(1, len(points) // 4000)])
    at = np.array([s_of(site.spine, v) for v in vertebrae])
    owner = np.searchsorted((at[1:] + at[:-1]) / 2, s)
    share = np.bincount(owner, minlength=len(vertebrae)) / len(s)
    names = [v.level or f"#{v.id}" for v in vertebrae]
    return tuple(names[i] for i in range(len(names) - 1, -1, -1) if share[i] >= _SPANNED_SHARE)
