"""Needle tracks: phantoms with tracks of known place and angle, and real CTs through which no needle went."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks.scans import SCANS, Window, available, clean_spine, window
from benchmarks.table import Row, Table
from thecal.assessment import assess
from thecal.cement.find import find_cement
from thecal.leakage.findings import NeedleTrack
from thecal.leakage.tracks import find_tracks
from thecal.phantom.deposit_spec import DepositSpec
from thecal.phantom.needle import Content, TrackSpec, TrueTrack
from thecal.phantom.patient import Case, make_patient
from thecal.phantom.scanner import SHARP, SOFT

NAME: Final = "tracks"
COUNT: Final = 24
QUICK: Final = 4
SEED: Final = 31400
MEDIAL_SEED: Final = SEED + 500
MEDIAL_COUNT: Final = 24
"""Phantoms in which needles went through the canal's wall."""
SPANS: Final = (
    ("T5-T8", ("T6", "T7")),
    ("T8-T11", ("T9", "T10")),
    ("T10-L1", ("T11", "T12")),
    ("T11-L2", ("T12", "L1")),
    ("T12-L3", ("L1", "L2")),
    ("L2-L5", ("L3", "L4")),
)
SLICES_MM: Final = (1.0, 1.5, 0.8, 1.25)
MEDIAL_SLICES_MM: Final = (1.0, 1.5, 2.5, 0.8, 1.25)
THIN_MM: Final = 1.6
SAME_WAY_MM: Final = 3.0
SAME_WAY_DEG: Final = 12.0
"""A reported track is the true one where its middle lies so near to its line, and its axis runs so."""


def cases(*, quick: bool) -> list[int | str]:
    """Names of real CTs, then seeds of phantoms and of those with ways through the canal's wall by turns."""
    real = [name for name in SCANS if available(name)]
    plain = range(SEED, SEED + (QUICK if quick else COUNT))
    through = range(MEDIAL_SEED, MEDIAL_SEED + (QUICK if quick else MEDIAL_COUNT))
    return [*real, *(seed for pair in zip(plain, through, strict=True) for seed in pair)]


def make(seed: int) -> Case:
    """A patient of 55 to 88 with up to four tracks in two levels, in some with cement in one body."""
    rng = np.random.default_rng(seed)
    span, levels = SPANS[seed % len(SPANS)]
    z, pixel = SLICES_MM[seed % len(SLICES_MM)], float(rng.uniform(0.5, 0.9))
    contents: tuple[Content, ...] = ("cement", "empty", "air")
    tracks = tuple(
        TrackSpec(
            level,
            side,
            medial_mm=float(rng.uniform(-1.0, 3.0)),
            tip_depth=float(rng.uniform(0.3, 0.75)),
            content=contents[int(rng.choice(3, p=(0.4, 0.45, 0.15)))],
            radius_mm=float(rng.uniform(1.2, 1.7)),
            transverse=float(rng.uniform(3.0, 26.0)),
            sagittal=float(rng.uniform(-12.0, 10.0)),
            above_mm=float(rng.uniform(-2.0, 2.0)),
        )
        for level in levels
        for side in ("left", "right")
        if rng.random() < 0.8
    )
    return _patient(seed, rng, span, levels, (z, pixel, pixel), tracks)


def make_medial(seed: int) -> Case:
    """A patient with a needle's way through the canal's edge on one side of two levels, a plain one beside.

    The needle points where the founding patient's did (``TrackSpec``'s own aim), 3.5 to 6.5 mm medial of the
    pedicle's axis: its way lies open in the canal, and has bone round it in the arch and in the body only.
    """
    rng = np.random.default_rng(seed)
    span, levels = SPANS[seed % len(SPANS)]
    z, pixel = MEDIAL_SLICES_MM[seed % len(MEDIAL_SLICES_MM)], float(rng.uniform(0.5, 0.9))
    contents: tuple[Content, ...] = ("cement", "empty", "air")
    tracks = []
    for level in levels:
        first = int(rng.integers(2))
        for number in range(2 if rng.random() < 0.6 else 1):
            tracks.append(
                TrackSpec(
                    level,
                    ("left", "right")[(first + number) % 2],
                    medial_mm=float(rng.uniform(3.5, 6.5) if number == 0 else rng.uniform(-1.5, 1.0)),
                    tip_depth=float(rng.uniform(0.3, 0.7)),
                    content=contents[int(rng.choice(3, p=(0.45, 0.45, 0.1)))],
                    radius_mm=float(rng.uniform(1.2, 1.7)),
                )
            )
    return _patient(seed, rng, span, levels, (z, pixel, pixel), tuple(tracks))


def _patient(
    seed: int,
    rng: np.random.Generator,
    span: str,
    levels: tuple[str, ...],
    spacing_mm: tuple[float, float, float],
    tracks: tuple[TrackSpec, ...],
) -> Case:
    """A patient with these ways, in half of the cases with cement in the first body."""
    fill = (DepositSpec("intravertebral", levels[0], float(rng.uniform(1.5, 4.0)), "midline"),)
    return make_patient(
        seed,
        span,
        spacing_mm=spacing_mm,
        fov_mm=170.0,
        age=float(rng.uniform(55, 88)),
        sex="F" if rng.random() < 0.6 else "M",
        scanner=SHARP if rng.random() < 0.25 else SOFT,
        deposits=fill if rng.random() < 0.5 else (),
        tracks=tracks,
    )


