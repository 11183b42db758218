"""Labels for the stars of files, at once if they fit in memory, else part by part, and what that will take."""

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from astropy.table import vstack
from tqdm.auto import tqdm

from stellarlabels import catalogs, files
from stellarlabels.exceptions import InputError
from stellarlabels.scale.job import Job, Order, told_once
from stellarlabels.scale.sources import open_source
from stellarlabels.validation import Verdicts

__all__ = ["Plan", "label_file", "plan"]


#: What fits in memory: so many parts, or so many bytes where the number of stars is unknown.
_PARTS, _BYTES = 8, 2**28
#: End of the name of the folder in which the parts of a long run wait.
ENDING = ".parts"


def label_file(
    system,
    source,
    target,
    *,
    catalog=False,
    strict=False,
    distances=False,
    zero_point=True,
    keep=(),
    release=None,
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
    system : `stellarlabels.labels.LabelEstimator`
        Trained or loaded.
    source : path-like or list of path-like
        FITS, VOTable, Parquet or CSV tables with a star to a row, the folder of a HATS catalog, LAMOST spectra, or
        whatever else `stellarlabels.archive.readers.read_table` reads.
    target : path-like
        File of the result; its suffix decides about the format.
    catalog : bool
        Whether to write the columns of the published catalog first, and what `predict` gives beyond them after these;
        see `stellarlabels.systems.System.catalog`.
    strict : bool
        With ``catalog``: whether to leave out what the published catalog does not have.
    distances : bool or dict
        Whether to add distances, for systems that have them; a dict gives options of their ``distances``.
    zero_point : bool
        Whether parallaxes are corrected for their zero-point before they are used for distances.
    keep : sequence of str
        Columns of the input that are taken over. Files of spectra give their name, designation, position, date and
        signal-to-noise ratios in any case.
    release : str, optional
        The Gaia release of the stars, where they do not tell it; or "ignore", to label stars of another release than
        the system is for all the same, with the flag OTHER_RELEASE.
    rows : int, optional
        Stars (or files of spectra) of a part on disk. By default a small input, which fits in memory, is labelled
        without parts, and one of more than about 250 MB in parts of about 30 MB, of which memory holds four.
    errors : {"raise", "mask"}
        What happens in the end if parts could not be labelled. "raise": an error names them; parts on disk are kept,
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
        If parts failed; see ``errors``. An error in the first part of all, or without parts, is raised as it is.
    stellarlabels.exceptions.ReadError
        If a file is missing, or there is nothing to be read in any of them.
    stellarlabels.exceptions.WriteError
        If the result exists or cannot be written.

    Notes
    -----
    The result has all rows in the order of the input. With other ``rows`` a label moves by less than 2e-5 of its error.
    An interrupted run that goes on gives the same file as one that was not.

    Parts wait as Parquet files in the folder ``<target>.parts``, with a manifest of what they are made from: sizes,
    dates and samples of the input files, weights, options and version of the library. Each is written under a temporary
    name and moved into place, so that a part that is there is complete. In the end they are joined, and the folder is
    removed. The disk needs space for three times the result. One thread reads the next part while this one is computed.
    """
    if errors not in ("raise", "mask"):
        raise InputError(f"errors: expected 'raise' or 'mask', got {errors!r}")
    if rows is not None and (not isinstance(rows, int) or rows < 1):
        raise InputError(f"rows: expected a positive integer, got {rows!r}")
    target = Path(target)
    files.check(target, overwrite=overwrite)
    files.find(target, format)
    Job(system, Order(catalog, distances, zero_point, release=release))  # says what is wrong with it
    stars = open_source(source, workers=workers)
    files.keep_inputs(target, stars.paths)
    kept = tuple(dict.fromkeys((*stars.identity, *keep)))
    job = Job(system, Order(catalog, distances, zero_point, kept, release, strict))
    begun = target.with_name(f"{target.name}{ENDING}").exists()
    with told_once():
        if rows is None and errors == "raise" and not begun and _fits(stars):
            return _at_once(job, stars, target, overwrite=overwrite, format=format, progress=progress)
        from stellarlabels.scale.parts import label_parts

        how = {"rows": rows or stars.rows, "masked": errors == "mask", "restart": restart, "progress": progress}
        return label_parts(job, stars, target, overwrite=overwrite, format=format, **how)


def _fits(stars):
    """Whether all stars of a `Source` fit in memory."""
    if stars.total is not None:
        return stars.total <= _PARTS * stars.rows
    return sum(os.path.getsize(path) for path in stars.paths) <= _BYTES


def _at_once(job, stars, target, *, overwrite, format, progress):
    """Label stars that fit in memory and write the result; give the `Summary`."""
    start, pieces = time.monotonic(), []
    quiet = not (stars.total is None or stars.total > stars.rows if progress is None else progress)
    with tqdm(total=stars.total, desc=job.system.name, unit="star", unit_scale=True, disable=quiet) as bar:
        for _, table in stars.parts(stars.rows):
            if isinstance(table, Exception):
                raise table
            pieces.append(job(table))
            bar.update(len(table))
    labels = pieces[0] if len(pieces) == 1 else vstack(pieces, metadata_conflicts="silent")
    catalogs.write(labels, target, *job.schema, overwrite=overwrite, format=format)
    found = {"parts": len(pieces), "begun": start, "unfilled": labels.meta.get("unfilled")}
    return job.summary(len(labels), Verdicts.count(labels), **found)


@dataclass(frozen=True)
class Plan:
    """The size of a run and what it costs.

    Parameters
    ----------
    stars : int or None
        None if the files do not say it.
    parts : int or None
        Parts that are made, or partitions of the sky.
    sample : int
        Stars that were labelled to measure the rest.
    stars_per_second : float
        Of one process, from reading to writing.
    seconds : float or None
        Of the whole run with so many workers, which do not disturb each other.
    workers : int
    input_bytes : int
        Size of the files.
    output_bytes : int or None
        Size of the result.
    """

    stars: int | None
    parts: int | None
    sample: int
    stars_per_second: float
    seconds: float | None
    workers: int
    input_bytes: int
    output_bytes: int | None

    def __str__(self):
        unknown = "an unknown number of"
        stars = unknown if self.stars is None else f"{self.stars:,}"
        parts = unknown if self.parts is None else f"{self.parts:,}"
        lines = [f"{stars} stars in {parts} parts, {_size(self.input_bytes)} to read"]
        lines.append(f"{self.stars_per_second:,.0f} stars per second and process, measured on {self.sample:,} stars")
        if self.stars is not None:
            result = _size(self.output_bytes)
            lines.append(f"about {_duration(self.seconds)} with {self.workers} of them, {result} of labels")
        return "\n".join(lines)


def plan(
    system,
    source,
    *,
    catalog=False,
    distances=False,
    zero_point=True,
    keep=(),
    release=None,
    rows=None,
    workers=1,
    sample=2048,
):
    """Say what labelling the stars of some files will take, without doing it.

    Parameters
    ----------
    system, source, catalog, distances, zero_point, keep, release, rows
        As for `stellarlabels.scale.label_file`; the folder of a HATS catalog is one for `label_catalog`, too.
    workers : int
        Processes that will share the work.
    sample : int
        Stars at the beginning that are labelled, twice, to measure the second time.

    Returns
    -------
    Plan

    Raises
    ------
    InputError
        If an argument is not understood.
    stellarlabels.exceptions.ReadError
        If a file is missing or cannot be read.
    stellarlabels.exceptions.MissingColumnError
        If the input of the system is not in the files.
    """
    for name, value in (("workers", workers), ("sample", sample)):
        if not isinstance(value, int) or value < 1:
            raise InputError(f"{name}: expected a positive integer, got {value!r}")
    stars = open_source(source)
    job = Job(system, Order(catalog, distances, zero_point, tuple(dict.fromkeys((*stars.identity, *keep))), release))
    rows = rows or stars.rows
    start = time.perf_counter()
    _, table = next(iter(stars.parts(min(sample, rows))))
    if isinstance(table, Exception):
        raise table
    reading = time.perf_counter() - start
    job(table)  # compiles what needs to be
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "part.parquet"
        start = time.perf_counter()
        catalogs.write(job(table), path, *job.schema)
        seconds = reading + time.perf_counter() - start
        size = path.stat().st_size
        catalogs.write(job(table)[:0], path, *job.schema, overwrite=True)
        head = path.stat().st_size
    count, total = max(len(table), 1), stars.total
    rate = count / seconds
    return Plan(
        stars=total,
        parts=stars.count_parts(rows),
        sample=len(table),
        stars_per_second=rate,
        seconds=None if total is None else total / rate / workers,
        workers=workers,
        input_bytes=sum(Path(one).stat().st_size for one in stars.paths),
        output_bytes=None if total is None else round(head + (size - head) * total / count),
    )


def _size(size):
    """Bytes in words."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _duration(seconds):
    """Seconds in words."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
