"""What every way to ask a service needs: connection, limits, patience, progress, and the result's provenance."""

import logging
import threading
from datetime import UTC, datetime

from stellarlabels import __version__
from stellarlabels.archive import services
from stellarlabels.archive.queries import BoundQuery
from stellarlabels.archive.tap import jobs, payload, reply
from stellarlabels.archive.tap.request import Request
from stellarlabels.archive.tap.retry import Retry
from stellarlabels.archive.tap.session import Session, check_address
from stellarlabels.exceptions import InputError, ServiceBusyError, ServiceConnectionError, ServiceTimeoutError

__all__ = ["Client", "text_of"]

_log = logging.getLogger(__name__)

#: Of services that are not in the list.
_CHUNK_ROWS, _INTERVAL = 3000, 0.2


class Client:
    """A service and the way to talk to it; `stellarlabels.archive.TAP` tells the parameters."""

    def __init__(
        self, service, *, token=None, session=None, timeout=(10, 300), retry=None, interval=None, progress=None
    ):
        known = services.get(service) if service in services.available() else None
        if known is None and not (isinstance(service, str) and "/" in service):
            services.get(service)
        self.url = known.url if known else check_address(service)
        self.name = known.name if known else self.url
        self._known = known
        timeout = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        if not all(isinstance(value, int | float) and value > 0 for value in timeout) or len(timeout) != 2:
            raise InputError(f"timeout: expected one or two positive numbers, got {timeout!r}")
        interval = interval if interval is not None else known.interval if known else _INTERVAL
        if not interval >= 0:
            raise InputError(f"interval: expected a number that is not negative, got {interval!r}")
        self._retry = Retry() if retry is None else retry
        if not isinstance(self._retry, Retry):
            raise InputError(f"retry: expected a Retry, got {type(retry).__name__}")
        self._session = Session(self.url, token=token, session=session, timeout=timeout, interval=interval)
        self._progress = progress
        self._cancelled = threading.Event()
        self._limit = None

    def __repr__(self):
        return f"<TAP {self.name}>" if self.name == self.url else f"<TAP {self.name}: {self.url}>"

    def cancel(self):
        """End the run that is going on in another thread, with a `QueryCancelledError` there.

        A job at the service is removed; chunks that are finished are kept. A request that waits for its reply ends
        when the reply is there.
        """
        self._cancelled.set()

    def _fetch(self, request, mode, wait, watch=None):
        """The reply to a request, as bytes and as a table; one that cannot be read is asked for again."""

        def read(content):
            return content, reply.parse(content, self.name, request.maxrec, request.adql)

        if mode == "sync":
            return self._retry.call(lambda: read(jobs.send(request)), self._cancelled)
        return jobs.run_job(request, read, self._retry, self._cancelled, wait=wait, watch=watch)

    def _request(self, adql, maxrec, uploads):
        data = {name: payload.votable(columns) for name, columns in uploads.items()}
        return Request(self.name, self.url, adql, self._session, maxrec, data)

    def _maxrec(self, maxrec):
        if maxrec is not None and (not isinstance(maxrec, int) or isinstance(maxrec, bool) or maxrec < 1):
            raise InputError(f"maxrec: expected a positive integer, got {maxrec!r}")
        return maxrec

    def _largest(self):
        """The most rows that the service gives, by its own account; 0 if it does not tell."""
        if self._limit is None:
            self._limit = self._retry.call(self._ask_limit, self._cancelled)
        return self._limit or None

    def _ask_limit(self):
        from pyvo.dal import TAPService

        try:
            with self._request("", None, {}).translated():
                return TAPService(self.url, session=self._session).hardlimit or 0
        except (ServiceConnectionError, ServiceTimeoutError, ServiceBusyError):
            raise
        except Exception as error:  # documents that are not as they should be make the parser raise errors of any kind
            _log.info("%s: the service does not tell its limits: %s", self.name, error)
            return 0

    def _size(self, chunk_rows):
        if chunk_rows is None:
            return self._known.chunk_rows if self._known else _CHUNK_ROWS
        if not isinstance(chunk_rows, int) or isinstance(chunk_rows, bool) or chunk_rows < 1:
            raise InputError(f"chunk_rows: expected a positive integer, got {chunk_rows!r}")
        return chunk_rows

    def _bar(self, **arguments):
        from tqdm.auto import tqdm

        disable = None if self._progress is None else not self._progress
        return tqdm(desc=self.name.rpartition("//")[2], disable=disable, **arguments)

    def _dress(self, table, query, start, about):
        """The result with its provenance."""
        end = datetime.now(UTC)
        bound = isinstance(query, BoundQuery)
        out = payload.quantities(table)
        out.meta["tap"] = {
            "service": self.name,
            "url": self.url,
            "query": query.query.name if bound else "",
            "parameters": {key: value for key, value in query.values.items()} if bound else {},
            "adql": text_of(query),
            "start": start.isoformat(timespec="seconds"),
            "end": end.isoformat(timespec="seconds"),
            "rows": len(out),
            "software": f"stellarlabels {__version__}",
            **about,
            "infos": dict(table.meta),
        }
        out.meta = {"tap": out.meta["tap"]}
        _log.info("%s: %d rows in %.1f s", self.name, len(out), (end - start).total_seconds())
        return out


def text_of(query):
    """The text that is sent.

    Parameters
    ----------
    query : `~stellarlabels.archive.queries.BoundQuery` or str

    Returns
    -------
    str

    Raises
    ------
    InputError
        If it is neither.
    """
    if isinstance(query, BoundQuery):
        return query.adql
    if not isinstance(query, str) or not query.strip():
        raise InputError(f"query: expected ADQL or a bound query, got {type(query).__name__}; Query.bind() gives one")
    return query.strip()
