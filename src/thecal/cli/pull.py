"""``thecal pull``: a study from an archive into a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thecal.cli.archives import ArchiveAddress, Authorities, OurCertificate, OurTitle


def pull(
    archive: ArchiveAddress,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="A new folder for the images.")],
    study: Annotated[
        str | None, typer.Option("--study", metavar="UID", help="The study by its Study Instance UID.")
    ] = None,
    accession: Annotated[
        str | None, typer.Option("--accession", metavar="NUMBER", help="The study by its accession number.")
    ] = None,
    series: Annotated[
        str | None, typer.Option("--series", metavar="UID", help="Only this series of it.")
    ] = None,
    move_port: Annotated[
        int | None,
        typer.Option(
            "--move-port",
            metavar="PORT",
            help="Fetch by C-MOVE to this port, from archives without C-GET; they must know --aet there.",
        ),
    ] = None,
    aet: OurTitle = "THECAL",
    ca: Authorities = None,
    cert: OurCertificate = None,
) -> None:
    """Fetch a study from an archive, by DICOMweb or DIMSE.

    DIR is written whole or not at all. A user and password, or a token, are taken from THECAL_USER and
    THECAL_PASSWORD, from THECAL_TOKEN, or from a netrc file. Research use only.
    """
    from thecal.cli.counting import counted
    from thecal.dicom.network.address import Caller, checked_uid, parse_address
    from thecal.dicom.network.archive import Wanted
    from thecal.dicom.network.connect import open_archive
    from thecal.dicom.network.pull import pull as pull_study
    from thecal.dicom.whole_folder import check_new_folder
    from thecal.errors import InputError

    if not study and not accession:
        raise InputError("Say which study: --study UID or --accession NUMBER")
    if any(sign in (accession or "") for sign in "*?\\"):
        raise InputError("--accession is one number, without wildcards")
    wanted = Wanted(
        checked_uid(study, "--study") if study else None,
        accession or None,
        checked_uid(series, "--series") if series else None,
    )
    check_new_folder(out)
    opened = open_archive(parse_address(archive), Caller(aet, ca, cert), move_port=move_port)
    with counted("pull") as progress:
        got = pull_study(opened, wanted, out, progress)
    typer.echo(f"{got.images} images of {got.series} series: {out}")
