"""Cement put into real CTs that have none, by seed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from benchmarks.scans import Window, available, clean_spine, window
from benchmarks.score import cement_rows, cement_scores, dice
from benchmarks.table import Row, Table
from thecal.anatomy.spine import Spine
from thecal.assessment import assess
from thecal.phantom.draw import draw_case
from thecal.phantom.insert import CementTruth, insert_deposits
from thecal.phantom.scanner import Scanner
from thecal.volume import BoolArray, Volume

NAME: Final = "inserted"
WINDOWS: Final = (
    (Window("thorax_2p5mm", (0.0, 0.45)), 8),
    (Window("thorax_2p5mm", (0.3, 0.72)), 7),
    (Window("thorax_2p5mm", (0.58, 1.0)), 6),
    (Window("thorax_1p5mm", (0.0, 0.55)), 7),
    (Window("thorax_1p5mm", (0.45, 1.0)), 6),
    (Window("thorax_1p5mm", (0.0, 0.5), 1.0), 7),
    (Window("thorax_1p5mm", (0.4, 1.0), 2.0), 6),
    (Window("thorax_1p5mm", (0.1, 0.75), 3.0), 4),
    (Window("abdomen_3mm", (0.1, 0.85)), 5),
    (Window("t11t12_dicom"), 5),
    (Window("l3_1p5mm"), 4),
    (Window("l3_1p5mm", (0.0, 1.0), 1.0), 3),
)
SEED: Final = 2026
# A leak is not put where the clean scan shows bone or air, however the anatomy labels it.
BONE_HU: Final = 350.0
AIR_HU: Final = -300.0
FOREIGN_SHARE: Final = 0.2
SOFT_TISSUE: Final = ("epidural", "intradural", "foraminal", "paravertebral", "intradiscal")


def cases(*, quick: bool) -> list[tuple[Window, int]]:
    """Window and seed of each case."""
    chosen = [
        (which, 100 * place + k)
        for place, (which, count) in enumerate(WINDOWS)
        if available(which.scan)
        for k in range(1 if quick else count)
    ]
    # By turns, so that a run cut short has seen every window.
    return sorted(chosen, key=lambda case: (case[1] % 100, case[1]))


def make(which: Window, seed: int) -> tuple[Volume, CementTruth, Spine]:
    """The CT of a case with its cement; levels, deposits, kernel and cement drawn by the seed."""
    rng = np.random.default_rng([SEED, seed])
    volume, spine = window(which), clean_spine(which)
    specs = draw_case(spine, rng)
    pixel = float(volume.grid.spacing_mm[2])
    # The detector's own blur, and that of a pixel as wide as this one.
    fwhm = float(np.hypot(rng.uniform(0.7, 1.0), 0.68 * pixel))
    scanner = Scanner(psf_fwhm_mm=fwhm, slice_fwhm_mm=volume.source.slice_thickness_mm)
    filled, truth = insert_deposits(volume, spine, specs, rng, scanner=scanner)
    return filled, truth, spine


def one_case(job: tuple[Window, int]) -> dict[str, Any]:
    """Insert, assess from the scan alone, and compare."""
    which, seed = job
    filled, truth, spine = make(which, seed)
    result = assess(filled)
    before = _whole(spine, filled)
    after = np.zeros_like(before) if result.spine is None else _whole(result.spine, filled)
    return {
        "case": which.name,
        "seed": seed,
        "spacing_mm": [round(float(s), 2) for s in filled.grid.spacing_mm],
        **cement_scores(filled, truth, result, _doubtful(window(which), truth)),
        "canal_dice": round(dice(before, after), 4),
        "seconds": round(sum(result.timings_s.values()), 1),
    }


def _whole(spine: Spine, volume: Volume) -> BoolArray:
    mask = np.zeros(volume.hu.shape, bool)
    mask[spine.box] = spine.canal_mask()
    return mask


def _doubtful(clean: Volume, truth: CementTruth) -> dict[int, str]:
    """Leaks that the anatomy let run over bone, ribs or lung of the clean scan: the truth would be wrong."""
    hu = clean.hu[truth.box]
    doubtful = {}
    for deposit in truth.deposits:
        values = hu[truth.deposit_labels == deposit.id]
        if deposit.compartment in SOFT_TISSUE and len(values):
            foreign = float(((values > BONE_HU) | (values < AIR_HU)).mean())
            if foreign > FOREIGN_SHARE:
                doubtful[deposit.id] = "placed on bone or air of the clean scan"
    return doubtful


def table(results: Iterable[dict[str, Any]], *, quick: bool) -> Table:
    """The rows and the caption."""
    done = list(results)
    on = f"cement inserted in real CT ({len(done)} cases)"
    rows = cement_rows(on, done)
    values = [c["canal_dice"] for c in done]
    rows.append(
        Row(
            on,
            "canal Dice against the same CT before cement, mean",
            "≥ 0.92",
            f"{np.mean(values):.3f} (lowest {np.min(values):.3f})",
            bool(np.mean(values) >= 0.92),
        )
    )
    rows += _by_spacing(done)
    scans = sorted({c["case"].split()[0] for c in done})
    slices = sorted({c["spacing_mm"][0] for c in done})
    caption = (
        f"Synthetic cement in real CT: {len(done)} cases in windows of {', '.join(scans)} (own slices, or "
        f"resampled along z), {slices[0]:g} to {slices[-1]:g} mm apart. Level, fill, leaks, kernel and the "
        f"cement's brightness drawn by seed ({SEED}, then the seed of each case). Deposits are placed by the "
        "built-in anatomy of the CT before cement, so they test cement and leakage, and anatomy only in so "
        "far as cement disturbs it; the CT with cement is then assessed from the voxels alone. Leaks that "
        f"this anatomy placed on bone or air (more than {FOREIGN_SHARE:.0%} of voxels) are left out."
    )
    return Table(NAME, "Cement inserted in real CT", caption, rows, done, quick)


def _by_spacing(done: list[dict[str, Any]]) -> list[Row]:
    rows = []
    for low, high in ((0.0, 1.25), (1.25, 2.25), (2.25, 9.0)):
        some = [c for c in done if low <= c["spacing_mm"][0] < high]
        ones = [d["share_right"] >= 0.5 for c in some for d in c["deposits"] if d["counted"]]
        if ones:
            slices = sorted({c["spacing_mm"][0] for c in some})
            label = "/".join(f"{s:g}" for s in slices)
            rows.append(
                Row(
                    f"… of these, slices of {label} mm ({len(some)} cases)",
                    "deposits ≥ 20 mm³ found with the right compartment",
                    "",
                    f"{np.mean(ones):.3f} ({sum(ones)} of {len(ones)}); "
                    f"{sum(len(c['false']) for c in some) / len(some):.2f} false a case",
                )
            )
    return rows
