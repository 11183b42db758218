"""Labels for files that are larger than memory: parts that wait in a folder, so that an interrupted run goes on."""

import json
import logging
import queue
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from stellarlabels import __version__, catalogs, columns, files, flags, runs
from stellarlabels.columns import StarTable
from stellarlabels.exceptions import InputError, PartsFailedError, ReadError
from stellarlabels.scale.job import Failure, saved
from stellarlabels.scale.sources import fingerprint
from stellarlabels.validation import Verdicts

__all__ = ["Parts", "ahead", "label_parts"]


_END = object()


def ahead(items, depth=1):
    """The same items, made in a thread before they are asked for."""
    waiting, stopped = queue.Queue(depth), threading.Event()

    def put(item):
        while not stopped.is_set():
            try:
                waiting.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def make():
        try:
            for item in items:
                if not put((item, None)):
                    return
                item = None  # only the queue holds it
            put((_END, None))
        except BaseException as error:  # noqa: BLE001 - it is raised where the items are used
            put((_END, error))

    thread = threading.Thread(target=make, name="reader", daemon=True)
    thread.start()
    try:
        while True:
            item, error = waiting.get()
            if error is not None:
                raise error
            if item is _END:
                return
            yield item
            item = None
    finally:
        stopped.set()
        thread.join()


_log = logging.getLogger(__name__)

_MANIFEST = "manifest.json"
#: Names of the entries of a manifest, and how a message speaks of them.
_WORDS = {
    "input": "the input",
    "system": "the system",
    "options": "what is wanted of it",
    "rows": "the number of rows of a part",
    "stellarlabels": "the version of the library",
}


class Parts:
    """A folder beside the result with finished parts, and a manifest (`dict`) of what they were made from."""

    @classmethod
    @contextmanager
    def of(cls, target, made_from, *, restart=False):
        """The parts of a target, which belong to this run alone until the block ends."""
        target = Path(target)
        folder = target.with_name(f"{target.name}.parts")
        with runs.alone_in(folder):
            yield cls(folder, made_from, restart=restart)

    def __init__(self, folder, made_from, *, restart=False):
        self.folder = folder
        self.manifest = json.loads(json.dumps({**made_from, "stellarlabels": __version__}))
        if restart:
            self.remove()
        if any(path.name != runs.RUNNING for path in self.folder.iterdir()):
            self._check()
            return
        with files.replacing(self.folder / _MANIFEST) as stream:
            stream.write((json.dumps(self.manifest, indent=1) + "\n").encode())

    def _check(self):
        """Refuse parts of another run."""
        again = "remove it, or begin again with restart=True (--restart)"
        try:
            found = json.loads((self.folder / _MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ReadError(f"target: {self.folder} is there but has no manifest ({error}); {again}") from error
        differing = [_WORDS[key] for key in _WORDS if found.get(key) != self.manifest.get(key)]
        if differing:
            raise InputError(
                f"target: {self.folder} holds parts of another run: {', '.join(differing)} changed since; {again}"
            )

    def path(self, key, *, failed=False):
        """Where the part with a key (number of the file, and of the part in it) is or will be, labelled or masked."""
        return self.folder / f"{'failed-' if failed else ''}{key[0]:06d}-{key[1]:06d}.parquet"

    def done(self, *, failed=False):
        """Key -> path of the parts that are there, in the order of the rows; with masked ones if ``failed``."""
        patterns = ["failed-[0-9]*-[0-9]*.parquet"] * failed + ["[0-9]*-[0-9]*.parquet"]
        found = [path for pattern in patterns for path in self.folder.glob(pattern)]
        parts = {tuple(int(word) for word in path.stem.split("-")[-2:]): path for path in found}
        return dict(sorted(parts.items()))

    def remove(self):
        """Throw everything away."""
        runs.empty(self.folder)


def label_parts(job, stars, target, *, rows, masked, restart, overwrite, format, progress):
    """Label a `Source` in parts on disk, join them in the file ``target``, and give the `Summary`."""
    made_from = {
        "input": fingerprint(stars.paths),
        "system": saved(job.system)[1],
        "options": job.order.to_dict(),
        "rows": rows,
    }
    with Parts.of(target, made_from, restart=restart) as parts:
        return _label_parts(
            job, stars, parts, target, masked=masked, overwrite=overwrite, format=format, progress=progress
        )


def _label_parts(job, stars, parts, target, *, masked, overwrite, format, progress):
    """Label what is not done yet, join all parts, and give the `Summary`."""
    start, resumed = time.monotonic(), len(parts.done())
    try:
        failures, unread = _label(job, stars, parts, masked=masked, progress=progress)
    finally:
        if not parts.done():  # nothing worth keeping
            parts.remove()
    if unread or (failures and not masked):
        raise _error(failures, parts)
    count, found, unfilled = _join(job, parts, target, overwrite=overwrite, format=format)
    total = len(parts.done()) + len(failures)
    parts.remove()
    how = {"parts": total, "resumed": resumed, "failures": tuple(failures), "begun": start, "unfilled": unfilled}
    return job.summary(count, found, **how)


def _label(job, stars, parts, *, masked, progress):
    """Make the parts that are not there; give the failures and whether some of them are of files."""
    rows, done = parts.manifest["rows"], parts.done()
    failures, unread = [], False
    begin = sum(files.count(path) for path in done.values())
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
    out, key = StarTable(meta=form.meta), columns.identifier(form)
    for name in form.colnames:
        if name == key or name in job.order.keep:
            out[name] = table[columns.identifier(table) if name == key else name]
        elif name.endswith("_flag"):
            kind = "distance" if name == "distance_flag" else "label"
            lost = {"distance": "NO_DISTANCE", "label": "NO_INPUT"}[kind]
            out[name] = np.full(len(table), flags.get(kind)[lost], form[name].dtype)
        elif name.endswith("_good"):
            out[name] = np.zeros(len(table), bool)
        else:
            unit = getattr(form[name], "unit", None)
            dtype = columns.without_unit(form[name]).dtype
            item = columns.Column(name, str(unit or ""), dtype.name, shape=form[name].shape[1:])
            out[name] = item.dress(np.ma.masked_all((len(table), *item.shape), dtype))
    return out


def _error(failures, parts):
    """The error that names what failed."""
    first = failures[0]
    lost, kept = sum(failure.stars for failure in failures), len(parts.done())
    return PartsFailedError(
        f"{len(failures)} parts with {lost} stars or more could not be labelled, the first: {first.where}: "
        f"{first.error}; {kept} others are kept in {parts.folder}, and the next run tries only these again",
        failures,
    )


def _join(job, parts, target, *, overwrite, format):
    """Write the result from its parts; give the number of stars, their `Verdicts`, and what could not be filled."""
    stars, found, unfilled = 0, Verdicts(), {}
    with catalogs.stream(target, *job.schema, overwrite=overwrite, format=format) as writer:
        for path in parts.done(failed=True).values():
            piece = catalogs.read(path, *job.schema)
            writer.append(piece)
            stars += len(piece)
            found += Verdicts.count(piece)
            unfilled = piece.meta.get("unfilled", unfilled)
    return stars, found, unfilled
