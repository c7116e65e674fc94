"""A PDF as DICOM Encapsulated PDF, in a series of its own within the study."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from thecal.dicom.originals import Originals
from thecal.dicom.study_object import references_to, study_object
from thecal.dicom.uids import uid_from

ENCAPSULATED_PDF: Final = "1.2.840.10008.5.1.4.1.1.104.1"
SERIES_NUMBER: Final = 9604


def make_encapsulated_pdf(
    pdf: bytes, title: str, originals: Originals, *, version: str, identified: bool
) -> Any:
    """An Encapsulated PDF document, ready to be saved.

    Parameters
    ----------
    pdf : bytes
    title : str
    originals : Originals
    version : str
        Of thecal.
    identified : bool
        Whether the patient's name stands on the pages.

    Returns
    -------
    pydicom.dataset.Dataset
        Unverified, as only a person can verify.
    """
    from pydicom.sr.codedict import codes

    source = originals.source
    digest = hashlib.sha256(pdf).hexdigest()
    identity = (source.study_uid or "", source.series_uid or "", version, digest)
    data = study_object(
        originals,
        sop_class=ENCAPSULATED_PDF,
        sop_instance=uid_from("document", *identity),
        series=uid_from("document series", *identity),
        series_number=SERIES_NUMBER,
        instance_number=1,
        modality="DOC",
        version=version,
    )
    data.AcquisitionDateTime = ""
    if identified:
        data.BurnedInAnnotation = "YES"
    data.DocumentTitle = title
    data.ConceptNameCodeSequence = [_coded(codes.DCM.ImagingMeasurementReport)]
    data.VerificationFlag = "UNVERIFIED"
    data.SourceInstanceSequence = references_to(originals, frames=False)
    data.MIMETypeOfEncapsulatedDocument = "application/pdf"
    data.EncapsulatedDocumentLength = len(pdf)
    data.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    return data


def _coded(code: Any) -> Any:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = (
        code.value,
        code.scheme_designator,
        code.meaning,
    )
    return item