def one_case(job: int | str) -> dict[str, Any]:
    """Assess from the scan alone and compare, or count what is found where nothing is."""
    return _real(job) if isinstance(job, str) else _phantom(job)


def _phantom(seed: int) -> dict[str, Any]:
    case = make(seed) if seed < MEDIAL_SEED else make_medial(seed)
    result = assess(case.volume)
    found = list(result.leakage.tracks) if result.leakage else []
    rows = []
    for truth in case.tracks:
        track = _partner(truth, found)
        if track is not None:
            found.remove(track)
        rows.append(_compared(truth, track))
    return {
        "case": "phantom " + "-".join([case.model.shown[0], case.model.shown[-1]]),
        "seed": seed,
        "through_canal": seed >= MEDIAL_SEED,
        "signs": {s.name: s.state for s in result.leakage.signs} if result.leakage else {},
        "spacing_mm": [round(float(s), 2) for s in case.grid.spacing_mm],
        "tracks": rows,
        "false_tracks": [_words(t) for t in found],
        "vertebrae": len(result.leakage.casts_sought) if result.leakage else 0,
    }


def _real(name: str) -> dict[str, Any]:
    which = Window(name)
    volume, spine = window(which), clean_spine(which)
    cement = find_cement(volume, spine)
    slice_mm = max(float(volume.grid.spacing_mm[0]), volume.source.slice_thickness_mm or 0.0)
    result = find_tracks(volume.hu[spine.box], slice_mm, spine, cement)
    return {
        "case": name,
        "spacing_mm": [round(float(s), 2) for s in volume.grid.spacing_mm],
        "false_tracks": [_words(t) for t in result.tracks],
        "vertebrae": len(result.casts_sought),
        "for_empty": len(result.bores_sought),
    }


def _words(track: NeedleTrack) -> dict[str, Any]:
    return {"level": track.level or track.vertebra_id, "side": track.side, "content": track.content}


def _line(track: TrueTrack | NeedleTrack) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    start, end = np.array(track.entry_mm), np.array(track.tip_mm)
    return (start + end) / 2.0, (end - start) / np.linalg.norm(end - start)


