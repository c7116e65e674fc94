"""``thecal anatomies``: what can be given to ``--anatomy`` on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

# What --anatomy FILE reads, in the order of thecal.anatomy.backends.label_file.
FILES = "NIfTI, NRRD, 3D Slicer's .seg.nrrd, DICOM SEG"


def anatomies(
    as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
) -> None:
    """List the anatomy backends, and say of each whether it can run here and why not."""
    from thecal.anatomy.listing import list_backends

    found = list_backends()
    if as_json:
        import json
        from dataclasses import asdict

        typer.echo(json.dumps([asdict(one) for one in found], indent=2))
        return
    for one in found:
        state = "can run" if one.runs else "cannot run"
        typer.echo(f"{one.name} {one.version or ''}".rstrip() + f": {state}")
        if one.why_not:
            typer.echo(f"  {one.why_not.rstrip('.')}.")
    typer.echo(f"FILE: a label map ({FILES}) in place of a backend")
