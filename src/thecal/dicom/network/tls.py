"""TLS by the certificates that a user names."""

from __future__ import annotations

import ssl

from thecal.dicom.network.address import Caller
from thecal.errors import InputError

_UNREADABLE = "The certificates of --ca or --cert cannot be read as PEM, or the key is missing"


def client_tls(caller: Caller) -> ssl.SSLContext:
    """For speaking to an archive; its certificate is checked.

    Raises
    ------
    InputError
        Where the certificates cannot be read.
    """
    try:
        context = ssl.create_default_context(cafile=caller.ca)
        if caller.certificate is not None:
            context.load_cert_chain(caller.certificate)
    except (ssl.SSLError, OSError) as error:
        raise InputError(_UNREADABLE) from error
    return context


def server_tls(caller: Caller) -> ssl.SSLContext | None:
    """For listening; senders must show a certificate where authorities are named. None without our own.

    Raises
    ------
    InputError
        Where the certificates cannot be read.
    """
    if caller.certificate is None:
        return None
    try:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=caller.ca)
        context.load_cert_chain(caller.certificate)
    except (ssl.SSLError, OSError) as error:
        raise InputError(_UNREADABLE) from error
    if caller.ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    return context
