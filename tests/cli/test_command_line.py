"""The command line as a whole: help, version, and sentences for mistakes."""

from __future__ import annotations

import json
import subprocess
import sys

import jsonschema
import pytest

from thecal import __version__
from thecal.cli import COMMANDS, run


def test_help_lists_every_command_and_the_limits_of_use(capsys):
    assert run([]) == 0
    words = capsys.readouterr().out
    assert all(name in words for name in COMMANDS)
    assert "Research use only" in words


def test_help_loads_nothing_heavy():
    code = (
        "import sys\nfrom thecal.cli import run\nrun(['--help'])\n"
        "heavy = {'numpy', 'scipy', 'numba', 'matplotlib', 'pydicom', 'nibabel', 'pydantic', 'rich'}\n"
        "sys.exit(str(sorted(heavy & set(sys.modules))) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode == 0


def test_version(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.strip() == f"thecal {__version__}"


@pytest.mark.parametrize(
    "words",
    [["nosuch"], ["assess"], ["assess", "scan"], ["assess", "scan", "--nosuch"], ["schema", "extra"]],
    ids=["unknown command", "no input", "no folder", "unknown option", "too many words"],
)
def test_a_command_line_that_cannot_be_used_is_status_2_and_one_sentence(words, capsys):
    assert run(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.strip().splitlines()) == 1


def test_schema_prints_a_valid_json_schema(capsys):
    assert run(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["title"] == "thecal.report/1"


@pytest.mark.parametrize(
    "words",
    [
        ["assess", "missing", "--out", "x"],
        ["phantom", "make", "--out", "x", "--sex", "X"],
        ["phantom", "make", "--out", "x", "--levels", "T1-T13"],
    ],
)
def test_what_goes_wrong_is_told_in_one_whole_sentence(words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(words) == 2
    told = capsys.readouterr().err
    assert told.endswith(".\n")
    assert not told.endswith("..\n")
    assert told[0].isupper() or told.startswith("missing")
