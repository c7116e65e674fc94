"""A small RTSP server on loopback: JPEG over RTP (RFC 2435) within the TCP connection (RFC 2326, 10.12)."""

from __future__ import annotations

import io
import socket
import struct
import threading
import time
from collections.abc import Callable

import numpy as np
from PIL import Image

QUALITY = 90
PACKET = 1200
CLOCK_HZ = 90_000


class RtspServer:
    """Sends pictures to whoever asks, until it is stopped.

    Parameters
    ----------
    picture : callable
        The picture of a number, (rows, columns) uint8 with both a multiple of 16.
    """

    def __init__(self, picture: Callable[[int], np.ndarray], port: int = 0, rate_hz: float = 20.0) -> None:
        self._picture, self._rate_hz = picture, rate_hz
        self._stopped = threading.Event()
        self._door = socket.create_server(("127.0.0.1", port))
        self._door.settimeout(0.1)
        self.port = self._door.getsockname()[1]
        self._lines: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._listen)]
        self._threads[0].start()

    @property
    def address(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/live"

    def stop(self) -> None:
        self._stopped.set()
        for line in self._lines:
            line.close()
        for thread in self._threads:
            thread.join()
        self._door.close()

    def _listen(self) -> None:
        while not self._stopped.is_set():
            try:
                line, _ = self._door.accept()
            except TimeoutError:
                continue
            line.settimeout(0.1)
            self._lines.append(line)
            self._threads.append(threading.Thread(target=self._serve, args=(line,)))
            self._threads[-1].start()

    def _serve(self, line: socket.socket) -> None:
        waiting, playing = b"", False
        number, due = 0, time.monotonic()
        while not self._stopped.is_set():
            try:
                came = line.recv(4096)
                if not came:
                    return
                waiting += came
            except TimeoutError:
                pass
            except OSError:
                return
            while b"\r\n\r\n" in waiting:
                request, _, waiting = waiting.partition(b"\r\n\r\n")
                if request.startswith(b"$"):
                    continue
                playing = self._answer(line, request.decode("latin-1")) or playing
                line.settimeout(0.005)
            while playing and time.monotonic() >= due:
                try:
                    self._send(line, number)
                except OSError:
                    return
                number, due = number + 1, max(due, time.monotonic() - 0.2) + 1.0 / self._rate_hz

    def _answer(self, line: socket.socket, request: str) -> bool:
        method = request.split(" ", 1)[0]
        cseq = next(h.split(":")[1].strip() for h in request.split("\r\n") if h.lower().startswith("cseq"))
        more, body = "", ""
        if method == "OPTIONS":
            more = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
        elif method == "DESCRIBE":
            body = (
                "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                "m=video 0 RTP/AVP 26\r\na=rtpmap:26 JPEG/90000\r\na=control:track\r\n"
            )
            more = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
        elif method == "SETUP":
            more = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n"
        elif method == "PLAY":
            more = "Session: 1\r\nRange: npt=0-\r\n"
        line.sendall(f"RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\n{more}\r\n{body}".encode())
        return method == "PLAY"

    def _send(self, line: socket.socket, number: int) -> None:
        pixels = self._picture(number)
        buffer = io.BytesIO()
        Image.fromarray(pixels).convert("RGB").save(buffer, "JPEG", quality=QUALITY, subsampling=2)
        jpeg = buffer.getvalue()
        scan = jpeg.index(b"\xff\xda")
        data = jpeg[scan + 2 + struct.unpack(">H", jpeg[scan + 2 : scan + 4])[0] : -2]
        rows, columns = pixels.shape
        stamp = int(number / self._rate_hz * CLOCK_HZ)
        for at in range(0, len(data), PACKET):
            part = data[at : at + PACKET]
            last = at + PACKET >= len(data)
            self._sequence = (getattr(self, "_sequence", 0) + 1) % 65536
            head = struct.pack(">BBHII", 0x80, 26 | (0x80 if last else 0), self._sequence, stamp, 7)
            head += struct.pack(">II", at, (1 << 24) | (QUALITY << 16) | (columns // 8 << 8) | rows // 8)
            packet = head + part
            line.settimeout(2.0)
            line.sendall(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
            line.settimeout(0.005)
