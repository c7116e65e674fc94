"""``python -m benchmarks.pictures``: the pictures of the documentation, from phantoms of this version."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from thecal.phantom.deposit_spec import DepositSpec
from thecal.phantom.insert import CementTruth, insert_deposits
from thecal.phantom.needle import TrackSpec
from thecal.phantom.patient import Case, make_patient
from thecal.phantom.scanner import Scanner
from thecal.report.cuts import Cut, axial_cut, sagittal_cut, sagittal_view
from thecal.report.drawing import STYLE, draw_line, halo, scale_bar, show_ct
from thecal.volume import Volume

FOLDER: Final = Path(__file__).resolve().parents[1] / "docs" / "images"
SEED: Final = 41
SPACING_MM: Final = (0.8, 0.5, 0.5)
CEMENT_HU: Final = 3900.0
LEVEL: Final = "T12"
LEVELS: Final = "T11-L1"
# Roots are seen below the cord.
CAUDA: Final = ("L3", "L2-L4")
AXIAL_MM: Final = (22.0, 26.0, 20.0)
NEEDLE_MM: Final = (32.0, 36.0, 38.0)
SAGITTAL_MM: Final = (24.0, 22.0)
PANEL_IN: Final = 3.6
DPI: Final = 110
COLOURS: Final = 96
PAGE_PX: Final = (1180, 2085)
PLAN_PX: Final = (1180, 1290)
FOUNDING_LEVEL: Final = "T12@79.6"
"""The height of T12 in the founding case's scan."""


@dataclass(frozen=True)
class Panel:
    """One patient: what leaked, and where to look."""

    words: str
    deposits: tuple[DepositSpec, ...]
    tracks: tuple[TrackSpec, ...] = ()
    look: Literal["canal", "needle", "along"] = "canal"
    levels: str = LEVELS


def _fill(level: str) -> DepositSpec:
    return DepositSpec("intravertebral", level, 3.0, "midline")


def _inside(volume_ml: float, form: Any, size: tuple[float, float, float] | None = None) -> DepositSpec:
    return DepositSpec("intradural", LEVEL, volume_ml, "midline", form, size_mm=size)


def _outside(volume_ml: float, form: Any, side: Any = "midline") -> DepositSpec:
    return DepositSpec("epidural", LEVEL, volume_ml, side, form)


FILL: Final = _fill(LEVEL)
LUMP: Final = _inside(0.35, "lump", (12.0, 6.0, 9.0))
PAIRS: Final[dict[str, tuple[Panel, Panel]]] = {
    "medial_puncture": (
        Panel(
            "the needle's way crosses the canal's corner",
            (FILL, LUMP),
            (TrackSpec(LEVEL, "left", 6.0, content="cement"),),
            "needle",
        ),
        Panel(
            "the way stays in the pedicle",
            (FILL, _outside(0.3, "recess", "right")),
            (TrackSpec(LEVEL, "left", 0.0, content="cement"),),
            "needle",
        ),
    ),
    "layering": (
        Panel("sheets with gaps between them", (FILL, _inside(0.5, "sheets"))),
        Panel("one mass", (FILL, _outside(0.7, "mass"))),
    ),
    "no_extradural_cement": (
        Panel("nothing between dura and bone", (FILL, LUMP)),
        Panel("all of it between dura and bone", (FILL, _outside(0.5, "plexus"))),
    ),
    "sac_conforming_shape": (
        Panel(
            "fills the sac, blunt, its outline the sac's", (FILL, _inside(1.3, "lump", (14.0, 11.0, 15.0)))
        ),
        Panel("a crescent along the bone", (FILL, _outside(0.6, "crescent"))),
    ),
    "root_outlines": (
        Panel(
            "roots spared as dark dots",
            (_fill(CAUDA[0]), DepositSpec("intradural", CAUDA[0], 2.2, "midline", "cast")),
            levels=CAUDA[1],
        ),
        Panel(
            "solid",
            (_fill(CAUDA[0]), DepositSpec("epidural", CAUDA[0], 1.2, "left", "mass")),
            levels=CAUDA[1],
        ),
    ),
    "multilevel_spread": (
        Panel("within the sac, over levels", (FILL, _inside(1.0, "sheets")), look="along"),
        Panel("along the bone, over levels", (FILL, _outside(1.9, "crescent")), look="along"),
    ),
    "separated_from_posterior_wall": (
        Panel("apart from the posterior wall", (FILL, _inside(0.3, "lump", (12.0, 5.0, 9.0)))),
        Panel("on the posterior wall", (FILL, _outside(0.6, "mass"))),
    ),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw the pairs of the differential, and photograph pages where a browser is there."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pictures", description=__doc__)
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--only", choices=[*PAIRS, *PAGES], action="append")
    options = parser.parse_args(arguments)
    folder = options.out.resolve()
    for name in options.only or [*PAIRS, *PAGES]:
        if name in PAGES:
            print(PAGES[name](folder / f"{name}.png"))
            continue
        path = folder / "differential" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        draw_pair(name, path)
        print(path)


