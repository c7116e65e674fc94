"""The vertebra's parts on the picture: what each pixel's ray meets, and how deep in the vertebra it lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from thecal.anatomy.spine import Part, disc_mask
from thecal.fluoro.front.log_picture import FloatImage
from thecal.fluoro.projection.line_integrals import line_integrals
from thecal.fluoro.projection.view import View
from thecal.fluoro.target import Target
from thecal.volume import BoolArray, FloatArray

Toward = Literal["lateral", "ap", "other"]
EDGE_MM: Final = 1.0
"""A ray is within a part where it runs this far in it."""


@dataclass(frozen=True, eq=False)
class Regions:
    """What the rays of a (binned) picture meet.

    Attributes
    ----------
    view : View
        Of the vertebra as in the CT.
    body_mm, vertebra_mm, canal_mm, foramen_mm, above_mm, below_mm : (rows, columns) float32
        Length of each ray within the body, the whole vertebra, the canal, the foramina, the discs.
    depth_mm : (rows, columns) float64
        Where the ray meets the vertebra's mid-sagittal plane (lateral view) or the frontal plane through the
        body's middle (AP view): mm in front of the posterior wall, in the vertebra's frame. Not a number on
        AP views.
    left_mm, up_mm : (rows, columns) float64
        The same to the left and towards the head; ``left_mm`` is not a number on lateral views.
    pixel_mm : float
        Side of a pixel at the vertebra.
    toward : "lateral", "ap" or "other"
    """

    view: View
    body_mm: FloatImage
    vertebra_mm: FloatImage
    canal_mm: FloatImage
    foramen_mm: FloatImage
    above_mm: FloatImage
    below_mm: FloatImage
    depth_mm: FloatArray
    left_mm: FloatArray
    up_mm: FloatArray
    pixel_mm: float
    toward: Toward

    @property
    def body(self) -> BoolArray:
        """Pixels whose rays meet the body."""
        mask: BoolArray = self.body_mm > EDGE_MM
        return mask


LATERAL_DEG: Final = 20.0
"""A view is lateral (or AP) where its middle ray lies so near the vertebra's left (or anterior) axis."""
TILTED_DEG: Final = 35.0
"""On AP views a vertebra may be tilted forward or back so far: its pedicles are still told apart."""


def toward(target: Target, view: View) -> Toward:
    """Whether a view of the vertebra is lateral, AP (or PA) or neither."""
    middle = target.frame.to_lps([0.0, 0.5 * target.depth_mm, 0.0])
    ray = (middle - view.source) / np.linalg.norm(middle - view.source)
    limit = np.cos(np.radians(LATERAL_DEG))
    if abs(ray @ target.frame.left) > limit:
        return "lateral"
    anterior, left = abs(float(ray @ target.frame.anterior)), float(ray @ target.frame.left)
    across = anterior > limit * float(np.hypot(anterior, left))
    return "ap" if across and anterior > np.cos(np.radians(TILTED_DEG)) else "other"


def regions(target: Target, view: View) -> Regions:
    """The regions of a view (of the vertebra at rest in the CT; see ``View.of_moved``)."""
    which = toward(target, view)
    body = target.body()
    whole = target.labels == target.vertebra_id
    up = _up_of(target)
    discs = disc_mask(target.labels)
    near = np.abs(up) < NEAR_MM
    masks = (
        body,
        whole,
        target.canal(),
        target.parts == Part.FORAMEN,
        discs & (up > 0) & near,
        discs & (up < 0) & near,
    )
    in_body, in_vertebra, in_canal, in_foramen, above, below = (_length(m, target, view) for m in masks)
    rows, columns = np.indices(view.shape)
    pixels = np.stack([rows, columns], axis=-1)
    frame = target.frame
    middle = frame.to_lps([0.0, 0.5 * target.depth_mm, 0.0])
    normal = frame.anterior if which == "ap" else frame.left
    local = frame.to_local(view.on_plane(pixels, middle, normal))
    unknown = np.full(view.shape, np.nan)
    pitch = float(np.linalg.norm(view.along_row))
    return Regions(
        view,
        body_mm=in_body,
        vertebra_mm=in_vertebra,
        canal_mm=in_canal,
        foramen_mm=in_foramen,
        above_mm=above,
        below_mm=below,
        depth_mm=unknown if which == "ap" else local[..., 1],
        left_mm=local[..., 0] if which == "ap" else unknown,
        up_mm=local[..., 2],
        pixel_mm=pitch / view.magnification(middle),
        toward=which,
    )


NEAR_MM: Final = 32.0
"""Discs farther up or down than this are not the vertebra's own."""


def _up_of(target: Target) -> npt.NDArray[np.float32]:
    """Height in the vertebra's frame of each voxel of the crop."""
    axes = [np.arange(n) for n in target.grid.shape]
    turn = target.grid.affine[:3, :3].T @ target.frame.cranial
    start = (target.grid.affine[:3, 3] - target.frame.origin) @ target.frame.cranial
    up = start + turn[0] * axes[0][:, None, None] + turn[1] * axes[1][:, None] + turn[2] * axes[2]
    height: npt.NDArray[np.float32] = up.astype(np.float32)
    return height


def _length(mask: BoolArray, target: Target, view: View) -> FloatImage:
    """Length of each ray within a mask, mm; only the mask's box is marched through."""
    from thecal.volume import box_of

    box = box_of(mask, 1)
    if box is None:
        return np.zeros(view.shape, np.float32)
    part = target.grid.crop(box)
    corners = part.to_lps(
        [[a, b, c] for a in (0, part.shape[0]) for b in (0, part.shape[1]) for c in (0, part.shape[2])]
    )
    pixels = view.project(corners)
    first = np.clip(np.floor(pixels.min(0)).astype(int), 0, np.array(view.shape) - 1)
    last = np.clip(np.ceil(pixels.max(0)).astype(int) + 1, first + 1, view.shape)
    window = (slice(int(first[0]), int(last[0])), slice(int(first[1]), int(last[1])))
    out = np.zeros(view.shape, np.float32)
    out[window] = line_integrals(mask[box].astype(np.float32), part, view.window(*window), step_mm=0.7)
    return out
