"""Pictures as DICOM Secondary Captures, in a series of their own within the study."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from thecal.dicom.originals import Originals
from thecal.dicom.study_object import references_to, study_object
from thecal.dicom.uids import uid_from

SECONDARY_CAPTURE: Final = "1.2.840.10008.5.1.4.1.1.7"
SERIES_NUMBER: Final = 9603
# LT, PS3.5 table 6.2-1.
_LONGEST_TEXT: Final = 10240


@dataclass(frozen=True, eq=False)
class Capture:
    """A picture for the archive.

    Attributes
    ----------
    name : str
        Of the picture, the same in every study.
    pixels : (rows, columns, 3) uint8
        Red, green, blue.
    caption : str
    """

    name: str
    pixels: npt.NDArray[np.uint8]
    caption: str


def make_captures(captures: Sequence[Capture], originals: Originals, *, version: str) -> list[Any]:
    """One Secondary Capture Image for each picture, ready to be saved.

    Parameters
    ----------
    captures : sequence of Capture
        That show nothing by which the patient could be known.
    originals : Originals
    version : str
        Of thecal.

    Returns
    -------
    list of pydicom.dataset.Dataset
        Without a pixel spacing: pictures of several scales are not for measuring.
    """
    from pydicom.dataset import Dataset

    source = originals.source
    digest = hashlib.sha256()
    for capture in captures:
        digest.update(repr((capture.name, capture.pixels.shape, capture.caption)).encode())
        digest.update(np.ascontiguousarray(capture.pixels).data)
    identity = (source.study_uid or "", source.series_uid or "", version, digest.hexdigest())
    images = references_to(originals, frames=True)
    series = Dataset()
    series.SeriesInstanceUID = source.series_uid
    series.ReferencedInstanceSequence = references_to(originals, frames=False)
    made = []
    for number, capture in enumerate(captures, start=1):
        data = study_object(
            originals,
            sop_class=SECONDARY_CAPTURE,
            sop_instance=uid_from("capture", *identity, capture.name),
            series=uid_from("capture series", *identity),
            series_number=SERIES_NUMBER,
            instance_number=number,
            modality="OT",
            version=version,
        )
        data.ImageType = ["DERIVED", "SECONDARY"]
        data.PatientOrientation, data.BodyPartExamined = "", "SPINE"
        data.DerivationDescription = f"{capture.name}: cuts through the CT with what was found on them"
        data.ImageComments = capture.caption[:_LONGEST_TEXT]
        data.SourceImageSequence = images
        data.ReferencedSeriesSequence = [series]
        data.LossyImageCompression = "00"
        data.SamplesPerPixel, data.PlanarConfiguration, data.PhotometricInterpretation = 3, 0, "RGB"
        data.Rows, data.Columns = capture.pixels.shape[:2]
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
        pixels = np.ascontiguousarray(capture.pixels).tobytes()
        data.PixelData = pixels + b"\0" * (len(pixels) % 2)
        data["PixelData"].VR = "OB"
        made.append(data)
    return made
