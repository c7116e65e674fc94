"""User and password, or a token, for DICOMweb: from the environment or a netrc file, never a command line."""

from __future__ import annotations

import netrc
import os
from pathlib import Path

from thecal.errors import InputError

USER, PASSWORD, TOKEN, NETRC = "THECAL_USER", "THECAL_PASSWORD", "THECAL_TOKEN", "NETRC"


def token() -> str | None:
    """A bearer token, from ``THECAL_TOKEN``."""
    return os.environ.get(TOKEN) or None


def user_and_password(host: str) -> tuple[str, str] | None:
    """From ``THECAL_USER`` and ``THECAL_PASSWORD``, else from the netrc file's entry of the host.

    The file is the one that ``NETRC`` names, else ``.netrc`` in the home folder.

    Raises
    ------
    InputError
        Where only one of the two is set, or the file cannot be read.
    """
    user, password = os.environ.get(USER), os.environ.get(PASSWORD)
    if user and password:
        return user, password
    if user or password:
        missing = PASSWORD if user else USER
        raise InputError(f"{USER} and {PASSWORD} go together, and {missing} is not set")
    named = os.environ.get(NETRC)
    path = Path(named) if named else Path.home() / ".netrc"
    if not named and not path.exists():
        return None
    try:
        entry = netrc.netrc(path).authenticators(host)
    except OSError as error:
        raise InputError(f"The netrc file {path} cannot be read: {error.strerror}") from error
    except netrc.NetrcParseError as error:
        # Its own message repeats words of the file.
        raise InputError(f"The netrc file {path} cannot be read at line {error.lineno}") from error
    return (entry[0], entry[2] or "") if entry else None
