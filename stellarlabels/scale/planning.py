"""What a run will take, measured on a few of its stars."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from stellarlabels import catalogs
from stellarlabels.exceptions import InputError
from stellarlabels.scale.job import Job, Order
from stellarlabels.scale.sources import open_source

__all__ = ["Plan", "plan"]


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
