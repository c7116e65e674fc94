"""Projections beside their peers: plastimatch and DiffDRR, same volume, same geometry, one run, two threads.

The peers are no dependency. ``THECAL_PLASTIMATCH`` names plastimatch's command (by default the one on the
path), ``THECAL_DIFFDRR_PYTHON`` a Python that holds diffdrr and torch; what is not there is said.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from benchmarks.scans import available, scan
from benchmarks.table import Row, Table
from thecal.fluoro.projection.c_arm import CArm
from thecal.fluoro.projection.line_integrals import Method, line_integrals
from thecal.fluoro.projection.spectrum import attenuation_at
from thecal.fluoro.projection.view import View
from thecal.volume import Grid

NAME: Final = "projection"
SIZE: Final = 256
SPACING_MM: Final = 0.7
THREADS: Final = 2
REPEATS: Final = 5
# What takes longer than this is timed fewer times.
SLOW_S: Final = 10.0
SLOW_REPEATS: Final = 2
ANGLES: Final = {"AP": (0.0, 0.0), "lateral": (90.0, 0.0), "oblique": (35.0, 12.0)}
SEED: Final = 256
# Rays with so much of the median ray's integral run through tissue.
TISSUE_SHARE: Final = 0.2
METHODS: Final[tuple[Method, ...]] = ("planes", "exact", "trilinear")
PLASTIMATCH: Final = {"plastimatch exact": "exact", "plastimatch uniform": "uniform"}
DIFFDRR: Final = ("diffdrr siddon", "diffdrr trilinear")
LIKE: Final = {
    "plastimatch exact": "exact",
    "plastimatch uniform": "planes",
    "diffdrr siddon": "exact",
    "diffdrr trilinear": "planes",
}
"""Which of our methods sees a volume as that peer does: boxes, or values between voxel centres."""


def cases(*, quick: bool) -> list[tuple[str, int]]:
    """Which views, and how often each is timed."""
    return [("lateral", 3)] if quick else [(view, REPEATS) for view in ANGLES]


def one_case(job: tuple[str, int]) -> dict[str, Any]:
    """Time and compare every program on one view, in turn, so that all have the same company."""
    import numba

    name, repeats = job
    before = numba.get_num_threads()
    numba.set_num_threads(min(THREADS, numba.config.NUMBA_NUM_THREADS))
    values, grid, what = _volume()
    view = CArm().view(grid.to_lps((np.array(grid.shape) - 1) / 2), *ANGLES[name])
    with tempfile.TemporaryDirectory() as folder:
        programs, absent = _programs(values, grid, view, Path(folder))
        pictures: dict[str, npt.NDArray[np.float32]] = {}
        seconds: dict[str, list[float]] = {program: [] for program in programs}
        for _ in range(repeats):
            for program, run in programs.items():
                if len(seconds[program]) >= (SLOW_REPEATS if repeats >= REPEATS else 1) and (
                    min(seconds[program]) > SLOW_S
                ):
                    continue
                # Once first, so that what is compiled or cached on first use is.
                if program not in pictures and program in METHODS:
                    run()
                pictures[program], took = run()
                seconds[program].append(took)
    numba.set_num_threads(before)
    tissue = pictures["exact"] > TISSUE_SHARE * np.median(pictures["exact"])
    agreement = {}
    for peer, own in LIKE.items():
        if peer in pictures:
            off = np.abs(pictures[own] / pictures[peer] - 1.0)[tissue]
            agreement[peer] = {
                "median": float(np.median(off)),
                "p99": float(np.percentile(off, 99)),
                "largest": float(off.max()),
            }
    return {
        "case": name,
        "volume": what,
        "threads": THREADS,
        "runs": {program: len(times) for program, times in seconds.items()},
        "load": round(os.getloadavg()[0], 1),
        "median_s": {program: round(statistics.median(times), 4) for program, times in seconds.items()},
        "least_s": {program: round(min(times), 4) for program, times in seconds.items()},
        "agreement": agreement,
        "absent": absent,
    }


def _volume() -> tuple[npt.NDArray[np.float32], Grid, str]:
    """A cube of attenuation, 1/mm, with two empty layers around: where a volume ends programs differ."""
    affine = np.zeros((4, 4))
    affine[0, 2] = affine[1, 1] = affine[2, 0] = SPACING_MM
    affine[3, 3] = 1.0
    if available("thorax_2p5mm"):
        volume = scan("thorax_2p5mm")
        middle = volume.grid.to_lps((np.array(volume.hu.shape) - 1) / 2)
        affine[:3, 3] = middle - affine[:3, :3] @ np.full(3, (SIZE - 1) / 2)
        grid = Grid((SIZE, SIZE, SIZE), affine)
        matrix = np.linalg.inv(volume.grid.affine) @ affine
        hu = ndimage.affine_transform(
            volume.hu.astype(np.float32), matrix, output_shape=grid.shape, order=1, cval=-1000.0
        )
        what = "a real thoracic CT, interpolated"
    else:
        hu = np.random.default_rng(SEED).normal(0.0, 1.0, (SIZE, SIZE, SIZE)).astype(np.float32)
        hu = ndimage.gaussian_filter(hu, 3.0)
        hu *= 400.0 / hu.std()
        grid = Grid(hu.shape, affine)
        what = "blobs of chance"
    values = np.clip(1.0 + hu / 1000.0, 0.0, None) * attenuation_at("water", 70.0)
    inner = np.zeros(values.shape, np.float32)
    inner[2:-2, 2:-2, 2:-2] = values[2:-2, 2:-2, 2:-2]
    return inner, grid, what


Run = Callable[[], tuple[npt.NDArray[np.float32], float]]


def _programs(
    values: npt.NDArray[np.float32], grid: Grid, view: View, folder: Path
) -> tuple[dict[str, Run], list[str]]:
    """What can be run here, by name, and what cannot."""

    def ours(method: Method) -> Run:
        def run() -> tuple[npt.NDArray[np.float32], float]:
            started = time.perf_counter()
            picture = line_integrals(values, grid, view, method=method)
            return picture, time.perf_counter() - started

        return run

    runs: dict[str, Run] = {method: ours(method) for method in METHODS}
    absent = []
    command = os.environ.get("THECAL_PLASTIMATCH") or shutil.which("plastimatch")
    if command:
        _write_mha(folder / "volume.mha", values, grid)
        for name, algorithm in PLASTIMATCH.items():
            runs[name] = _plastimatch(command, algorithm, grid, view, folder)
    else:
        absent.append("plastimatch")
    python = os.environ.get("THECAL_DIFFDRR_PYTHON")
    if python:
        _write_rays(folder / "rays.npz", values, grid, view)
        for name in DIFFDRR:
            runs[name] = _diffdrr(python, name.split()[1], folder, view.shape)
    else:
        absent.append("DiffDRR")
    return runs, absent


def _plastimatch(command: str, algorithm: str, grid: Grid, view: View, folder: Path) -> Run:
    """Its `drr` on the same geometry: raw line integrals, and its own time without reading and writing."""
    middle = grid.to_lps((np.array(grid.shape) - 1) / 2)
    pitch = float(np.linalg.norm(view.along_row))
    up = -view.along_column / pitch
    rows, columns = view.shape
    distance = float((middle - view.source) @ view.normal)
    words = [command, "drr", "-t", "raw", "-P", "none", "-i", algorithm]
    words += ["-o", _words(middle), "-n", _words(-view.normal), "--vup", _words(up)]
    words += ["--sad", f"{distance:.6f}", "--sid", f"{view.sid_mm:.6f}", "-r", f"{rows} {columns}"]
    words += ["-z", f"{rows * pitch} {columns * pitch}"]
    words += ["-O", str(folder / "drr_"), "-I", str(folder / "volume.mha")]

    def run() -> tuple[npt.NDArray[np.float32], float]:
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "OMP_NUM_THREADS": str(THREADS)},
        )
        times = dict(line.split(":", 1) for line in done.stdout.splitlines() if "time:" in line)
        took = float(times["Total time"].split()[0]) - float(times["I/O time"].split()[0])
        raw = np.fromfile(folder / "drr_0000.raw", "<f4").reshape(rows, columns)
        # It draws the picture as seen from the source, and integrates over cm.
        return np.ascontiguousarray(raw[:, ::-1]) * np.float32(10.0), took

    return run


_DIFFDRR: Final = """
import sys, time
import numpy as np, torch
from diffdrr.renderers import Siddon, Trilinear
torch.set_num_threads(int(sys.argv[3]))
data = np.load(sys.argv[1])
volume = torch.from_numpy(data["volume"])
source = torch.from_numpy(data["source"])[None, None]
target = torch.from_numpy(data["target"])[None]
length = torch.from_numpy(data["length"])[None, None]
renderer = Siddon() if sys.argv[2] == "siddon" else Trilinear()
out = []
with torch.inference_mode():
    started = time.perf_counter()
    for first in range(0, target.shape[1], 16384):
        part = slice(first, first + 16384)
        out.append(renderer(volume, source, target[:, part], length[..., part]).flatten())
    took = time.perf_counter() - started
