"""``python -m benchmarks.projection_picture``: the simulated fluoroscopy of the docs, from a phantom."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from thecal.fluoro.projection.c_arm import AP_DEGREES, LATERAL_DEGREES, CArm
from thecal.fluoro.projection.materials import body_of, rod_shadow, shadow
from thecal.fluoro.projection.picture import picture, scene
from thecal.phantom.patient import make_patient
from thecal.terms import RESEARCH_USE

PICTURE: Final = Path(__file__).resolve().parents[1] / "docs" / "images" / "projections.png"
SEED: Final = 41
NEEDLE_MM: Final = 3.05
CEMENT_MM: Final = 8.0
VIEWS: Final = {"from in front": AP_DEGREES, "from the side": LATERAL_DEGREES}


def main() -> None:
    """Draw T12 of a phantom in two views, plain and with cement and needle."""
    case = make_patient(SEED, "T10-L2", spacing_mm=(1.0, 0.7, 0.7), fov_mm=250.0, age=72, sex="F")
    body = body_of(case.volume.hu, case.volume.grid)
    frame = next(v.frame for v in case.spine.vertebrae if v.level == "T12")
    middle, tip, entry = frame.to_lps([(0.0, 14.0, 0.0), (9.0, 12.0, 0.0), (27.0, -62.0, 8.0)])
    grid = case.volume.grid.crop(case.volume.grid.box_around([middle], 20.0))
    away = np.linalg.norm(grid.to_lps(np.stack(np.indices(grid.shape), axis=-1)) - middle, axis=-1)
    cement = np.clip(0.5 + CEMENT_MM - away, 0.0, 1.0) * 0.6
    with mpl.rc_context({"font.size": 9}):
        figure = Figure(figsize=(8.4, 3.5), dpi=100, layout="constrained")
        axes = figure.subplots(1, 4)
        for n, (words, angles) in enumerate(VIEWS.items()):
            view = CArm(pitch_mm=0.4, shape=(512, 384)).view(middle, *angles)
            seen = scene(body, view)
            added = [shadow(cement, grid, view), rod_shadow(entry, tip, NEEDLE_MM, view)]
            for k, (shadows, title) in enumerate((([], words), (added, "with cement and needle"))):
                axis = axes[2 * n + k]
                axis.imshow(picture(seen, shadows, seed=2 * n + k), cmap="gray", vmin=0, vmax=255)
                axis.set_title(title)
                axis.set_axis_off()
        figure.suptitle(RESEARCH_USE, fontsize=8, y=0.05)
        PICTURE.parent.mkdir(exist_ok=True)
        figure.savefig(PICTURE, metadata={"Software": None})


if __name__ == "__main__":
    main()
