"""Where an X-ray source and its detector stand beside the patient."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from thecal.volume import FloatArray


@dataclass(frozen=True, eq=False)
class View:
    """One projection geometry in patient coordinates.

    Attributes
    ----------
    source : (3,) float64
        The focal spot, LPS mm.
    corner : (3,) float64
        Centre of pixel (row 0, column 0), LPS mm.
    along_row, along_column : (3,) float64
        From a pixel's centre to the next in its row (column index + 1) and in its column (row index + 1),
        mm at the detector.
    shape : (int, int)
        Rows and columns.
    """

    source: FloatArray
    corner: FloatArray
    along_row: FloatArray
    along_column: FloatArray
    shape: tuple[int, int]

    @property
    def sid_mm(self) -> float:
        """Distance from the source to the detector's plane, mm."""
        return float(abs((self.corner - self.source) @ self.normal))

    @property
    def normal(self) -> FloatArray:
        """Unit normal of the detector, pointing away from the source."""
        across = np.cross(self.along_row, self.along_column)
        across /= np.linalg.norm(across)
        unit: FloatArray = across if (self.corner - self.source) @ across > 0 else -across
        return unit

    def project(self, points: npt.ArrayLike) -> FloatArray:
        """LPS mm (..., 3) to continuous (row, column) (..., 2), pixel centres at whole numbers."""
        ray = np.asarray(points, float) - self.source
        scale = self.sid_mm / (ray @ self.normal)
        on_detector = self.source + ray * scale[..., None] - self.corner
        steps = np.stack([self.along_column, self.along_row], axis=1)
        pixel: FloatArray = on_detector @ np.linalg.pinv(steps).T
        return pixel

    def pixel(self, rows: npt.ArrayLike, columns: npt.ArrayLike) -> FloatArray:
        """LPS mm (..., 3) of detector places given by continuous rows and columns (...)."""
        row, column = np.asarray(rows, float)[..., None], np.asarray(columns, float)[..., None]
        at: FloatArray = self.corner + row * self.along_column + column * self.along_row
        return at

    def on_plane(self, pixels: npt.ArrayLike, origin: FloatArray, normal: FloatArray) -> FloatArray:
        """Where the rays of (row, column) pixels (..., 2) meet a plane, LPS mm (..., 3)."""
        at = np.asarray(pixels, float)
        ray = self.pixel(at[..., 0], at[..., 1]) - self.source
        met: FloatArray = self.source + ray * ((origin - self.source) @ normal / (ray @ normal))[..., None]
        return met

    def magnification(self, point: npt.ArrayLike) -> float:
        """How much larger a thing at an LPS point is drawn on the detector."""
        return float(self.sid_mm / ((np.asarray(point, float) - self.source) @ self.normal))

    def of_moved(self, pose: Pose) -> View:
        """The view that shows the patient at rest as this one shows her after a movement."""
        back = pose.inverse()
        turn = back.rotation
        return replace(
            self,
            source=back.apply(self.source),
            corner=back.apply(self.corner),
            along_row=turn @ self.along_row,
            along_column=turn @ self.along_column,
        )

    def binned(self, factor: int) -> View:
        """The same detector with ``factor`` by ``factor`` pixels read as one; odd edges are left out."""
        half = (factor - 1) / 2
        return View(
            self.source,
            self.pixel(half, half),
            self.along_row * factor,
            self.along_column * factor,
            (self.shape[0] // factor, self.shape[1] // factor),
        )

    def window(self, rows: slice, columns: slice) -> View:
        """The part of the detector with these rows and columns (slices with explicit bounds, step 1)."""
        return replace(
            self,
            corner=self.pixel(rows.start, columns.start),
            shape=(rows.stop - rows.start, columns.stop - columns.start),
        )


@dataclass(frozen=True, eq=False)
class Pose:
    """A rigid movement in patient coordinates: ``rotation @ p + shift``.

    Attributes
    ----------
    rotation : (3, 3) float64
    shift : (3,) float64
        mm.
    """

    rotation: FloatArray
    shift: FloatArray

    @classmethod
    def still(cls) -> Pose:
        """No movement."""
        return cls(np.eye(3), np.zeros(3))

    @classmethod
    def about(cls, centre: npt.ArrayLike, turn_deg: npt.ArrayLike, move_mm: npt.ArrayLike) -> Pose:
        """A turn about a point, then a shift.

        Parameters
        ----------
        centre : (3,) array-like
            LPS mm.
        turn_deg : (3,) array-like
            Rotation vector in LPS, degrees.
        move_mm : (3,) array-like
            LPS mm.
        """
        from scipy.spatial.transform import Rotation

        matrix = Rotation.from_rotvec(np.radians(np.asarray(turn_deg, float))).as_matrix()
        middle = np.asarray(centre, float)
        return cls(matrix, middle - matrix @ middle + np.asarray(move_mm, float))

    def apply(self, points: npt.ArrayLike) -> FloatArray:
        """LPS mm (..., 3), moved."""
        moved: FloatArray = np.asarray(points, float) @ self.rotation.T + self.shift
        return moved

    def inverse(self) -> Pose:
        """The movement back."""
        return Pose(self.rotation.T, -self.rotation.T @ self.shift)

    def after(self, first: Pose) -> Pose:
        """``first``, then this one."""
        return Pose(self.rotation @ first.rotation, self.rotation @ first.shift + self.shift)
