"""``thecal deidentify``: CT images without their patient, for sharing a case."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def deidentify(
    path: Annotated[Path, typer.Argument(metavar="IN", help="A DICOM folder or zip, or one file.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="A new folder for the images.")],
    secret: Annotated[
        Path | None,
        typer.Option(
            "--secret",
            metavar="FILE",
            help="A secret of yours, for the same pseudonyms in every run; else THECAL_DEIDENTIFY_SECRET.",
        ),
    ] = None,
    keep_intervals: Annotated[
        bool,
        typer.Option(
            "--keep-intervals", help="Move all dates of a patient by the same days; else remove them."
        ),
    ] = False,
    keep_characteristics: Annotated[
        bool, typer.Option("--keep-characteristics", help="Keep sex, age (90 at most), size and weight.")
    ] = False,
) -> None:
    """Take the patient out of CT images, after the basic profile of DICOM PS3.15.

    Secondary captures, images with burned-in annotation and all that is no CT image are left out and
    counted. Look at the images before you share them: no program sees writing in pixels for certain.
    Research use only.
    """
    from thecal.cli.counting import counted
    from thecal.dicom.confidentiality.dataset import Plan
    from thecal.dicom.confidentiality.folder import deidentify as deidentify_folder
    from thecal.dicom.confidentiality.pseudonyms import read_secret, secret_of_this_run

    plan = Plan(read_secret(secret) or secret_of_this_run(), keep_intervals, keep_characteristics)
    with counted("clean") as progress:
        done = deidentify_folder(path, out, plan, progress)
    for reason, count in sorted(done.left_out.items()):
        typer.echo(f"Left out: {count} {reason}", err=True)
    typer.echo(f"{done.images} images of {len(done.series)} series without their patient: {out}")
