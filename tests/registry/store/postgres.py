"""A private PostgreSQL for tests: in a temporary folder, on a socket there, and on no network."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from glob import glob
from pathlib import Path
from typing import Self
from uuid import uuid4

START_S = 60
# PostgreSQL refuses to run as root; these are there on Debian, the first with its package.
USERS = ("postgres", "nobody")


def why_absent() -> str | None:
    """Why no PostgreSQL can be started here; None where it can."""
    if importlib.util.find_spec("psycopg") is None:
        return "psycopg is not installed: pip install 'thecal[postgres]'"
    if not hasattr(os, "geteuid"):
        return "PostgreSQL is started on Unix only"
    if not _binary("initdb") or not _binary("pg_ctl"):
        return "PostgreSQL is not installed: make postgres"
    if os.geteuid() == 0 and _user() is None:
        return "PostgreSQL does not run as root, and there is no user postgres or nobody"
    return None


def _binary(name: str) -> str | None:
    found = sorted(glob(f"/usr/lib/postgresql/*/bin/{name}")) or [shutil.which(name) or ""]
    return found[-1] or None


def _user() -> str | None:
    for name in USERS:
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    return None


class Postgres:
    """A running server; `database` makes an empty database and says its URL."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self._log = self.folder / "log"
        self.user = _user() if os.geteuid() == 0 else None
        if self.user:
            shutil.chown(self.folder, self.user)

    def start(self) -> Self:
        """Start it."""
        data = self.folder / "data"
        # Another language than the tests' would sort otherwise.
        self._run("initdb", "-D", data, "-U", "thecal", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off -c shared_buffers=32MB"
        self._run(
            "pg_ctl", "-D", data, "-w", "-t", START_S, "-l", self.folder / "log", "-o", options, "start"
        )
        return self

    def stop(self) -> None:
        """Stop it, and take its folder away."""
        self._run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def database(self) -> str:
        """The URL of a new, empty database: a schema of its own, for a whole database takes long to make."""
        import psycopg

        name = f"t{uuid4().hex}"
        home = {"host": str(self.folder), "user": "thecal", "dbname": "postgres"}
        with psycopg.connect(**home, autocommit=True) as link:
            link.execute(f"CREATE SCHEMA {name}".encode())
        return f"postgresql://thecal@/postgres?host={self.folder}&options=-csearch_path%3D{name}"

    def _run(self, name: str, *words: object) -> None:
        done = subprocess.run(
            [str(_binary(name)), *map(str, words)],
            cwd=self.folder,
            user=self.user,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
