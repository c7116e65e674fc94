"""``thecal push``: the DICOM files of a folder to an archive."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thecal.cli.archives import ArchiveAddress, Authorities, OurCertificate, OurTitle


def push(
    path: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder with DICOM files, such as a report's; or one.")
    ],
    archive: ArchiveAddress,
    aet: OurTitle = "THECAL",
    ca: Authorities = None,
    cert: OurCertificate = None,
) -> None:
    """Put every DICOM file of DIR into an archive, by DICOMweb or DIMSE.

    They carry the patient, as the images do. Pushing again changes nothing. A user and password, or a token,
    are taken from THECAL_USER and THECAL_PASSWORD, from THECAL_TOKEN, or from a netrc file. Research use
    only.
    """
    from thecal.cli.counting import counted
    from thecal.dicom.network.address import Caller, parse_address
    from thecal.dicom.network.connect import open_archive
    from thecal.dicom.network.push import push as push_files

    address = parse_address(archive)
    opened = open_archive(address, Caller(aet, ca, cert))
    with counted("push") as progress:
        count = push_files(opened, path, progress)
    typer.echo(f"{count} {'file' if count == 1 else 'files'} pushed to {address.shown}")