@cache
def clean(levels: str) -> Case:
    """The patient of all panels before any cement."""
    return make_patient(
        SEED,
        levels,
        spacing_mm=SPACING_MM,
        fov_mm=110.0,
        age=72,
        sex="F",
        scanner=Scanner(),
        contrast_hu=45.0,
    )


def filled(panel: Panel) -> tuple[Volume, CementTruth]:
    """The scan of a panel's patient."""
    case = clean(panel.levels)
    return insert_deposits(
        case.volume,
        case.spine,
        panel.deposits,
        np.random.default_rng(SEED),
        scanner=case.scanner,
        cement_hu=CEMENT_HU,
        tracks=panel.tracks,
    )


def draw_pair(name: str, path: Path) -> None:
    """Cement inside the dura on the left, outside on the right, as a PNG of few colours."""
    from PIL import Image

    pair = PAIRS[name]
    cuts = [(panel, *filled(panel)) for panel in pair]
    shown = [(panel, volume, _cut(panel, truth)) for panel, volume, truth in cuts]
    across, up = np.ptp(shown[0][2].across), np.ptp(shown[0][2].up)
    height = PANEL_IN * up / across
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(2 * PANEL_IN + 0.12, height + 0.5), dpi=DPI, facecolor="white")
        for number, (panel, volume, cut) in enumerate(shown):
            left = number * (PANEL_IN + 0.12) / (2 * PANEL_IN + 0.12)
            axes = figure.add_axes((left, 0.0, PANEL_IN / (2 * PANEL_IN + 0.12), height / (height + 0.5)))
            show_ct(axes, cut, volume)
            _dura(axes, panel, cut)
            place = "inside the dura" if number == 0 else "outside the dura"
            axes.set_title(f"{place}: {panel.words}", fontsize=8.6, loc="left", pad=5)
            x0, x1, y0, y1 = cut.extent
            axes.set_xlim(x0, x1)
            axes.set_ylim(y0, y1)
            scale_bar(axes, x0 + 2.0, y0 + 2.0, 10)
        with tempfile.TemporaryFile() as drawn:
            figure.savefig(drawn, format="png", dpi=DPI)
            picture = Image.open(drawn).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def _cut(panel: Panel, truth: CementTruth) -> Cut:
    spine = clean(panel.levels).spine
    if panel.look == "along":
        view = sagittal_view(spine.canal)
        treated = next(v for v in spine.vertebrae if v.level == LEVEL)
        middle = float(view.place([treated.frame.origin])[0, 1]) - 8.0
        cut = sagittal_cut(view, middle - 38.0, middle + 26.0, step_mm=0.2)
        near = view.depth_mm[(view.height_mm > middle - 38.0) & (view.height_mm < middle + 26.0)]
        offset = cut.across - float(np.median(near))
        kept = (offset > -SAGITTAL_MM[0]) & (offset < SAGITTAL_MM[1])
        return Cut(cut.points[:, kept], cut.across[kept], cut.up)
    if panel.look == "needle":
        treated = next(v for v in spine.vertebrae if v.level == LEVEL)
        way = np.mean([[t.entry_mm, t.tip_mm] for t in truth.tracks], axis=0)
        s, _, _ = spine.canal.frame.locate([way[0] + 0.55 * (way[1] - way[0])])
        return axial_cut(spine.canal, float(s[0]), NEEDLE_MM, step_mm=0.15)
    deposit = next(d for d in truth.deposits if d.compartment in ("intradural", "epidural"))
    s, _, _ = spine.canal.frame.locate([deposit.centroid_mm])
    return axial_cut(spine.canal, float(s[0]), AXIAL_MM, step_mm=0.12)


