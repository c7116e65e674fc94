"""The watched vertebra comes back from its file as it was, and a damaged file is refused in one sentence."""

from __future__ import annotations

import random
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from stand_in import toy_target

from thecal.errors import InputError
from thecal.fluoro.target_file import (
    read_planned_target,
    read_target,
    target_path,
    target_to_bytes,
    write_target,
)


def test_a_target_comes_back_as_it_was(tmp_path: Path) -> None:
    was = toy_target()
    write_target(tmp_path / "a" / "T12.npz", was)
    now = read_target(tmp_path / "a" / "T12.npz")
    for field in fields(was):
        before, after = getattr(was, field.name), getattr(now, field.name)
        if isinstance(before, np.ndarray):
            np.testing.assert_array_equal(before, after)
            assert before.dtype == after.dtype
        elif field.name not in ("frame", "grid"):
            assert repr(before) == repr(after)
    np.testing.assert_array_equal(was.grid.affine, now.grid.affine)
    assert was.grid.shape == now.grid.shape
    np.testing.assert_array_equal(was.frame.to_lps((1.0, 2.0, 3.0)), now.frame.to_lps((1.0, 2.0, 3.0)))
    assert target_to_bytes(was) == target_to_bytes(now)


def test_a_damaged_target_is_refused(tmp_path: Path) -> None:
    whole = target_to_bytes(toy_target())
    path = tmp_path / "T12.npz"
    dice = random.Random(3)
    for size in dice.sample(range(len(whole)), 30):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match="damaged"):
            read_target(path)
    np.savez(path, hu=np.zeros((3, 3, 3), np.int16))
    with pytest.raises(InputError, match="damaged"):
        read_target(path)


def test_a_pickle_in_a_target_is_never_opened(tmp_path: Path) -> None:
    path = tmp_path / "T12.npz"
    np.savez(path, hu=np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(InputError, match="damaged"):
        read_target(path)


def test_the_level_that_a_plan_holds_is_found_or_asked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no plan"):
        read_planned_target(tmp_path, None)
    write_target(target_path(tmp_path, "T12"), toy_target("T12"))
    assert read_planned_target(tmp_path, None).level == "T12"
    write_target(target_path(tmp_path, "L1"), toy_target("L1"))
    assert read_planned_target(tmp_path, "L1").level == "L1"
    with pytest.raises(InputError, match="--level says which"):
        read_planned_target(tmp_path, None)
    with pytest.raises(InputError, match="does not plan T9; it plans L1, T12"):
        read_planned_target(tmp_path, "T9")
