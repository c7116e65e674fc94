"""What the commands that speak to archives have in common on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ArchiveAddress = Annotated[
    str,
    typer.Argument(
        metavar="ARCHIVE",
        help="https://HOST/dicom-web, or dicom://HOST:PORT/AETITLE, or dicoms:// with TLS.",
    ),
]
OurTitle = Annotated[str, typer.Option("--aet", metavar="TITLE", help="Our own AE title.")]
Authorities = Annotated[
    Path | None,
    typer.Option("--ca", metavar="FILE", help="Certificates (PEM) to trust in place of the system's."),
]
OurCertificate = Annotated[
    Path | None, typer.Option("--cert", metavar="FILE", help="Our own certificate and its key (PEM).")
]
