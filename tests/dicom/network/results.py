"""A stand-in for ``thecal assess`` that takes no time, and an archive that is a file."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from thecal.dicom.network.archive import Held, Outgoing
from thecal.errors import InputError

STUDY = "1.2.3.4.1000"
# Of the results; the last four digits become 1000 and the number of images that were assessed.
COUNT = "9999"
FILES = {"segmentation.dcm": "1.2.840.10008.5.1.4.1.1.66.4", "report.dcm": "1.2.840.10008.5.1.4.1.1.88.34"}
# Copies the results beside it, says how many images there were, and keeps a journal of its calls.
STAND_IN = """
import os, sys, time
home, images, out = sys.argv[1:4]
count = len(os.listdir(images))
with open(os.path.join(home, "journal"), "a") as journal:
    journal.write(f"{count}\\n")
for name in ("sleep", "status"):
    path = os.path.join(home, name)
    if not os.path.exists(path):
        continue
    word, _, said = open(path).read().partition(" ")
    if name == "sleep":
        time.sleep(float(word))
    else:
        print(said, file=sys.stderr)
        sys.exit(int(word)) if int(word) >= 0 else os.abort()
os.makedirs(out)
for name in os.listdir(os.path.join(home, "results")):
    content = open(os.path.join(home, "results", name), "rb").read()
    open(os.path.join(out, name), "wb").write(content.replace(b"9999", b"%d" % (1000 + count)))
"""


def stand_in(home: Path) -> Callable[[Path, Path], list[str]]:
    """An assessment whose ``sleep``, ``status`` and ``journal`` are files in ``home``."""
    (home / "results").mkdir(parents=True, exist_ok=True)
    (home / "assess.py").write_text(STAND_IN)
    for name, sop_class in FILES.items():
        write_instance(home / "results" / name, sop_class, f"1.2.3.4.{len(name)}.{COUNT}")
    quick = [sys.executable, "-I", "-S", str(home / "assess.py"), str(home)]
    return lambda images, out: [*quick, str(images), str(out)]


def calls(home: Path) -> list[int]:
    """With how many images each assessment began."""
    journal = home / "journal"
    return [int(line) for line in journal.read_text().split()] if journal.exists() else []


def result_uids(images: int) -> set[str]:
    return {f"1.2.3.4.{len(name)}.{1000 + images}" for name in FILES}


def write_instance(path: Path, sop_class: str, uid: str) -> None:
    data = Dataset()
    data.SOPClassUID, data.SOPInstanceUID = sop_class, uid
    data.StudyInstanceUID, data.SeriesInstanceUID = STUDY, f"{STUDY}.{COUNT}"
    data.PatientName, data.PatientID, data.Modality = "Doe^Jane", "secret-42", "SEG"
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.save_as(path, enforce_file_format=True)


class FileArchive:
    """An archive that is one file, a line for each object that it was ever sent."""

    def __init__(self, path: Path, *, refuses: Sequence[str] = ()) -> None:
        self.path = path
        self.refuses = list(refuses)

    def sent(self) -> list[str]:
        return self.path.read_text().split() if self.path.exists() else []

    def store(self, files: Sequence[Outgoing], stored: Callable[[Outgoing], None]) -> None:
        for file in files:
            if self.refuses:
                raise InputError(self.refuses.pop(0))
            with self.path.open("a") as archive:
                archive.write(f"{file.sop_instance}\n")
                archive.flush()
                os.fsync(archive.fileno())
            stored(file)

    def series_of(self, study: str, series: str | None) -> list[Held]:
        return [Held("1.2.3", dict.fromkeys(self.sent(), "1.2"))]


class Sent:
    """What a sender's C-STORE is to the listener."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def encoded_dataset(self) -> bytes:
        return self.path.read_bytes()


def stages(root: Path) -> list[str]:
    """The stage of each study."""
    return [json.loads(path.read_text())["stage"] for path in sorted(root.glob("studies/*/state.json"))]
