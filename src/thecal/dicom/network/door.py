"""A port of ours to which images are sent by C-STORE."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from thecal.dicom.codecs import READABLE
from thecal.dicom.network.extra import load
from thecal.errors import InputError

_VERIFICATION: Final = "1.2.840.10008.1.1"


def open_door(
    receive: Callable[[Any], int],
    *,
    ae_title: str,
    host: str,
    port: int,
    sop_classes: Sequence[str] | None = None,
    senders: Sequence[str] = (),
    ssl_context: Any = None,
) -> Any:
    """Open a C-STORE SCP; ``shutdown()`` of what is returned closes it.

    Parameters
    ----------
    receive : callable
        Answers a C-STORE with its status.
    ae_title, host, port
        Ours.
    sop_classes : sequence of str or None
        What is taken, in every encoding that thecal reads; None for all that can be stored. All else is
        refused when the association is made, so that no sender believes it to be kept here.
    senders : sequence of str
        AE titles that may send; all where there are none.
    ssl_context : ssl.SSLContext or None

    Raises
    ------
    InputError
        Where the port cannot be opened.
    """
    net = load("pynetdicom")
    entity = net.AE(ae_title=ae_title)
    entity.require_called_aet = True
    entity.require_calling_aet = list(senders)
    entity.add_supported_context(_VERIFICATION)
    if sop_classes is None:
        sop_classes = [context.abstract_syntax for context in net.AllStoragePresentationContexts]
    for sop_class in sorted(sop_classes):
        entity.add_supported_context(sop_class, sorted(READABLE))
    try:
        return entity.start_server(
            (host, port),
            block=False,
            ssl_context=ssl_context,
            evt_handlers=[(net.evt.EVT_C_STORE, receive)],
        )
    except OSError as error:
        raise InputError(f"Port {port} of this computer cannot be opened: {error.strerror}") from error
