"""What kind of computer this is: the last bits of a reading may depend on it."""

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np


def machine() -> str:
    """Processor, system, and the libraries that compute; nothing that names the computer or its user."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return ", ".join(
        [
            _processor(),
            platform.system(),
            f"Python {platform.python_version()}",
            f"numpy {np.__version__}",
            f"{blas.get('name', 'BLAS')} {blas.get('version', '')}".strip(),
        ]
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()
