"""Stands in for the program TotalSegmentator: takes its command line, writes labels that were put by."""

from __future__ import annotations

import sys
from pathlib import Path

from thecal.anatomy.backends.totalsegmentator_run import TASKS

# Fails where it is given what the program does not take, or a way to the network.
PROGRAM = """#!{python}
import argparse, json, os, shutil, sys
from pathlib import Path
parser = argparse.ArgumentParser()
parser.add_argument("-i", dest="input", required=True)
parser.add_argument("-o", dest="output", required=True)
parser.add_argument("-ml", "--ml", action="store_true")
parser.add_argument("-ta", "--task", default="total")
parser.add_argument("-rs", "--roi_subset", nargs="+")
parser.add_argument("-q", "--quiet", action="store_true")
words = parser.parse_args()
config = json.loads((Path(os.environ["TOTALSEG_HOME_DIR"]) / "config.json").read_text())
assert config["send_usage_stats"] is False
assert os.environ["https_proxy"].endswith("127.0.0.1:9")
assert os.environ["TOTALSEG_WEIGHTS_PATH"] == {weights!r}
assert words.ml and words.task == "total" and Path(words.input).stat().st_size > 1000
assert set(words.roi_subset) >= {{"vertebrae_T12", "vertebrae_L1", "sacrum", "vertebrae_S1", "spinal_cord"}}
{then}
"""


def install(monkeypatch, folder: Path, labels: Path | None, *, then: str | None = None) -> Path:
    """The program and weights of every task; ``then`` is what it does in place of writing."""
    weights = folder / "weights"
    for task in TASKS:
        (weights / f"Dataset{task}_x").mkdir(parents=True)
        (weights / f"Dataset{task}_x" / "checkpoint_final.pth").write_bytes(b"weights of %d" % task)
    program = folder / "TotalSegmentator"
    what = then or f"shutil.copy({str(labels)!r}, words.output)"
    program.write_text(PROGRAM.format(python=sys.executable, weights=str(weights), then=what))
    program.chmod(0o755)
    monkeypatch.setenv("THECAL_TOTALSEGMENTATOR", str(program))
    monkeypatch.setenv("THECAL_TOTALSEGMENTATOR_WEIGHTS", str(weights))
    monkeypatch.delenv("THECAL_TOTALSEGMENTATOR_SHA256", raising=False)
    return weights
