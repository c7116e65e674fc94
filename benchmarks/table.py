"""A table of the validation page: what was measured, on what, and whether the aim was reached."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import thecal

MATCHING: Final = (
    "How deposits are matched: a true deposit is found with the right compartment when at least half of its "
    "voxels lie in reported deposits of that compartment. A reported deposit is false when less than a "
    "quarter of its voxels lie on, or one voxel beside, true cement of the compartment it is given; a "
    "misnamed deposit is thus both missed and false. Volumes are compared between groups of true and "
    "reported deposits of one compartment that overlap, since neighbours may touch. Deposits cut by the edge "
    "of the scan are left out."
)
RESULTS: Final = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Row:
    """One line: where, what, the aim, the figure, and whether it was reached (None where there is no aim)."""

    on: str
    measure: str
    aim: str
    reached: str
    ok: bool | None = None


@dataclass(frozen=True)
class Table:
    """One table with its caption.

    Attributes
    ----------
    name : str
        Of the module and of the results file.
    title, caption : str
    rows : list of Row
    cases : list of dict
        Plain values, one for each case, from which the rows were computed.
    quick : bool
        Made with fewer cases.
    """

    name: str
    title: str
    caption: str
    rows: list[Row]
    cases: list[dict[str, Any]] = field(default_factory=list)
    quick: bool = False


def store(table: Table, busy: float | None, state: str) -> None:
    """Write a table with its cases to ``results/NAME.json``.

    ``busy`` is the load average, ``state`` what ``commit`` said, before it began. None where cases were run
    one by one and nobody read the load.
    """
    load = "not recorded, other work ran beside it" if busy is None else f"{busy:.1f}"
    RESULTS.mkdir(exist_ok=True)
    content = {
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "version": f"{thecal.__version__}{state}",
        "machine": f"{machine()}; load average before the start {load}",
        **asdict(table),
    }
    cases = content.pop("cases")
    lines = ",\n".join("  " + json.dumps(case, ensure_ascii=False) for case in cases)
    head = json.dumps(content, indent=1, ensure_ascii=False).rstrip().removesuffix("}").rstrip()
    text = f'{head},\n "cases": [\n{lines}\n ]\n}}\n'
    json.loads(text)
    (RESULTS / f"{table.name}.json").write_text(text, encoding="utf-8")


def commit() -> str:
    """The commit measured, as ", commit 1caba44", and whether it is changed; empty outside a checkout."""
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        name, changed = (
            subprocess.run([*git, *words], capture_output=True, text=True, check=True).stdout.strip()
            for words in (["rev-parse", "--short", "HEAD"], ["status", "--porcelain", "--", "../src"])
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f", commit {name}{' and changes to it' if changed else ''}"


def machine() -> str:
    """Cores and memory, nothing that names the machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB, Python {platform.python_version()}"
    )


def write_page(path: Path, order: list[str]) -> None:
    """Write the page from every stored table."""
    parts = [
        "# Validation",
        "",
        "Written by `make benchmark`; do not edit. Research use only.",
        "",
        "No public CT of intradural cement exists that we know of. Claims of accuracy rest on synthetic "
        "cement in real CT and on phantoms; each caption says which. Where the reference is another "
        "program's automatic labels, the figure is agreement with that program and not truth. Figures of "
        "each case are in "
        "`benchmarks/results/`. **Tables are made one by one: under its caption each says when and of which "
        "version it was made. Of a version since then it may not be true.**",
        "",
        MATCHING,
        "",
    ]
    for name in order:
        stored = RESULTS / f"{name}.json"
        if not stored.exists():
            continue
        content = json.loads(stored.read_text(encoding="utf-8"))
        parts += [f"## {content['title']}", ""]
        if content["quick"]:
            parts += ["**A short run: fewer cases than `make benchmark` takes when left to end.**", ""]
        parts += [
            content["caption"],
            "",
            f"Made {content['made']} of version {content['version']}; {content['machine']}.",
            "",
            "| on | measure | to reach | reached | |",
            "|---|---|---|---|---|",
        ]
        for row in content["rows"]:
            verdict = {True: "yes", False: "**no**", None: ""}[row["ok"]]
            parts.append(f"| {row['on']} | {row['measure']} | {row['aim']} | {row['reached']} | {verdict} |")
        parts.append("")
    path.write_text("\n".join(parts).rstrip() + "\n", encoding="utf-8")
