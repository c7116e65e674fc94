"""The first run says that it compiles; the later ones have nothing to say."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from thecal.cli import run
from thecal.cli.compiled import tell_if_cold

COLD = "from thecal.cli.compiled import is_compiled; print(is_compiled())"


@pytest.fixture(autouse=True)
def not_told_yet():
    tell_if_cold.cache_clear()
    yield
    tell_if_cold.cache_clear()


def test_the_first_run_says_once_on_stderr_that_it_compiles(ct_path, stages, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("thecal.cli.compiled.is_compiled", lambda: False)
    assert run(["assess", str(ct_path), "--out", str(tmp_path / "a")]) == 0
    out, err = capsys.readouterr()
    assert err.startswith("Compiling, once")
    assert len(err.splitlines()) == 1
    assert "Compiling" not in out
    assert run(["assess", str(ct_path), "--out", str(tmp_path / "b")]) == 0
    assert capsys.readouterr().err == ""


def test_an_input_that_cannot_be_used_is_told_in_one_sentence_also_at_the_first_run(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("thecal.cli.compiled.is_compiled", lambda: False)
    assert run(["assess", str(tmp_path / "missing"), "--out", str(tmp_path / "out")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_an_empty_cache_is_cold_and_a_compiled_one_is_not(tmp_path):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}

    def asked(code):
        command = [sys.executable, "-c", code]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        ).stdout.strip()

    assert asked(COLD) == "False"
    compile_it = (
        "import numpy as np; from thecal.leakage.occlusion import polar_area as f; "
        "f(np.zeros((1, 1, 1), np.float32), np.zeros((1, 3)), np.zeros((1, 4, 3)), np.ones((1, 4)), .25, 1.5)"
        "; "
    )
    assert asked(compile_it + COLD) == "True"
