"""A CT volume in one orientation, and the geometry between voxels and the patient.

Index order is (z, y, x): z runs caudal to cranial, y anterior to posterior, x right to left. Patient
coordinates are DICOM's LPS in mm, written (x, y, z): x grows to the left, y to the back, z to the head.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.quality import QualityNote

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int16]
BoolArray = npt.NDArray[np.bool_]
LabelArray = npt.NDArray[np.uint16]
Box = tuple[slice, slice, slice]

AIR_HU = -1024


@dataclass(frozen=True, eq=False)
class Grid:
    """Where the voxels of an array lie in the patient.

    Attributes
    ----------
    shape : (3,) ints
    affine : (4, 4) float64
        Maps an array index (i0, i1, i2, 1), voxel centres at whole numbers, to LPS mm (x, y, z, 1).
    """

    shape: tuple[int, int, int]
    affine: FloatArray

    @property
    def spacing_mm(self) -> FloatArray:
        """Voxel spacing along each array axis, (3,) mm."""
        spacing: FloatArray = np.linalg.norm(self.affine[:3, :3], axis=0)
        return spacing

    @property
    def voxel_mm3(self) -> float:
        """Volume of one voxel, mm3 (right for sheared grids too)."""
        return float(abs(np.linalg.det(self.affine[:3, :3])))

    def to_lps(self, index: npt.ArrayLike) -> FloatArray:
        """Array indices (..., 3) to LPS mm (..., 3)."""
        points: FloatArray = np.asarray(index, float) @ self.affine[:3, :3].T + self.affine[:3, 3]
        return points

    def to_index(self, points: npt.ArrayLike) -> FloatArray:
        """LPS mm (..., 3) to continuous array indices (..., 3)."""
        inverse = np.linalg.inv(self.affine)
        index: FloatArray = np.asarray(points, float) @ inverse[:3, :3].T + inverse[:3, 3]
        return index

    def crop(self, box: Box) -> Grid:
        """The grid of ``array[box]``; the box's slices have step 1 and explicit bounds."""
        start = np.array([s.start for s in box], float)
        affine = self.affine.copy()
        affine[:3, 3] = self.to_lps(start)
        return Grid(
            (box[0].stop - box[0].start, box[1].stop - box[1].start, box[2].stop - box[2].start), affine
        )

    def box_around(self, points: npt.ArrayLike, margin_mm: float) -> Box:
        """The smallest index box that holds the LPS points (n, 3) with a margin, clipped to the grid."""
        index = self.to_index(np.asarray(points, float).reshape(-1, 3))
        margin = margin_mm / self.spacing_mm
        low = np.clip(np.floor(index.min(0) - margin), 0, np.array(self.shape) - 1).astype(int)
        high = np.clip(np.ceil(index.max(0) + margin) + 1, low + 1, np.array(self.shape)).astype(int)
        return (slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2]))


def patient_grid(like: Grid, spacing_mm: float | tuple[float, float, float]) -> Grid:
    """A grid in (z, y, x) order whose axes are the patient's own, covering ``like``.

    Parameters
    ----------
    like : Grid
    spacing_mm : float or (3,) floats
        Spacing along z, y, x.
    """
    spacing = np.broadcast_to(np.asarray(spacing_mm, float), (3,))
    corners = like.to_lps(
        [
            [a, b, c]
            for a in (0, like.shape[0] - 1)
            for b in (0, like.shape[1] - 1)
            for c in (0, like.shape[2] - 1)
        ]
    )
    low, high = corners.min(0), corners.max(0)
    size = np.floor((high - low)[::-1] / spacing + 1e-6).astype(int) + 1
    affine = np.eye(4)
    affine[:3, :3] = np.array([[0, 0, spacing[2]], [0, spacing[1], 0], [spacing[0], 0, 0]])
    # The remainder is shared by both ends, so that a flipped input gives the same grid.
    affine[:3, 3] = low + ((high - low) - (size - 1)[::-1] * spacing[::-1]) / 2
    return Grid((int(size[0]), int(size[1]), int(size[2])), affine)


def resample(
    array: npt.NDArray[Any], source: Grid, target: Grid, *, order: int = 1, fill: float = AIR_HU
) -> npt.NDArray[Any]:
    """Sample ``array`` (on ``source``) at the voxel centres of ``target``; the dtype is kept.

    Points outside the source take ``fill``. ``order`` 0 is nearest neighbour, 1 trilinear.
    """
    matrix = np.linalg.inv(source.affine) @ target.affine
    result: npt.NDArray[Any] = ndimage.affine_transform(
        array,
        matrix[:3, :3],
        matrix[:3, 3],
        output_shape=target.shape,
        order=order,
        mode="constant",
        cval=fill,
        output=array.dtype,
        prefilter=False,
    )
    return result


