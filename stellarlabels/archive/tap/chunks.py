"""A table of any length against a service, piece by piece: what is done stays done."""

import logging
from dataclasses import dataclass

from astropy.table import Table, vstack

from stellarlabels.archive.tap import payload
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

__all__ = ["Chunk", "FailedChunk", "Outcome", "combine", "run"]

_log = logging.getLogger(__name__)

#: Errors that every other chunk would meet too.
_OF_ALL = (LoginError, QueryCancelledError, QuerySyntaxError, UnknownTableError)
#: Errors that a smaller chunk may not meet.
_OF_SIZE = (TruncatedResultError, UploadTooLargeError, QueryTimeoutError)


@dataclass(frozen=True)
class Chunk:
    """A finished piece.

    Parameters
    ----------
    start, stop : int
        Rows of the uploaded table.
    table : `~astropy.table.Table`
    time : str
        When the reply came, if it was kept from an earlier run; empty if it came in this one.
    """

    start: int
    stop: int
    table: Table
    time: str


@dataclass(frozen=True)
class FailedChunk:
    """A piece that failed for good, or was not asked for after that.

    Parameters
    ----------
    start, stop : int
        Rows of the uploaded table.
    error : ServiceError
    """

    start: int
    stop: int
    error: ServiceError


@dataclass(frozen=True)
class Outcome:
    """All pieces of a run.

    Parameters
    ----------
    done : list of `Chunk`
    failed : list of `FailedChunk`
    """

    done: list
    failed: list

    def summary(self):
        """What the provenance of the result tells.

        Returns
        -------
        dict
        """
        times = [chunk.time for chunk in self.done if chunk.time]
        out = {"chunks": len(self.done) + len(self.failed), "chunks_kept": len(times)}
        if times:
            out["first_reply"] = min(times)
        if self.failed:
            out["failed_rows"] = [[chunk.start, chunk.stop - 1] for chunk in self.failed]
        return out


def run(columns, size, ask, read, store, *, give_up, advance):
    """Ask for all pieces of a table, in order, except those that are kept.

    A piece that is too large for the service, or whose result is, is cut in two, and later pieces are made as small.

    Parameters
    ----------
    columns : `~astropy.table.QTable`
        To be uploaded.
    size : int
        Rows of a piece.
    ask : callable
        Gives the reply for a piece of the table, as bytes and as a table.
    read : callable
        Turns a reply into a table.
    store : `~stellarlabels.archive.tap.store.Store`
    give_up : int
        Number of pieces in a row that fail before the rest is not asked for.
    advance : callable
        Called with the number of rows done.

    Returns
    -------
    `Outcome`
    """
    done, failed, in_a_row, start = [], [], 0, 0
    while start < len(columns):
        stop = min(start + size, len(columns))
        piece = payload.numbered(columns[start:stop], start)
        key = payload.digest(piece)
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
    """One table of all pieces, in the order of the rows that were uploaded.

    Parameters
    ----------
    chunks : list of `Chunk`
        At least one.

    Returns
    -------
    `~astropy.table.Table`

    Raises
    ------
    InputError
        If the pieces do not have the same columns.
    """
    tables = [chunk.table for chunk in chunks]
    for chunk in chunks:
        if chunk.table.colnames != tables[0].colnames:
            raise InputError(f"query: the columns differ between chunks: rows {chunk.start} to {chunk.stop - 1}")
    out = vstack(tables, join_type="exact", metadata_conflicts="silent") if len(tables) > 1 else tables[0]
    if payload.ROW in out.colnames:
        out = out[out.argsort(payload.ROW, kind="stable")]
    return out
