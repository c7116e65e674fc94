"""The demo, as ``make demo`` runs it on an installed tree."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from benchmarks.fresh import THECAL, timed
from benchmarks.table import Row, Table

NAME: Final = "demo"


def cases(*, quick: bool) -> list[int]:
    """Run number; the first may compile, the second is what is told."""
    return [1, 2]


def one_case(job: int) -> dict[str, Any]:
    """One run in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        run = timed([THECAL, "demo", "--out", str(Path(folder) / "demo")])
    return {"case": f"demo, run {job}", **run}


def table(results: Iterable[dict[str, Any]], *, quick: bool) -> Table:
    """The row and the caption."""
    done = list(results)
    last = done[-1]
    row = Row(
        "the demo",
        "wall time of `thecal demo` on an installed tree",
        "≤ 60 s",
        f"{last['wall_s']:.0f} s ({last['peak_mib']:.0f} MiB; run before it: {done[0]['wall_s']:.0f} s)",
        last["wall_s"] <= 60.0,
    )
    caption = (
        "The founding paper's patient, a phantom: made, scanned, written as DICOM, assessed, reported, in a "
        "fresh process. Compiled code was in its cache in the run that counts."
    )
    return Table(NAME, "The demo", caption, [row], done, quick)
