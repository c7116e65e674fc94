"""A fluoroscopic picture of a CT to which cement and needles are added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from thecal.fluoro.projection.detector import (
    Detector,
    Pixels,
    displayed,
    exposed,
    focus_blurred,
    scatter_of,
    shading_of,
)
from thecal.fluoro.projection.line_integrals import FloatImage, Method, line_integrals
from thecal.fluoro.projection.materials import Body, Material, Shadow
from thecal.fluoro.projection.spectrum import Beam, beam
from thecal.fluoro.projection.view import View

LIGHTER: Final = 0.1
DARKER: Final = 0.6
"""How much less and more attenuation than the patient's own is shown, powers of e: room for cement."""
MIDDLE: Final = 0.5
"""Side of the middle field of the detector that the dose is kept in, as a share."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A patient in one view before anything is added: computed once, shared by all frames.

    Attributes
    ----------
    view : View
    beam : Beam
    detector : Detector
    soft_mm, bone_mm : (rows, columns) float32
        Lengths of the rays in each material.
    scatter : (rows, columns) float32
        Share of the open beam.
    photons : float
        Of the open beam in a pixel, set as the C-arm's own control would: the wanted dose behind the middle.
    window : (float, float)
        Attenuation that is shown white, and black.
    passed : (rows, columns) float32
        Primary radiation, share of the open beam, sharp.
    magnification : float
        Of the patient's middle.
    shading : (rows, columns) float32
        What the display takes from the attenuation so that light and dark regions are both seen.
    """

    view: View
    beam: Beam
    detector: Detector
    soft_mm: FloatImage
    bone_mm: FloatImage
    scatter: FloatImage
    photons: float
    window: tuple[float, float]
    passed: FloatImage
    magnification: float
    shading: FloatImage


def scene(
    body: Body,
    view: View,
    *,
    kv: float = 80.0,
    detector: Detector | None = None,
    method: Method = "planes",
) -> Scene:
    """What a picture needs of the patient: two line integrals for each pixel, the rest is cheap.

    Parameters
    ----------
    body : Body
        From ``body_of``; for a patient who moves give ``view.of_moved(pose)``.
    view : View
    kv : float
        Tube voltage, 60 to 120.
    detector : Detector, optional
    method : see ``line_integrals``
    """
    own, rays = detector or Detector(), beam(kv)
    soft = line_integrals(body.soft, body.grid, view, method=method)
    bone = line_integrals(body.bone, body.grid, view, method=method)
    passed = rays.passed({"soft": soft, "bone": bone})
    pitch = float(np.linalg.norm(view.along_row))
    scatter = scatter_of(passed, own, pitch)
    rows, columns = (
        slice(int(n * (1 - MIDDLE) / 2), max(int(np.ceil(n * (1 + MIDDLE) / 2)), 1)) for n in passed.shape
    )
    middle = (passed + scatter)[rows, columns]
    wanted = own.dose_ngy * 1e-3 * rays.photons_per_mm2_ugy * pitch**2
    attenuation = -np.log(passed + scatter)
    shading = shading_of(attenuation, own, pitch)
    shown = (attenuation - shading)[rows, columns]
    window = float(np.percentile(shown, 1.0)) - LIGHTER, float(np.percentile(shown, 99.0)) + DARKER
    magnification = view.magnification(body.grid.to_lps((np.array(body.grid.shape) - 1) / 2))
    photons = wanted / float(middle.mean())
    return Scene(view, rays, own, soft, bone, scatter, photons, window, passed, magnification, shading)


def picture(seen: Scene, added: Sequence[Shadow] = (), *, seed: int = 0) -> Pixels:
    """One frame.

    Parameters
    ----------
    seen : Scene
    added : sequence of Shadow
        Cement and steel in the way, as ``shadow`` and ``rod_shadow`` give them for the scene's view. They
        take the place of soft tissue. Where two overlap both count.
    seed : int
        Of the noise: another for each frame.

    Returns
    -------
    (rows, columns) uint8 or uint16
        As displayed: dense things dark.
    """
    passed = seen.passed
    there = [one for one in added if one.mm.size]
    if there:
        passed = passed.copy()
        rows = slice(min(s.rows.start for s in there), max(s.rows.stop for s in there))
        columns = slice(min(s.columns.start for s in there), max(s.columns.stop for s in there))
        lengths: dict[Material, FloatImage] = {"bone": seen.bone_mm[rows, columns]}
        soft = seen.soft_mm[rows, columns].copy()
        for one in there:
            own = lengths.setdefault(one.material, np.zeros(soft.shape, np.float32))
            at = (
                slice(one.rows.start - rows.start, one.rows.stop - rows.start),
                slice(one.columns.start - columns.start, one.columns.stop - columns.start),
            )
            own[at] += one.mm
            soft[at] -= one.mm
        lengths["soft"] = np.maximum(soft, 0.0)
        passed[rows, columns] = seen.beam.passed(lengths)
    pitch = float(np.linalg.norm(seen.view.along_row))
    primary = focus_blurred(passed, seen.detector, seen.magnification, pitch)
    read = exposed(primary + seen.scatter, seen.photons, seen.detector, pitch, seed)
    return displayed(read, seen.photons, seen.shading, seen.window, seen.detector.bits)
