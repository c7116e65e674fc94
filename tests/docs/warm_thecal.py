"""The command ``thecal`` without its start-up: one process loads all, and forks.

Much of what a command costs on the small patient is loading libraries. What a child runs is
``thecal.cli.run``, as the installed command does; that command itself is started wherever the environment
could matter (see ``SHIM``).
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

# Loaded before the first command; nothing is computed, so that no thread is lost in a fork.
LOADED = (
    "thecal.cli.assess",
    "thecal.cli.compare",
    "thecal.cli.info",
    "thecal.cli.plan",
    "thecal.cli.phantom",
    "thecal.cli.pipeline",
    "thecal.anatomy.backends.builtin",
    "thecal.report.html",
    "thecal.report.dicom_outputs",
    "thecal.compare.write",
    "thecal.needle.pictures.along_needle",
    "thecal.needle.outputs.document",
    "thecal.needle.outputs.meshes",
    "thecal.needle.outputs.page",
    "thecal.needle.plan",
    "thecal.needle.outputs.structured_report",
    "thecal.needle.pictures.views",
    "thecal.needle.outputs.write",
    "trimesh",
    "thecal.cli.literature_words",
    "thecal.registry.pictures.forest",
    "thecal.registry.similar.box",
    "scipy.stats",
    "thecal.report.axial",
    "thecal.report.projections",
    "thecal.report.sagittal",
    "thecal.report.scene",
    "thecal.report.signs",
    "thecal.report.labelmaps",
    "thecal.curve_lookup",
    "thecal.dicom.measurement_report",
    "thecal.dicom.secondary_capture",
    "thecal.dicom.segmentation",
    "thecal.dicom.series",
    "thecal.dicom.simulated",
    "thecal.dicom.straighten",
    "highdicom",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "nibabel",
    "numba.typed",
    "skimage.filters",
    "skimage.measure",
    "skimage.morphology",
)
# A plug-in is found by the environment, and an archive's commands are stopped by signals: those start anew.
SHIM = """#!{python} -SE
import json, os, socket, sys
words = sys.argv[1:]
warm = words[:1] in (["assess"], ["compare"], ["info"], ["literature"], ["plan"], ["similar"])
if not warm or os.environ.get("PYTHONPATH", "") != {path!r}:
    os.execv({real!r}, [{real!r}, *words])
with socket.socket(socket.AF_UNIX) as line:
    line.connect({socket!r})
    socket.send_fds(line, [json.dumps([words, os.getcwd()]).encode() + b"\\n"], [0, 1, 2])
    answer = line.recv(16)
sys.exit(int(answer or b"1"))
"""


class Warm:
    """The waiting process; ``folder`` holds the command to be put first on the PATH."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="thecal-")
        self.folder = Path(self._folder.name)
        place = str(self.folder / "line")
        shim = self.folder / "thecal"
        real = str(Path(sys.executable).parent / "thecal")
        path = os.environ.get("PYTHONPATH", "")
        shim.write_text(SHIM.format(python=sys.executable, path=path, real=real, socket=place))
        shim.chmod(0o755)
        environment = {name: v for name, v in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self._process = subprocess.Popen(
            [sys.executable, __file__, place], stdout=subprocess.PIPE, env=environment
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def stop(self) -> None:
        """End the process and remove the command."""
        self._process.terminate()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._folder.cleanup()


def serve(place: str) -> None:
    """Answer each command in a child; ends with the process that started it."""
    for name in LOADED:
        import_module(name)
    # Ended children leave no trace.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(place)
        door.listen()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            line, _ = door.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                os._exit(_child(line))
            line.close()


def _child(line: socket.socket) -> int:
    from thecal.cli import run

    text, streams, _, _ = socket.recv_fds(line, 65536, 3)
    words, folder = json.loads(text)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.chdir(folder)
    status = 1
    try:
        status = run(words)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        line.sendall(str(status).encode())
    return status


if __name__ == "__main__":
    serve(sys.argv[1])
