"""Fit how sure a registration is: ``python -m benchmarks.fit_registration`` prints the constants.

First pictures of simulated injections, seen from the side, in phantoms and in the real CTs, with seeds that
no table uses. Each is looked for from a near start and from one that is a level off, and besides another
patient's picture, and one that is inverted, upside down or turned.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.optimize import brentq, minimize

from benchmarks.registration import spoiled
from benchmarks.scans import SCANS, Window, available, clean_spine, window
from benchmarks.watch import true_of
from thecal.anatomy.backends.builtin import Builtin
from thecal.errors import InputError
from thecal.fluoro.frame import Frame
from thecal.fluoro.front.needle_on_picture import needle_shadows
from thecal.fluoro.projection.view import Pose, View
from thecal.fluoro.registration.bone_model import BoneModel, bone_model
from thecal.fluoro.registration.find import register
from thecal.fluoro.registration.verdict import FLOOR_MM, LEAST_SCORE, WEIGHTS, WRONG_MM, terms
from thecal.fluoro.target import Target, target_of
from thecal.phantom.injection import body_ml, draw_spec, inject, usable
from thecal.phantom.patient import make_patient

SEED: Final = 70000
PHANTOM_SEED: Final = 501
SPANS: Final = ("T5-T8", "T8-T11", "T11-L2", "L1-L4", "T10-L1", "L2-L5")
EACH: Final = 5
"""Pictures of each patient."""
STRANGER_STEP: Final = 17
OFF_MM: Final = 2.0
OFF_DEG: Final = 2.0
"""Standard deviations of a start that is a level off."""
NEAR_WEIGHT: Final = 1.5
OTHER_WEIGHT: Final = 0.5
"""A near start is what is usual; the others are faults."""
RIDGE: Final = 0.15
"""Penalty on squared weights of standardised terms, a trial."""


@dataclass(frozen=True, eq=False)
class Picture:
    """The first picture of an injection, the vertebra of the plan, and where it truly is."""

    frame: Frame
    target: Target
    stated: View
    true: View

    def error_mm(self, model: BoneModel, pose: Pose) -> float:
        """Mean reprojection error of a pose, in the plane of the vertebra."""
        off = self.true.project(model.points) - self.stated.project(pose.apply(model.points))
        steps = np.stack([self.stated.along_column, self.stated.along_row])
        large = self.stated.magnification(model.points.mean(0))
        return float(np.linalg.norm(off @ steps, axis=-1).mean()) / large


def pictures() -> list[Picture]:
    """Some of each patient, by name."""
    real = sorted(name for name in SCANS if available(name))
    patients = [*(f"phantom {span}" for span in SPANS), *real]
    made = []
    for k, name in sorted(enumerate(patients), key=lambda pair: (pair[1].split()[0], pair[0])):
        if name in SCANS:
            volume, found = window(Window(name)), clean_spine(Window(name))
            true = found
        else:
            case = make_patient(
                PHANTOM_SEED + k, SPANS[k], spacing_mm=(1.0, 0.7, 0.7), fov_mm=170.0, age=72.0, sex="F"
            )
            volume, found, true = case.volume, Builtin().find(case.volume), case.spine
        some = [v for v in found.vertebrae if usable(v, found) and true_of(v, true) is not None]
        own: list[Picture] = []
        seed = SEED + 100 * k
        while some and len(own) < EACH:
            seed += 1
            vertebra = some[int(np.random.default_rng(seed).integers(len(some)))]
            truly = true_of(vertebra, true)
            assert truly is not None
            spec = draw_spec(seed, truly, body_ml(true, truly), toward="lateral")
            try:
                injection = inject(volume, true, truly, spec)
            except InputError:
                continue
            frame, _ = next(iter(injection.pictures()))
            level = vertebra.level or str(vertebra.id)
            target = target_of(volume, found, vertebra, level, (injection.planned,))
            view = injection.true_view.of_moved(injection.pose(0.0))
            own.append(Picture(frame, target, injection.stated_view, view))
        made += own
    return made


def trials() -> list[dict[str, Any]]:
    """Each picture from a near start and a level off, a stranger's, and a spoiled one."""
    some = pictures()
    done = []
    for k, picture in enumerate(some):
        model = bone_model(picture.target)
        rng = np.random.default_rng(k)
        off = Pose.about(model.centre, rng.normal(0.0, OFF_DEG, 3), rng.normal(0.0, OFF_MM, 3))
        way = model.neighbours_mm[k % len(model.neighbours_mm)]
        stranger = some[(k + STRANGER_STEP) % len(some)].frame
        for kind, frame, start in (
            ("near", picture.frame, Pose.still()),
            ("level off", picture.frame, Pose(off.rotation, off.shift + way)),
            ("stranger", stranger, Pose.still()),
            ("spoiled", spoiled(picture.frame, k), Pose.still()),
        ):
            hidden = needle_shadows(frame.pixels, picture.target.needles, picture.stated, start)
            found = register(model, frame, picture.stated, start, ignore=hidden)
            if found.evidence:
                # A stranger's picture has no right place, nor has one upside down.
                placeless = kind in ("stranger", "spoiled")
                error = 99.0 if placeless else picture.error_mm(model, found.pose)
                done.append({"kind": kind, "err": error, **found.evidence})
    return done


def fitted(of: list[dict[str, Any]]) -> dict[str, float]:
    """Constant, weights and scale."""
    of = [t for t in of if t["score"] >= LEAST_SCORE]
    names = list(WEIGHTS)
    values = np.array([[terms(t)[n] for n in names] for t in of])
    good = np.array([t["err"] <= WRONG_MM for t in of], float)
    weight = np.array([NEAR_WEIGHT if t["kind"] == "near" else OTHER_WEIGHT for t in of])
    middle, size = values.mean(0), values.std(0) + 1e-9
    plain = (values - middle) / size

    def loss(x: Any) -> float:
        total = x[0] + plain @ x[1:]
        return float(np.sum(weight * (np.logaddexp(0.0, total) - good * total)) + RIDGE * np.sum(x[1:] ** 2))

    # No sign of a good fit may count against it.
    bad = ("gone", "log_moved")
    bounds = [(None, None), *((None, 0.0) if n in bad else (0.0, None) for n in names)]
    best = minimize(loss, np.zeros(len(names) + 1), bounds=bounds).x
    weights = best[1:] / size
    spread = np.array([t["spread_mm"] for t in of])
    error = np.array([t["err"] for t in of])
    kept = good > 0

    def off(scale: float) -> float:
        return float(np.hypot(FLOOR_MM, scale * spread[kept]).mean() - error[kept].mean())

    return {
        "CONSTANT": float(best[0] - weights @ middle),
        **{n: float(w) for n, w in zip(names, weights, strict=True)},
        "SCALE": float(brentq(off, 0.0, 20.0)),
    }


def main() -> None:
    """Print the constants."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fit_registration", description=__doc__)
    parser.add_argument("cases", nargs="?", type=Path, help="Trials that --keep has written.")
    parser.add_argument("--keep", type=Path, help="Write the trials there, as JSON lines.")
    options = parser.parse_args()
    if options.cases:
        of = [json.loads(line) for line in options.cases.read_text().splitlines()]
    else:
        of = trials()
        if options.keep:
            options.keep.write_text("".join(json.dumps(t) + "\n" for t in of))
    print(len(of), "trials,", sum(t["err"] <= WRONG_MM for t in of), "right")
    for name, value in fitted(of).items():
        print(f"{name:12s} {value:.2f}")


if __name__ == "__main__":
    main()
