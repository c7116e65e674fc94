"""Segmentations of 3D Slicer (.seg.nrrd): segments by name and code, in one layer or several.

The header's keys are those of Slicer's segmentation file format: ``SegmentN_Name``, ``SegmentN_LabelValue``,
``SegmentN_Layer`` and ``SegmentN_Tags``. ``Segmentation_ReferenceImageExtentOffset`` and ``SegmentN_Extent``
tell where the file was cut out; the standard fields place what is in it, so they are not needed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from thecal.anatomy.backends.segment_names import Code3, paint_order, segment_id
from thecal.errors import InputError
from thecal.quality import QualityNote
from thecal.volume import LabelArray


@dataclass(frozen=True)
class _Segment:
    name: str
    value: int
    layer: int
    label: int | None


def is_slicer_segmentation(header: Mapping[str, Any]) -> bool:
    """Whether an NRRD header names segments."""
    return any(re.fullmatch(r"Segment\d+_(Name|ID|LabelValue)", key) for key in header)


def labels_of_segments(
    array: npt.NDArray[Any], header: Mapping[str, Any], name: str
) -> tuple[LabelArray, list[QualityNote]]:
    """One label map of all segments that are of the spine.

    Parameters
    ----------
    array : (i, j, k) or (layer, i, j, k)
        As stored.
    header : mapping
        Of the NRRD file.
    name : str
        Of the file, for messages.

    Returns
    -------
    labels : (i, j, k) uint16
        Ids of the contract; `segment_names.CORD_ID` for a cord.
    notes : list of QualityNote

    Raises
    ------
    InputError
        Where no segment is of the spine, or layers are named that the file lacks.
    """
    layers = array[None] if array.ndim == 3 else array
    if layers.ndim != 4:
        raise InputError(f"{name} has {array.ndim} dimensions; a segmentation has three, or four with layers")
    representation = str(header.get("Segmentation_MasterRepresentation", "")) + str(
        header.get("Segmentation_SourceRepresentation", "")
    )
    if "fractional" in representation.lower():
        raise InputError(f"{name} holds fractions, not labels; save it from Slicer as a binary labelmap")
    segments = _segments(header, len(layers), name)
    known = [s for s in segments if s.label is not None]
    if not known:
        raise InputError(f"{name} names no vertebra, canal or disc among its segments")
    notes = []
    if len(known) < len(segments):
        notes.append(
            QualityNote(
                "segments_left_out",
                "info",
                f"{len(segments) - len(known)} segments of the given segmentation are no vertebra, disc, sac "
                "or canal and were left out.",
            )
        )
    labels = np.zeros(layers.shape[1:], np.uint16)
    for label in paint_order(s.label for s in known if s.label is not None):
        for segment in known:
            if segment.label == label:
                labels[layers[segment.layer] == segment.value] = label
    return labels, notes


def _segments(header: Mapping[str, Any], layers: int, name: str) -> list[_Segment]:
    numbers = sorted({int(m[1]) for key in header if (m := re.match(r"Segment(\d+)_", key))})
    segments = []
    for k, number in enumerate(numbers):

        def key(word: str, number: int = number) -> str:
            return str(header.get(f"Segment{number}_{word}", ""))

        # Files before Slicer 4.11 have one layer of zeros and ones a segment, and state neither.
        try:
            value = int(key("LabelValue") or 1)
            layer = int(key("Layer") or (k if layers > 1 else 0))
        except ValueError as error:
            raise InputError(f"{name} has a segment whose value or layer is no whole number") from error
        if not 0 <= layer < layers:
            raise InputError(f"{name} puts a segment on layer {layer} and has {layers}")
        called = key("Name") or key("ID")
        category, codes = _terms(key("Tags"))
        label = segment_id(called, category=category, codes=codes)
        if label is None and re.fullmatch(r"(segment|label)_0*\d+", called.lower()):
            # A label map without a colour table: Slicer names its values so.
            label = int(called.rpartition("_")[2]) if called.endswith(f"_{value}") else None
        segments.append(_Segment(called, value, layer, label))
    return segments


def _terms(tags: str) -> tuple[Code3 | None, list[Code3]]:
    """Category, and type, modifier, region, modifier of a TerminologyEntry, where they are coded."""
    entry = re.search(r"TerminologyEntry:([^|]*)", tags)
    if entry is None:
        return None, []
    parts = entry[1].split("~")
    found = [Code3(*part.split("^")[:2]) if part.count("^") >= 2 else None for part in parts]
    coded = [code for code in found[1:] if code is not None]
    if not coded:
        return None, []
    return (coded[0] if coded[0].value else None), [code for code in coded[1:] if code.value]