@dataclass(frozen=True, eq=False)
class SourceImage:
    """One DICOM image that a slice was read from: a file, or one frame of a multi-frame file.

    Attributes
    ----------
    path : str
        Of the file on disk, or inside the zip.
    archive : str or None
        The zip.
    frame : int or None
        Index of the frame within a multi-frame file, from 0.
    sop_class, sop_instance : str
        UIDs, empty where the file does not state them.
    plane : Grid
        (columns, rows, 1): where its pixels lie as the file says, (column, row, along the normal).
    """

    path: str
    archive: str | None
    frame: int | None
    sop_class: str
    sop_instance: str
    plane: Grid


@dataclass(frozen=True, eq=False)
class Source:
    """Where a volume came from: what the report says of its input, and how to write back onto its grid.

    Attributes
    ----------
    kind : "dicom", "nifti", "nrrd", "mha" or "array"
    grid : Grid
        The grid of the array as it was read, in its own axis order.
    axes : (3,) ints
        Axis ``k`` of the volume is axis ``axes[k]`` of the array as read.
    flips : (3,) bools
        Whether axis ``k`` of the volume runs against that axis.
    resampled : bool
        True where the volume could not be a re-ordering of the input (gantry tilt, uneven slices); then
        label maps are sampled back onto ``grid``.
    padding_fraction : float
        Share of voxels outside the scanner's field of view.
    files : tuple of str
        DICOM files in slice order, for outputs that refer to them.
    images : tuple of SourceImage
        The DICOM images in slice order, also those of a zip. Where nothing was resampled, image ``k`` is
        slice ``k`` of the array as it was read.
    study_uid : str or None
    """

    kind: str
    grid: Grid
    axes: tuple[int, int, int] = (0, 1, 2)
    flips: tuple[bool, bool, bool] = (False, False, False)
    resampled: bool = False
    orientation: str = "LPS"
    series_uid: str | None = None
    slice_thickness_mm: float | None = None
    kvp: float | None = None
    kernel: str | None = None
    age: float | None = None
    sex: str | None = None
    patient_name: str | None = None
    hu_clipped_at: int | None = None
    simulated: bool = False
    padding_fraction: float = 0.0
    files: tuple[str, ...] = field(default=(), repr=False)
    images: tuple[SourceImage, ...] = field(default=(), repr=False)
    study_uid: str | None = None


@dataclass(frozen=True, eq=False)
class Volume:
    """Voxels in HU and where they lie.

    Attributes
    ----------
    hu : (z, y, x) int16
        Padding outside the field of view is air.
    grid : Grid
        In (z, y, x) order, nearest to the patient's axes; columns orthogonal.
    source : Source
    quality : tuple of QualityNote
        What was repaired or doubted on reading.
    """

    hu: IntArray
    grid: Grid
    source: Source
    quality: tuple[QualityNote, ...] = ()

    @classmethod
    def from_array(cls, hu: npt.NDArray[Any], grid: Grid, **source: Any) -> Volume:
        """A volume of an array that is already (z, y, x) and in HU."""
        return cls(np.ascontiguousarray(hu, np.int16), grid, Source(kind="array", grid=grid, **source))

    def noted(self, *notes: QualityNote) -> Volume:
        """The same volume with further quality notes."""
        return replace(self, quality=self.quality + notes)


def box_of(mask: BoolArray, margin: int | npt.NDArray[np.int64] = 0) -> Box | None:
    """The tightest box round the marked voxels, widened by ``margin`` voxels within the array.

    Parameters
    ----------
    mask : (z, y, x) bool
    margin : int or (3,) int

    Returns
    -------
    Box or None
        None where nothing is marked.
    """
    slices = np.flatnonzero(np.any(mask, axis=(1, 2)))
    if len(slices) == 0:
        return None
    low, high = int(slices[0]), int(slices[-1]) + 1
    plane: BoolArray = np.any(mask[low:high], axis=0)
    rows, columns = np.flatnonzero(np.any(plane, axis=1)), np.flatnonzero(np.any(plane, axis=0))
    tight = (
        slice(low, high),
        slice(int(rows[0]), int(rows[-1]) + 1),
        slice(int(columns[0]), int(columns[-1]) + 1),
    )
    return wider(tight, margin, mask.shape)


def wider(box: Box, margin: int | npt.NDArray[np.int64], shape: tuple[int, ...]) -> Box:
    """The box grown by ``margin`` voxels on each side, held within an array of that shape."""
    widths = np.broadcast_to(margin, 3)
    low = [max(0, s.start - int(m)) for s, m in zip(box, widths, strict=True)]
    high = [min(n, s.stop + int(m)) for s, m, n in zip(box, widths, shape, strict=True)]
    return (slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2]))


def to_source_grid(labels: npt.NDArray[Any], volume: Volume, box: Box | None = None) -> npt.NDArray[Any]:
    """Put a label map of the volume (or of its ``box``) onto the grid of the array as it was read."""
    if box is not None:
        whole = np.zeros(volume.hu.shape, labels.dtype)
        whole[box] = labels
        labels = whole
    source = volume.source
    if source.resampled:
        return resample(labels, volume.grid, source.grid, order=0, fill=0)
    turned = labels[tuple(slice(None, None, -1 if flip else None) for flip in source.flips)]
    return np.transpose(turned, np.argsort(source.axes))
