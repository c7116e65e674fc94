"""``thecal demo``: the founding paper's patient, from a simulated scanner to a report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

TREATED = "T12"
# Well inside any body, in front of its posterior wall.
MID_BODY_MM = 14.0


def demo(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the report and the scan.")],
) -> int:
    """Assess a phantom of the founding paper's patient.

    A woman of 70 with a crushed T12 and cement in the canal (Liao 2025, doi 10.2147/IMCRJ.S535207), made
    from the paper's words, scanned by a simulated scanner, stored as DICOM and assessed from it. Research
    use only.
    """
    from thecal.cli.compiled import tell_if_cold
    from thecal.cli.pipeline import assess_to_folder
    from thecal.cli.progress import stage_progress
    from thecal.report.headline import headline
    from thecal.report.replaced_files import check_writable

    check_writable(out)
    tell_if_cold()
    with stage_progress(("phantom",)) as begin:
        begin("phantom")
        scan, level = _make_scan(out / "phantom")
    report, found = assess_to_folder(scan, out, level=level)
    typer.echo("The founding paper's patient, as a phantom:")
    for sentence in headline(report):
        typer.echo(f"  {sentence.text}")
    typer.echo(f"Report:  {out / 'report.html'}")
    typer.echo(f"Made by: thecal assess {scan} --out {out} --level {level}")
    return 0 if found else 3


def _make_scan(folder: Path) -> tuple[Path, str]:
    """Make the founding case and write it as DICOM.

    Returns
    -------
    scan : Path
        The folder that holds the slices.
    level : str
        The treated vertebra for ``--level``, as whoever treated it would give it: so short a scan may show
        too little to count from.
    """
    from thecal.phantom.founding import founding_case
    from thecal.phantom.write import write_scan

    for earlier in (folder / "dicom").glob("CT_*.dcm"):
        earlier.unlink()
    case = founding_case()
    treated = next(v for v in case.spine.vertebrae if v.level == TREATED)
    height_mm = treated.frame.to_lps([0.0, MID_BODY_MM, 0.0])[2]
    return write_scan(case.volume, folder, "dicom"), f"{TREATED}@{height_mm:.1f}"
