"""Studies on disk: what was received, what came of it, and how far its results are on their way.

::

    DIR/
      lock                     held by the one listener
      incoming/                files that are being written; emptied at each start
      work/                    assessments under way; emptied at each start
      studies/<short name>/
        images/<short name>.dcm
        results/<digest>/      the report on the images of that digest, moved here when it is whole
        state.json             replaced as a whole

An image is in ``images`` before its sender hears of success. The digest stands for a set of images, so that
a study which has grown is known as another. A result is there or not, so an assessment is never half done.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from thecal.dicom.network.durable import make_folder, move_folder, sync_folder, write_durably
from thecal.dicom.network.names import short_name
from thecal.errors import InputError

RECEIVED: Final = "received"
ASSESSED: Final = "assessed"
PUSHED: Final = "pushed"
SET_ASIDE: Final = "set aside"
SET_ASIDE_FILE: Final = "set-aside.txt"
Stage = Literal["received", "assessed", "pushed", "set aside"]


@dataclass(frozen=True)
class State:
    """How far a study is.

    Attributes
    ----------
    digest : str
        Of the images that this speaks of.
    stage : str
    sentence : str
        Why it was set aside, or empty.
    result : bool
        Whether there is something to push.
    stops : int
        How often its assessment stopped without an answer.
    begun, done : tuple of str
        The files of the result whose push has begun, and those that the archive has taken.
    """

    digest: str
    stage: Stage = "received"
    sentence: str = ""
    result: bool = False
    stops: int = 0
    begun: tuple[str, ...] = ()
    done: tuple[str, ...] = ()


class Inbox:
    """The folder of a listener.

    Parameters
    ----------
    root : Path
        Made where it does not exist.

    Raises
    ------
    InputError
        Where it cannot be written to, or another listener holds it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.incoming, self.work, self.studies = (
            self.root / name for name in ("incoming", "work", "studies")
        )
        try:
            if not self.root.exists():
                self.root.parent.mkdir(parents=True, exist_ok=True)
                # Images carry the patient: nobody else on this computer needs them.
                self.root.mkdir(mode=0o700)
            for folder in (self.incoming, self.work, self.studies):
                make_folder(folder)
            self._lock = (self.root / "lock").open("wb")
        except OSError as error:
            raise InputError(f"--dir {root} cannot be written to: {error.strerror}") from error
        if not _locked(self._lock):
            self._lock.close()
            raise InputError(f"--dir {root} is in use by another listener")
        for folder in (self.incoming, self.work):
            for left in folder.iterdir():
                shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink()

    def close(self) -> None:
        """Let another listener have the folder."""
        self._lock.close()

    def keep(self, study_uid: str, instance_uid: str, file: bytes) -> Path:
        """Put an image to its study; it is safe on disk when this returns.

        One that is already there stays as it is: the same UID means the same image.

        Returns
        -------
        Path
            The study's folder.
        """
        study = self.studies / short_name(study_uid)
        image = study / "images" / f"{short_name(instance_uid)}.dcm"
        if image.exists():
            sync_folder(image.parent)
        else:
            make_folder(image.parent)
            write_durably(image, file, self.incoming)
        return study

    def all_studies(self) -> list[Path]:
        """The folders of all studies."""
        return sorted(self.studies.iterdir())

    def state_of(self, study: Path) -> State:
        """How far a study is with the images that it has now."""
        images = images_of(study)
        digest = digest_of(images)
        told = _read(study / "state.json")
        if told is None or told.digest != digest:
            told = State(digest)
        result = result_of(study, digest)
        if told.stage == RECEIVED and result.exists():
            # It was moved into its place just before the process was killed.
            why = result / SET_ASIDE_FILE
            if why.exists():
                return State(digest, SET_ASIDE, why.read_text(encoding="utf-8"))
            return replace(told, stage=ASSESSED, result=True)
        return told

    def tell(self, study: Path, state: State) -> State:
        """Write how far a study is."""
        content = json.dumps(asdict(state), indent=1).encode()
        write_durably(study / "state.json", content, self.incoming)
        return state

    def set_out(self, study: Path, images: Sequence[Path]) -> Path:
        """A folder to assess in: ``images`` in it are those named, whatever comes in the meantime."""
        folder = self.work / uuid.uuid4().hex
        (folder / "images").mkdir(parents=True)
        for image in images:
            try:
                os.link(image, folder / "images" / image.name)
            except OSError:  # a file system without links
                shutil.copyfile(image, folder / "images" / image.name)
        return folder

    def bring_home(self, study: Path, report: Path, digest: str, sentence: str = "") -> None:
        """Move a report to its study; with the sentence why the study is set aside all the same."""
        if sentence:
            (report / SET_ASIDE_FILE).write_text(sentence, encoding="utf-8")
        make_folder(study / "results")
        move_folder(report, result_of(study, digest))

    def give_up(self, folder: Path) -> None:
        """Remove a work folder."""
        shutil.rmtree(folder, ignore_errors=True)


def images_of(study: Path) -> list[Path]:
    """The images of a study, in a fixed order."""
    return sorted((study / "images").glob("*.dcm"))


def digest_of(images: Sequence[Path]) -> str:
    """A short name for a set of images."""
    return hashlib.sha256("\n".join(path.name for path in images).encode()).hexdigest()[:12]


def result_of(study: Path, digest: str) -> Path:
    """Where the report on a set of images lies, or would."""
    return study / "results" / digest


def last_arrival(study: Path) -> float:
    """When the last image came, in seconds of the clock."""
    return max((path.stat().st_mtime for path in images_of(study)), default=0.0)


def _read(path: Path) -> State | None:
    try:
        told: dict[str, Any] = json.loads(path.read_bytes())
        return State(**told | {name: tuple(told[name]) for name in ("begun", "done")})
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def _locked(file: Any) -> bool:
    """Whether the lock could be had; where the system has no such locks, the port is the lock."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
