"""One association with an archive (PS3.8), or the sentence that says why there is none."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from thecal.dicom.network.address import Caller, DimseAddress
from thecal.dicom.network.extra import load
from thecal.dicom.network.tls import client_tls
from thecal.errors import InputError

CONNECT_S: Final = 10.0
ASSOCIATE_S: Final = 30.0
# Between two messages; a study that lies on tape takes its time.
ANSWER_S: Final = 300.0
_END_S: Final = 2.0
# PS3.8 table 9-21.
_REFUSAL: Final = 0x03
_SERVICE_USER, _PRESENTATION = 1, 3
_REASONS: Final = {
    (_SERVICE_USER, 2): "it does not speak this application context",
    (_SERVICE_USER, 3): "it does not know us as {us} (--aet names us otherwise)",
    (_SERVICE_USER, 7): "it is not called {them}",
    (_PRESENTATION, 1): "it is too busy now",
    (_PRESENTATION, 2): "it has no association left",
}


@contextmanager
def association(
    address: DimseAddress,
    caller: Caller,
    contexts: Sequence[tuple[str, Sequence[str]]],
    *,
    receive: Any = None,
) -> Iterator[Any]:
    """An association, released at the end; aborted where the block raises.

    Parameters
    ----------
    address, caller
    contexts : sequence of (abstract syntax, transfer syntaxes)
        At most 128.
    receive : callable or None
        Handles C-STORE requests that come back over the same association (C-GET).

    Raises
    ------
    InputError
        Where the archive is not there, or refuses.
    """
    net = load("pynetdicom")
    entity = net.AE(ae_title=caller.ae_title)
    entity.acse_timeout, entity.dimse_timeout = ASSOCIATE_S, ANSWER_S
    entity.network_timeout, entity.connection_timeout = ANSWER_S, CONNECT_S
    roles: list[Any] = []
    opened: list[socket.socket] = []
    refusals: list[tuple[int, int]] = []

    def read_refusal(event: Any) -> None:
        # From the message itself: the library forgets it where the connection is closed at once.
        if event.pdu.pdu_type == _REFUSAL:
            refusals.append((event.pdu.source, event.pdu.reason_diagnostic))

    handlers = [
        (net.evt.EVT_CONN_OPEN, lambda event: opened.append(event.assoc.dul.socket.socket)),
        (net.evt.EVT_PDU_RECV, read_refusal),
    ]
    for syntax, transfers in contexts:
        entity.add_requested_context(syntax, list(transfers))
    if receive is not None:
        handlers.append((net.evt.EVT_C_STORE, receive))
        for syntax in sorted({syntax for syntax, _ in contexts[1:]}):
            roles.append(net.build_role(syntax, scp_role=True))
    secure = (client_tls(caller), address.host) if address.tls else None
    made = entity.associate(
        address.host,
        address.port,
        ae_title=address.ae_title,
        ext_neg=roles or None,
        tls_args=secure,
        evt_handlers=handlers,
    )
    try:
        if not made.is_established:
            raise InputError(_why_not(made, refusals, address, caller))
        try:
            yield made
        except RuntimeError as error:  # what the library says of an association that is gone
            made.abort()
            raise InputError(f"The archive {address.shown} broke off in the middle") from error
        except BaseException:
            made.abort()
            raise
        if made.is_established:
            made.release()
    finally:
        if made.ident is not None:
            made.join(_END_S)
        for one in opened:
            # The library leaves it open where the other side was first to go.
            one.close()


def check_reachable(address: DimseAddress, caller: Caller) -> None:
    """Connect, by TLS where it is asked for, and part again.

    Raises
    ------
    InputError
        Where nobody answers, or not by TLS as it should be.
    """
    where = f"The archive {address.shown}"
    try:
        plain = socket.create_connection((address.host, address.port), CONNECT_S)
    except TimeoutError as error:
        raise InputError(f"{where} does not answer in time") from error
    except OSError as error:
        raise InputError(f"{where} does not answer: {error.strerror or error}") from error
    with plain:
        if not address.tls:
            return
        try:
            client_tls(caller).wrap_socket(plain, server_hostname=address.host).close()
        except ssl.SSLCertVerificationError as error:
            told = f"shows a certificate that is not trusted ({error.verify_message}); see --ca"
            raise InputError(f"{where} {told}") from error
        except OSError as error:
            raise InputError(f"{where} does not speak TLS there, or wants a certificate (--cert)") from error


def _why_not(made: Any, refusals: Sequence[tuple[int, int]], address: DimseAddress, caller: Caller) -> str:
    """Why there is no association, as a sentence."""
    where = f"The archive {address.shown}"
    if refusals:
        reason = _REASONS.get(refusals[0], "it gives no reason")
        return f"{where} refuses the association: " + reason.format(us=caller.ae_title, them=address.ae_title)
    if made.is_aborted and made.acceptor.primitive is not None:
        return f"{where} takes none of what was proposed"
    check_reachable(address, caller)
    if address.tls:
        return f"{where} broke off after the TLS handshake; it may want a certificate (--cert)"
    return f"{where} broke off; it may want TLS (dicoms://), or be no DICOM archive"
