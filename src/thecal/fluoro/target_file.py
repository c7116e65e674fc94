"""The watched vertebra as a file in the plan's folder: numpy's npz, read without pickle and checked."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from thecal.errors import InputError
from thecal.fluoro.target import Needle, Target
from thecal.frames import VertebraFrame
from thecal.volume import Grid

SCHEMA: Final = "thecal.target/1"
FOLDER: Final = "watch"
ARRAYS: Final = {"hu": np.int16, "labels": np.uint16, "parts": np.uint8}


def target_path(plan: Path, level: str) -> Path:
    """Where a plan keeps the target of a level."""
    return plan / FOLDER / f"{level}.npz"


def read_planned_target(plan: Path, level: str | None) -> Target:
    """The target of a level of a plan; of its only one where no level is given.

    Raises
    ------
    InputError
        Where the plan has none, has several and none is named, or the file is damaged.
    """
    held = sorted(path.stem for path in (plan / FOLDER).glob("*.npz"))
    if not held:
        raise InputError(f"{plan} holds no plan of a vertebra to watch; thecal plan makes one")
    if level is None and len(held) > 1:
        raise InputError(f"{plan} plans {', '.join(held)}: --level says which is watched")
    chosen = held[0] if level is None else level
    if chosen not in held:
        raise InputError(f"{plan} does not plan {chosen}; it plans {', '.join(held)}")
    return read_target(target_path(plan, chosen))


def write_target(path: Path, target: Target) -> None:
    """Write a target; the folder is made where it does not exist."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(target_to_bytes(target))


def read_target(path: Path) -> Target:
    """Read a target back.

    Raises
    ------
    InputError
        Where it cannot be read, is damaged, or its parts do not fit one another.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    return target_from_bytes(content, str(path))


def target_to_bytes(target: Target) -> bytes:
    """A target as npz: the same bytes for the same target."""
    about = {
        "schema": SCHEMA,
        "level": target.level,
        "vertebra_id": target.vertebra_id,
        "depth_mm": target.depth_mm,
        "needles": [
            {
                "name": n.name,
                "side": n.side,
                "entry_mm": n.entry_mm,
                "tip_mm": n.tip_mm,
                "outer_mm": n.outer_mm,
            }
            for n in target.needles
        ],
        "medial_mm": dict(target.medial_mm),
    }
    arrays: dict[str, Any] = {name: getattr(target, name).astype(kind) for name, kind in ARRAYS.items()}
    arrays["affine"] = target.grid.affine
    arrays["frame"] = np.stack(
        [target.frame.origin, target.frame.left, target.frame.anterior, target.frame.cranial]
    )
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def target_from_bytes(content: bytes, name: str) -> Target:
    """The target in npz bytes; ``name`` is what an error calls it."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {key: file[key] for key in (*ARRAYS, "affine", "frame", "about")}
        about = json.loads(arrays["about"].tobytes())
        _check(arrays, about)
        needles = tuple(
            Needle(
                n["side"], tuple(n["entry_mm"]), tuple(n["tip_mm"]), float(n["outer_mm"]), n.get("name", "")
            )
            for n in about["needles"]
        )
        frame = arrays["frame"]
        return Target(
            about["level"],
            int(about["vertebra_id"]),
            VertebraFrame(*frame),
            float(about["depth_mm"]),
            arrays["hu"],
            arrays["labels"],
            arrays["parts"],
            Grid(arrays["hu"].shape, arrays["affine"]),
            needles,
            tuple((side, float(at)) for side, at in about.get("medial_mm", {}).items()),
        )
    except (ValueError, KeyError, TypeError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise InputError(f"The watched vertebra in {name} is damaged or of another version") from error


def _check(arrays: dict[str, Any], about: dict[str, Any]) -> None:
    if about["schema"] != SCHEMA:
        raise ValueError(about["schema"])
    for name, kind in ARRAYS.items():
        if arrays[name].dtype != kind or arrays[name].ndim != 3 or arrays[name].shape != arrays["hu"].shape:
            raise ValueError(name)
    if arrays["affine"].shape != (4, 4) or arrays["frame"].shape != (4, 3):
        raise ValueError("frame")
    finite = np.isfinite(arrays["affine"]).all() and np.isfinite(arrays["frame"]).all()
    if not finite or not 0.0 < about["depth_mm"] < 200.0 or min(arrays["hu"].shape) < 2:
        raise ValueError("figures")
    if not np.any(arrays["labels"] == about["vertebra_id"]):
        raise ValueError("vertebra_id")
