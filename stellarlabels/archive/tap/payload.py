"""Tables on their way to a service and back, of any length: piece by piece, and what is done stays done."""

import hashlib
import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.table import Table, vstack
from astropy.utils.masked import Masked

from stellarlabels import columns
from stellarlabels.archive.queries import BoundQuery
from stellarlabels.archive.queries.parameters import identifier
from stellarlabels.columns import StarTable
from stellarlabels.exceptions import (
    InputError,
    LoginError,
    QueryCancelledError,
    QuerySyntaxError,
    QueryTimeoutError,
    ReplyError,
    ServiceError,
    TruncatedResultError,
    UnknownTableError,
    UploadTooLargeError,
)
from stellarlabels.files import dumps, replacing
from stellarlabels.runs import empty

__all__ = [
    "Chunk",
    "FailedChunk",
    "Outcome",
    "ROW",
    "Store",
    "combine",
    "default_folder",
    "digest",
    "numbered",
    "of_query",
    "quantities",
    "run",
    "votable",
]


#: Column with the number of the row in the user's table.
ROW = "upload_row"


def of_query(query, table):
    """Name of the table that a query wants to have uploaded, and its columns by their names in the vocabulary."""
    name = None
    if isinstance(query, BoundQuery):
        if query.query.upload is None:
            raise InputError(f"upload: the query {query.query.name} takes no table")
        name = query.query.upload.name
    if isinstance(table, dict):
        if len(table) != 1:
            raise InputError(f"upload: expected one table, got {len(table)}")
        (given, table), *_ = table.items()
        if name not in (None, given):
            raise InputError(f"upload: the query reads TAP_UPLOAD.{name}, got a table for {given!r}")
        name = identifier(given, "upload")
    table = columns.as_table(table, "upload")
    if isinstance(query, BoundQuery):
        wanted = columns.Schema("upload", [columns.column(item) for item in query.query.upload.columns])
        table = wanted.conform(table, missing="error")
    _check_names(table.colnames)
    return name or "stars", columns.portable(table, "upload")


def _check_names(names):
    """Refuse names that ADQL cannot have, or that it takes for the same."""
    for column in names:
        identifier(column, "upload: column")
    lower = [column.lower() for column in names]
    twins = [column for column in names if lower.count(column.lower()) > 1]
    if twins:
        raise InputError(f"upload: names that differ in the case of letters only are the same in ADQL, got {twins}")


def numbered(table, start=0):
    """The table after a column with the numbers of its rows."""
    out = StarTable({ROW: np.arange(start, start + len(table), dtype=np.int64)})
    for name in table.colnames:
        if name.lower() != ROW:
            out[name] = table[name]
    return out


def votable(table):
    """A table as a VOTable in plain text, which every service reads."""
    plain = Table()
    for name in table.colnames:
        data = columns.without_unit(table[name])
        plain[name] = data if np.ma.getmaskarray(data).any() else data.data
        plain[name].unit = _unit(table[name])
    return dumps(plain, serialization="tabledata")


def quantities(table):
    """A table with quantities where there are units; integers stay integers."""
    out = StarTable()
    for column in table.itercols():
        if column.unit is None:
            out[column.name] = column
            continue
        mask = np.ma.getmaskarray(column)
        data = u.Quantity(np.ma.getdata(column), column.unit, dtype=column.dtype)
        new = Masked(data, mask=mask) if mask.any() else data
        new.info.description, new.info.meta = column.info.description, column.info.meta
        out[column.name] = new
    return out


def digest(table):
    """A short text that is the same for the same data and no others."""
    state = hashlib.sha256()
    for name in table.colnames:
        data = columns.without_unit(table[name])
        mask = np.ma.getmaskarray(data)
        plain = np.where(mask, np.zeros((), data.dtype), data.data)
        state.update(repr((name, str(_unit(table[name]) or ""), plain.dtype.str, plain.shape)).encode())
        state.update(np.ascontiguousarray(plain).tobytes() if plain.dtype != object else repr(plain.tolist()).encode())
        state.update(np.packbits(mask).tobytes())
    return state.hexdigest()[:32]


def _unit(column):
    """The unit, if the VO has a name for it."""
    try:
        return u.Unit(u.Unit(column.unit).to_string("vounit")) if getattr(column, "unit", None) else None
    except ValueError:
        return None


_log = logging.getLogger(__name__)

#: Errors that every other chunk would meet too.
_OF_ALL = (LoginError, QueryCancelledError, QuerySyntaxError, UnknownTableError)
#: Errors that a smaller chunk may not meet.
_OF_SIZE = (TruncatedResultError, UploadTooLargeError, QueryTimeoutError)


