"""Start a command that listens on ``--port``, stop it as Ctrl-C would once it does, and give its status."""

from __future__ import annotations

import socket
import subprocess
import sys
import time

LONGEST_S = 120.0


def main(words: list[str]) -> int:
    """The status of the command; 124 where it never listened."""
    port = int(words[words.index("--port") + 1])
    with subprocess.Popen(words) as command:
        until = time.monotonic() + LONGEST_S
        while command.poll() is None and time.monotonic() < until:
            with socket.socket() as line:
                if line.connect_ex(("127.0.0.1", port)) == 0:
                    command.terminate()
                    return command.wait(LONGEST_S)
            time.sleep(0.1)
        command.kill()
    return 124


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
