"""A browser to look at a page with, driven over its own socket (Chrome DevTools protocol)."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import socket
import struct
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")


def why_absent() -> str:
    """Why no browser can be used; empty where one can."""
    return "" if any(shutil.which(name) for name in NAMES) else "a page needs chromium to be looked at"


class Browser:
    """One page in a browser without a window."""

    def __init__(self, folder: Path) -> None:
        program = next(found for name in NAMES if (found := shutil.which(name)))
        self._process = subprocess.Popen(
            [
                program,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--remote-debugging-port=0",
                f"--user-data-dir={folder}",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        port_file = folder / "DevToolsActivePort"
        ends = time.monotonic() + 30.0
        while not (port_file.exists() and port_file.read_text().count("\n")):
            assert time.monotonic() < ends, "the browser does not start"
            time.sleep(0.05)
        port = int(port_file.read_text().split()[0])
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
            (page,) = [tab for tab in json.load(answer) if tab["type"] == "page"]
        self._line = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._waiting = b""
        self._number = 0
        path = page["webSocketDebuggerUrl"].split(str(port), 1)[1]
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        self._line.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self._waiting:
            self._waiting += self._line.recv(4096)
        self._waiting = self._waiting.partition(b"\r\n\r\n")[2]

    def open(self, address: str) -> None:
        self._call("Page.navigate", url=address)

    def value(self, script: str) -> Any:
        """What a line of JavaScript gives."""
        return self._call("Runtime.evaluate", expression=script)["result"].get("value")

    def until(self, script: str, timeout_s: float = 10.0) -> bool:
        """Whether a line of JavaScript becomes true in time."""
        ends = time.monotonic() + timeout_s
        while time.monotonic() < ends:
            if self.value(script) is True:
                return True
            time.sleep(0.05)
        return False

    def close(self) -> None:
        self._line.close()
        os.killpg(self._process.pid, 15)
        self._process.wait()

    def _call(self, method: str, **values: Any) -> Any:
        self._number += 1
        text = json.dumps({"id": self._number, "method": method, "params": values}).encode()
        size = bytes([0x80 | len(text)]) if len(text) < 126 else struct.pack(">BH", 0x80 | 126, len(text))
        mask = secrets.token_bytes(4)
        self._line.sendall(b"\x81" + size + mask + bytes(c ^ mask[n % 4] for n, c in enumerate(text)))
        while True:
            answer = json.loads(self._message())
            if answer.get("id") == self._number:
                return answer["result"]

    def _message(self) -> bytes:
        """One message, however many pieces it came in."""
        whole = b""
        while True:
            first, length = self._take(2)
            length &= 0x7F
            if length == 126:
                (length,) = struct.unpack(">H", self._take(2))
            elif length == 127:
                (length,) = struct.unpack(">Q", self._take(8))
            whole += self._take(length)
            if first & 0x80:
                return whole

    def _take(self, count: int) -> bytes:
        while len(self._waiting) < count:
            self._waiting += self._line.recv(65536)
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken
