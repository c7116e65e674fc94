"""The spine's own coordinates: along and around the canal, and the box of each vertebra."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.interpolate import make_smoothing_spline

from thecal.volume import FloatArray


@dataclass(frozen=True, eq=False)
class CanalFrame:
    """The curve through the canal, with a frame that does not twist (Bishop 1975, doi 10.2307/2319846).

    Attributes
    ----------
    s_mm : (n,) float64
        Arc length from the caudal end, evenly spaced.
    points : (n, 3) float64
        LPS mm.
    left, posterior, cranial : (n, 3) float64
        Orthonormal at each point; ``cranial`` is the tangent.

    The angle theta is measured in the plane normal to the curve from anterior (0) over the patient's left
    (pi/2) to posterior (pi).
    """

    s_mm: FloatArray
    points: FloatArray
    left: FloatArray
    posterior: FloatArray
    cranial: FloatArray

    @property
    def step_mm(self) -> float:
        """Spacing of the points along the curve, mm."""
        return float(self.s_mm[1] - self.s_mm[0])

    @classmethod
    def through(
        cls, points: npt.ArrayLike, *, step_mm: float = 1.0, smooth: float | None = 0.0
    ) -> CanalFrame:
        """The frame along a caudal-to-cranial polyline.

        Parameters
        ----------
        points : (m, 3) array-like
            LPS mm, caudal first, m >= 5.
        step_mm : float
            Spacing of the frame's points.
        smooth : float or None
            Penalty on curvature of a smoothing spline (mm, larger is straighter); 0 interpolates, None
            leaves the choice to generalised cross-validation.
        """
        path = np.asarray(points, float)
        chord = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
        keep = np.concatenate([[True], np.diff(chord) > 1e-6])
        chord, path = chord[keep], path[keep]
        fine = np.arange(0.0, chord[-1], min(0.25, step_mm / 4))
        curve = np.stack(
            [make_smoothing_spline(chord, path[:, a], lam=smooth)(fine) for a in range(3)], axis=1
        )
        arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
        s = np.arange(0.0, arc[-1], step_mm)
        at = np.stack([np.interp(s, arc, curve[:, a]) for a in range(3)], axis=1)
        cranial = np.gradient(at, axis=0)
        cranial /= np.linalg.norm(cranial, axis=1, keepdims=True)
        left = np.empty_like(at)
        middle = len(s) // 2
        left[middle] = _reject(np.array([1.0, 0.0, 0.0]), cranial[middle])
        for i in range(middle + 1, len(s)):
            left[i] = _reject(left[i - 1], cranial[i])
        for i in range(middle - 1, -1, -1):
            left[i] = _reject(left[i + 1], cranial[i])
        return cls(s, at, left, np.cross(cranial, left), cranial)

    def outward(self, theta: npt.ArrayLike) -> FloatArray:
        """Unit vectors in the normal planes at each point of the curve, (n, len(theta), 3)."""
        angle = np.asarray(theta, float)
        vectors: FloatArray = (
            np.sin(angle)[None, :, None] * self.left[:, None, :]
            - np.cos(angle)[None, :, None] * self.posterior[:, None, :]
        )
        return vectors

    def locate(self, points: npt.ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
        """LPS points (m, 3) to (s mm, theta rad in (-pi, pi], r mm), each (m,).

        ``s`` is where the nearest normal plane meets the curve; it is held to the curve's ends.
        """
        from thecal.curve_lookup import locate_on_curve

        where = np.ascontiguousarray(np.asarray(points, float).reshape(-1, 3))
        along, theta, r = locate_on_curve(
            where, self.points, self.left, self.posterior, self.cranial, self.step_mm
        )
        return np.clip(self.s_mm[0] + along, self.s_mm[0], self.s_mm[-1]), theta, r

    def at(self, s_mm: npt.ArrayLike) -> FloatArray:
        """Points of the curve at arc lengths (m,), LPS mm (m, 3)."""
        s = np.atleast_1d(np.asarray(s_mm, float))
        return np.stack([np.interp(s, self.s_mm, self.points[:, a]) for a in range(3)], axis=1)

    def index(self, s_mm: npt.ArrayLike) -> npt.NDArray[np.intp]:
        """The nearest sample of the curve to each arc length."""
        i = np.rint((np.asarray(s_mm, float) - self.s_mm[0]) / self.step_mm)
        nearest: npt.NDArray[np.intp] = np.clip(i, 0, len(self.s_mm) - 1).astype(np.intp)
        return nearest


@dataclass(frozen=True, eq=False)
class VertebraFrame:
    """The vertebra's own box: set by endplates, posterior wall and pedicles, not by the scanner.

    Attributes
    ----------
    origin : (3,) float64
        Middle of the posterior wall of the body, LPS mm.
    left, anterior, cranial : (3,) float64
        Orthonormal axes; cranial is the mean normal of the two endplates.
    """

    origin: FloatArray
    left: FloatArray
    anterior: FloatArray
    cranial: FloatArray

    @classmethod
    def from_axes(cls, origin: npt.ArrayLike, cranial: npt.ArrayLike, left: npt.ArrayLike) -> VertebraFrame:
        """A right-angled frame from an origin, the cranial direction and roughly the left."""
        up = np.asarray(cranial, float) / np.linalg.norm(cranial)
        side = _reject(np.asarray(left, float), up)
        return cls(np.asarray(origin, float), side, np.cross(side, up), up)

    def to_local(self, points: npt.ArrayLike) -> FloatArray:
        """LPS mm (..., 3) to (left, anterior, cranial) mm from the origin."""
        local: FloatArray = (np.asarray(points, float) - self.origin) @ np.stack(
            [self.left, self.anterior, self.cranial], axis=1
        )
        return local

    def to_lps(self, local: npt.ArrayLike) -> FloatArray:
        """(left, anterior, cranial) mm (..., 3) to LPS mm."""
        points: FloatArray = self.origin + np.asarray(local, float) @ np.stack(
            [self.left, self.anterior, self.cranial]
        )
        return points


def _reject(vector: FloatArray, normal: FloatArray) -> FloatArray:
    """The unit vector along the part of ``vector`` at right angles to ``normal``."""
    flat = vector - (vector @ normal) * normal
    unit: FloatArray = flat / np.linalg.norm(flat)
    return unit
