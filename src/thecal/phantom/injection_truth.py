"""What is true of each picture of a simulated injection, and what a perfect reader could see on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import ndimage

from thecal.fluoro.projection.line_integrals import FloatImage
from thecal.fluoro.projection.spectrum import beam
from thecal.fluoro.projection.view import Pose, View
from thecal.phantom.cement_flow import Flow
from thecal.phantom.fluoro_scene import within
from thecal.phantom.fluoroscope import Fluoroscope
from thecal.volume import BoolArray

VISIBLE_SIGMA: Final = 3.0
"""A pixel of about a mm shows cement where its contrast is so many standard deviations of the quanta's noise
in one picture."""
READER_MM: Final = 1.0
"""The eye takes a patch of this size together (at the vertebra)."""
OWN_SHADOW_MM: Final = 0.3
"""Cement is seen where rays pass less than this through other cement, and none of the needle."""
PATIENT_MM: Final = 200.0
"""Soft tissue that has hardened the beam before it shows cement."""
THIRD: Final = 1.0 / 3.0


@dataclass(frozen=True)
class FrameTruth:
    """One picture.

    Attributes
    ----------
    number : int
    time_s : float
    injected_ml : float
        Cement out of the needle.
    front : float or None
        Depth of the hindmost cement in the body: 0 at the posterior wall, 1 at the anterior.
    behind_third_ml, behind_quarter_ml : float
        Cement in the body within its posterior third, and quarter.
    canal_ml : float
    canal_visible_ml : float
        What of it a perfect reader could see on this picture: outside the body's outline, outside other
        cement's and the needle's shadow, where its contrast exceeds ``VISIBLE_SIGMA``.
    outside_ml : float
        Cement outside body and canal.
    """

    number: int
    time_s: float
    injected_ml: float
    front: float | None
    behind_third_ml: float
    behind_quarter_ml: float
    canal_ml: float
    canal_visible_ml: float
    outside_ml: float


class Reader:
    """Counts the truth of each picture."""

    def __init__(self, flow: Flow, scope: Fluoroscope, view: View) -> None:
        self._flow, self._scope, self._view = flow, scope, view
        held = np.isfinite(flow.arrival_s)
        self._ml = flow.share[held] * flow.voxel_ml
        self._arrival = flow.arrival_s[held]
        self._depth = flow.depth_share()[held]
        self._body, self._canal = flow.body[held], flow.canal[held] & ~flow.body[held]

    def truth(
        self, number: int, time_s: float, pose: Pose, steel_mm: FloatImage, through: FloatImage, gain: float
    ) -> FrameTruth:
        """The truth of one picture; ``through`` and ``gain`` as `primary` and `Display.show` give them."""
        now = self._arrival <= time_s
        body = now & self._body
        ml = self._ml
        canal_ml = float(ml[now & self._canal].sum())
        return FrameTruth(
            number=number,
            time_s=round(time_s, 4),
            injected_ml=float(ml[now].sum()),
            front=float(self._depth[body].min()) if body.any() else None,
            behind_third_ml=float(ml[body & (self._depth < THIRD)].sum()),
            behind_quarter_ml=float(ml[body & (self._depth < 0.25)].sum()),
            canal_ml=canal_ml,
            canal_visible_ml=self._visible_ml(time_s, pose, steel_mm, through, gain) if canal_ml else 0.0,
            outside_ml=float(ml[now & ~self._body & ~self._canal].sum()),
        )

    def _visible_ml(
        self, time_s: float, pose: Pose, steel_mm: FloatImage, through: FloatImage, gain: float
    ) -> float:
        flow = self._flow
        held = flow.at(time_s)
        inner = flow.canal & ~flow.body
        view = self._view.of_moved(pose)
        leak = within(np.where(inner, held, np.float32(0.0)), flow.grid, view)
        other = within(np.where(inner, np.float32(0.0), held), flow.grid, view)
        outline = within(flow.body.astype(np.float32), flow.grid, view) > 0.5
        per_mm = contrast_per_mm(self._scope)
        size = self._view.along_row @ self._view.along_row
        scale = self._view.magnification(flow.frame.origin)
        pixel_mm = float(np.sqrt(size)) / scale
        quanta = through * gain * (1.0 + self._scope.scatter) * 4.0 * (READER_MM / pixel_mm) ** 2
        seen_share = 1.0 / (1.0 + self._scope.scatter)
        smooth = ndimage.uniform_filter(leak, max(1, round(READER_MM / pixel_mm)))
        contrast = (1.0 - np.exp(-per_mm * smooth)) * seen_share
        clear: BoolArray = (
            (contrast * np.sqrt(np.maximum(quanta, 1e-6)) > VISIBLE_SIGMA)
            & ~outline
            & (other < OWN_SHADOW_MM)
            & (steel_mm <= 0.0)
        )
        return float(leak[clear].sum() * pixel_mm**2 / 1000.0)


def contrast_per_mm(scope: Fluoroscope) -> float:
    """Attenuation of a mm of cement in place of marrow, to the beam that has come through a patient."""
    rays = beam(scope.kv)
    left = rays.signal * np.exp(-rays.per_mm["soft"] * PATIENT_MM)
    more = scope.contrast * rays.per_mm["cement"] - rays.per_mm["soft"]
    return float(left @ more / left.sum())
