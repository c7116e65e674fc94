"""The rule of the AP view: needles behind the posterior wall, lateral or medial of the pedicle's border."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from benchmarks.table import Table
from benchmarks.watch import LEAST_END_MM, Job, from_ends_mm, jobs, patient, share_row, true_of
from thecal.errors import InputError
from thecal.fluoro.front.medial_line import medial_line
from thecal.fluoro.front.monitor import Monitor
from thecal.fluoro.target import Needle, Target, target_of
from thecal.phantom.injection import body_ml, draw_spec, inject, usable

NAME: Final = "medial"
COUNT: Final = 48
QUICK: Final = 4
SEED: Final = 94000
TIP_MM: Final = -3.0
"""The tip stands so far in front of the posterior wall: behind it."""
OFF_MM: Final = (-4.0, 5.0)
"""How far the needle's surface at its tip is lateral of the pedicle's medial border: drawn in between."""
CLEAR_MM: Final = 1.5
"""Nearer to the border than this either answer is right."""


def cases(*, quick: bool) -> list[Job]:
    """Half in real CT, half in phantoms; those of one scan one after the other."""
    return jobs(QUICK if quick else COUNT, SEED, quick=quick)


def one_case(job: Job) -> dict[str, Any]:
    """Watch the pictures before an injection on an AP view, with the tip behind the posterior wall."""
    volume, found, true = patient(job.scan)
    rng = np.random.default_rng(job.seed)
    some = [
        v
        for v in found.vertebrae
        if usable(v, found) and true_of(v, true) is not None and from_ends_mm(volume, v) >= LEAST_END_MM
    ]
    result: dict[str, Any] = {"case": str(job.scan), "seed": job.seed, "real": isinstance(job.scan, str)}
    if not some:
        return result | {"skipped": "no whole vertebra"}
    vertebra = some[int(rng.integers(len(some)))]
    truly = true_of(vertebra, true)
    assert truly is not None
    spec = draw_spec(job.seed, truly, body_ml(true, truly), toward="ap", kind="none")
    try:
        injection = inject(volume, true, truly, spec)
    except InputError as error:
        return result | {"skipped": str(error)}
    off_mm = float(rng.uniform(*OFF_MM))
    name = vertebra.level or str(vertebra.id)
    needle = _put_in(target_of(volume, true, truly, name), injection.planned, off_mm)
    if needle is None:
        return result | {"skipped": "no pedicle"}
    injection = replace(injection, true_needle=needle)
    target = target_of(volume, found, vertebra, name, (injection.planned,))
    monitor = Monitor(target, injection.stated_view, tip_behind_wall=True, all_in=True)
    readings = []
    for frame, truth in injection.pictures():
        if truth.injected_ml > 0.0:
            break
        readings.append(monitor.see(frame))
    last = readings[-1]
    return result | {
        "level": name,
        "off_mm": round(off_mm, 2),
        "said": last.level,
        "why": last.why,
        "registration_mm": None if monitor.error_mm is None else round(monitor.error_mm, 2),
    }


def _put_in(target: Target, planned: Needle, off_mm: float) -> Needle | None:
    """The planned needle drawn back behind the wall and moved aside; None where no pedicle is known."""
    line = medial_line(target, planned.side)
    if line is None:
        return None
    sign = 1.0 if planned.side == "left" else -1.0
    entry, tip = target.frame.to_local(np.array([planned.entry_mm, planned.tip_mm]))
    way = (tip - entry) / (tip[1] - entry[1])
    stopped = tip + way * (TIP_MM - tip[1])
    aside = sign * (sign * line[0] + planned.outer_mm / 2.0 + off_mm) - stopped[0]
    ends = target.frame.to_lps(np.stack([entry, stopped]) + np.array([aside, 0.0, 0.0]))
    first, last = (tuple(float(v) for v in end) for end in ends)
    return Needle(planned.side, (first[0], first[1], first[2]), (last[0], last[1], last[2]), planned.outer_mm)


def table(results: Iterable[dict[str, Any]], *, quick: bool) -> Table:
    """The rows and the caption."""
    done = list(results)
    watched = [c for c in done if "skipped" not in c]
    rows = []
    for on, some in (
        ("phantoms", [c for c in watched if not c["real"]]),
        ("real CT", [c for c in watched if c["real"]]),
    ):
        medial = [c["said"] == "stop" for c in some if c["off_mm"] <= -CLEAR_MM]
        judged = [c["said"] == "stop" for c in some if c["off_mm"] <= -CLEAR_MM and c["said"] != "lost"]
        lateral = [c["said"] == "stop" for c in some if c["off_mm"] >= CLEAR_MM]
        lost = [c["said"] == "lost" for c in some]
        word = f"{on} ({len(some)})"
        rows += [
            share_row(word, f"needles medial by {CLEAR_MM:g} mm or more: stop is said", medial),
            share_row(word, "of them, where it is judged at all", judged),
            share_row(
                word, f"needles lateral by {CLEAR_MM:g} mm or more: stop is said all the same", lateral, None
            ),
            share_row(word, "not judged: vertebra or needle is not found, and it is said", lost),
        ]
    caption = (
        f"Simulated AP pictures with seeds from {SEED}, which nobody had looked at, of a needle whose tip "
        f"stands {-TIP_MM:g} mm behind the posterior wall, its surface {OFF_MM[0]:g} to {OFF_MM[1]:g} mm "
        "lateral of the pedicle's medial border (negative: medial). The plan's needle goes on to the body; "
        "what is put in is moved aside and not yet so deep. "
        f"{len(done) - len(watched)} drawn ones could not be made. In the phantoms the border that the "
        "needle is put by is the phantom's own, the one it is judged by is found. Simulated by those who "
        "made the monitor."
    )
    return Table(NAME, "Needles on AP views", caption, rows, done, quick)
