"""An archive by DICOMweb: QIDO-RS to find, WADO-RS to fetch, STOW-RS to store (PS3.18)."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from thecal.dicom.network import credentials
from thecal.dicom.network.address import Caller, WebAddress
from thecal.dicom.network.archive import Held, Keep, Outgoing, Wanted, refuse_in_part
from thecal.dicom.network.extra import load
from thecal.dicom.network.statuses import meaning_of
from thecal.dicom.network.stow import failures_in, post_file
from thecal.dicom.network.tls import client_tls
from thecal.errors import InputError

CONNECT_S: Final = 10.0
# A study that lies on tape takes its time.
ANSWER_S: Final = 300.0
# As stored, whatever the compression: nothing is lost and nothing has to be decoded over there.
AS_STORED: Final = (("application/dicom", "*"),)
STUDY, SERIES, SOP_CLASS, SOP_INSTANCE = "0020000D", "0020000E", "00080016", "00080018"
ACCESSION = "00080050"
MEANINGS: Final = {
    401: "asks for a user and password, or does not know these: set THECAL_USER and THECAL_PASSWORD, "
    "THECAL_TOKEN, or an entry in a netrc file",
    403: "does not allow this user to do that",
    404: "has nothing at that address",
    406: "does not give images as they are stored, nor uncompressed",
    409: "refused what was sent",
    413: "finds a file too large",
    415: "does not take such objects",
    429: "is too busy now",
    503: "is too busy now, or closed",
}
# Answers that a search for what lies beyond a page may get where the archive knows no pages.
NO_PAGES: Final = (400, 404, 416, 501)


class WebArchive:
    """An archive that speaks DICOMweb."""

    def __init__(self, address: WebAddress, caller: Caller) -> None:
        self.address = address
        client = load("dicomweb_client")
        requests = load("requests")
        client_tls(caller)  # that its certificates can be read; the session would call them not trusted
        session = _session(requests, caller)
        if caller.certificate is not None:
            session.cert = str(caller.certificate)
        bearer = credentials.token()
        if bearer is not None:
            session.auth = _Bearer(bearer)
        else:
            session.auth = credentials.user_and_password(requests.utils.urlparse(address.url).hostname)
        with self._told("that address"):
            self._client: Any = client.DICOMwebClient(
                address.url,
                session=session,
                chunk_size=1 << 20,
                permissive_uid=True,
                timeout=(CONNECT_S, ANSWER_S),
            )
        self._client.set_http_retry_params(retry=False)

    def studies(self, wanted: Wanted) -> list[str]:
        """The UIDs of the studies that match."""
        filters = {"StudyInstanceUID": wanted.study, "AccessionNumber": wanted.accession}
        with self._told("QIDO-RS, the search for studies"):
            found = self._all_pages(
                self._client.search_for_studies,
                STUDY,
                search_filters={name: value for name, value in filters.items() if value is not None},
                fields=[ACCESSION],
            )
        # A service that does not know a key ignores it, and answers with other patients' studies.
        mine = [one for one in found if wanted.is_met_by(_first(one, STUDY), _first(one, ACCESSION))]
        return sorted({_first(one, STUDY) for one in mine})

    def series_of(self, study: str, series: str | None) -> list[Held]:
        """What it holds of a study."""
        with self._told("QIDO-RS, the search for images"):
            found = self._all_pages(
                self._client.search_for_instances,
                SOP_INSTANCE,
                study,
                series_instance_uid=series,
                fields=[SOP_CLASS, SERIES],
            )
        by_series: dict[str, dict[str, str]] = {}
        for one in found:
            instances = by_series.setdefault(_first(one, SERIES) or series or "", {})
            instances[_first(one, SOP_INSTANCE)] = _first(one, SOP_CLASS)
        return [Held(uid, instances) for uid, instances in sorted(by_series.items())]

    def fetch(self, study: str, held: Held, keep: Keep) -> None:
        """Get the instances of a series, each given to ``keep`` as it arrives."""
        import requests

        with self._told("WADO-RS, the fetching of images"):
            try:
                found = self._client.iter_series(study, held.series, media_types=AS_STORED)
            except requests.exceptions.HTTPError as error:
                if error.response.status_code != 406:
                    raise
                # It knows no "as stored": then as the standard's default, uncompressed.
                found = self._client.iter_series(study, held.series, media_types=("application/dicom",))
            for dataset in found:
                file = io.BytesIO()
                dataset.save_as(file, enforce_file_format=True)
                keep(str(dataset.SOPInstanceUID), file.getvalue())

    def store(self, files: Sequence[Outgoing], stored: Callable[[Outgoing], None]) -> None:
        """Put files there, one request each, so that one refused keeps none of the others away."""
        refused: list[str] = []
        for file in files:
            why: list[str] = []
            with self._told("STOW-RS, the storing", why.append):
                answer = post_file(self._client, self.address.url, file.path)
                why += [meaning_of(status) for status in failures_in(answer)]
            if why and not self._has(file):
                refused.append(why[0])
            else:
                stored(file)
        refuse_in_part(self.address, len(files), refused)

    def _has(self, file: Outgoing) -> bool:
        """Whether it holds an object that it refused: some refuse what they hold already."""
        try:
            return any(file.sop_instance in held.instances for held in self.series_of(file.study, None))
        except InputError:
            return False

    def _all_pages(self, search: Callable[..., Any], key: str, *words: Any, **options: Any) -> list[Any]:
        """All that a search finds: many archives give some hundred results at a time.

        Parameters
        ----------
        search : callable
            Of the client; takes ``offset``.
        key : str
            The tag by which results are told apart: an archive that knows no pages gives the same ones again.
        """
        import requests

        found: dict[str, Any] = {}
        asked = 0
        while True:
            try:
                page = search(*words, **options, **({"offset": asked} if asked else {}))
            except requests.exceptions.HTTPError as error:
                if not asked or error.response.status_code not in NO_PAGES:
                    raise
                page = []
            new = {_first(one, key): one for one in page}
            if not new.keys() - found.keys():
                return list(found.values())
            found = new | found
            asked += len(page)

    @contextmanager
    def _told(self, what: str, refused: Callable[[str], None] | None = None) -> Iterator[None]:
        """Turn what can go wrong on the way into one sentence.

        ``refused`` takes an answer that concerns one file only; a server that is not there concerns all.
        """
        import pydicom
        import requests

        where = f"The archive at {self.address.shown}"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        except requests.exceptions.SSLError as error:
            raise InputError(f"{where} shows a certificate that is not trusted; see --ca") from error
        except requests.exceptions.HTTPError as error:
            code = error.response.status_code
            meaning = MEANINGS.get(code, "reports a fault of its own" if code >= 500 else "refused")
            if refused is not None and code in (409, 413, 415):
                refused(_reason(error.response) or f"it {meaning} (status {code})")
                return
            raise InputError(f"{where} {meaning} (status {code}; {what})") from error
        except requests.exceptions.Timeout as error:
            raise InputError(f"{where} did not answer in time ({what})") from error
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
            raise InputError(f"{self.address.shown} is no address of a DICOMweb service") from error
        except requests.exceptions.ConnectionError as error:
            raise InputError(f"{where} does not answer, or broke off ({what})") from error
        except requests.exceptions.InvalidJSONError as error:
            raise InputError(f"{where} answered with something that is not DICOMweb ({what})") from error
        except requests.exceptions.RequestException as error:
            raise InputError(f"{where} broke off ({what})") from error
        except (pydicom.errors.InvalidDicomError, AttributeError, KeyError, ValueError, TypeError) as error:
            raise InputError(f"{where} answered with something that is not DICOMweb ({what})") from error
        except OSError as error:
            if error.filename is not None:  # ours, not the network's
                raise
            raise InputError(f"{where} cannot be spoken to: a certificate file is not PEM") from error


def _reason(answer: Any) -> str | None:
    """Why an object was refused, where a conflict's answer says so."""
    if answer.status_code != 409:
        return None
    try:
        failures = failures_in(answer)
    except ValueError:
        return None
    return meaning_of(failures[0]) if failures else None


def _session(requests: Any, caller: Caller) -> Any:
    """A session whose ``--ca`` wins over the environment's, which it does not with the library's own."""

    class Session(requests.Session):  # type: ignore[misc]
        def merge_environment_settings(self, *settings: Any) -> Any:
            merged = super().merge_environment_settings(*settings)
            return merged | ({"verify": str(caller.ca)} if caller.ca is not None else {})

    return Session()


class _Bearer:
    """Puts a token on each request."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: Any) -> Any:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _first(attributes: Any, tag: str) -> str:
    """The first value of an attribute of DICOM JSON, as text."""
    values = attributes.get(tag, {}).get("Value") or [""]
    return str(values[0] or "")
