"""STOW-RS: one file to an archive, and what its answer means (PS3.18 section 10.5).

Not by the client library, which takes for success a refusal whose content type has a parameter
("; charset=utf-8"), a page for signing in, and a redirection.
"""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from thecal.dicom.network.statuses import DUPLICATE
from thecal.errors import InputError

FAILED_SOP, FAILURE_REASON = "00081198", "00081197"
_UNKNOWN_REASON: Final = 0
_REASON_IN_XML: Final = re.compile(rb'tag="00081197"[^>]*>\s*<Value[^>]*>\s*(\d+)')


def post_file(client: Any, root: str, path: Path) -> Any:
    """Send one file as it is, whole, and return the answer.

    Parameters
    ----------
    client : dicomweb_client.DICOMwebClient
        Whose session and time limits are used.
    root : str
        Address of the service.
    path : Path

    Raises
    ------
    InputError
        Where the archive lies elsewhere, or does not answer as an archive does.
    requests.exceptions.RequestException
        Where it does not answer, or says no.
    """
    # Not the same word for all: a file may hold any text, and one that holds the boundary would be cut there.
    boundary = uuid.uuid4().hex
    begin = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    answer = client._session.post(
        f"{root}/studies",
        data=begin + path.read_bytes() + f"\r\n--{boundary}--\r\n".encode(),
        headers={
            "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}',
            "Accept": "application/dicom+json",
        },
        timeout=client._timeout,
        # A POST that follows a redirection becomes a GET, whose success says nothing.
        allow_redirects=False,
    )
    if answer.is_redirect or 300 <= answer.status_code < 400:
        there = urlsplit(answer.headers.get("Location") or "")
        named = f": {there.scheme}://{there.hostname}" if there.scheme and there.hostname else ""
        raise InputError(f"The archive at {root} sends us elsewhere{named}; give the address that it has now")
    answer.raise_for_status()
    if answer.content and not _speaks(answer.content):
        raise InputError(
            f"The archive at {root} answered the storing with something that is not DICOMweb; "
            "it may want us to sign in"
        )
    return answer


def failures_in(answer: Any) -> list[int]:
    """Why an archive did not store an object, by its answer to one; empty where it did.

    An answer of JSON or XML, whatever its content type says; an empty one is no failure.

    Raises
    ------
    ValueError
        Where the answer cannot be read.
    """
    content = answer.content.strip()
    if content[:1] == b"<":
        if FAILED_SOP.encode() not in content:
            return []
        return _real([int(reason) for reason in _REASON_IN_XML.findall(content)] or [_UNKNOWN_REASON])
    if content[:1] not in (b"{", b"["):
        return []
    told = json.loads(content)
    failures = []
    try:
        for one in told if isinstance(told, list) else [told]:
            for item in (one.get(FAILED_SOP) or {}).get("Value") or []:
                reasons = (item.get(FAILURE_REASON) or {}).get("Value") or [_UNKNOWN_REASON]
                failures.append(int(reasons[0]))
    except (AttributeError, TypeError, IndexError, KeyError) as error:
        raise ValueError("an answer of another shape") from error
    return _real(failures)


def _real(reasons: list[int]) -> list[int]:
    """Without those that say that the object is there already."""
    return [reason for reason in reasons if reason != DUPLICATE]


def _speaks(content: bytes) -> bool:
    """Whether a body may be an answer of an archive: DICOM JSON, or XML that is no web page."""
    begin = content.lstrip()[:200].lower()
    return begin[:1] in (b"{", b"[") or (begin[:1] == b"<" and b"html" not in begin)
