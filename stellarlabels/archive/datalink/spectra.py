"""Spectra of any number of stars, request by request: what is done stays done."""

import tempfile
import threading
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.table import QTable, vstack
from astropy.time import Time

from stellarlabels import columns, flags, releases
from stellarlabels.archive.datalink.client import Client, members, product
from stellarlabels.archive.tap import Retry, payload
from stellarlabels.archive.tap.payload import Store, default_folder
from stellarlabels.columns import identifiers, plain
from stellarlabels.columns.wavelengths import as_grid
from stellarlabels.exceptions import ChunksFailedError, MissingColumnError, ReadError, ReleaseError, ReplyError
from stellarlabels.inputs.xp import duplicates, lengths, read_xp

__all__ = ["download", "xp_spectra"]

#: So many requests in a row that fail for good, and the others are not made: the archive is down.
_GIVE_UP = 3


def xp_spectra(
    stars,
    *,
    kind="sampled",
    release="Gaia DR3",
    sample=True,
    wavelength=None,
    store=None,
    keep=False,
    url=None,
    timeout=300.0,
    retry=None,
    progress=None,
):
    """Gaia XP spectra of stars, from the archive.

    Parameters
    ----------
    stars : `~astropy.table.Table` or array_like of int
        A table with ``source_id``, or the identifiers.
    kind : {"sampled", "continuous"}
        Samples, or coefficients with their errors and correlations.
    release : str
        Data release, as the archive calls it; see `stellarlabels.releases.available`.
    sample : bool
        Whether coefficients are sampled, for releases whose basis functions are known.
    wavelength : `~astropy.units.Quantity` or array_like, shape (M,), optional
        Wavelengths of the samples, as in `stellarlabels.archive.readers.read_xp`.
    store : path-like, optional
        Folder in which the archive's replies are kept, so that a run that was interrupted goes on where it was; by
        default one in the user's cache.
    keep : bool
        Whether the replies stay in the store when all of them are there.
    url : str, optional
        Address of another server with the same service.
    timeout : float
        How long the archive may be silent, s.
    retry : `~stellarlabels.archive.tap.Retry`, optional
        How often and after what time a request is repeated that fails by a fault that may pass.
    progress : bool, optional
        Whether to show a progress bar; by default for more than one request.

    Returns
    -------
    `~astropy.table.QTable`
        One row for each of ``stars``, in their order, in the layout of `stellarlabels.archive.readers.read_xp`. A star
        that the archive does not return, or whose identifier is masked, has NaN for a spectrum, all else masked, and
        the flag ``NO_SPECTRUM``. ``meta["datalink"]`` says what was asked of whom, and when.

    Raises
    ------
    ChunksFailedError
        If requests fail for good. Its ``failed`` lists their rows; in its ``result`` their stars are as if the archive
        had not returned them.
    LoginError
        If the archive refuses identifiers.
    InputError
        If the identifiers are not integers, or the release has no such spectra.
    ReleaseError
        If coefficients are to be sampled whose basis functions are not known.
    MissingColumnError
        If the table has no ``source_id``.

    Notes
    -----
    A million stars are 200 requests of 5,000; as samples they take 5.5 GB of memory, as coefficients with correlations
    26 GB. For more than fit, ``stellarlabels label`` fetches them in parts.
    """
    names, wanted, grid = _identifiers(stars), product(kind, release), as_grid(wavelength)
    if kind == "continuous" and sample and not releases.get(release).knows("bases"):
        raise ReleaseError(
            f"sample: no basis functions are known for {wanted.release}, so that its coefficients cannot be sampled; "
            "take them as they are with sample=False (on the command line --continuous)"
        )

    def read(content):
        return _spectra(content, sample, grid)

    outcome, replies = _run(names, wanted, read, store, url, timeout, retry, progress)
    parts = [chunk.table for chunk in outcome.done if len(chunk.table)]
    sizes = {"flux": grid.size, "flux_error": grid.size, **lengths(wanted.release)}
    out = _in_order(parts, names, grid, sizes, sample or kind == "sampled")
    out.meta.setdefault(releases.META, wanted.release)
    without = flags.SPECTRUM.has(out["spectrum_flag"], "NO_SPECTRUM")
    out.meta["datalink"] = {
        "url": url or wanted.url,
        "release": wanted.release,
        "retrieval_type": wanted.retrieval_type,
        "time": Time.now().isot,
        "stars": len(out),
        "spectra": int(len(out) - without.sum()),
    }
    if outcome.failed:
        raise _failure(outcome, out)
    if not keep:
        replies.remove()
    return out


def download(stars, store, *, kind="sampled", release="Gaia DR3", url=None, timeout=300.0, retry=None, progress=None):
    """XP spectra as the archive sends them: zip archives (list of Path), one for each 5,000 stars that have any."""
    # What is in the folder already is not asked for again. Errors are those of `xp_spectra`.
    names, wanted = _identifiers(stars), product(kind, release)
    outcome, replies = _run(names, wanted, members, store, url, timeout, retry, progress)
    rows = QTable({"source_id": names})
    done = [chunk for chunk in outcome.done if chunk.table]
    paths = [replies.path(payload.digest(payload.numbered(rows[item.start : item.stop], item.start))) for item in done]
    if outcome.failed:
        raise _failure(outcome, paths)
    return paths