def _degrees(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    return float(np.degrees(np.arccos(np.clip(a @ b, -1.0, 1.0))))


def _partner(truth: TrueTrack, found: list[NeedleTrack]) -> NeedleTrack | None:
    middle, axis = _line(truth)
    near = []
    for number, track in enumerate(found):
        at, way = _line(track)
        off = float(np.linalg.norm((at - middle) - ((at - middle) @ axis) * axis))
        angle = _degrees(axis, way)
        if off < SAME_WAY_MM and angle < SAME_WAY_DEG:
            near.append((angle, number))
    return found[min(near)[1]] if near else None


def _compared(truth: TrueTrack, track: NeedleTrack | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "level": truth.level,
        "side": truth.side,
        "content": truth.content,
        "width_mm": round(2.0 * truth.radius_mm, 2),
        "clearance_mm": truth.medial_wall_clearance_mm,
        "found": track is not None,
    }
    if track is not None:
        row |= {
            "called": track.content,
            "line_degrees": round(_degrees(_line(truth)[1], _line(track)[1]), 2),
            "transverse_error": round(track.transverse_angle - truth.transverse_angle, 2),
            "sagittal_error": round(track.sagittal_angle - truth.sagittal_angle, 2),
            "entry_error_mm": round(float(np.linalg.norm(np.subtract(track.entry_mm, truth.entry_mm))), 2),
            "tip_error_mm": round(float(np.linalg.norm(np.subtract(track.tip_mm, truth.tip_mm))), 2),
            "tip_hidden": track.tip_hidden,
            "found_clearance_mm": None
            if track.medial_wall_clearance_mm is None
            else round(track.medial_wall_clearance_mm, 2),
            "breach": track.breach,
        }
    return row


def table(results: Iterable[dict[str, Any]], *, quick: bool) -> Table:
    """The rows and the caption."""
    done = list(results)
    phantoms = [c for c in done if "tracks" in c and not c["through_canal"]]
    medial = [c for c in done if "tracks" in c and c["through_canal"]]
    real = [c for c in done if "tracks" not in c]
    on = f"phantoms ({len(phantoms)})"
    tracks = [t for c in phantoms for t in c["tracks"]]
    seen = [t for t in tracks if t["found"]]
    rows = []
    for word, kinds, aim in (
        ("cement-filled", ("cement",), 0.9),
        ("empty", ("empty",), 0.7),
        ("air-filled", ("air",), None),
    ):
        some = [t["found"] for t in tracks if t["content"] in kinds]
        if some:
            share = float(np.mean(some))
            rows.append(
                Row(
                    on,
                    f"{word} tracks found",
                    f"≥ {aim:g}" if aim else "",
                    f"{share:.2f} ({sum(some)} of {len(some)})",
                    share >= aim if aim else None,
                )
            )
    for key, word, aim in (
        ("transverse_error", "transverse angle, absolute error, median, degrees", 2.0),
        ("sagittal_error", "sagittal angle, absolute error, median, degrees", 2.0),
        ("line_degrees", "angle between true and found line, median, degrees", None),
        ("entry_error_mm", "entry, distance from the true one, median, mm", None),
    ):
        rows.append(_spread(on, word, [abs(t[key]) for t in seen], aim))
    ends = [t["tip_error_mm"] for t in seen if not t["tip_hidden"]]
    rows.append(_spread(on, "tip, where no fill hides it, distance, median, mm", ends, None))
    clear = [
        t["found_clearance_mm"] - t["clearance_mm"] for t in seen if t.get("found_clearance_mm") is not None
    ]
    rows.append(_spread(on, "clearance to the medial wall, absolute error, median, mm", np.abs(clear), None))
    wrong = sum(len(c["false_tracks"]) for c in phantoms)
    searched = sum(c["vertebrae"] for c in phantoms)
    rows.append(Row(on, "false tracks a vertebra", "", f"{wrong} in {searched} vertebrae"))
    if medial:
        rows += _through_canal(medial)
    if real:
        wrong = sum(len(c["false_tracks"]) for c in real)
        searched = sum(c["vertebrae"] for c in real)
        empty = sum(c["for_empty"] for c in real)
        rate = wrong / max(searched, 1)
        rows.append(
            Row(
                f"real CT without tracks ({len(real)})",
                "false tracks a vertebra",
                "< 0.1",
                f"{rate:.2f} ({wrong} in {searched} vertebrae, {empty} of them searched for empty ones)",
                rate < 0.1,
            )
        )
    caption = (
        f"Synthetic patients: {len(phantoms)} with seeds from {SEED}, and {len(medial)} with seeds from "
        f"{MEDIAL_SEED} in which needles crossed the canal's wall, four vertebrae in view, slices 0.8 to "
        "1.5 mm, tracks 2.4 to 3.4 mm wide at 3 to 26 degrees to the midline, some with cement in the body; "
        "anatomy and cement found from the scan alone. The holes are clean and straight, as made by those "
        "who made the program; real ones close and fill with callus. False tracks are counted in the real "
        "CTs without needles; most of them have slices too thick to look for empty tracks, so that "
        "count rests on few vertebrae."
    )
    return Table(NAME, "Needle tracks", caption, rows, done, quick)


def _through_canal(cases: list[dict[str, Any]]) -> list[Row]:
    """What is found of ways that cross the canal's wall, by what fills them and how thick the slices are."""
    on = f"phantoms with ways through the canal ({len(cases)})"
    rows = []
    thin = [c for c in cases if c["spacing_mm"][0] <= THIN_MM]
    thick = [c for c in cases if c["spacing_mm"][0] > THIN_MM]
    for word, kinds, some in (
        ("cement-filled ways through the canal's wall found, thin slices", ("cement",), thin),
        ("empty and air-filled ways through the canal's wall found, thin slices", ("empty", "air"), thin),
        ("cement-filled ways through the canal's wall found, 2.5 mm slices", ("cement",), thick),
    ):
        found = [
            t["found"] for c in some for t in c["tracks"] if t["clearance_mm"] < 0 and t["content"] in kinds
        ]
        if found:
            rows.append(Row(on, word, "", f"{np.mean(found):.2f} ({sum(found)} of {len(found)})"))
    seen = [t for c in cases for t in c["tracks"] if t["found"] and t["clearance_mm"] < 0]
    if seen:
        called = sum(t["breach"] == "medial" for t in seen)
        rows.append(Row(on, "of those found, called a medial breach", "", f"{called} of {len(seen)}"))
        rows.append(
            _spread(
                on,
                "angle between true and found line, median, degrees",
                [t["line_degrees"] for t in seen],
                None,
            )
        )
    present = sum(c["signs"].get("medial_puncture") == "present" for c in cases)
    rows.append(Row(on, "medial puncture read as present", "", f"{present} of {len(cases)}"))
    wrong = sum(len(c["false_tracks"]) for c in cases)
    searched = sum(c["vertebrae"] for c in cases)
    rows.append(Row(on, "false tracks a vertebra", "", f"{wrong} in {searched} vertebrae"))
    return rows


def _spread(on: str, measure: str, values: Any, aim: float | None) -> Row:
    some = np.asarray(values, float)
    if not len(some):
        return Row(on, measure, f"≤ {aim:g}" if aim else "", "none to measure")
    middle = float(np.median(some))
    reached = f"{middle:.2f} (90th percentile {np.percentile(some, 90):.1f}, n = {len(some)})"
    return Row(on, measure, f"≤ {aim:g}" if aim else "", reached, middle <= aim if aim else None)
