"""A page on loopback that shows the watch, and is never waited for."""

from __future__ import annotations

import json
import secrets
import threading
import time
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any, Final

from thecal.errors import InputError
from thecal.fluoro.frame import Frame
from thecal.fluoro.screen.clock_face import Clock
from thecal.fluoro.screen.look import CANAL_LOOK, LEVEL_LOOKS, NOT_CLEARED
from thecal.fluoro.screen.message import as_event, picture_uri, state
from thecal.fluoro.stream.events import Event
from thecal.fluoro.stream.watch import Shown
from thecal.terms import RESEARCH_USE

HOST: Final = "127.0.0.1"
LAST_PORT: Final = 65535
BEAT_S: Final = 0.25
"""A page hears something this often, whatever happens."""
MOST_PAGES: Final = 8
SILENT_S: Final = 1.0
"""A watch that shows nothing for so long has itself stopped working."""
POLICY: Final = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'"
)


class WebScreen:
    """Serves the page and what it shows; each open page gets the newest moment, as fast as it can take it.

    Parameters
    ----------
    title : str
        What is watched: the level.
    posterior : "third" or "quarter"
    port : int
        0 takes any free one.
    sound : bool
    clock : Clock, optional

    Raises
    ------
    InputError
        Where there is no such port, or it cannot be opened.
    """

    def __init__(
        self, title: str, posterior: str, *, port: int = 0, sound: bool = False, clock: Clock | None = None
    ) -> None:
        if not 0 <= port <= LAST_PORT:
            raise InputError(f"--port is a number from 0 to {LAST_PORT}")
        self._clock = clock
        self._about = {
            "title": title,
            "stop_at": 1 / 3 if posterior == "third" else 1 / 4,
            "posterior": posterior,
            "sound": sound,
            "looks": {level: vars(look) for level, look in LEVEL_LOOKS.items()} | {"canal": vars(CANAL_LOOK)},
            "research_use": RESEARCH_USE,
            "not_cleared": NOT_CLEARED,
        }
        self._changed = threading.Condition()
        # Who shares the computer, or a page of another site in the same browser, does not know it.
        self.path = f"/{secrets.token_urlsafe(12)}/"
        self._shown: Shown | None = None
        self._shown_s = 0.0
        self._count = 0
        self._over = False
        self._closed = False
        self._pages = 0
        self._drawn: tuple[Frame, str] | None = None
        try:
            self._server = _Server((HOST, port), _handler(self))
        except OSError as error:
            raise InputError(f"Port {port} of this computer cannot be opened: {error.strerror}") from error
        self._server.daemon_threads = True
        self.address = f"http://{HOST}:{self._server.server_address[1]}{self.path}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="web", daemon=True)
        self._thread.start()

    def say(self, event: Event) -> None:
        """Note the end of the watch."""
        if event.event == "end":
            with self._changed:
                self._over = True
                self._changed.notify_all()

    def show(self, shown: Shown) -> None:
        """Show this moment from now on."""
        with self._changed:
            self._shown, self._shown_s = shown, time.monotonic()
            self._count += 1
            self._changed.notify_all()

    def close(self) -> None:
        """End the pages' connections and the server."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()

    @property
    def hosts(self) -> tuple[str, str]:
        """The names under which the page may be asked for: a page of another name is someone else's."""
        port = self._server.server_address[1]
        return (f"{HOST}:{port}", f"localhost:{port}")

    @cached_property
    def page(self) -> bytes:
        """The page itself."""
        template = resources.files("thecal.fluoro.screen").joinpath("templates", "watch.html")
        about = json.dumps(self._about).replace("<", "\\u003c")
        return template.read_text(encoding="utf-8").replace("{{ about }}", about).encode()

    def follow(self, write: Any) -> None:
        """Write the newest moment again and again, until the page goes or the watch is closed."""
        with self._changed:
            if self._pages >= MOST_PAGES:
                return
            self._pages += 1
        seen, drawn = -1, None
        try:
            while True:
                with self._changed:
                    if self._count == seen and not self._closed:
                        self._changed.wait(BEAT_S)
                    shown, seen, over, closed = self._shown, self._count, self._over, self._closed
                    silent = time.monotonic() - self._shown_s > SILENT_S
                values: dict[str, Any] = {"over": over}
                if shown is not None:
                    values |= state(shown, self._clock)
                    if shown.frame is not None and shown.frame is not drawn:
                        drawn = shown.frame
                        values["image"] = self._image(drawn)
                    if silent and not over:
                        values |= {"level": "lost", "why": "thecal itself does not answer"}
                write(as_event(values))
                if closed:
                    return
        finally:
            with self._changed:
                self._pages -= 1

    def _image(self, frame: Frame) -> str:
        """The picture for all pages, made once."""
        made = self._drawn
        if made is None or made[0] is not frame:
            made = self._drawn = (frame, picture_uri(frame))
        return made[1]


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A page that went away is no error."""


def _handler(screen: WebScreen) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10.0

        def do_GET(self) -> None:
            origin, site = self.headers.get("Origin"), self.headers.get("Sec-Fetch-Site")
            if (
                self.headers.get("Host") not in screen.hosts
                or (origin is not None and origin not in [f"http://{host}" for host in screen.hosts])
                or site not in (None, "none", "same-origin")
            ):
                self.send_error(403)
            elif secrets.compare_digest(self.path.encode(), screen.path.encode()):
                self._head("text/html; charset=utf-8", len(screen.page))
                self.wfile.write(screen.page)
            elif secrets.compare_digest(self.path.encode(), f"{screen.path}moments".encode()):
                self._head("text/event-stream", None)
                screen.follow(self._write)
            else:
                self.send_error(404)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the terminal is for the watch."""

        def _write(self, content: bytes) -> None:
            self.wfile.write(content)
            self.wfile.flush()

        def _head(self, kind: str, length: int | None) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Cache-Control", "no-store")
            self.send_header("Content-Security-Policy", POLICY)
            self.send_header("X-Content-Type-Options", "nosniff")
            if length is None:
                self.send_header("Connection", "close")
                self.close_connection = True
            else:
                self.send_header("Content-Length", str(length))
            self.end_headers()

    return Handler
