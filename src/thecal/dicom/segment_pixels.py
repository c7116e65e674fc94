"""The pixels of segments: which images they are on, one bit a pixel, or one label map."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from thecal.dicom.planes import PlaneMaps
from thecal.dicom.segments import Segment
from thecal.volume import FloatArray, Source


@dataclass(frozen=True, eq=False)
class Canvas:
    """The frames' size and places, and where the maps lie in them.

    ``corners`` (n, 3) are the centres of the first pixels, LPS mm.
    """

    corners: FloatArray
    rows: int
    columns: int
    inner: tuple[slice, slice]

    @classmethod
    def of(cls, planes: PlaneMaps, source: Source, whole: bool) -> Canvas:
        """Frames of the images' own size, or of the maps'."""
        rows, columns = planes.maps[0].shape[1:]
        if not whole:
            return cls(planes.corners, rows, columns, (slice(None), slice(None)))
        inner = (
            slice(planes.first_row, planes.first_row + rows),
            slice(planes.first_column, planes.first_column + columns),
        )
        all_columns, all_rows, _ = source.images[0].plane.shape
        corners = np.stack([image.plane.affine[:3, 3] for image in source.images])
        return cls(corners, all_rows, all_columns, inner)

    def placed(self, mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
        """A mask of the maps' size in its frame."""
        frame = np.zeros((self.rows, self.columns), np.uint8)
        frame[self.inner] = mask
        return frame


def mask_of(segment: Segment, planes: PlaneMaps, plane: int | slice) -> npt.NDArray[np.bool_]:
    """Where a segment is, on one plane or on several."""
    labels = planes.maps[segment.layer][plane]
    mask = np.zeros(labels.shape, bool)
    for value in segment.values:
        mask |= labels == value
    return mask


def presence(segment: Segment, planes: PlaneMaps) -> npt.NDArray[np.bool_]:
    """On which planes a segment is, (n,)."""
    return np.asarray(mask_of(segment, planes, slice(None)).any(axis=(1, 2)), bool)


def painted_label_map(segments: Sequence[Segment], planes: PlaneMaps, canvas: Canvas) -> npt.NDArray[Any]:
    """All segments in one map of their numbers from 1, (n, rows, columns); the earlier stays."""
    shape = (len(planes.maps[0]), canvas.rows, canvas.columns)
    painted = np.zeros(shape, np.uint8 if len(segments) < 256 else np.uint16)
    window = painted[(slice(None), *canvas.inner)]
    for number, segment in reversed(list(enumerate(segments, start=1))):
        window[mask_of(segment, planes, slice(None))] = number
    return painted


def packed_bits(frames: Iterable[npt.NDArray[np.uint8]]) -> bytes:
    """Frames at one bit a pixel, first pixel lowest, without gaps between frames (PS3.5 section 8.1.1)."""

    def chunks() -> Iterator[bytes]:
        rest = np.empty(0, np.uint8)
        for frame in frames:
            flat = np.concatenate([rest, frame.ravel()]) if len(rest) else frame.ravel()
            full = len(flat) - len(flat) % 8
            yield np.packbits(flat[:full], bitorder="little").tobytes()
            rest = flat[full:]
        yield np.packbits(rest, bitorder="little").tobytes()

    packed = b"".join(chunks())
    return packed + b"\0" * (len(packed) % 2)
