"""Labels for the stars of files that are larger than memory, in one process."""

import logging
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.table import QTable

from stellarlabels import catalogs, files, flags, schema
from stellarlabels.exceptions import InputError, PartsFailedError
from stellarlabels.scale.ahead import ahead
from stellarlabels.scale.job import Job, Order, saved
from stellarlabels.scale.parts import Parts
from stellarlabels.scale.sources import fingerprint, open_source

__all__ = ["Failure", "Summary", "label_file"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """A part that could not be labelled.

    Parameters
    ----------
    where : str
        The file and the part in it.
    stars : int
        Number of stars that are lost; 0 if it is not known, because the file could not be read.
    error : str
        The reason.
    """

    where: str
    stars: int
    error: str


@dataclass(frozen=True)
class Summary:
    """What a run has done.

    Parameters
    ----------
    stars : int
        Rows of the result.
    good : int or None
        Labels without a flag; None for a published catalog, which has flags of its own.
    labels : int
        All labels: stars times labels of a star.
    parts, resumed : int
        Number of parts, and how many of them an earlier run had made.
    failures : tuple of Failure
        Parts whose labels are masked because they could not be computed.
    seconds : float
    """

    stars: int
    good: int
    labels: int
    parts: int
    resumed: int
    failures: tuple
    seconds: float


def label_file(
    system,
    source,
    target,
    *,
    catalog=False,
    distances=False,
    zero_point=True,
    keep=(),
    rows=None,
    errors="raise",
    restart=False,
    overwrite=False,
    workers=1,
    format=None,
    progress=None,
):
    """Label the stars of files of any size; an interrupted run goes on where it was.

    Parameters
    ----------
    system : `stellarlabels.labels.estimator.LabelEstimator`
        Trained or loaded.
    source : path-like or list of path-like
        FITS, VOTable, Parquet or CSV tables with a star to a row, the folder of a HATS catalog, LAMOST spectra, or
        whatever else `stellarlabels.archive.readers.read_table` reads; see `stellarlabels.scale.sources.open_source`.
    target : path-like
        File of the result; its suffix decides about the format.
    catalog : bool
        Whether to write the columns of the published catalog instead of those of `predict`.
    distances : bool
        Whether to add distances, for systems that have them.
    zero_point : bool
        Whether parallaxes are corrected for their zero-point before they are used for distances.
    keep : sequence of str
        Columns of the input that are taken over.
    rows : int, optional
        Stars (or files of spectra) of a part; by default so many that a part has about 30 MB. Memory holds four parts.
    errors : {"raise", "mask"}
        What happens in the end if parts could not be labelled. "raise": an error names them; all other parts are kept,
        and the next run tries the failed ones again. "mask": the stars are in the result with their identifiers, with
        masked labels and the flag NO_INPUT; parts that could not even be read are an error nevertheless.
    restart : bool
        Whether the parts of an interrupted run are thrown away.
    overwrite : bool
        Whether an existing result is replaced.
    workers : int
        Processes that read LAMOST spectra.
    format : str, optional
        Format of the result if the suffix is not to decide.
    progress : bool, optional
        Whether to show a progress bar with the remaining time; by default for more than one part.

    Returns
    -------
    Summary

    Raises
    ------
    InputError
        If an argument is not understood, or there are parts of a run with another input, system or option.
    PartsFailedError
        If parts failed; see ``errors``. An error in the first part of all is raised as it is.
    stellarlabels.exceptions.ReadError
        If a file is missing, or there is nothing to be read in any of them.
    stellarlabels.exceptions.WriteError
        If the result exists or cannot be written.

    Notes
    -----
    The result has all rows in the order of the input. With other ``rows`` a label moves by less than 1e-5 of its error.
    An interrupted run that goes on gives the same file as one that was not.

    Parts wait as Parquet files in the folder ``<target>.parts``, with a manifest of what they are made from: sizes,
    dates and samples of the input files, weights, options and version of the library. Each is written under a temporary
    name and moved into place, so that a part that is there is complete. In the end they are joined, and the folder is
    removed. The disk needs room for three times the result.

    One thread reads the next part while this one is computed.
    """
    if errors not in ("raise", "mask"):
        raise InputError(f"errors: expected 'raise' or 'mask', got {errors!r}")
    if rows is not None and (not isinstance(rows, int) or rows < 1):
        raise InputError(f"rows: expected a positive integer, got {rows!r}")
    start, target = time.monotonic(), Path(target)
    files.check(target, overwrite=overwrite)
    catalogs.formats.find(target, format)
    job = Job(system, Order(catalog, distances, zero_point, tuple(keep)))
    stars = open_source(source, workers=workers)
    made_from = {
        "input": fingerprint(stars.paths),
        "system": saved(system)[1],
        "options": job.order.to_dict(),
        "rows": rows or stars.rows,
    }
    parts = Parts(target, made_from, restart=restart)
    resumed = len(parts.done())
    try:
        failures, unread = _label(job, stars, parts, masked=errors == "mask", progress=progress)
    finally:
        if not parts.done():  # nothing worth keeping
            parts.remove()
    if unread or (failures and errors == "raise"):
        raise _error(failures, parts)
    count, good = _join(job, parts, target, overwrite=overwrite, format=format)
    total = len(parts.done()) + len(failures)
    parts.remove()
    labels = count * len(system.labels)
    return Summary(count, good, labels, total, resumed, tuple(failures), time.monotonic() - start)


def _label(job, stars, parts, *, masked, progress):
    """Make the parts that are not there; give the failures and whether some of them are of files."""
    from tqdm.auto import tqdm

    rows, done = parts.manifest["rows"], parts.done()
    failures, unread = [], False
    begin = sum(catalogs.scanning.count(path) for path in done.values())
    if done:
        _log.info("%d stars are done already, in %s", begin, parts.folder)
    quiet = not (stars.total is None or stars.total > rows if progress is None else progress)
    bar = tqdm(total=stars.total, initial=begin, desc=job.system.name, unit="star", unit_scale=True, disable=quiet)
    with bar, closing(ahead(stars.parts(rows, done))) as items:
        for key, table in items:
            try:
                if isinstance(table, Exception):
                    raise table
                catalogs.write(job(table), parts.path(key), *job.schema, overwrite=True)
            except Exception as error:  # whatever is wrong with these stars, the others are to be labelled
                if not parts.done():
                    raise  # then it is likely to be wrong with all of them
                is_file = error is table
                unread |= is_file
                where = f"{stars.paths[min(key[0], len(stars.paths) - 1)]}, part {key[1] + 1}"
                failures.append(Failure(where, 0 if is_file else len(table), f"{type(error).__name__}: {error}"))
                _log.warning("%s failed: %s", where, error)
                if masked and not is_file:
                    catalogs.write(_masked(job, parts, table), parts.path(key, failed=True), overwrite=True)
            bar.update(0 if isinstance(table, Exception) else len(table))
            del table  # the next one is there already
    return failures, unread


def _masked(job, parts, table):
    """Rows in the form of the other parts in which everything is missing but identifiers and what is taken over."""
    form = catalogs.read(next(iter(parts.done().values())), *job.schema)[:0]
    out, key = QTable(meta=form.meta), schema.identifier(form)
    for name in form.colnames:
        if name == key or name in job.order.keep:
            out[name] = table[schema.identifier(table) if name == key else name]
        elif name.endswith("_flag"):
            kind = "distance" if name == "distance_flag" else "label"
            lost = {"distance": "NO_DISTANCE", "label": "NO_INPUT"}[kind]
            out[name] = np.full(len(table), flags.get(kind)[lost], form[name].dtype)
        else:
            unit = getattr(form[name], "unit", None)
            dtype = schema.without_unit(form[name]).dtype
            item = schema.Column(name, str(unit or ""), dtype.name, shape=form[name].shape[1:])
            out[name] = item.dress(np.ma.masked_all((len(table), *item.shape), dtype))
    return out


def _error(failures, parts):
    """The error that names what failed."""
    first = failures[0]
    lost = sum(failure.stars for failure in failures)
    return PartsFailedError(
        f"{len(failures)} parts with {lost} stars or more could not be labelled, the first: {first.where}: "
        f"{first.error}; all others are kept in {parts.folder}, and the next run tries only these again",
        failures,
    )


def _join(job, parts, target, *, overwrite, format):
    """Write the result from its parts; give the number of stars, and of labels without a flag."""
    done, names = parts.done(failed=True), [f"{label}_flag" for label in job.system.labels]
    stars, good = 0, None if job.schema else 0
    with catalogs.stream(target, *job.schema, overwrite=overwrite, format=format) as writer:
        for path in done.values():
            piece = catalogs.read(path, *job.schema)
            writer.append(piece)
            stars += len(piece)
            if good is not None:
                good += sum(int((piece[name] == 0).sum()) for name in names)
    return stars, good
