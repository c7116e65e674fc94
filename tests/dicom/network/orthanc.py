"""An archive to talk to: Orthanc from Debian, on loopback, with storage of its own that goes with it."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import requests

AET = "ORTHANC"
OUR_AET = "THECAL"
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
STARTS_WITHIN_S = 30.0


def why_absent() -> str | None:
    """Why Orthanc cannot be started here, as a sentence; None where it can."""
    if program() is None:
        return "Orthanc is not installed (Debian: apt-get install orthanc orthanc-dicomweb; or make orthanc)."
    if not PLUGIN.exists():
        return "Orthanc's DICOMweb plugin is not installed (Debian: apt-get install orthanc-dicomweb)."
    return None


def program() -> str | None:
    return shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin:/usr/local/sbin")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Orthanc:
    """A running Orthanc; ``settings`` are added to its configuration."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.http_port, self.dicom_port, self.move_port = free_port(), free_port(), free_port()
        self.settings = settings
        self.user: tuple[str, str] | None = next(iter(settings.get("RegisteredUsers", {}).items()), None)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def web(self) -> str:
        return f"{self.root}/dicom-web"

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def dimse(self) -> str:
        return f"dicom://127.0.0.1:{self.dicom_port}/{AET}"

    @property
    def secure(self) -> str:
        return self.dimse.replace("dicom:", "dicoms:")

    def start(self) -> Orthanc:
        self.folder.mkdir(parents=True, exist_ok=True)
        storage = self.folder / "storage"
        configuration = {
            "Name": "thecal-tests",
            "StorageDirectory": str(storage),
            "IndexDirectory": str(storage),
            "HttpPort": self.http_port,
            "RemoteAccessAllowed": False,
            "DicomPort": self.dicom_port,
            "DicomAet": AET,
            "DicomCheckCalledAet": True,
            "DicomAlwaysAllowGet": True,
            "DicomAlwaysAllowFind": True,
            "DicomAlwaysAllowMove": True,
            "DicomAlwaysAllowStore": True,
            "DicomModalities": {"thecal": [OUR_AET, "127.0.0.1", self.move_port]},
            "AuthenticationEnabled": False,
            "HttpThreadsCount": 4,
            "Plugins": [str(PLUGIN)],
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        } | self.settings
        path = self.folder / "orthanc.json"
        path.write_text(json.dumps(configuration))
        found = program()
        assert found is not None
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([found, str(path)], stdout=log, stderr=log, cwd=self.folder)
        until = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < until:
            try:
                self.rest("system")
            except requests.ConnectionError:
                assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
                time.sleep(0.05)
            else:
                return self
        raise AssertionError((self.folder / "log").read_text()[-2000:])

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def rest(self, path: str) -> Any:
        """An answer of Orthanc's own interface, which shares no code with what is tested."""
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(f"{self.root}/{path}", auth=self.user, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def instances(self) -> dict[str, str]:
        """SOP Instance UID: modality, of all that it holds."""
        held = {}
        for series in self.rest("series?expand"):
            for instance in series["Instances"]:
                tags = self.rest(f"instances/{instance}")["MainDicomTags"]
                held[tags["SOPInstanceUID"]] = series["MainDicomTags"]["Modality"]
        return held

    def forget(self) -> None:
        """Empty the archive."""
        for study in self.rest("studies"):
            requests.delete(f"{self.root}/studies/{study}", timeout=10)