def _dura(axes: Any, panel: Panel, cut: Cut) -> None:
    """The true dura, dashed, and the canal's wall."""
    canal = clean(panel.levels).spine.canal
    theta = np.append(canal.theta, canal.theta[0] + 2 * np.pi)
    if panel.look == "along":
        view = sagittal_view(canal)
        for radii, dashes in ((canal.wall_mm, ()), (canal.sac_mm, (2.0, 1.6))):
            for angle in (0.0, np.pi):
                column = int(np.argmin(abs(np.angle(np.exp(1j * (canal.theta - angle))))))
                outward = canal.frame.outward([canal.theta[column]])[:, 0]
                rim = view.place(canal.frame.points + radii[:, column, None] * outward)
                shown = (rim[:, 1] > cut.up[-1]) & (rim[:, 1] < cut.up[0])
                draw_line(axes, rim[shown, 0], rim[shown, 1], "#ffffff", dashes, width=0.9)
        return
    i = int(np.argmin(np.linalg.norm(canal.frame.points - _middle(cut), axis=1)))
    for radius, dashes in ((canal.wall_mm[i], ()), (canal.sac_mm[i], (2.0, 1.6))):
        r = np.append(radius, radius[0])
        draw_line(axes, r * np.sin(theta), r * np.cos(theta), "#ffffff", dashes, width=0.9)
    axes.text(cut.across[0] + 1.5, 0.0, "R", color="#ffffff", fontsize=9, path_effects=halo())


def _middle(cut: Cut) -> Any:
    """The point of the canal's curve on an axial cut."""
    row, column = int(np.argmin(abs(cut.up))), int(np.argmin(abs(cut.across)))
    return cut.points[row, column]


def photograph(path: Path) -> str:
    """The top of the demo's page as a browser shows it; what became of it as a sentence."""
    return _photograph(path, (["demo", "--out", "."],), "report.html", PAGE_PX)


def photograph_plan(path: Path) -> str:
    """The top of the plan that would have kept the founding paper's needle lateral."""
    made = (
        ["phantom", "founding-case", "--before", "--out", "patient"],
        ["plan", "patient/dicom", "--level", FOUNDING_LEVEL, "--out", "."],
    )
    return _photograph(path, made, "plan.html", PLAN_PX)


def _photograph(path: Path, made: Sequence[list[str]], page: str, size: tuple[int, int]) -> str:
    """A page that commands of thecal make in a folder of their own, as a browser shows it."""
    browser = next(
        (p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))), None
    )
    if browser is None:
        return f"{path.name} is left as it was: no Chromium is on this machine to photograph the page with."
    from thecal.cli import run

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for words in made:
            if run(words) != 0:
                raise SystemExit(f"thecal {words[0]} made nothing")
        shot = Path(folder) / "page.png"
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--force-color-profile=srgb",
            "--disable-background-networking",
            "--disable-sync",
            "--no-first-run",
            f"--user-data-dir={folder}/browser",
            f"--window-size={size[0]},{size[1]}",
            f"--screenshot={shot}",
        ]
        subprocess.run(
            [browser, *options, f"file://{folder}/{page}"], check=True, capture_output=True, timeout=180
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(shot, path)
    return str(path)


PAGES: Final = {"report": photograph, "plan": photograph_plan}


if __name__ == "__main__":
    main()
