"""``thecal compare``: two CTs in, what was taken out and what stayed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

STAGES = ("read", "anatomy", "cement", "leakage", "register", "report")


def compare(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="The earlier CT, as for thecal assess.")],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help="The later CT of the same patient.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the comparison.")],
    anatomy: Annotated[
        str, typer.Option(metavar="NAME", help="builtin, totalsegmentator or another backend, for both.")
    ] = "builtin",
    level: Annotated[
        str | None, typer.Option(metavar="T12@Z", help="Names a vertebra of the earlier CT.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print compare.json to stdout.")] = False,
) -> int:
    """Compare two CTs of one patient, vertebra by vertebra.

    Exit status: 0 a comparison was written; 2 an input cannot be used; 3 no spine was found on one of them,
    or they share no vertebra; 1 a defect in thecal. Research use only.
    """
    from thecal.assessment import assess
    from thecal.cli.compiled import tell_if_cold
    from thecal.cli.progress import stage_progress
    from thecal.compare.build import compare as compared
    from thecal.compare.write import summary, write_comparison
    from thecal.dicom import read
    from thecal.report.replaced_files import check_writable

    check_writable(out)
    with stage_progress(STAGES) as begin:
        begin("read")
        volumes = read(before), read(after)
        tell_if_cold()
        cases = (
            assess(volumes[0], anatomy=anatomy, level=level, progress=begin),
            assess(volumes[1], anatomy=anatomy, progress=begin),
        )
        begin("register")
        found = compared(*cases)
        begin("report")
        write_comparison(out, found)
    if as_json:
        typer.echo(found.comparison.to_json(), nl=False)
    else:
        for sentence in summary(found.comparison):
            typer.echo(sentence)
        typer.echo(f"Comparison: {out / 'compare.html'}")
    return 0
