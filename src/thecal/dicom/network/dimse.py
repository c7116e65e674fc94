"""An archive by DIMSE: C-FIND, C-GET or C-MOVE, and C-STORE (PS3.4 annexes B and C)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from thecal.dicom.codecs import NATIVE, READABLE
from thecal.dicom.elements import text_of
from thecal.dicom.headers import CT_STORAGE
from thecal.dicom.network.address import Caller, DimseAddress
from thecal.dicom.network.archive import Held, Keep, Outgoing, Wanted, refuse_in_part
from thecal.dicom.network.association import association, check_reachable
from thecal.dicom.network.door import open_door
from thecal.dicom.network.extra import load
from thecal.dicom.network.statuses import is_stored, meaning_of
from thecal.errors import InputError

_FIND: Final = "1.2.840.10008.5.1.4.1.2.2.1"
_MOVE: Final = "1.2.840.10008.5.1.4.1.2.2.2"
_GET: Final = "1.2.840.10008.5.1.4.1.2.2.3"
_UNCOMPRESSED: Final = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2")
_PENDING: Final = {0xFF00, 0xFF01}
# PS3.8 9.3.2: context identifiers are odd and fit into a byte.
MOST_CONTEXTS: Final = 128
_DONE_WITH_WARNINGS: Final = 0xB000
_OUT_OF_ROOM: Final = 0xA700
_NOT_UNDERSTOOD: Final = 0xC000


class DimseArchive:
    """An archive that speaks DIMSE."""

    def __init__(self, address: DimseAddress, caller: Caller, *, move_port: int | None = None) -> None:
        load("pynetdicom")
        self.address = address
        self.caller = caller
        self.move_port = move_port
        self._reached = False

    def studies(self, wanted: Wanted) -> list[str]:
        """The UIDs of the studies that match."""
        with self._asking() as find:
            found = find("STUDY", StudyInstanceUID=wanted.study or "", AccessionNumber=wanted.accession or "")
        named = {(text_of(one, "StudyInstanceUID"), text_of(one, "AccessionNumber")) for one in found}
        # An archive that does not know a key ignores it, and answers with other patients' studies.
        return sorted({study for study, accession in named if wanted.is_met_by(study, accession)})

    def series_of(self, study: str, series: str | None) -> list[Held]:
        """What it holds of a study; the images are asked for series by series, as the standard has it."""
        held = []
        with self._asking() as find:
            uids = {series or ""} - {""}
            if not uids:
                found = find("SERIES", StudyInstanceUID=study, SeriesInstanceUID="")
                uids = {text_of(one, "SeriesInstanceUID") for one in found} - {""}
            for uid in sorted(uids):
                images = find(
                    "IMAGE", StudyInstanceUID=study, SeriesInstanceUID=uid, SOPInstanceUID="", SOPClassUID=""
                )
                instances = {text_of(one, "SOPInstanceUID"): text_of(one, "SOPClassUID") for one in images}
                instances.pop("", None)
                if instances:
                    held.append(Held(uid, instances))
        return held

    def fetch(self, study: str, held: Held, keep: Keep) -> None:
        """Get the instances of a series, each given to ``keep`` as it arrives."""
        query = self._query("SERIES", {"StudyInstanceUID": study, "SeriesInstanceUID": held.series})
        failure: list[BaseException] = []
        receive = _receiver(keep, failure)
        if self.move_port is None:
            # The images come back over the association that asks for them.
            contexts = [(_GET, _UNCOMPRESSED), *_receivable(held)]
            with self._association(contexts, receive=receive) as link:
                if not any(context.abstract_syntax == _GET for context in link.accepted_contexts):
                    raise InputError(
                        f"The archive {self.address.shown} does not know C-GET; have it move the images here "
                        f"with --move-port PORT, once it knows {self.caller.ae_title} with this computer's "
                        "address and port"
                    )
                for status, _ in link.send_c_get(query, _GET):
                    self._check("fetching", status, failure)
            return
        door = open_door(receive, ae_title=self.caller.ae_title, host="", port=self.move_port)
        try:
            with self._association([(_MOVE, _UNCOMPRESSED)]) as link:
                for status, _ in link.send_c_move(query, self.caller.ae_title, _MOVE):
                    self._check("fetching", status, failure, moving=True)
        finally:
            door.shutdown()

    def store(self, files: Sequence[Outgoing], stored: Callable[[Outgoing], None]) -> None:
        """Put files there over one association for every 128 kinds of them."""
        refused: list[str] = []
        kinds = sorted({(file.sop_class, file.transfer_syntax) for file in files})
        for begin in range(0, len(kinds), MOST_CONTEXTS):
            these = kinds[begin : begin + MOST_CONTEXTS]
            contexts = [(sop_class, _offered(syntax)) for sop_class, syntax in these]
            mine = [file for file in files if (file.sop_class, file.transfer_syntax) in these]
            with self._association(contexts) as link:
                for file in mine:
                    why = self._store_one(link, file)
                    if why is None:
                        stored(file)
                    else:
                        refused.append(why)
        refuse_in_part(self.address, len(files), refused)

    def _association(self, contexts: Sequence[tuple[str, Sequence[str]]], receive: Any = None) -> Any:
        """An association; before the first it is seen whether anybody is there."""
        if not self._reached:
            check_reachable(self.address, self.caller)
            self._reached = True
        return association(self.address, self.caller, contexts, receive=receive)

    def _store_one(self, link: Any, file: Outgoing) -> str | None:
        """Send one file; why it was refused, None where it was taken."""
        accepted = [c for c in link.accepted_contexts if c.abstract_syntax == file.sop_class]
        native = file.transfer_syntax in _UNCOMPRESSED
        if not any(
            c.transfer_syntax[0] == file.transfer_syntax or (native and c.transfer_syntax[0] in _UNCOMPRESSED)
            for c in accepted
        ):
            return "it does not take objects of this class, or not in their compression"
        try:
            answer = link.send_c_store(file.path)
        except (ValueError, RuntimeError) as error:
            if not link.is_established:
                raise self._broke_off() from error
            return "the file is not whole"
        if "Status" not in answer:
            raise self._broke_off()
        return None if is_stored(answer.Status) else meaning_of(answer.Status)

    @contextmanager
    def _asking(self) -> Iterator[Callable[..., list[Any]]]:
        """A function that asks by C-FIND for a level and its keys."""
        with self._association([(_FIND, _UNCOMPRESSED)]) as link:

            def find(level: str, **keys: str) -> list[Any]:
                found = []
                for status, one in link.send_c_find(self._query(level, keys), _FIND):
                    self._check("search", status)
                    if status.Status in _PENDING and one is not None:
                        found.append(one)
                return found

            yield find

    def _query(self, level: str, keys: dict[str, str]) -> Any:
        from pydicom.dataset import Dataset

        query = Dataset()
        query.QueryRetrieveLevel = level
        for keyword, value in keys.items():
            setattr(query, keyword, value)
        return query

    def _check(
        self, what: str, status: Any, failure: Sequence[BaseException] = (), *, moving: bool = False
    ) -> None:
        """Raise where an answer is a failure; ``failure`` holds ours, which explains the archive's."""
        if "Status" not in status:
            raise self._broke_off()
        if failure:
            raise failure[0]
        code = int(status.Status)
        if code in _PENDING or code == 0:
            return
        where = f"The archive {self.address.shown}"
        failed = status.get("NumberOfFailedSuboperations")
        if code == _DONE_WITH_WARNINGS and not failed:
            return  # what has come is counted afterwards
        if failed:
            raise InputError(
                f"{where} could not send {failed} of a series (status {code:04X}); --series takes one alone"
            )
        told = f"{where} refuses the {what} (status {code:04X})"
        if moving:
            told += f"; for C-MOVE it must know {self.caller.ae_title} with this computer's address and port"
        raise InputError(told)

    def _broke_off(self) -> InputError:
        return InputError(f"The archive {self.address.shown} broke off in the middle")


