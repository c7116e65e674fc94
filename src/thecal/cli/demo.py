"""``thecal demo``: the founding paper's patient, from a simulated scanner to a report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the report and the scan.")],
) -> int:
    """Assess a phantom of the founding paper's patient.

    A woman of 70 with a crushed T12 and cement in the canal (Liao 2025, doi 10.2147/IMCRJ.S535207), made
    from the paper's words, scanned by a simulated scanner, stored as DICOM and assessed from it. Research
    use only.
    """
    from thecal.cli.pipeline import assess_to_folder
    from thecal.cli.progress import stage_progress
    from thecal.report.headline import headline
    from thecal.report.write import check_writable

    check_writable(out)
    with stage_progress(("phantom",)) as begin:
        begin("phantom")
        scan = _make_scan(out / "phantom")
    report, found = assess_to_folder(scan, out)
    typer.echo("The founding paper's patient, as a phantom:")
    for sentence in headline(report):
        typer.echo(f"  {sentence.text}")
    typer.echo(f"Report: {out / 'report.html'}")
    typer.echo(f"Scan:   {scan}")
    return 0 if found else 3


def _make_scan(folder: Path) -> Path:
    """Make the founding case and write it as DICOM; the folder that holds the slices."""
    from thecal.phantom.founding import founding_case
    from thecal.phantom.write import write_scan

    for earlier in (folder / "dicom").glob("CT_*.dcm"):
        earlier.unlink()
    return write_scan(founding_case().volume, folder, "dicom")
