"""Where an archive is, and as whom we speak to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from thecal.errors import InputError

FORMS: Final = "https://HOST/dicom-web, dicom://HOST:PORT/AETITLE or, with TLS, dicoms://HOST:PORT/AETITLE"
# PS3.5 table 6.2-1: at most 16 characters of the default repertoire, no backslash, no control character.
_AE_TITLE = re.compile(r"(?=.*[^ ])[ -\[\]-~]{1,16}")
_UID = re.compile(r"(?=.{1,64}$)\d+(\.\d+)+")


@dataclass(frozen=True)
class WebAddress:
    """A DICOMweb service by its root, such as ``https://pacs/dicom-web``."""

    url: str

    @property
    def shown(self) -> str:
        """How a message names it."""
        return self.url


@dataclass(frozen=True)
class DimseAddress:
    """A DICOM application entity: a host, a port and the title that it answers to."""

    host: str
    port: int
    ae_title: str
    tls: bool = False

    @property
    def shown(self) -> str:
        """How a message names it."""
        return f"{self.ae_title} at {self.host}:{self.port}"


@dataclass(frozen=True)
class Caller:
    """As whom we speak.

    Attributes
    ----------
    ae_title : str
        Our own title.
    ca : Path or None
        Certificates (PEM) of the authorities to trust in place of the system's.
    certificate : Path or None
        Our own certificate and its key (PEM), for archives that ask for one.
    """

    ae_title: str = "THECAL"
    ca: Path | None = None
    certificate: Path | None = None

    def __post_init__(self) -> None:
        checked_ae_title(self.ae_title)
        for option, path in (("--ca", self.ca), ("--cert", self.certificate)):
            if path is not None and not path.is_file():
                raise InputError(f"{option} {path} is not a file")


Address = WebAddress | DimseAddress


def parse_address(text: str) -> Address:
    """The archive that a user names.

    Raises
    ------
    InputError
        Where the text is of none of the forms, or holds a password.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InputError(f"{_without_user(text)} is no address of an archive: {FORMS}") from error
    if parts.password is not None or parts.username is not None:
        raise InputError(
            "A user or password does not belong on the command line: set THECAL_USER and THECAL_PASSWORD, "
            "or put them into a netrc file"
        )
    if parts.scheme in ("http", "https") and host and not parts.query and not parts.fragment:
        return WebAddress(text.rstrip("/"))
    if parts.scheme in ("dicom", "dicoms") and host and port and not parts.query and not parts.fragment:
        return DimseAddress(host, port, checked_ae_title(parts.path.strip("/")), parts.scheme == "dicoms")
    raise InputError(f"{text} is no address of an archive: {FORMS}")


def checked_ae_title(text: str) -> str:
    """An application entity title.

    Raises
    ------
    InputError
        Where it is none.
    """
    if not _AE_TITLE.fullmatch(text):
        raise InputError(f"{text!r} is no AE title: 1 to 16 letters, digits and the like")
    return text


def checked_uid(text: str, option: str) -> str:
    """A UID that a user gave.

    Raises
    ------
    InputError
        Where it is none; it may hold what does not belong into a message, so it is not repeated.
    """
    if not _UID.fullmatch(text):
        raise InputError(f"{option} is not a UID: numbers with points between them, 64 characters at most")
    return text


def _without_user(text: str) -> str:
    return re.sub(r"//[^/@]*@", "//", text)
