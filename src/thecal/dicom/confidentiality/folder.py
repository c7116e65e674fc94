"""A folder or zip of CT images without their patient; what cannot be shared is left out and counted."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from thecal.dicom.confidentiality.dataset import Plan, deidentify_dataset, identifying_words
from thecal.dicom.confidentiality.pixels import clean_pixels, has_overlay_bits
from thecal.dicom.confidentiality.profile import table
from thecal.dicom.elements import MALFORMED, integer_of, text_of, words_of
from thecal.dicom.headers import CT_STORAGE
from thecal.dicom.members import UNREADABLE, Member, members_of
from thecal.dicom.network.names import short_name
from thecal.dicom.read_header import looks_like_dicom
from thecal.dicom.whole_folder import whole_folder
from thecal.errors import InputError

# And its multi-frame kin.
_SECONDARY_CAPTURE: Final = "1.2.840.10008.5.1.4.1.1.7"
_SCREEN_WORDS: Final = {"SCREEN SAVE", "SCREENSAVE", "DOSE_INFO", "DOSE"}


@dataclass
class Deidentified:
    """What a run wrote, and how many files it left out for which reason."""

    images: int = 0
    series: set[str] = field(default_factory=set)
    left_out: Counter[str] = field(default_factory=Counter)


def deidentify(
    path: Path, out: Path, plan: Plan, progress: Callable[[int, int], None] = lambda done, total: None
) -> Deidentified:
    """Write the CT images of an input without their patient.

    Parameters
    ----------
    path : Path
        A folder (searched recursively), a zip, or one file.
    out : Path
        A new folder: a folder a series, a file an image, named by hashes of their new UIDs. It is written
        whole or not at all.
    plan : Plan
    progress : callable, optional
        Called with (files done, files in all).

    Returns
    -------
    Deidentified

    Raises
    ------
    InputError
        Where no image is left to write, or the library of the profile is missing.
    """
    table()
    if not path.exists():
        raise InputError(f"{path} does not exist")
    done = Deidentified()
    with whole_folder(out) as folder, warnings.catch_warnings():
        # What a header says against its own types is carried on or dropped; nobody can mend it here.
        warnings.simplefilter("ignore")
        with members_of(path) as members:
            for number, member in enumerate(members, start=1):
                reason = _one(member, folder, plan, done)
                progress(number, len(members))
                if reason is not None:
                    done.left_out[reason] += 1
        if not done.images:
            told = ", ".join(f"{count} {reason}" for reason, count in sorted(done.left_out.items()))
            raise InputError(
                f"{path.name} holds no CT image that can be shared" + (f": {told}" if told else "")
            )
    return done


def _one(member: Member, folder: Path, plan: Plan, done: Deidentified) -> str | None:
    """Write one file without its patient; why it is left out, as a noun, None where it is not."""
    import pydicom

    try:
        with member.open() as stream:
            if not looks_like_dicom(stream.read(132)):
                return "files that are not DICOM"
        with member.open() as stream:
            dataset: Any = pydicom.dcmread(stream, force=True)
        syntax = text_of(dataset.file_meta, "TransferSyntaxUID")
    except (*UNREADABLE, *MALFORMED, AttributeError, KeyError):
        return "damaged files"
    _complete(dataset)
    reason = _not_to_be_shared(dataset)
    if reason is not None:
        return reason
    overlay_bits, words = has_overlay_bits(dataset), identifying_words(dataset)
    deidentify_dataset(dataset, plan)
    reason = clean_pixels(dataset, syntax, words, overlay_bits=overlay_bits)
    if reason is not None:
        return f"images {reason}"
    if not text_of(dataset, "SOPInstanceUID") or not syntax:
        return "images without an identifier or a transfer syntax"
    _save(dataset, syntax, folder, done)
    return None


def _complete(dataset: Any) -> None:
    """Take the class and UID of an image from the file meta information where it has them there alone."""
    for keyword in ("SOPClassUID", "SOPInstanceUID"):
        if not text_of(dataset, keyword):
            setattr(dataset, keyword, text_of(dataset.file_meta, f"MediaStorage{keyword}"))


def _not_to_be_shared(dataset: Any) -> str | None:
    sop_class = text_of(dataset, "SOPClassUID")
    kinds = set(words_of(dataset, "ImageType"))
    if sop_class.startswith(_SECONDARY_CAPTURE) or kinds & _SCREEN_WORDS:
        return "secondary captures"
    if sop_class not in CT_STORAGE:
        return "objects that are not CT images"
    if text_of(dataset, "BurnedInAnnotation").upper() == "YES":
        return "images with burned-in annotation"
    if (integer_of(dataset, "SamplesPerPixel") or 1) > 1:
        return "images in colour, which may hold writing"
    return None


def _save(dataset: Any, syntax: str, folder: Path, done: Deidentified) -> None:
    """Write a file whose preamble and file meta information are made anew."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = UID(syntax)
    dataset.file_meta, dataset.preamble = meta, bytes(128)
    series = short_name(text_of(dataset, "SeriesInstanceUID"))
    (folder / series).mkdir(exist_ok=True)
    path = folder / series / f"{short_name(text_of(dataset, 'SOPInstanceUID'))}.dcm"
    if path.exists():
        done.left_out["images that were there twice"] += 1
        return
    dataset.save_as(path, enforce_file_format=True)
    done.images += 1
    done.series.add(series)
