"""The slices of a series as stacks: parallel, and each place once in each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from thecal.dicom.headers import Frame
from thecal.dicom.layout import SAME_PLACE_MM, in_order, same_place_runs

SAME_ORIENTATION = 0.9999


def one_phase_stacks(frames: tuple[Frame, ...]) -> list[tuple[Frame, ...]]:
    """Frames of one size, spacing, orientation and phase together, each stack in order along its normal.

    A phase is what shows one place again: another time, another acquisition, another kind of image.
    """
    return [part for stack in _parallel(frames) for part in _phases(stack)]


def _parallel(frames: tuple[Frame, ...]) -> list[tuple[Frame, ...]]:
    """Frames of one size, spacing and orientation together."""
    stacks: list[list[Frame]] = []
    for frame in frames:
        for stack in stacks:
            other = stack[0]
            if (
                (frame.header.rows, frame.header.columns) == (other.header.rows, other.header.columns)
                and np.allclose(frame.spacing_mm, other.spacing_mm, rtol=1e-3)
                and frame.along_row @ other.along_row > SAME_ORIENTATION
                and frame.along_column @ other.along_column > SAME_ORIENTATION
            ):
                stack.append(frame)
                break
        else:
            stacks.append([frame])
    return [tuple(stack) for stack in stacks]


def _phases(frames: tuple[Frame, ...]) -> list[tuple[Frame, ...]]:
    """Frames in order; split where one place is shown in several phases, acquisitions or image types."""
    ordered, at = in_order(frames)
    runs = same_place_runs(at)
    if len(runs) == len(ordered):
        return [ordered]
    keys: tuple[Callable[[Frame], object], ...] = (
        lambda frame: frame.temporal,
        lambda frame: frame.acquisition,
        lambda frame: frame.kind,
    )
    for key in keys:
        groups: dict[object, list[Frame]] = defaultdict(list)
        for frame in ordered:
            groups[key(frame)].append(frame)
        parts = [tuple(group) for group in groups.values()]
        if len(parts) > 1 and _overlap(parts) and all(_each_place_once(part) for part in parts):
            return parts
    times = {stop - start for start, stop in runs}
    if len(times) == 1:
        return _by_instance(ordered, times.pop())
    return [ordered]


def _each_place_once(frames: tuple[Frame, ...]) -> bool:
    _, at = in_order(frames)
    return len(same_place_runs(at)) == len(frames)


def _overlap(parts: list[tuple[Frame, ...]]) -> bool:
    """Whether parts show the same stretch, rather than follow one another."""
    spans = sorted(
        (float(at.min()), float(at.max()))
        for at in (np.array([f.position @ parts[0][0].normal for f in part]) for part in parts)
    )
    shortest = min(high - low for low, high in spans)
    shared = max(a[1] - b[0] for a, b in pairwise(spans))
    return shared >= 0.5 * shortest - SAME_PLACE_MM


def _by_instance(frames: tuple[Frame, ...], times: int) -> list[tuple[Frame, ...]]:
    """Split k full passes over the same places by instance number, where that gives k full passes."""
    if any(frame.instance is None for frame in frames):
        return [frames]
    by_instance = sorted(frames, key=lambda frame: (frame.instance or 0, frame.number))
    if len({frame.instance for frame in frames}) < len(frames):
        return [frames]
    size = len(frames) // times
    blocks = [tuple(by_instance[i * size : (i + 1) * size]) for i in range(times)]
    woven = [tuple(by_instance[i::times]) for i in range(times)]
    for parts in (blocks, woven):
        if all(_each_place_once(part) for part in parts):
            return [in_order(part)[0] for part in parts]
    return [frames]
