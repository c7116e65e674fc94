"""Takes CT images by C-STORE, has each study assessed once it is quiet, and pushes the results.

Killed at any moment, it loses no image that its sender believes to be stored, and after a restart goes on
where it was: what is assessed is not assessed again, what is pushed not pushed again.
"""

from __future__ import annotations

import io
import logging
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from thecal.dicom.network.archive import Archive, Outgoing, held_among
from thecal.dicom.network.identity import identity_of
from thecal.dicom.network.inbox import (
    ASSESSED,
    PUSHED,
    RECEIVED,
    SET_ASIDE,
    Inbox,
    State,
    digest_of,
    images_of,
    last_arrival,
    result_of,
)
from thecal.dicom.network.names import without_uids
from thecal.dicom.network.push import outgoing_files
from thecal.errors import InputError

LOG: Final = logging.getLogger("thecal.listen")
_OUT_OF_ROOM: Final = 0xA700
_NOT_UNDERSTOOD: Final = 0xC000
LOOK_EVERY_S: Final = 0.2
LONGEST_ASSESSMENT_S: Final = 3600.0
# What stops without an answer may have been unlucky once, not twice.
MOST_STOPS: Final = 2
# An archive that is restarted is back within the hour.
PUSH_AGAIN_AFTER_S: Final = (10.0, 60.0, 300.0, 1800.0)
EXIT_OK, EXIT_INPUT, EXIT_NO_SPINE = 0, 2, 3


@dataclass(frozen=True)
class Plan:
    """What a listener does.

    Attributes
    ----------
    assess : callable
        The command line that assesses a folder of images into another: ends with status 0, or with 2 or 3
        and one sentence on stderr.
    archive : Archive or None
        Where results go.
    quiet_s : float
        A study is complete when so long no image came.
    push_again_after_s : sequence of float
        Waits between the tries to push.
    """

    assess: Callable[[Path, Path], Sequence[str]]
    archive: Archive | None = None
    quiet_s: float = 60.0
    push_again_after_s: Sequence[float] = PUSH_AGAIN_AFTER_S


