"""Spectra of any number of stars, a few at a time: what is there stays there."""

import tempfile
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np

from stellarlabels import columns, flags, packaged
from stellarlabels.archive import TAP, queries
from stellarlabels.archive.tap import Retry, payload
from stellarlabels.archive.tap.payload import FailedChunk, default_folder
from stellarlabels.columns import StarTable
from stellarlabels.exceptions import (
    ChunksFailedError,
    InputError,
    LoginError,
    MissingColumnError,
    ReadError,
    ReplyError,
    ServiceBusyError,
    ServiceConnectionError,
    ServiceError,
    ServiceTimeoutError,
    SkippedFileWarning,
)
from stellarlabels.files import replacing
from stellarlabels.inputs.lamost import read_lamost
from stellarlabels.inputs.lamost.files import obsid_of

#: Resolutions, with what is in the addresses of another server, and how names of files begin.
RESOLUTIONS = {"low": ("spectrum", "spec"), "medium": ("medspectrum", "med")}


def available():
    """Names of the data releases of which addresses are known (list of str); the first is the default."""
    return list(_addresses())


def address(resolution, release=None, url=None):
    """The address of a spectrum with ``{obsid}`` in it; ``url`` is that of another server, or such an address."""
    if resolution not in RESOLUTIONS:
        raise InputError(f"resolution: expected one of {', '.join(RESOLUTIONS)}, got {resolution!r}")
    if url is not None:
        return url if "{obsid}" in url else f"{url.rstrip('/')}/{RESOLUTIONS[resolution][0]}/fits/{{obsid}}"
    release = available()[0] if release is None else release
    found = _addresses().get(release, {}).get(resolution)
    if not found:
        known = ", ".join(name for name, one in _addresses().items() if one[resolution])
        raise InputError(
            f"release: spectra of {resolution} resolution are known of {known}; got {release!r}; give the address of "
            "another with url (--url), with {obsid} in it"
        )
    return found


@cache
def _addresses():
    """Addresses by release and resolution."""
    rows = packaged.table("archive", "lamost")
    cells = {name: np.ma.filled(np.ma.asarray(rows[name]), "").tolist() for name in ("release", *RESOLUTIONS)}
    return {release: {name: cells[name][row] for name in RESOLUTIONS} for row, release in enumerate(cells["release"])}


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


#: Separations (rad) that tell different stars: of spectra of one star the best is taken. Half an arcsecond.
_SAME = np.radians(0.5 / 3600)


def with_obsids(stars, *, resolution="low", tap=None, **options):
    """A table of stars (N,) with ``obsid``, found by ``ra`` and ``dec`` within 3 arcsec where the table has none."""
    if columns.find(stars, "obsid") is not None:
        return stars
    if columns.find(stars, "ra") is None or columns.find(stars, "dec") is None:
        raise MissingColumnError(
            f"stars: expected obsid, or ra and dec, by which the archive finds spectra; got {', '.join(stars.colnames)}"
        )
    query = queries.get("lamost_near" if resolution == "low" else "lamost_mrs_near")
    tap = TAP(query.services[0]) if tap is None else tap
    pairs = tap.run_chunks(query.bind(), stars, **options)
    out = StarTable(stars, copy=False)
    out.add_column(columns.column("obsid").dress(_best(stars, pairs)), name="obsid", index=0)
    return out


def _best(stars, pairs):
    """Identifiers (N,), masked, of the spectrum of the nearest star, and of its spectra of that of the highest S/N."""
    from astropy.coordinates import angular_separation

    rows = np.asarray(pairs[payload.ROW], int)
    here = [np.radians(columns.values(stars, name)[rows]) for name in ("ra", "dec")]
    there = [np.radians(np.asarray(columns.without_unit(pairs[f"there_{name}"]), float)) for name in ("ra", "dec")]
    apart = angular_separation(*here, *there)
    nearest = np.full(len(stars), np.inf)
    np.minimum.at(nearest, rows, apart)
    ratio = np.ma.filled(np.ma.asarray(columns.without_unit(pairs["snr"]), float), -1.0)
    order = [row for row in np.lexsort((ratio,)) if apart[row] <= nearest[rows[row]] + _SAME]
    out = np.ma.masked_all(len(stars), np.int64)
    out[rows[order]] = np.asarray(pairs["obsid"], np.int64)[order]  # the best one is written last
    return out


#: So many spectra in a row that fail for good, and the others are not asked for: the archive is down.
_GIVE_UP = 10


