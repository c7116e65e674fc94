"""Archives that behave badly, each on a free port of loopback."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import AE, AllStoragePresentationContexts, evt

FIND, GET = "1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.5.1.4.1.2.2.3"
Answer = tuple[int, str, bytes] | tuple[int, str, bytes, dict[str, str]]


@contextmanager
def web(
    answer: Callable[[str, str, Any], Answer], *, pem: Path | None = None, breaks_off: bool = False
) -> Iterator[str]:
    """An HTTP server that answers (method, path, headers) with (status, content type, body[, headers]).

    Gives its root. One that breaks off promises more than it sends. An empty content type is left out.
    """

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, kind, body, *more = answer(self.command, self.path, self.headers)
            self.send_response(status)
            if kind:
                self.send_header("Content-Type", kind)
            for name, value in (more[0] if more else {}).items():
                self.send_header(name, value)
            cut = 1000 if breaks_off and kind.startswith("multipart") else 0
            self.send_header("Content-Length", str(len(body) + cut))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True

        do_GET = do_POST = _answer  # noqa: N815 — http.server's names

        def log_message(self, *_: Any) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if pem is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(pem)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http{'s' if pem else ''}://127.0.0.1:{server.server_port}/dicom-web"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def dimse(
    *,
    store: Callable[[Any], int] | None = None,
    find: list[Dataset] | None = None,
    get: Callable[[Any], Iterator[Any]] | None = None,
    classes: list[str] | None = None,
    callers: list[str] | None = None,
    gets: bool = True,
) -> Iterator[str]:
    """A DICOM application entity called FAKE; its address."""
    entity = AE("FAKE")
    entity.require_called_aet = True
    entity.require_calling_aet = callers or []
    for context in AllStoragePresentationContexts:
        if classes is None or context.abstract_syntax in classes:
            entity.add_supported_context(context.abstract_syntax, scu_role=True, scp_role=True)
    entity.add_supported_context(FIND)
    if gets:
        entity.add_supported_context(GET)

    def found(event: Any) -> Iterator[Any]:
        for one in find or []:
            asked, series = event.identifier, one.get("SeriesInstanceUID", "")
            if one.QueryRetrieveLevel == asked.QueryRetrieveLevel and series == (
                asked.get("SeriesInstanceUID") or series
            ):
                yield 0xFF00, one

    handlers: list[Any] = [(evt.EVT_C_FIND, found)]
    if store is not None:
        handlers.append((evt.EVT_C_STORE, store))
    if get is not None:
        handlers.append((evt.EVT_C_GET, get))
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    try:
        yield f"dicom://127.0.0.1:{server.server_address[1]}/FAKE"
    finally:
        server.shutdown()


def certificate(folder: Path, name: str = "archive") -> Path:
    """A certificate for 127.0.0.1 with its key, signed by itself; one PEM file."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", str(key)),
            *("-out", str(certificate), "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    whole = folder / f"{name}.pem"
    whole.write_bytes(certificate.read_bytes() + key.read_bytes())
    return whole
