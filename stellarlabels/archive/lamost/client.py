"""One spectrum from the archive, checked: it is FITS, complete, of LAMOST, and the one that was asked for."""

import tempfile
import threading
import time
import warnings
from pathlib import Path

import numpy as np

from stellarlabels import columns
from stellarlabels.exceptions import (
    LoginError,
    ReadError,
    ReplyError,
    ServiceBusyError,
    ServiceConnectionError,
    ServiceError,
    ServiceTimeoutError,
    SkippedFileWarning,
)
from stellarlabels.inputs.lamost import read_lamost

_BUSY = {429, 500, 502, 503, 504}
#: Part of an identifier that is the spectrograph and the fiber.
_PLATE = 100000


class Client:
    """The archive of spectra: an address with ``{obsid}`` in it, a token, seconds between requests and of silence."""

    def __init__(self, address, *, token=None, interval=0.2, timeout=300.0):
        self.address, self._token, self._interval, self._timeout = address, token, interval, timeout
        self._lock, self._next, self._local = threading.Lock(), 0.0, threading.local()

    def load(self, obsid):
        """The file of a spectrum as bytes, and its name; (None, "") if the archive has none."""
        import requests

        self._wait()
        url = self.address.format(obsid=obsid)
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
        try:
            given = {"token": self._token} if self._token else {}
            reply = self._local.session.get(url, params=given, timeout=(10, self._timeout))
        except requests.Timeout as error:
            raise ServiceTimeoutError(f"{url} was silent for {self._timeout:g} s") from error
        except requests.RequestException as error:  # its text may have the token
            raise ServiceConnectionError(f"{url}: no connection, or a dropped one ({type(error).__name__})") from error
        if reply.status_code == 404:
            return None, ""
        if reply.status_code in (401, 403):
            raise LoginError(f"{url}: HTTP {reply.status_code}; give a token of your login (--token-file)")
        if reply.status_code >= 400:
            kind = ServiceBusyError if reply.status_code in _BUSY else ServiceError
            raise kind(f"{url}: HTTP {reply.status_code} {reply.reason}")
        return reply.content, self._check(reply.content, obsid, url)

    def _wait(self):
        """Keep the time between two requests of all threads."""
        with self._lock:
            now = time.monotonic()
            start = max(now, self._next)
            self._next = start + self._interval
        time.sleep(start - now)

    def _check(self, content, obsid, url):
        """The survey's name of a file; an error if it is not the right spectrum."""
        if content.lstrip()[:1] == b"<":
            words = content[:5000].lower()
            if b"login" in words or b"token" in words:
                raise LoginError(f"{url}: the archive asks for a login; give its token (--token-file)")
            raise ReplyError(f"{url}: expected a FITS file, got a page that begins with {content.lstrip()[:40]!r}")
        with tempfile.TemporaryDirectory(prefix="stellarlabels-") as folder:
            path = Path(folder) / ("reply.fits.gz" if content[:2] == b"\x1f\x8b" else "reply.fits")
            path.write_bytes(content)
            try:
                with warnings.catch_warnings(action="ignore", category=SkippedFileWarning):
                    found = read_lamost(path, progress=False)
            except ReadError as error:
                raise ReplyError(f"{url}: {str(error).replace(f'{path}: ', '')}") from error
        return self._name(found, obsid, url, path.name.removeprefix("reply"))

    @staticmethod
    def _name(found, obsid, url, suffix):
        """The name that the survey gives to a spectrum, with what it was asked for in mind."""
        said = _number(found, "obsid")
        spid, fiber = _number(found, "spid"), _number(found, "fiberid")
        if said is not None and said > 0:
            right = said == obsid
        else:  # files of the first releases do not say it; the identifier ends with spectrograph and fiber
            right = spid is not None and fiber is not None and spid * 1000 + fiber == obsid % _PLATE
        if not right:
            raise ReplyError(
                f"{url}: expected the spectrum {obsid}, got {said if said else f'sp{spid}, fiber {fiber}'}"
            )
        kind = "med" if "flux_b" in found.colnames or "flux_r" in found.colnames else "spec"
        plan = found["planid"][0] if "planid" in found.colnames else None
        mjd = _number(found, "lmjd")
        if None in (mjd, spid, fiber) or plan is None or plan is np.ma.masked:
            return f"{kind}-{obsid}{suffix}"
        return f"{kind}-{mjd}-{str(plan).strip()}_sp{spid:02d}-{fiber:03d}{suffix}"


def _number(table, name):
    """A whole number of the first row; None where there is none."""
    if name not in table.colnames:
        return None
    value = columns.without_unit(table[name])[0]
    return None if value is np.ma.masked else int(value)