def lamost_spectra(
    stars,
    *,
    resolution="low",
    release=None,
    token=None,
    store=None,
    url=None,
    workers=4,
    interval=0.2,
    timeout=300.0,
    retry=None,
    progress=None,
):
    """LAMOST spectra of stars, from the survey's archive.

    Parameters
    ----------
    stars : `~astropy.table.Table`, data frame or array_like of int
        A table with ``obsid``, or with ``ra`` and ``dec`` (ICRS; the best spectrum of the nearest star within 3 arcsec
        is taken, by the catalog of DR9 at the Gaia archive); or the obsids.
    resolution : {"low", "medium"}
    release : str, optional
        Data release, ``DR9 v2.0`` by default.
    token : str, optional
        Of a login at the archive. It is neither logged nor shown.
    store : path-like, optional
        Folder in which the files stay; those that are there are not asked for again. By default one in the user's
        cache.
    url : str, optional
        Address of another server, or a whole address with ``{obsid}`` in it.
    workers : int
        Requests at the same time.
    interval : float
        Least time between two requests, s.
    timeout : float
        How long the archive may be silent, s.
    retry : `~stellarlabels.archive.tap.Retry`, optional
        How often and after what time a request is repeated that fails by a fault that may pass.
    progress : bool, optional
        Whether to show a progress bar; by default for more than 20 stars.

    Returns
    -------
    `~astropy.table.QTable`
        One row for each of ``stars``, in their order, in the layout of `stellarlabels.read_lamost`. A star of which the
        archive has no spectrum has NaN for flux and all else but ``obsid`` masked, and the flag ``NO_SPECTRUM``.

    Raises
    ------
    ChunksFailedError
        If requests fail for good; the same call goes on where it was.
    LoginError
        If the archive asks for a token.
    InputError
        If identifiers are not integers, or the release has no such spectra.
    stellarlabels.exceptions.MissingColumnError
        If the table has neither identifiers nor positions.
    """
    store = default_folder().parent / "lamost" if store is None else Path(store)
    names, paths = _files(stars, store, resolution, release, token, url, workers, interval, timeout, retry, progress)
    return _in_order(names, paths)


def download(
    stars, folder, *, resolution="low", release=None, token=None, url=None, workers=4, interval=0.2, timeout=300.0,
    retry=None, progress=None,
):  # fmt: skip
    """Obsids (N,) and files in the folder (list of Path, None where the archive has none), as `lamost_spectra`."""
    return _files(stars, Path(folder), resolution, release, token, url, workers, interval, timeout, retry, progress)


def _files(stars, folder, resolution, release, token, url, workers, interval, timeout, retry, progress):
    """Obsids (N,), masked, and the files of their spectra; those that are not in the folder are fetched."""
    from tqdm.auto import tqdm

    if not isinstance(workers, int) or workers < 1:
        raise InputError(f"workers: expected a positive integer, got {workers!r}")
    client = Client(address(resolution, release, url), token=token, interval=interval, timeout=timeout)
    names = _identifiers(stars, resolution)
    folder.mkdir(parents=True, exist_ok=True)
    there, gone = _present(folder, resolution), folder / f"absent-{resolution}.txt"
    absent = {int(word) for word in gone.read_text().split()} if gone.exists() else set()
    wanted = [name for name in dict.fromkeys(names.compressed().tolist()) if name not in there and name not in absent]
    retry, stop, failed, lock = Retry() if retry is None else retry, threading.Event(), [], threading.Lock()

    def fetch(name):
        if stop.is_set():
            return
        try:
            content, title = retry.call(lambda: client.load(name), stop)
        except LoginError:
            stop.set()
            raise
        except ServiceError as error:
            failed.append(FailedChunk(name, name + 1, error))
            if len(failed) >= _GIVE_UP:
                stop.set()
            return
        with lock:
            if content is None:
                with open(gone, "a", encoding="utf-8") as stream:
                    stream.write(f"{name}\n")
                return
            with replacing(folder / title, overwrite=True) as stream:
                stream.write(content)
            there[name] = folder / title

    quiet = not (len(wanted) > 20 if progress is None else progress)
    with ThreadPoolExecutor(workers) as pool, tqdm(total=len(wanted), desc="spectra", disable=quiet) as bar:
        try:
            for _ in pool.map(fetch, wanted):
                bar.update()
        except BaseException:
            stop.set()
            raise
    paths = [None if name is None else there.get(name) for name in names.tolist()]
    if failed:
        raise ChunksFailedError(
            f"{len(failed)} spectra failed, the first is {failed[0].start}: {failed[0].error}; {len(there)} are in "
            f"{folder}, and the same call asks for the others",
            failed,
            paths,
        )
    return names, paths


def _identifiers(stars, resolution):
    """Obsids (N,) as masked integers."""
    if columns.is_table(stars):
        stars = with_obsids(columns.as_table(stars, "stars"), resolution=resolution)
        stars = stars[columns.find(stars, "obsid")]
    return np.ma.asarray(columns.without_unit(columns.identifiers(stars, "obsid")))


def _present(folder, resolution):
    """Files of spectra in a folder by obsid, those of the resolution."""
    start = RESOLUTIONS[resolution][1]
    found = {}
    for path in sorted(folder.glob(f"{start}-*.fits*")):
        name = obsid_of(path)
        if name is None or name < 0:
            name = path.name.removeprefix(f"{start}-").partition(".")[0]
            name = int(name) if name.isdigit() else None
        if name is not None:
            found[name] = path
    return found


def _in_order(names, paths):
    """The spectra (N,) of files, with rows without one where there is none."""
    if all(path is None for path in paths):
        flux = np.full((len(names), 2), np.nan)
        out = StarTable({"obsid": names, "flux": flux, "ivar": np.zeros_like(flux)})
        out["wavelength"] = np.tile([3700.0, 9100.0], (len(names), 1))
        out["spectrum_flag"] = np.full(len(names), flags.SPECTRUM["NO_SPECTRUM"], np.int32)
        return out
    with tempfile.TemporaryDirectory(prefix="stellarlabels-") as empty:
        nothing = Path(empty) / "none.fits"
        nothing.touch()
        with warnings.catch_warnings(action="ignore", category=SkippedFileWarning):
            out = read_lamost([nothing if path is None else path for path in paths], progress=False)
    absent = np.array([path is None for path in paths])
    out["obsid"] = columns.column("obsid").dress(names)
    out["spectrum"] = np.ma.MaskedArray([str(word) for word in out["spectrum"]], mask=absent)
    out.meta.pop("failures", None)
    return out