np.save(sys.argv[4], torch.cat(out).numpy())
print(took)
"""
"""Rays are given in portions: all at once do not fit into the memory of an ordinary computer."""


def _diffdrr(python: str, renderer: str, folder: Path, shape: tuple[int, int]) -> Run:
    """Its renderer on the same rays, in index coordinates, without its own reading and geometry."""

    def run() -> tuple[npt.NDArray[np.float32], float]:
        out = folder / "diffdrr.npy"
        done = subprocess.run(
            [python, "-c", _DIFFDRR, str(folder / "rays.npz"), renderer, str(THREADS), str(out)],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "OMP_NUM_THREADS": str(THREADS), "PYTHONPATH": ""},
        )
        return np.load(out).reshape(shape), float(done.stdout.split()[-1])

    return run


def _write_mha(path: Path, values: npt.NDArray[np.float32], grid: Grid) -> None:
    size = " ".join(str(n) for n in grid.shape[::-1])
    head = (
        "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
        f"TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = {_words(grid.affine[:3, 3])}\n"
        f"ElementSpacing = {_words(grid.spacing_mm[::-1])}\nDimSize = {size}\n"
        "ElementType = MET_FLOAT\nElementDataFile = LOCAL\n"
    )
    path.write_bytes(head.encode() + values.astype("<f4").tobytes())


def _write_rays(path: Path, values: npt.NDArray[np.float32], grid: Grid, view: View) -> None:
    """Volume as (x, y, z), and rays in its index coordinates."""
    rows, columns = np.indices(view.shape)
    pixels = view.pixel(rows, columns).reshape(-1, 3)
    np.savez(
        path,
        volume=np.ascontiguousarray(values.transpose(2, 1, 0)),
        source=grid.to_index(view.source)[::-1].astype(np.float32),
        target=np.ascontiguousarray(grid.to_index(pixels)[:, ::-1]).astype(np.float32),
        length=np.linalg.norm(pixels - view.source, axis=-1).astype(np.float32),
    )


def _words(numbers: Iterable[float]) -> str:
    return " ".join(f"{number:.9g}" for number in numbers)


def table(results: Iterable[dict[str, Any]], *, quick: bool) -> Table:
    """The rows and the caption."""
    done = list(results)
    rows = []
    for case in done:
        took = case["median_s"]
        on = f"512×512 of {SIZE}³, {case['case']}: {case['volume']}"
        rows.append(
            Row(
                on,
                "wall time by planes (default)",
                "≤ 0.15 s",
                f"{took['planes']:.3f} s",
                took["planes"] <= 0.15,
            )
        )
        rows += [Row(on, f"wall time {m}", "", f"{took[m]:.3f} s") for m in METHODS[1:]]
        for peer, own in LIKE.items():
            if peer not in took:
                continue
            ratio = took[peer] / took[own]
            rows.append(
                Row(
                    on,
                    f"{peer}, its own time for the rays, against ours ({own})",
                    "> 1 times",
                    f"{took[peer]:.2f} s: {ratio:.1f} times",
                    ratio > 1,
                )
            )
            off = case["agreement"][peer]
            aim = peer.startswith("plastimatch")
            rows.append(
                Row(
                    on,
                    f"line integrals against {peer}, median and 99th percentile of rays",
                    "≤ 0.5 %" if aim else "",
                    f"{100 * off['median']:.4f} and {100 * off['p99']:.4f} %",
                    off["median"] <= 0.005 and off["p99"] <= 0.005 if aim else None,
                )
            )
        rows += [
            Row(on, f"against {peer}", "", "not on this machine, not measured") for peer in case["absent"]
        ]
    caption = (
        f"One volume of attenuation in {SIZE}³ voxels of {SPACING_MM} mm and one cone geometry (1000 mm from "
        "source to detector, 620 mm to the middle, pixels of 0.4 mm), "
        f"{THREADS} threads each, programs in turn, medians of {REPEATS} runs (of a short run fewer, and of "
        f"programs that take over {SLOW_S:g} s {SLOW_REPEATS}); plastimatch by the time that it "
        "prints without reading and writing, DiffDRR by its renderer alone. Agreement over rays with a path "
        "in tissue; the outer two layers of voxels are empty. `exact` takes voxels as boxes, as the exact "
        "way of plastimatch and DiffDRR's Siddon do, `planes` reads between voxel centres, as plastimatch's "
        "uniform and DiffDRR's trilinear do."
    )
    return Table(NAME, "Projections", caption, rows, done, quick)