@dataclass(frozen=True)
class Chunk:
    """A finished piece: rows of the uploaded table, and when its reply came if that was in an earlier run."""

    start: int
    stop: int
    table: Table
    time: str


@dataclass(frozen=True)
class FailedChunk:
    """A piece that failed for good, or was not asked for after that: rows of the uploaded table."""

    start: int
    stop: int
    error: ServiceError


@dataclass(frozen=True)
class Outcome:
    """All pieces of a run."""

    done: list
    failed: list

    def summary(self):
        """What the provenance of the result tells, as a dict."""
        times = [chunk.time for chunk in self.done if chunk.time]
        out = {"chunks": len(self.done) + len(self.failed), "chunks_kept": len(times)}
        if times:
            out["first_reply"] = min(times)
        if self.failed:
            out["failed_rows"] = [[chunk.start, chunk.stop - 1] for chunk in self.failed]
        return out


def run(columns, size, ask, read, store, *, give_up, advance):
    """Ask for all pieces of a table, in order, except those that are kept; give the `Outcome`."""
    # A piece that is too large for the service, or whose result is, is cut in two, and later pieces are made as small.
    done, failed, in_a_row, start = [], [], 0, 0
    while start < len(columns):
        stop = min(start + size, len(columns))
        piece = numbered(columns[start:stop], start)
        key = digest(piece)
        kept, time = _kept(store, key, read)
        if kept is None and stop - start > 1 and store.is_split(key):
            size = (stop - start + 1) // 2
            continue
        if kept is None:
            try:
                content, kept = ask(piece)
                store.put(key, content)
                in_a_row = 0
            except _OF_ALL:
                raise
            except ServiceError as error:
                if isinstance(error, _OF_SIZE) and stop - start > 1:
                    _log.info("rows %d to %d are too many for one request: %s", start, stop - 1, error)
                    store.split(key)
                    continue
                _log.warning("rows %d to %d failed: %s", start, stop - 1, error)
                in_a_row += 1
                if in_a_row == give_up:
                    stop = len(columns)
                failed.append(FailedChunk(start, stop, error))
        if kept is not None:
            done.append(Chunk(start, stop, kept, time))
        advance(stop - start)
        start = stop
    return Outcome(done, failed)


def _kept(store, key, read):
    """The table of a reply that is kept, and when it came; a damaged one is as good as none."""
    content, time = store.get(key)
    if content is None:
        return None, ""
    try:
        return read(content), time
    except ReplyError as error:
        _log.warning("a kept chunk is damaged and is asked for again: %s", error)
        return None, ""


def combine(chunks):
    """One table of all pieces, in the order of the rows that were uploaded."""
    tables = [chunk.table for chunk in chunks]
    for chunk in chunks:
        if chunk.table.colnames != tables[0].colnames:
            raise InputError(f"query: the columns differ between chunks: rows {chunk.start} to {chunk.stop - 1}")
    out = vstack(tables, join_type="exact", metadata_conflicts="silent") if len(tables) > 1 else tables[0]
    if ROW in out.colnames:
        out = out[out.argsort(ROW, kind="stable")]
    return out


def default_folder():
    """Where replies are kept if the user names no folder: in the user's cache of astropy."""
    from astropy.config import get_cache_dir

    return Path(get_cache_dir("stellarlabels")) / "tap"


class Store:
    """The replies that a query to a service has had so far: a file for each piece."""

    def __init__(self, folder, url, adql, maxrec=None):
        about = {"url": url, "maxrec": maxrec, "adql": adql}
        key = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]
        self.folder = Path(folder) / key
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"store: the folder {self.folder} cannot be made: {error.strerror or error}") from error
        with replacing(self.folder / "query.json", overwrite=True) as stream:
            stream.write(json.dumps(about, indent=1).encode())

    def get(self, key):
        """The reply for the piece with this `digest`, as bytes, and the time when it came; None if there is none."""
        path = self._path(key)
        try:
            return path.read_bytes(), datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
        except FileNotFoundError:
            return None, ""

    def put(self, key, content):
        """Keep a reply."""
        with replacing(self._path(key), overwrite=True) as stream:
            stream.write(content)

    def split(self, key):
        """Remember that a piece was too large for one request."""
        self._path(key, ".split").touch()

    def is_split(self, key):
        """Whether a piece was too large for one request."""
        return self._path(key, ".split").exists()

    def remove(self):
        """Remove all that is kept of this query."""
        empty(self.folder)

    def _path(self, key, suffix=".vot"):
        return self.folder / f"{key}{suffix}"