def _offered(syntax: str) -> Sequence[str]:
    """Transfer syntaxes for a file to be sent: an uncompressed one may be sent as another."""
    return _UNCOMPRESSED if syntax in _UNCOMPRESSED else (syntax,)


def _receivable(held: Held) -> list[tuple[str, Sequence[str]]]:
    """Contexts for the classes of a series: uncompressed, and each compression that thecal reads.

    One each, for an acceptor picks one syntax a context, and images are wanted as they are stored.
    """
    classes = sorted({sop_class for sop_class in held.instances.values() if sop_class}) or sorted(CT_STORAGE)
    compressed = sorted(READABLE - set(NATIVE))
    contexts: list[tuple[str, Sequence[str]]] = [(sop_class, _UNCOMPRESSED) for sop_class in classes]
    for sop_class in classes:
        contexts += [(sop_class, (syntax,)) for syntax in compressed]
    return contexts[: MOST_CONTEXTS - 1]


def _receiver(keep: Keep, failure: list[BaseException]) -> Callable[[Any], int]:
    """What answers a C-STORE: success only once the instance is kept."""

    def receive(event: Any) -> int:
        try:
            keep(str(event.request.AffectedSOPInstanceUID), event.encoded_dataset())
        except OSError as error:
            failure.append(error)
            return _OUT_OF_ROOM
        except InputError as error:
            failure.append(error)
            return _NOT_UNDERSTOOD
        return 0

    return receive
