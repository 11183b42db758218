"""Spectra of any number of stars, a few at a time: what is there stays there."""

import tempfile
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from astropy.table import QTable

from stellarlabels import columns, flags
from stellarlabels.archive.lamost.addresses import RESOLUTIONS, address
from stellarlabels.archive.lamost.client import Client
from stellarlabels.archive.lamost.positions import with_obsids
from stellarlabels.archive.tap import Retry
from stellarlabels.archive.tap.chunks import FailedChunk, default_folder
from stellarlabels.exceptions import ChunksFailedError, InputError, LoginError, ServiceError, SkippedFileWarning
from stellarlabels.files import replacing
from stellarlabels.inputs.lamost import read_lamost
from stellarlabels.inputs.lamost.files import obsid_of

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
        out = QTable({"obsid": names, "flux": flux, "ivar": np.zeros_like(flux)})
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
