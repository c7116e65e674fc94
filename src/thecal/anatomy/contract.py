"""The rules every `Spine` keeps, for a plug-in's author to check his own backend against."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from thecal.anatomy.spine import Part, Spine
from thecal.terms import EPIDURAL_SPACE, SACRUM, THECAL_SAC, is_disc, is_vertebra, level_name
from thecal.volume import Volume


def check_spine(spine: Spine, volume: Volume) -> list[str]:
    """What is wrong with a spine, one sentence a fault; empty where nothing is.

    Parameters
    ----------
    spine : Spine
        What an `AnatomyBackend` returned.
    volume : Volume
        What it was given.

    Returns
    -------
    list of str
    """
    return [*_arrays(spine, volume), *_labels(spine), *_canal(spine), *_vertebrae(spine)]


def _arrays(spine: Spine, volume: Volume) -> list[str]:
    wrong = []
    box_shape = tuple(s.stop - s.start for s in spine.box)
    if spine.labels.shape != box_shape or spine.parts.shape != box_shape:
        wrong.append(f"labels {spine.labels.shape} and parts {spine.parts.shape} must have the box's shape")
    if any(s.start < 0 or s.stop > n for s, n in zip(spine.box, volume.hu.shape, strict=True)):
        wrong.append("the box reaches outside the volume")
    elif not np.allclose(spine.grid.affine, volume.grid.crop(spine.box).affine, atol=1e-6):
        wrong.append("the grid is not the volume's grid cropped to the box")
    if tuple(spine.grid.shape) != box_shape:
        wrong.append("the grid's shape is not the box's")
    if spine.labels.dtype != np.uint16:
        wrong.append(f"labels must be uint16, not {spine.labels.dtype}")
    if spine.parts.dtype != np.uint8:
        wrong.append(f"parts must be uint8, not {spine.parts.dtype}")
    return wrong


def _labels(spine: Spine) -> list[str]:
    wrong = []
    listed = {v.id for v in spine.vertebrae}
    for value in np.unique(spine.labels).tolist():
        known = value in (0, SACRUM, THECAL_SAC, EPIDURAL_SPACE) or is_vertebra(value) or is_disc(value)
        if not known:
            wrong.append(f"label {value} has no meaning in the contract")
    present = set(np.unique(spine.labels).tolist())
    wrong += [f"vertebra {i} is listed but not labelled" for i in sorted(listed - present)]
    if spine.labels.shape == spine.parts.shape:
        bone = np.isin(spine.labels, sorted(listed))
        if np.any(np.isin(spine.parts, (Part.BODY, Part.ARCH)) & (spine.labels == 0)):
            wrong.append("parts mark body or arch where no vertebra is labelled")
        if np.any((spine.parts == Part.FORAMEN) & bone):
            wrong.append("parts mark a foramen inside bone")
        for i in sorted(listed & present):
            if not np.any((spine.labels == i) & (spine.parts == Part.BODY)):
                wrong.append(f"vertebra {i} has no body in parts")
    if not spine.canal_mask().any():
        wrong.append("the canal (60 or 61) is not labelled")
    return wrong


def _canal(spine: Spine) -> list[str]:
    wrong = []
    canal, frame = spine.canal, spine.canal.frame
    n, m = len(frame.s_mm), len(canal.theta)
    for name, array, shape in (
        ("canal.wall_mm", canal.wall_mm, (n, m)),
        ("canal.sac_mm", canal.sac_mm, (n, m)),
        ("canal.confidence", canal.confidence, (n,)),
        ("canal.frame.points", frame.points, (n, 3)),
    ):
        if array.shape != shape:
            wrong.append(f"{name} has shape {array.shape}, not {shape}")
        elif not np.isfinite(array).all():
            wrong.append(f"{name} holds values that are not finite")
    if wrong:
        return wrong
    steps = np.diff(frame.s_mm)
    if not (steps > 0).all() or np.ptp(steps) > 1e-6:
        wrong.append("canal.frame.s_mm must rise evenly")
    if frame.points[-1, 2] <= frame.points[0, 2]:
        wrong.append("the canal must run from caudal to cranial")
    if not _right_angled(np.stack([frame.left, frame.posterior, frame.cranial], axis=1)):
        wrong.append("the canal's frames must be orthonormal, left x posterior = cranial")
    if not np.allclose(np.diff(canal.theta), 2 * np.pi / m) or not np.isclose(canal.theta[0], -np.pi):
        wrong.append("canal.theta must be even over the circle from -pi")
    if (canal.wall_mm <= 0).any():
        wrong.append("canal.wall_mm must be positive")
    if (canal.sac_mm < 0).any() or (canal.sac_mm > canal.wall_mm + 1e-6).any():
        wrong.append("canal.sac_mm must lie between 0 and the wall")
    if (canal.confidence < 0).any() or (canal.confidence > 1).any():
        wrong.append("canal.confidence must lie between 0 and 1")
    return wrong


def _vertebrae(spine: Spine) -> list[str]:
    wrong = []
    if len({v.id for v in spine.vertebrae}) != len(spine.vertebrae):
        wrong.append("two vertebrae have one id")
    for v in spine.vertebrae:
        name = v.level or str(v.id)
        if not is_vertebra(v.id):
            wrong.append(f"{v.id} is not the id of a vertebra")
        if v.level != level_name(v.id):
            wrong.append(f"vertebra {v.id} is called {v.level}")
        if v.level is None and v.level_source != "unknown":
            wrong.append(f"vertebra {v.id} has no level, so its source must be unknown")
        if not 0.0 <= v.confidence <= 1.0:
            wrong.append(f"the confidence of {name} is not between 0 and 1")
        axes = np.stack([v.frame.left, -v.frame.anterior, v.frame.cranial])[None]
        if not _right_angled(axes):
            wrong.append(f"the frame of {name} is not orthonormal with cranial x left = posterior")
    heights = [float(spine.canal.frame.locate(v.frame.origin)[0][0]) for v in spine.vertebrae]
    if any(b <= a for a, b in pairwise(heights)):
        wrong.append("the vertebrae must run from caudal to cranial")
    return wrong


def _right_angled(axes: np.typing.NDArray[np.float64]) -> bool:
    """Whether each (3, 3) of rows left, posterior, cranial is orthonormal with left x posterior = cranial."""
    product = np.einsum("nij,nkj->nik", axes, axes)
    return bool(
        np.allclose(product, np.eye(3), atol=1e-5)
        and np.allclose(np.cross(axes[:, 0], axes[:, 1]), axes[:, 2], atol=1e-5)
    )