class Listener:
    """The work on an inbox: the network side calls :meth:`receive`, a loop calls :meth:`turn`."""

    def __init__(self, inbox: Inbox, plan: Plan) -> None:
        self.inbox = inbox
        self.plan = plan
        self.stopping = threading.Event()
        # When each unfinished study is looked at, by the monotonic clock.
        self._due: dict[Path, float] = {}
        self._refused: dict[Path, int] = {}
        self._guard = threading.Lock()
        for study in inbox.all_studies():
            state = inbox.state_of(study)
            if state.stage == SET_ASIDE and state.result:
                # Its push failed; the archive may be back.
                inbox.tell(study, replace(state, stage=ASSESSED, sentence=""))
            waited_s = max(time.time() - last_arrival(study), 0.0)
            self._due[study] = time.monotonic() + max(plan.quiet_s - waited_s, 0.0)

    def receive(self, event: Any) -> int:
        """Answer one C-STORE: success once the image is safe."""
        file = event.encoded_dataset()
        known = identity_of(io.BytesIO(file))
        if known is None or not (known.study and known.sop_instance):
            LOG.warning("an image without the UIDs of its study and itself was refused")
            return _NOT_UNDERSTOOD
        try:
            folder = self.inbox.keep(known.study, known.sop_instance, file)
        except OSError as error:
            LOG.warning("an image could not be stored: %s", error.strerror)
            return _OUT_OF_ROOM
        with self._guard:
            self._due[folder] = time.monotonic() + self.plan.quiet_s
        return 0

    def turn(self) -> bool:
        """Bring the study that has waited longest as far as it goes; whether there was one."""
        now = time.monotonic()
        with self._guard:
            ready = sorted((at, study) for study, at in self._due.items() if at <= now)
        if not ready:
            return False
        at, study = ready[0]
        again_after_s = self._bring_on(study)
        with self._guard:
            if self._due[study] == at:  # else images came in the meantime
                del self._due[study]
                if again_after_s is not None:
                    self._due[study] = time.monotonic() + again_after_s
        return True

    def run(self) -> None:
        """Work until :attr:`stopping` is set.

        Raises
        ------
        InputError
            Where the folder can no longer be used.
        """
        try:
            while not self.stopping.is_set():
                if not self.turn():
                    self.stopping.wait(LOOK_EVERY_S)
        except OSError as error:
            raise InputError(f"{self.inbox.root} can no longer be used: {error.strerror}") from error

    def _bring_on(self, study: Path) -> float | None:
        """Assess and push as far as it goes; after how many seconds to try again, None where it is done."""
        state = self.inbox.state_of(study)
        if state.stage == RECEIVED:
            state = self._assess(study, state)
            if state.stage == RECEIVED:
                return 0.0
        if state.stage == ASSESSED and self.plan.archive is not None:
            return self._push(self.plan.archive, study, state)
        return None

    def _assess(self, study: Path, state: State) -> State:
        images = images_of(study)
        if digest_of(images) != state.digest:
            return state
        LOG.info("study %s: assessing %d images", study.name, len(images))
        folder = self.inbox.set_out(study, images)
        report, said = folder / "report", folder / "said"
        status = self._attended(self.plan.assess(folder / "images", report), said)
        sentence = _last_line(said) if status in (EXIT_INPUT, EXIT_NO_SPINE) else ""
        if status == EXIT_NO_SPINE:
            sentence = sentence or "No spine was found."
        if self.stopping.is_set():
            self.inbox.give_up(folder)
            return state
        if status in (EXIT_OK, EXIT_NO_SPINE) and report.is_dir():
            self.inbox.bring_home(study, report, state.digest, sentence)
            state = replace(state, result=status == EXIT_OK)
        self.inbox.give_up(folder)
        if state.result:
            LOG.info("study %s: assessed", study.name)
            return self.inbox.tell(study, replace(state, stage=ASSESSED))
        if status in (EXIT_INPUT, EXIT_NO_SPINE):
            return self._set_aside(study, state, sentence or "It cannot be assessed.")
        state = replace(state, stops=state.stops + 1)
        if state.stops >= MOST_STOPS:
            return self._set_aside(study, state, "Its assessment stopped without an answer.")
        LOG.warning("study %s: its assessment stopped without an answer", study.name)
        return self.inbox.tell(study, state)

    def _attended(self, command: Sequence[str], said: Path) -> int:
        """Run a command until it ends, the listener stops or its time is over; its status.

        Its standard input stays open for as long as we live, by which it knows that we do.
        """
        until = time.monotonic() + LONGEST_ASSESSMENT_S
        with (
            said.open("wb") as stderr,
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=stderr
            ) as child,
        ):
            while True:
                try:
                    return child.wait(timeout=LOOK_EVERY_S)
                except subprocess.TimeoutExpired:
                    if self.stopping.is_set() or time.monotonic() > until:
                        child.kill()

    def _push(self, archive: Archive, study: Path, state: State) -> float | None:
        """Push what the archive has not got; after how many seconds to try again, None where it is done."""
        try:
            self._push_what_is_left(archive, study, state)
        except InputError as error:
            tries = self._refused[study] = self._refused.get(study, 0) + 1
            if tries <= len(self.plan.push_again_after_s):
                LOG.warning("study %s: not pushed yet: %s", study.name, without_uids(str(error)))
                return self.plan.push_again_after_s[tries - 1]
            self._set_aside(study, self.inbox.state_of(study), f"Its results were not pushed. {error}.")
        self._refused.pop(study, None)
        return None

    def _push_what_is_left(self, archive: Archive, study: Path, state: State) -> None:
        files = outgoing_files(result_of(study, state.digest))
        left = [file for file in files if file.path.name not in state.done]
        doubtful = [file for file in left if file.path.name in state.begun]
        if doubtful:
            # Killed between sending and writing down that it was sent: ask before sending twice.
            there = _there(archive, doubtful)
            left = [file for file in left if file.sop_instance not in there]
        done = [file.path.name for file in files if file not in left]
        begun = tuple(file.path.name for file in files)
        state = self.inbox.tell(study, replace(state, begun=begun, done=tuple(done)))

        def stored(file: Outgoing) -> None:
            done.append(file.path.name)
            self.inbox.tell(study, replace(state, done=tuple(done)))

        if left:
            archive.store(left, stored)
        self.inbox.tell(study, replace(state, stage=PUSHED, done=tuple(done)))
        LOG.info("study %s: %d files pushed", study.name, len(files))

    def _set_aside(self, study: Path, state: State, sentence: str) -> State:
        LOG.warning("study %s: set aside: %s", study.name, without_uids(sentence))
        return self.inbox.tell(study, replace(state, stage=SET_ASIDE, sentence=sentence))


def _there(archive: Archive, files: Sequence[Outgoing]) -> set[str]:
    """Which of these the archive has; none where it does not say, for a second push changes nothing."""
    try:
        return held_among(archive, files)
    except InputError:
        return set()


def _last_line(said: Path) -> str:
    lines = said.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
