"""512 x 512 x 275 slices of 1 mm: wall time, peak memory, and reading alone."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.fresh import THECAL, cores, timed
from benchmarks.scans import available, scan
from benchmarks.table import Row, Table
from thecal.volume import Grid, Volume

NAME: Final = "speed"
SHAPE: Final = (275, 512, 512)
SPACING_MM: Final = (1.0, 0.7, 0.7)
SEED: Final = 512
_READ: Final = (
    "import sys, time; from pathlib import Path; from thecal.dicom import read; t = time.perf_counter(); "
    "v = read(Path(sys.argv[1])); print(v.hu.shape, round(time.perf_counter() - t, 2))"
)


def cases(*, quick: bool) -> list[str]:
    """Which series."""
    return ["phantom"] if quick or not available("thorax_2p5mm") else ["phantom", "real"]


def one_case(job: str) -> dict[str, Any]:
    """Write the series, then read and assess it in fresh processes; the second of two runs counts."""
    from thecal.phantom.write import write_scan

    volume = _phantom() if job == "phantom" else _real()
    with tempfile.TemporaryDirectory() as folder:
        series = write_scan(volume, Path(folder), "dicom", note="speed")
        del volume
        read_plain = timed([sys.executable, "-c", _READ, str(series)])
        assess = [THECAL, "assess", str(series), "--out", str(Path(folder) / "report")]
        # A first run where compiled code does not yet lie in this tree's cache.
        first = None if _compiled() else timed(assess)
        second = timed(assess)
        report = json.loads((Path(folder) / "report" / "report.json").read_text(encoding="utf-8"))
        _compress(series)
        read_packed = timed([sys.executable, "-c", _READ, str(series)])
    return {
        "case": job,
        "seed": SEED,
        "first": first,
        "second": second,
        "read_plain": read_plain,
        "read_jpeg2000": read_packed,
        "stages_s": {k: round(v, 2) for k, v in report["timings_s"].items()},
        "vertebra_count": len(report["vertebrae"]),
        "deposit_count": len(report["deposits"]),
    }


def _phantom() -> Volume:
    """A phantom of nine vertebrae in a whole body, with fill and leaks."""
    from thecal.phantom.deposit_spec import DepositSpec
    from thecal.phantom.patient import make_patient

    case = make_patient(
        SEED,
        "T7-L3",
        spacing_mm=SPACING_MM,
        fov_mm=SHAPE[1] * SPACING_MM[1],
        fractures={"T12": "crush"},
        age=72,
        deposits=(
            DepositSpec("intravertebral", "T12", 3.5, "midline"),
            DepositSpec("epidural", "T12", 0.3, "left", "crescent"),
            DepositSpec("paravertebral", "T12", 0.3, "right", "segmental"),
        ),
    )
    return _fitted(case.volume)


def _real() -> Volume:
    """The thoracic CT, interpolated to 1 mm slices and set in a field of 512 x 512."""
    from scipy import ndimage

    volume = scan("thorax_2p5mm")
    own = volume.grid.spacing_mm
    hu = ndimage.zoom(volume.hu, (own[0] / SPACING_MM[0], 1, 1), order=1)
    affine = volume.grid.affine.copy()
    affine[:3, 0] *= SPACING_MM[0] / own[0]
    return _fitted(replace(volume, hu=hu, grid=Grid(hu.shape, affine)))


def _fitted(volume: Volume) -> Volume:
    """Cut or pad with air to the wanted size, the middle kept."""
    hu = np.full(SHAPE, -1000, np.int16)
    take, put = [], []
    for size, want in zip(volume.hu.shape, SHAPE, strict=True):
        count, start = min(size, want), max(0, (size - want) // 2)
        take.append(slice(start, start + count))
        lead = max(0, (want - size) // 2)
        put.append(slice(lead, lead + count))
    hu[tuple(put)] = volume.hu[tuple(take)]
    affine = volume.grid.affine.copy()
    affine[:3, 3] = volume.grid.to_lps([t.start - p.start for t, p in zip(take, put, strict=True)])
    grid = Grid(SHAPE, affine)
    return replace(volume, hu=hu, grid=grid, source=replace(volume.source, grid=grid))


def _compress(series: Path) -> None:
    from pydicom import dcmread
    from pydicom.uid import JPEG2000Lossless

    for path in series.glob("*.dcm"):
        slice_ = dcmread(path)
        slice_.compress(JPEG2000Lossless, generate_instance_uid=False)
        slice_.save_as(path)


def table(results: Iterable[dict[str, Any]], *, quick: bool) -> Table:
    """The rows and the caption."""
    done = list(results)
    rows = []
    names = {"phantom": "a phantom of the whole trunk with cement", "real": "a real thoracic CT set in air"}
    for case in done:
        on = f"512×512×275, 1 mm, DICOM: {names[case['case']]}"
        run = case["second"]
        stages = ", ".join(f"{k} {v:.1f}" for k, v in case["stages_s"].items())
        rows += [
            Row(
                on,
                "wall time of `thecal assess`",
                "≤ 30 s",
                f"{run['wall_s']:.1f} s ({stages})",
                run["wall_s"] <= 30,
            ),
            Row(
                on,
                "peak memory, helpers included",
                "≤ 2 GiB",
                f"{run['peak_mib'] / 1024:.2f} GiB",
                run["peak_mib"] <= 2048,
            ),
            Row(on, "reading alone, uncompressed", "", f"{_seconds(case['read_plain']):.1f} s"),
            Row(on, "reading alone, JPEG 2000 lossless", "", f"{_seconds(case['read_jpeg2000']):.1f} s"),
        ]
    caption = (
        f"`thecal assess` in a fresh process on {cores()} cores with compiled code in its "
        "cache, report and pictures included. The phantom fills the field with body; the real CT is "
        "the thoracic one interpolated from 2.5 mm and padded with air to 512 × 512."
    )
    return Table(NAME, "Speed and memory", caption, rows, done, quick)


def _compiled() -> bool:
    """Whether the tree's compiled code lies in its cache."""
    import thecal

    return any(Path(thecal.__file__).parent.glob("leakage/__pycache__/*.nbi"))


def _seconds(run: dict[str, Any]) -> float:
    return float(run["stdout"].split()[-1])
