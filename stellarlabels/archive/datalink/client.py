"""Requests to a DataLink service: those of astroquery's client, with a limit of time and this library's errors.

Astroquery's ready-made ``Gaia`` object is not used: it contacts the archive when it is imported, waits without a limit,
and writes into the current folder.
"""

import http.client
import tempfile
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

from stellarlabels import releases
from stellarlabels.exceptions import (
    InputError,
    LoginError,
    ReplyError,
    ServiceBusyError,
    ServiceConnectionError,
    ServiceError,
    ServiceTimeoutError,
)

__all__ = ["Client", "Product", "members", "product"]


@dataclass(frozen=True)
class Product:
    """Spectra of one kind as a data release serves them: where, in the archive's words, and how many stars at once."""

    url: str
    release: str
    retrieval_type: str
    structure: str
    format: str
    limit: int

    def request(self, source_id):
        """The parameters of a request."""
        return {
            "ID": ",".join(str(int(name)) for name in source_id),
            "RELEASE": self.release,
            "DATA_STRUCTURE": self.structure,
            "FORMAT": self.format,
            "RETRIEVAL_TYPE": self.retrieval_type,
            "VALID_DATA": "false",
            "USE_ZIP_ALWAYS": "true",
        }


def product(kind="sampled", release="Gaia DR3"):
    """How the archive serves a kind of spectra, "sampled" or "continuous", of a release."""
    known, release = _products(), releases.get(release).name
    if (release, kind) not in known:
        there = "; ".join(f"{other!r} of {name!r}" for name, other in known)
        raise InputError(f"kind: expected one of: {there}; got {kind!r} of {release!r}")
    return known[release, kind]


@lru_cache(maxsize=1)
def _products():
    """Products by name of the release and kind."""
    declared = [releases.get(name) for name in releases.available() if releases.get(name).knows("datalink_requests")]
    return {
        (release.name, kind): Product(
            release=release.name, retrieval_type=release.datalink[kind], **release.datalink_requests
        )
        for release in declared
        for kind in ("sampled", "continuous")
        if kind in release.datalink
    }


#: HTTP status of a service that is down or overloaded.
_BUSY = {429, 500, 502, 503, 504}


class Client:
    """One DataLink service."""

    def __init__(self, url, timeout):
        address = urlsplit(url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise InputError(f"url: expected an address on http or https, got {url!r}")
        if not timeout > 0:
            raise InputError(f"timeout: expected a positive number of seconds, got {timeout!r}")
        self.url, self._address, self._timeout = url, address, timeout

    def load(self, request):
        """The reply (bytes) to a request."""
        from astroquery.utils.tap.conn.tapconn import TapConn
        from astroquery.utils.tap.core import TapPlus

        connection = TapConn(
            ishttps=self._address.scheme == "https",
            host=self._address.hostname,
            server_context=self._address.path.rstrip("/"),
            data_context="data",
            connhandler=self,
        )
        connection.check_launch_response_status = self._check_status  # astroquery's own prints
        with tempfile.TemporaryDirectory(prefix="stellarlabels-") as folder:
            path = Path(folder) / "reply"
            try:
                TapPlus(connhandler=connection).load_data(params_dict=request, output_file=str(path))
            except ServiceError:
                raise
            except TimeoutError as error:
                raise ServiceTimeoutError(f"{self.url} was silent for {self._timeout:g} s") from error
            except (OSError, http.client.HTTPException) as error:
                raise ServiceConnectionError(f"{self.url}: {type(error).__name__}: {error}") from error
            finally:
                self._connection.close()
            return path.read_bytes()

    def get_connection(self, *, ishttps=False, cookie=None, verbose=False):
        """What astroquery asks its connection handler for."""
        kind = http.client.HTTPSConnection if ishttps or cookie else http.client.HTTPConnection
        self._connection = kind(self._address.hostname, self._address.port, timeout=self._timeout)
        return self._connection

    def _check_status(self, response, verbose, expected):
        """Raise the error that the status means."""
        if response.status == expected:
            return
        text = " ".join(response.read(2000).decode("utf-8", "replace").split())[:200]
        message = f"{self.url}: HTTP {response.status} {response.reason}: {text}"
        if response.status in (401, 403):
            raise LoginError(message)
        raise (ServiceBusyError if response.status in _BUSY else ServiceError)(message)


def members(content):
    """Names of the files in a reply."""
    if not content.startswith(b"PK"):
        raise ReplyError(f"expected a zip archive from the DataLink service, got {content[:60]!r}")
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            bad, names = archive.testzip(), archive.namelist()
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        raise ReplyError(f"the DataLink service's zip archive is truncated or damaged: {error}") from error
    if bad is not None:
        raise ReplyError(f"the DataLink service's zip archive is damaged in {bad}")
    return names
