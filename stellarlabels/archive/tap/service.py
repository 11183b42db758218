"""A service and the way to ask it: address, limits, patience, and a query that is answered at once or as a job."""

import logging
import random
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO

from stellarlabels import __version__
from stellarlabels.archive import services
from stellarlabels.archive.queries import BoundQuery
from stellarlabels.archive.tap import payload, replies
from stellarlabels.archive.tap.session import Session, check_address
from stellarlabels.exceptions import (
    InputError,
    QueryCancelledError,
    QueryError,
    ReplyError,
    ServiceBusyError,
    ServiceConnectionError,
    ServiceError,
    ServiceTimeoutError,
)

__all__ = ["TRANSIENT", "Client", "Retry", "text_of"]

_log = logging.getLogger(__name__)

#: Faults that may be gone a little later. A reply that is cut off or damaged is one of them.
TRANSIENT = (ServiceConnectionError, ServiceTimeoutError, ServiceBusyError, ReplyError)
#: Of services that are not in the list.
_CHUNK_ROWS, _INTERVAL = 3000, 0.2
#: Seconds between two looks at a job: at first, growing by a factor, at most.
_FIRST, _GROWTH, _LONGEST = 0.1, 1.5, 20.0
#: Phases in which a job ends, and those in which it neither goes on nor has a result.
_ENDS, _STUCK = ("COMPLETED", "ERROR", "ABORTED"), ("ARCHIVED", "HELD")


@dataclass(frozen=True)
class Retry:
    """How often and after what time a request is repeated.

    Parameters
    ----------
    times : int
        Repetitions after the first failure.
    first : float
        Seconds before the first repetition. Each later wait is twice as long, and all are up to 20 % longer, so that
        not all clients of a service come back at the same moment.
    longest : float
        Seconds that no wait exceeds, whatever the service asks for with ``Retry-After``.

    Raises
    ------
    InputError
        If a number is negative.
    """

    times: int = 5
    first: float = 1.0
    longest: float = 120.0

    def __post_init__(self):
        for name in ("times", "first", "longest"):
            if not getattr(self, name) >= 0:
                raise InputError(f"retry: {name}: expected a number that is not negative, got {getattr(self, name)!r}")

    def call(self, function, cancelled):
        """What the function gives once it succeeds; its last error if it fails for good or too often.

        Parameters
        ----------
        function : callable
            Without arguments.
        cancelled : `threading.Event`
            Ends the waiting.
        """
        for attempt in range(self.times + 1):
            if cancelled.is_set():
                raise QueryCancelledError("the run was cancelled")
            try:
                return function()
            except TRANSIENT as error:
                if attempt == self.times:
                    raise
                wait = self.wait(attempt, getattr(error, "retry_after", None))
                _log.info("%s; attempt %d of %d follows in %.1f s", error, attempt + 2, self.times + 1, wait)
                cancelled.wait(wait)

    def wait(self, attempt, asked=None):
        """Seconds to wait after ``attempt`` + 1 failures, of which the service asked for so many."""
        backoff = self.first * 2**attempt * random.uniform(1, 1.2)
        return min(max(backoff, asked or 0), self.longest)