class _Replies(Store):
    """The archive's replies to requests of one kind, as zip archives."""

    def path(self, key, suffix=".zip"):
        """The file with a reply."""
        return self.folder / f"{key}{suffix}"

    _path = path


def _run(names, wanted, read, store, url, timeout, retry, progress):
    """Ask for the spectra of all stars, piece by piece."""
    from tqdm.auto import tqdm

    client = Client(url or wanted.url, timeout)
    retry = Retry() if retry is None else retry
    about = " ".join(f"{key}={value}" for key, value in wanted.request(()).items())
    replies = _Replies(default_folder().parent / "datalink" if store is None else store, client.url, about)

    def fetch(chosen):
        content = client.load(wanted.request(chosen)) if chosen.size else _EMPTY
        return content, read(content)

    def ask(piece):
        chosen = np.unique(columns.without_unit(piece["source_id"]).compressed())
        return retry.call(lambda: fetch(chosen), threading.Event())

    quiet = not (len(names) > wanted.limit if progress is None else progress)
    with tqdm(total=len(names), desc="spectra", unit="star", disable=quiet) as bar:
        rows = QTable({"source_id": names})
        outcome = payload.run(rows, wanted.limit, ask, read, replies, give_up=_GIVE_UP, advance=bar.update)
    return outcome, replies


#: A zip archive without members.
_EMPTY = b"PK\x05\x06" + bytes(18)


def _identifiers(stars):
    """Identifiers as masked 64-bit integers."""
    if columns.is_table(stars):
        stars = columns.as_table(stars, "stars")
        key = columns.find(stars, "source_id")
        if key is None:
            raise MissingColumnError(f"column 'source_id' is missing; the columns are {', '.join(stars.colnames)}")
        stars = stars[key]
    return identifiers(stars)


def _failure(outcome, result):
    failed = outcome.failed
    rows = ", ".join(f"{item.start} to {item.stop - 1}" for item in failed[:5]) + (", ..." if len(failed) > 5 else "")
    return ChunksFailedError(f"no spectra for rows {rows}: {failed[0].error}", failed, result)


def _spectra(content, sample, grid):
    """The spectra in a reply."""
    if not members(content):
        return QTable()
    with tempfile.TemporaryDirectory(prefix="stellarlabels-") as folder:
        path = Path(folder) / "reply.zip"
        path.write_bytes(content)
        try:
            return read_xp(path, sample=sample, wavelength=grid, progress=False)
        except ReadError as error:
            raise ReplyError(f"the DataLink service's reply does not hold XP spectra: {error}") from error


def _in_order(parts, names, grid, sizes, sampled):
    """The spectra of all replies in the order of the stars, with empty rows for those that are in none."""
    wanted = columns.without_unit(names)
    there = np.concatenate([np.empty(0, np.int64), *(columns.without_unit(part["source_id"]).data for part in parts)])
    order = np.argsort(there, kind="stable")
    place = np.searchsorted(there, wanted.data, sorter=order)
    inside = (place < len(there)) & ~np.ma.getmaskarray(wanted)
    found = np.full(len(wanted), -1)
    found[inside] = order[place[inside]]
    found[inside] = np.where(there[found[inside]] == wanted.data[inside], found[inside], -1)
    absent = np.flatnonzero(found < 0)
    found[absent] = len(there) + np.arange(len(absent))
    if len(absent) or not parts:
        parts = [*parts, _empty(names[absent], parts, grid, sizes, sampled)]
    meta = parts[0].meta
    out = (vstack(parts, metadata_conflicts="silent") if len(parts) > 1 else parts[0])[found]
    out.meta = {**meta}
    flag = np.asarray(out["spectrum_flag"]) & ~flags.SPECTRUM["DUPLICATE"]
    out["spectrum_flag"][:] = flag | flags.SPECTRUM.where(DUPLICATE=duplicates(out["source_id"]))
    return out


def _empty(names, parts, grid, sizes, sampled):
    """Rows of stars without spectra, in the columns of spectra that the others have."""
    out = QTable({"source_id": names}, meta={"wavelength": grid * u.nm})
    there = {name for part in parts for name in part.colnames} or (
        {"flux", "flux_error"} if sampled else set(sizes) - {"flux", "flux_error"}
    )
    for name, length in sizes.items():
        if name in there:
            out[name] = plain(name, np.full((len(names), length) if length else len(names), np.nan))
    bits = flags.SPECTRUM["NO_SPECTRUM"] | (flags.SPECTRUM["BAD_SAMPLES"] if sampled else 0)
    out["spectrum_flag"] = columns.column("spectrum_flag").dress(np.full(len(names), bits))
    return out
