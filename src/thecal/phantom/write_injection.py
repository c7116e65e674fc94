"""A simulated injection on disk: the pictures as DICOM XA, and the truth of each."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np

from thecal.errors import InputError
from thecal.fluoro.projection.c_arm import CArm
from thecal.fluoro.projection.xa_file import write_xa
from thecal.phantom.injection import Injection
from thecal.terms import RESEARCH_USE

PICTURES: Final = "injection.dcm"
TRUTH: Final = "truth.json"


def write_injection(injection: Injection, out: Path, arm: CArm | None = None) -> None:
    """Write ``injection.dcm`` with the angles as the C-arm states them, and ``truth.json``.

    Raises
    ------
    InputError
        Where the folder cannot be written.
    """
    frames, truths = [], []
    for frame, truth in injection.pictures():
        frames.append(frame.pixels)
        truths.append(asdict(truth))
    spec = injection.spec
    whole = np.stack(frames)
    stack = whole.astype(np.uint8) if spec.scope.bits == 8 else whole.astype(np.uint16)
    told = {"research_use": RESEARCH_USE, **injection.to_json(), "pictures": truths}
    text = json.dumps(told, indent=1, ensure_ascii=False) + "\n"
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_xa(
            out / PICTURES,
            stack,
            arm or CArm(),
            [spec.stated_deg],
            frame_time_ms=1000.0 / spec.fps,
            bits=spec.scope.bits,
            kv=float(spec.scope.kv),
            note=f"simulated injection, seed {spec.seed}",
        )
        (out / TRUTH).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror}") from error
