"""What is sent to a page for a moment of the watch."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import asdict
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from thecal.fluoro.frame import Frame
from thecal.fluoro.reading import Outline
from thecal.fluoro.screen.clock_face import Clock
from thecal.fluoro.screen.look import OTHER_OUTLINE, OUTLINE_COLOURS
from thecal.fluoro.stream.watch import Shown

GREY_ENDS: Final = (0.5, 99.5)
"""Percentiles of a picture that are shown black and white."""
JPEG_QUALITY: Final = 85
LARGEST: Final = 1024
"""Rows or columns of a picture on the page at most."""


def state(shown: Shown, clock: Clock | None) -> dict[str, Any]:
    """Everything but the picture."""
    reading = shown.reading
    # Lines drawn for another picture would lie beside this one's bones.
    fits = reading is not None and shown.frame is not None and reading.number == shown.frame.number
    known = reading is not None and shown.level != "lost"
    return {
        "level": shown.level,
        "canal": shown.canal and shown.level == "leak",
        "why": shown.why,
        "at_s": round(shown.at_s, 2),
        "picture": None if shown.frame is None else shown.frame.number,
        "shape": None if shown.frame is None else list(shown.frame.pixels.shape),
        "outlines": [outline(one) for one in reading.outlines] if reading is not None and fits else [],
        "view": reading.view if known and reading is not None else None,
        "front": reading.front if known and reading is not None else None,
        "to_posterior_wall_mm": reading.to_posterior_wall_mm if known and reading is not None else None,
        "area_mm2": reading.area_mm2 if known and reading is not None else None,
        "growth_mm2_s": reading.growth_mm2_s if known and reading is not None else None,
        "error_mm": reading.error_mm if known and reading is not None else None,
        "leaks": list(reading.leaks) if known and reading is not None else [],
        "also": list(reading.also) if known and reading is not None else [],
        "faults": list(shown.faults),
        "passed_over": shown.passed_over,
        "clock": None if clock is None else asdict(clock(shown.at_s)),
    }


def outline(line: Outline) -> dict[str, str]:
    """An outline as an SVG path in the picture's columns and rows."""
    points = np.round(np.asarray(line.pixels, float)[:, ::-1] + 0.5, 1)
    path = "M" + "L".join(f"{x:g} {y:g}" for x, y in points) + ("Z" if line.closed else "")
    return {"name": line.name, "path": path, "colour": OUTLINE_COLOURS.get(line.name, OTHER_OUTLINE)}


def picture_uri(frame: Frame) -> str:
    """The picture as a JPEG within the page."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg(frame)).decode()


def jpeg(frame: Frame, quality: int = JPEG_QUALITY) -> bytes:
    """The picture in 8 bits, as small as ``LARGEST``."""
    from PIL import Image

    step = -(-max(frame.pixels.shape) // LARGEST)
    buffer = io.BytesIO()
    Image.fromarray(eight_bits(frame.pixels[::step, ::step])).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def eight_bits(pixels: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Greys between the picture's own dark and light ends."""
    low, high = np.percentile(pixels[::4, ::4], GREY_ENDS)
    scaled = (pixels.astype(np.float32) - low) * (255.0 / max(float(high - low), 1.0))
    grey: npt.NDArray[np.uint8] = np.clip(scaled, 0.0, 255.0).astype(np.uint8)
    return grey


def as_event(values: dict[str, Any]) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(values, separators=(",", ":")).encode() + b"\n\n"
