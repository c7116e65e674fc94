"""``thecal assess``: one CT in, one report out."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from thecal.terms import EVEN_ODDS


class SegChoice(Enum):
    """How ``segmentation.dcm`` holds its segments."""

    BINARY = "binary"
    LABELMAP = "labelmap"


def assess(
    input_path: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT",
            help="A DICOM folder, zip or multi-frame file, or a NIfTI, NRRD or MetaImage volume.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the report.")],
    anatomy: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="builtin, totalsegmentator, or a label map in VerSe ids.")
    ] = "builtin",
    level: Annotated[
        str | None,
        typer.Option(metavar="T12@Z", help="The vertebra whose body crosses patient z = Z mm (LPS) is T12."),
    ] = None,
    series: Annotated[
        str | None, typer.Option(metavar="UID", help="The DICOM series to take (see thecal info).")
    ] = None,
    findings: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What the surgeon or the radiograph saw, as JSON.")
    ] = None,
    intradural_prior: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            help="Probability of cement inside the dura before the CT, 0 to 1; even odds by default.",
        ),
    ] = EVEN_ODDS,
    identified: Annotated[
        bool, typer.Option("--identified", help="Put the patient's name on the page.")
    ] = False,
    seg: Annotated[
        SegChoice,
        typer.Option("--seg", help="DICOM SEG as one bit a segment, or as one smaller label map."),
    ] = SegChoice.BINARY,
    whole_frames: Annotated[
        bool,
        typer.Option(
            "--whole-frames", help="DICOM SEG at the images' own size, for viewers that show no other."
        ),
    ] = False,
    pdf: Annotated[
        bool,
        typer.Option(
            "--pdf", help="Also the page for paper, report.pdf; of DICOM input also for the archive."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print report.json to stdout.")] = False,
) -> int:
    """Say where the cement went on one CT.

    Exit status: 0 a report was written; 2 the input cannot be used; 3 no spine was found, and the report
    says so; 1 a defect in thecal. Research use only.
    """
    from thecal.cli.pipeline import assess_to_folder
    from thecal.report.headline import headline

    report, found = assess_to_folder(
        input_path,
        out,
        anatomy=anatomy,
        level=level,
        series=series,
        findings=findings,
        intradural_prior=intradural_prior,
        identified=identified,
        seg_form="labelmap" if seg is SegChoice.LABELMAP else "binary",
        seg_whole_frames=whole_frames,
        pdf=pdf,
    )
    if as_json:
        typer.echo(report.to_json(), nl=False)
    else:
        for sentence in headline(report):
            typer.echo(sentence.text)
        typer.echo(f"Report: {out / 'report.html'}")
    return 0 if found else 3
