"""Decoders that run at the same time: this process, and helpers where the codec holds Python's lock."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from thecal.dicom.codecs import JPEG_2000, JPEG_LS, decode
from thecal.dicom.decode_worker import ANSWER, REQUEST

MAX_DECODERS = 4
# A helper takes some 0.3 s to start, a slice of 512 x 512 in JPEG 2000 0.04 s to decode.
WORTH_A_HELPER_PIXELS = 40 * 512 * 512

Decode = Callable[[bytes, int, int, int], npt.NDArray[Any]]


@contextmanager
def decoders(syntax: str, pixels: int) -> Iterator[queue.Queue[Decode]]:
    """As many decoders of a syntax as may run at once; take one, use it, put it back.

    Parameters
    ----------
    syntax : str
        Transfer syntax UID.
    pixels : int
        To be decoded in all; few are not worth a helper.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    count = min(MAX_DECODERS, cores)

    def here(data: bytes, rows: int, columns: int, bits: int) -> npt.NDArray[Any]:
        return decode(data, syntax, rows, columns, bits)

    # OpenJPEG and CharLS keep Python's lock while they decode; the others let go of it or are quick.
    locked = syntax in JPEG_2000 | JPEG_LS
    helpers = [_Helper(syntax) for _ in range(count - 1)] if locked and pixels > WORTH_A_HELPER_PIXELS else []
    ready: queue.Queue[Decode] = queue.Queue()
    for decoder in [here] * (1 if locked else count) + [helper.decode for helper in helpers]:
        ready.put(decoder)
    try:
        yield ready
    finally:
        for helper in helpers:
            helper.close()


class _Helper:
    """Another process that decodes; where it cannot run, this one does its work."""

    def __init__(self, syntax: str) -> None:
        self._syntax = syntax
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "thecal.dicom.decode_worker", syntax],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError:
            self._process = None

    def decode(self, data: bytes, rows: int, columns: int, bits: int) -> npt.NDArray[Any]:
        """One frame; raises as ``codecs.decode`` does."""
        size = self._ask(data, rows, columns, bits)
        if size == 0:
            raise ValueError("the frame is damaged")
        plain = b"" if size is None else self._listen(size * rows * columns)
        if size is None or len(plain) < size * rows * columns:
            self.close()
            return decode(data, self._syntax, rows, columns, bits)
        return np.frombuffer(plain, f"<u{size}").reshape(rows, columns)

    def _ask(self, data: bytes, rows: int, columns: int, bits: int) -> int | None:
        """Send a frame; the bytes of a sample in the answer, None where there is no answer."""
        if self._process is None or self._process.stdin is None:
            return None
        try:
            self._process.stdin.write(REQUEST.pack(len(data), rows, columns, bits))
            self._process.stdin.write(data)
            self._process.stdin.flush()
        except OSError:
            return None
        answer = self._listen(ANSWER.size)
        return int(ANSWER.unpack(answer)[0]) if len(answer) == ANSWER.size else None

    def _listen(self, size: int) -> bytes:
        if self._process is None or self._process.stdout is None:
            return b""
        return self._process.stdout.read(size)

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    # The process ended first; there is nothing left to flush to.
                    continue
        process.kill()
        process.wait()