@dataclass(frozen=True)
class Request:
    """One query, ready to be sent to the service called ``where``, with uploads (name -> VOTable as bytes)."""

    where: str
    url: str
    adql: str
    session: Session
    maxrec: int | None = None
    uploads: dict = field(default_factory=dict)

    def translated(self):
        """A context in which errors of pyvo and requests become ours."""
        return replies.translated(self.where, self.session.has_login)

    def query(self):
        """What pyvo's queries and jobs are made with, as arguments."""
        uploads = {name: BytesIO(data) for name, data in self.uploads.items()} or None
        return (self.url, self.adql), {"maxrec": self.maxrec, "uploads": uploads, "session": self.session}

    def content(self, response):
        """The whole of a reply, as bytes; an error if its status is one of failure."""
        replies.check(response, self.where, self.session.has_login)
        return response.content

    def send(self):
        """Send the query and wait for its reply, as bytes."""
        from pyvo.dal import TAPQuery

        with self.translated():
            arguments, options = self.query()
            return self.content(TAPQuery(*arguments, **options).submit())


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
            return content, replies.parse(content, self.name, request.maxrec, request.adql)

        if mode == "sync":
            return self._retry.call(lambda: read(request.send()), self._cancelled)
        return _run_job(request, read, self._retry, self._cancelled, wait=wait, watch=watch)

    def _request(self, adql, maxrec, uploads):
        data = {name: payload.votable(columns) for name, columns in uploads.items()}
        return Request(self.name, self.url, adql, self._session, maxrec, data)

    def _maxrec(self, maxrec):
        if maxrec is not None and (not isinstance(maxrec, int) or isinstance(maxrec, bool) or maxrec < 1):
            raise InputError(f"maxrec: expected a positive integer, got {maxrec!r}")
        return maxrec

    def _largest(self):
        """The most rows that the service gives, by its own account; None if it does not tell."""
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
        out.meta = {
            "tap": {
                "service": self.name,
                "url": self.url,
                "query": query.query.name if bound else "",
                "parameters": dict(query.values) if bound else {},
                "adql": text_of(query),
                "start": start.isoformat(timespec="seconds"),
                "end": end.isoformat(timespec="seconds"),
                "rows": len(out),
                "software": f"stellarlabels {__version__}",
                **about,
                "infos": dict(table.meta),
            }
        }
        _log.info("%s: %d rows in %.1f s", self.name, len(out), (end - start).total_seconds())
        return out


def text_of(query):
    """The ADQL of a `BoundQuery` or of a text."""
    if isinstance(query, BoundQuery):
        return query.adql
    if not isinstance(query, str) or not query.strip():
        raise InputError(f"query: expected ADQL or a bound query, got {type(query).__name__}; Query.bind() gives one")
    return query.strip()


def _run_job(request, read, retry, cancelled, *, wait=None, watch=None):
    """What ``read`` makes of the result of a job, which is removed when it is here or nobody wants it any more."""
    from pyvo.dal import AsyncTAPJob

    def ask(function):
        def translated():
            with request.translated():
                return function()

        return retry.call(translated, cancelled)

    def create():
        arguments, options = request.query()
        return AsyncTAPJob.create(*arguments, **options)

    job = ask(create)
    _log.info("%s: job %s", request.where, job.url)
    finished = False
    try:
        ask(lambda: _start(job))
        phase = _wait(job, ask, request.where, cancelled, wait, watch)
        if phase != "COMPLETED":
            finished = True
            raise _failure(job, phase, request.where)
        out = ask(lambda: read(request.content(request.session.get(job.result_uri, stream=True))))
        finished = True
        return out
    finally:
        _remove(job, request, abort=not finished)


def _start(job):
    """Start a job, unless an earlier attempt, whose reply was lost, did."""
    if job.phase == "PENDING":
        job.run()


def _wait(job, ask, where, cancelled, wait, watch):
    """The phase in which a job ends."""
    pause, end = _FIRST, None if wait is None else time.monotonic() + wait
    while True:
        phase = ask(lambda: job.phase)
        if watch is not None:
            watch(phase)
        if phase in _ENDS:
            return phase
        if phase in _STUCK:
            raise QueryError(f"{where}: the service has put the job away ({phase}), there is no result; ask again")
        if end is not None and time.monotonic() + pause > end:
            raise ServiceTimeoutError(f"{where}: the job did not finish within {wait:g} s; it was given up")
        if cancelled.wait(pause):
            raise QueryCancelledError(f"{where}: the run was cancelled")
        pause = min(pause * _GROWTH, _LONGEST)


def _failure(job, phase, where):
    """The error of a job that failed."""
    from pyvo.dal import DALQueryError

    try:
        job.raise_if_error()
    except DALQueryError as error:
        message = str(error).removeprefix("Query Error: ")
        if phase == "ERROR" or "No useful error" not in message:
            return replies.refusal(message, where)
    return QueryError(f"{where}: the service gave the job up ({phase}); perhaps its time limit is too short")


def _remove(job, request, abort):
    """Tell the service that a job is not needed any more; a failure of that is none of the query."""
    try:
        with request.translated():
            if abort:
                job.abort()
            job.delete()
    except ServiceError as error:
        _log.info("%s: the job could not be removed: %s", request.where, error)
