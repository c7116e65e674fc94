"""TotalSegmentator as a program of its own: found, its weights checked, run off the network.

Settings come from the environment:

``THECAL_TOTALSEGMENTATOR``
    Path of the program; else ``TotalSegmentator`` beside this Python, or on the PATH.
``THECAL_TOTALSEGMENTATOR_WEIGHTS``
    Folder of the weights; else TotalSegmentator's own ``TOTALSEG_WEIGHTS_PATH`` or ``TOTALSEG_HOME_DIR``,
    or ``~/.totalsegmentator``.
``THECAL_TOTALSEGMENTATOR_SHA256``
    A file as ``sha256sum`` writes it, with paths relative to that folder; every file in it is checked.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from thecal.errors import InputError, SpineNotFound

PROGRAM: Final = "THECAL_TOTALSEGMENTATOR"
WEIGHTS: Final = "THECAL_TOTALSEGMENTATOR_WEIGHTS"
CHECKSUMS: Final = "THECAL_TOTALSEGMENTATOR_SHA256"
# Task "total" at 1.5 mm asks for all five models, and for that of 6 mm to find the region of interest.
TASKS: Final = (291, 292, 293, 294, 295, 298)
# Nothing listens there: what would go to the network fails at once.
_NOWHERE: Final = "http://127.0.0.1:9"
LONGEST_S: Final = 4 * 3600.0


@dataclass(frozen=True)
class Installation:
    """The program, and its weights; ``checked`` where their checksums were right."""

    program: Path
    weights: Path
    checked: bool


def installation(*, check: bool = True) -> Installation:
    """Where TotalSegmentator and its weights are on this machine.

    Parameters
    ----------
    check : bool
        Whether to read the weights through where checksums are given.

    Raises
    ------
    InputError
        Where the program, a task's weights or a checksum are missing or wrong; the sentence says which.
    """
    program = _program()
    weights = _weights_folder()
    missing = [str(task) for task in TASKS if not any(weights.glob(f"Dataset{task:03d}_*"))]
    if missing:
        raise InputError(
            f"TotalSegmentator's weights for the tasks {', '.join(missing)} are not on this machine; fetch "
            f"them once with totalseg_download_weights -t total, or name their folder by {WEIGHTS}"
        )
    sums = os.environ.get(CHECKSUMS)
    if sums and check:
        _check(weights, Path(sums))
    return Installation(program, weights, bool(sums))


def segment(image: Any, classes: list[str], where: Installation) -> Any:
    """Run the task "total" for some classes; the label map as a NIfTI image.

    It runs in a process and a home of its own: no usage statistics, and proxies that lead nowhere.

    Parameters
    ----------
    image : nibabel.Nifti1Image
        In HU.
    classes : list of str
        TotalSegmentator's names.
    where : Installation

    Raises
    ------
    SpineNotFound
        Where it ends without a label map.
    """
    import nibabel

    with tempfile.TemporaryDirectory(prefix="thecal-totalsegmentator-") as folder:
        home = Path(folder) / "home"
        home.mkdir()
        settings = {"totalseg_id": "thecal", "send_usage_stats": False, "prediction_counter": 0}
        (home / "config.json").write_text(json.dumps(settings), encoding="utf-8")
        scan, out = Path(folder) / "ct.nii.gz", Path(folder) / "labels.nii.gz"
        nibabel.save(image, scan)
        words = [str(where.program), "-i", str(scan), "-o", str(out), "--ml", "--task", "total", "--quiet"]
        try:
            done = subprocess.run(
                [*words, "--roi_subset", *classes],
                env=_environment(home, where.weights),
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=LONGEST_S,
            )
        except OSError as error:
            raise InputError(f"{where.program.name} cannot be started on this machine") from error
        except subprocess.TimeoutExpired as error:
            raise SpineNotFound(
                f"TotalSegmentator did not end within {LONGEST_S / 3600:.0f} hours"
            ) from error
        if done.returncode != 0 or not out.exists():
            said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
            last = f" ({_kind_of(said[-1])})" if said else ""
            raise SpineNotFound(
                f"TotalSegmentator ended with status {done.returncode} and no label map{last}"
            )
        try:
            found: Any = nibabel.load(out)
            return nibabel.Nifti1Image(np.rint(np.asanyarray(found.dataobj)).astype(np.uint16), found.affine)
        except (OSError, ValueError, EOFError, nibabel.filebasedimages.ImageFileError) as error:
            raise SpineNotFound("TotalSegmentator wrote a label map that cannot be read") from error


def _program() -> Path:
    named = os.environ.get(PROGRAM)
    if named:
        if not os.access(named, os.X_OK) or Path(named).is_dir():
            raise InputError(f"{PROGRAM} names no program that can be run")
        return Path(named)
    beside = Path(sys.executable).parent / "TotalSegmentator"
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("TotalSegmentator")
    if found is None:
        raise InputError(
            "the anatomy backend totalsegmentator is not installed; install it with: pip install "
            "'thecal[totalsegmentator]'"
        )
    return Path(found)


def _weights_folder() -> Path:
    for name in (WEIGHTS, "TOTALSEG_WEIGHTS_PATH"):
        if os.environ.get(name):
            return Path(os.environ[name]).expanduser()
    home = os.environ.get("TOTALSEG_HOME_DIR")
    return (Path(home) if home else Path.home() / ".totalsegmentator") / "nnunet" / "results"


def _check(weights: Path, sums: Path) -> None:
    """Every line of the file of checksums, against the files that it names."""
    try:
        lines = [
            line.split(maxsplit=1) for line in sums.read_text(encoding="utf-8").splitlines() if line.strip()
        ]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the checksums that {CHECKSUMS} names cannot be read") from error
    if not lines or any(len(line) != 2 or len(line[0]) != 64 for line in lines):
        raise InputError(f"the file that {CHECKSUMS} names is not what sha256sum writes")
    for expected, name in lines:
        path = weights / name.lstrip("*").strip()
        if not path.is_file():
            raise InputError(f"TotalSegmentator's weights lack {path.name}, which has a checksum")
        digest = hashlib.sha256()
        with path.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
        if digest.hexdigest() != expected.lower():
            raise InputError(
                f"TotalSegmentator's weights are not those of the checksums: {path.name} differs"
            )


def _environment(home: Path, weights: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    lost = {f"{scheme}_proxy": _NOWHERE for scheme in ("http", "https", "all")}
    lost |= {name.upper(): value for name, value in lost.items()}
    return kept | lost | {"TOTALSEG_HOME_DIR": str(home), "TOTALSEG_WEIGHTS_PATH": str(weights)}


def _kind_of(line: str) -> str:
    """The kind of a Python error without its text, which may hold paths or names."""
    word = line.split(":", 1)[0].rsplit(".", 1)[-1]
    return word if word.isidentifier() else "see its own output"
