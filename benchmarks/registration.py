"""Where the C-arm stands: simulated pictures of CTs with the true pose of one vertebra."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from benchmarks.registration_views import Scene, body_of, random_pose, scene_of
from benchmarks.scans import Window, available, clean_spine, window
from benchmarks.table import Row, Table
from thecal.anatomy.spine import Spine
from thecal.fluoro.frame import Frame
from thecal.fluoro.front.log_picture import BIN
from thecal.fluoro.front.monitor import Monitor
from thecal.fluoro.front.needle_on_picture import needle_shadows
from thecal.fluoro.projection.view import Pose
from thecal.fluoro.registration.bone_model import BoneModel, bone_model, reprojection_error_mm
from thecal.fluoro.registration.find import register
from thecal.fluoro.registration.verdict import WRONG_MM
from thecal.phantom.patient import make_patient
from thecal.volume import FloatArray, Volume

NAME: Final = "registration"
SEED: Final = 61400
PHANTOMS: Final = 16
QUICK: Final = 2
SPANS: Final = ("T5-T8", "T8-T11", "T11-L2", "L1-L4", "T10-L1", "L2-L5")
REAL: Final = {"abdomen_3mm": 3, "thorax_1p5mm": 3, "thorax_2p5mm": 3, "abdomen_5mm": 2}
"""How many vertebrae of each real CT, from those whole and below T5."""
BEFORE: Final = 22
"""Pictures of the baseline: 5 s, and a little more."""
FRAMES: Final = 12
"""Followed in each case, with breathing of 8 mm, and a table move in their middle."""
FPS: Final = 4.0
STRANGER_SEED: Final = SEED + 5000
SURE_MM: Final = 1.0
GOOD_MM: Final = 1.0

Job = tuple[str, int, int]


def cases(*, quick: bool) -> list[Job]:
    """(phantom or the real CT's name, seed, number of its vertebra)."""
    phantoms: list[Job] = [("phantom", SEED + n, n % 2) for n in range(QUICK if quick else PHANTOMS)]
    if quick:
        return phantoms
    real: list[Job] = [
        (name, SEED + 100 * (k + 1) + n, n)
        for k, (name, count) in enumerate(REAL.items())
        if available(name)
        for n in range(count)
    ]
    return [*phantoms, *real]


def one_case(job: Job) -> dict[str, Any]:
    """Four views from near starts, one a level off, a stranger's and a spoiled picture, and a run."""
    name, seed, number = job
    rng = np.random.default_rng(seed)
    volume, spine = _patient(name, seed)
    whole = [v for v in spine.vertebrae if v.complete]
    inner = whole[1:-1] if len(whole) > 3 else whole
    # Real chests reach up to where shoulders cover the lateral view.
    vertebra = inner[number % min(len(inner), 6)]
    body, words = body_of(volume, spine, vertebra, rng)
    scenes = [scene_of(volume, spine, vertebra, body, words, kind, rng) for kind in ("ap", "lateral") * 2]
    model = bone_model(scenes[0].target)
    trials = [_trial(model, scene, scene.frame, Pose.still(), "near") for scene in scenes]
    way = model.neighbours_mm[seed % len(model.neighbours_mm)]
    off = random_pose(model.centre, 5.0, 5.0, rng)
    trials.append(_trial(model, scenes[seed % 4], scenes[seed % 4].frame, _shifted(off, way), "level off"))
    stranger = _stranger(name, seed, scenes[(seed + 1) % 4], rng)
    trials.append(_trial(model, scenes[(seed + 1) % 4], stranger, Pose.still(), "stranger"))
    scene = scenes[(seed + 2) % 4]
    trials.append(_trial(model, scene, spoiled(scene.frame, seed), Pose.still(), "spoiled"))
    result = {"case": name, "seed": seed, "level": vertebra.level or vertebra.id, "trials": trials}
    return result | {"followed": _followed(model, scenes[seed % 2], rng)} | words


def _patient(name: str, seed: int) -> tuple[Volume, Spine]:
    if name != "phantom":
        return window(Window(name)), clean_spine(Window(name))
    case = make_patient(
        seed, SPANS[seed % len(SPANS)], spacing_mm=(1.25, 0.8, 0.8), fov_mm=170.0, age=60.0 + seed % 25
    )
    return case.volume, case.spine


def _stranger(name: str, seed: int, scene: Scene, rng: np.random.Generator) -> Frame:
    """The same view of another patient's vertebra, centred alike."""
    case = make_patient(
        STRANGER_SEED + seed,
        SPANS[(seed + 1) % len(SPANS)],
        spacing_mm=(2.0, 1.0, 1.0),
        fov_mm=170.0,
        age=70.0,
    )
    vertebra = case.spine.vertebrae[len(case.spine.vertebrae) // 2]
    body, _ = body_of(case.volume, case.spine, vertebra, rng)
    there = Pose(np.eye(3), scene.target.frame.origin - vertebra.frame.origin)
    return body.show(scene.view.of_moved(there), 0, rng)


def spoiled(frame: Frame, seed: int) -> Frame:
    """The picture with its greys turned round, or upside down, or turned by half a turn."""
    pixels = frame.pixels
    ways = (pixels.max() - pixels, pixels[::-1], pixels[::-1, ::-1])
    return replace(frame, pixels=np.ascontiguousarray(ways[seed % 3]))


def _shifted(pose: Pose, way: FloatArray) -> Pose:
    return Pose(pose.rotation, pose.shift + way)


def _trial(model: BoneModel, scene: Scene, frame: Frame, start: Pose, kind: str) -> dict[str, Any]:
    begin = time.perf_counter()
    hidden = needle_shadows(frame.pixels, scene.body.planned, scene.view, start)
    found = register(model, frame, scene.view, start, ignore=hidden)
    took = time.perf_counter() - begin
    error = reprojection_error_mm(model.points, scene.view, scene.truth, found.pose)
    return {
        "kind": kind,
        "view": scene.words["kind"],
        "start_mm": round(reprojection_error_mm(model.points, scene.view, scene.truth, start), 2),
        "error_mm": round(error, 3),
        "said_mm": round(min(found.error_mm, 99.0), 3),
        "confidence": round(found.confidence, 3),
        "lost": found.lost,
        "seconds": round(took, 2),
        "evidence": {k: round(float(v), 3) for k, v in found.evidence.items()},
    }


def _followed(model: BoneModel, scene: Scene, rng: np.random.Generator) -> dict[str, Any]:
    """Errors on a run of pictures as ``watch`` follows it, from the true pose on the first.

    The patient breathes, and the table moves.
    """
    frame = scene.target.frame
    monitor = Monitor(scene.target, scene.view, pose=scene.truth)
    first = scene.view.project(scene.truth.apply(model.points))
    steps = np.stack([scene.view.along_column, scene.view.along_row])
    large = scene.view.magnification(scene.truth.apply(model.centre))
    errors, lost, times = [], 0, []
    for n in range(BEFORE + FRAMES):
        # The baseline's first picture is the one at rest.
        up = 4.0 * np.sin(2.0 * np.pi * n / FRAMES)
        table = 12.0 if n >= BEFORE + FRAMES // 2 else 0.0
        moved = Pose(np.eye(3), up * frame.cranial + 0.3 * up * frame.anterior + table * frame.cranial)
        moved = moved.after(scene.truth)
        shown = scene.body.show(scene.view.of_moved(moved), n, rng)
        begin = time.perf_counter()
        reading = monitor.see(Frame(n, n / FPS, shown.pixels))
        if n < BEFORE:
            continue
        times.append(time.perf_counter() - begin)
        if reading.level == "lost":
            lost += 1
            continue
        half = (BIN - 1) / 2.0
        at = monitor.move.to_picture((first - half) / BIN) * BIN + half
        away = (at - scene.view.project(moved.apply(model.points))) @ steps
        errors.append(float(np.linalg.norm(away, axis=-1).mean()) / large)
    return {
        "errors_mm": [round(e, 3) for e in errors],
        "lost": lost,
        "median_ms": round(1000.0 * float(np.median(times)), 1),
    }


def table(results: Iterable[dict[str, Any]], *, quick: bool) -> Table:
    """The rows and the caption."""
    done = list(results)
    rows = []
    for on, some in (
        ("phantoms", [c for c in done if c["case"] == "phantom"]),
        ("real CT", [c for c in done if c["case"] != "phantom"]),
    ):
        if some:
            rows += _rows(f"{on} ({len(some)} vertebrae)", some)
    caption = (
        f"Pictures computed from {len(done)} vertebrae of phantoms (seeds from {SEED}) and real CTs, AP and "
        "lateral, each angle off by up to 15 degrees, the start up to 10 mm and 10 degrees from the truth. "
        "On the table the patient lies otherwise than in the CT: bent in the discs by up to 4 degrees, soft "
        "tissue moved by 1.5 to 8 mm. A needle (its plan is known, off as by "
        "a hand) in half, cement in a third, gas, noise of 60 to 1500 photons "
        "a pixel, scatter, and a display window by chance. The pictures come from the same CT by the same "
        "geometry, so lens, detector and table add nothing: real pictures are harder. Pictures of real CT "
        "are as blurred as its slices (1.5 to 5 mm). Error: mean reprojection error over the vertebra, in "
        f"its plane. Found: not lost, and the error at most {GOOD_MM:g} mm. Wrong but sure: error above "
        f"{WRONG_MM:g} mm, not lost, and its own estimate below {SURE_MM:g} mm. Followed pictures that still "
        "fell into the baseline's 5 s count as lost."
    )
    return Table(NAME, "Registration of a picture with the plan's CT", caption, rows, done, quick)


def _rows(on: str, cases: list[dict[str, Any]]) -> list[Row]:
    trials = [t for c in cases for t in c["trials"]]
    near = [t for t in trials if t["kind"] == "near"]
    kept = [t for t in near if not t["lost"]]
    rows = [_share(on, "found within 1 mm", near, lambda t: not t["lost"] and t["error_mm"] <= GOOD_MM, 0.95)]
    rows.append(_share(on, "found within 2 mm", near, lambda t: not t["lost"] and t["error_mm"] <= WRONG_MM))
    rows.append(_share(on, "said to be lost", near, lambda t: t["lost"]))
    if kept:
        mean = float(np.mean([t["error_mm"] for t in kept]))
        middle = float(np.median([t["error_mm"] for t in kept]))
        said = float(np.mean([t["said_mm"] for t in kept]))
        words = f"{mean:.2f} (median {middle:.2f}, by its own estimate {said:.2f})"
        rows.append(Row(on, "mean error where not lost, mm", "≤ 1.0", words, mean <= 1.0))
    rows.append(_most(on, "wrong but sure, near starts", near, _wrong_but_sure, 0.01))
    rows.append(
        _most(
            on, "wrong and not lost, near starts", near, lambda t: not t["lost"] and t["error_mm"] > WRONG_MM
        )
    )
    for kind, word in (
        ("level off", "start a level off"),
        ("stranger", "another patient's picture"),
        ("spoiled", "inverted, upside-down or turned picture"),
    ):
        some = [t for t in trials if t["kind"] == kind]
        # From a level off it may also find the way back.
        good = [t["lost"] or (kind == "level off" and t["error_mm"] <= WRONG_MM) for t in some]
        rows.append(Row(on, f"{word}: refused", "", f"{np.mean(good):.2f} ({sum(good)} of {len(good)})"))
        rows.append(
            _most(
                on, f"{word}: wrong but sure", some, _wrong_but_sure if kind == "level off" else _sure, None
            )
        )
    errors = [e for c in cases for e in c["followed"]["errors_mm"]]
    lost, frames = sum(c["followed"]["lost"] for c in cases), FRAMES * len(cases)
    if errors:
        rows.append(
            Row(
                on,
                "followed over breathing and a table move: mean error, mm",
                "≤ 1.0",
                f"{np.mean(errors):.2f} (95th percentile {np.percentile(errors, 95):.2f}; "
                f"lost in {lost} of {frames} pictures)",
                float(np.mean(errors)) <= 1.0,
            )
        )
    ms = float(np.median([c["followed"]["median_ms"] for c in cases]))
    seconds = float(np.median([t["seconds"] for t in near]))
    rows.append(Row(on, "time of a followed picture, median, ms (other cases beside it)", "", f"{ms:.0f}"))
    rows.append(Row(on, "time of a first registration, median, s (the same)", "", f"{seconds:.1f}"))
    return rows


def _wrong_but_sure(trial: dict[str, Any]) -> bool:
    return trial["error_mm"] > WRONG_MM and _sure(trial)


def _sure(trial: dict[str, Any]) -> bool:
    return not trial["lost"] and trial["said_mm"] < SURE_MM


def _share(on: str, measure: str, trials: list[dict[str, Any]], good: Any, aim: float | None = None) -> Row:
    some = [bool(good(t)) for t in trials]
    share = float(np.mean(some))
    return Row(
        on,
        measure,
        f"≥ {aim:g}" if aim else "",
        f"{share:.3f} ({sum(some)} of {len(some)})",
        share >= aim if aim else None,
    )


def _most(on: str, measure: str, trials: list[dict[str, Any]], bad: Any, aim: float | None = None) -> Row:
    some = [bool(bad(t)) for t in trials]
    share = float(np.mean(some))
    return Row(
        on,
        measure,
        f"≤ {aim:g}" if aim else "",
        f"{share:.3f} ({sum(some)} of {len(some)})",
        share <= aim if aim else None,
    )
