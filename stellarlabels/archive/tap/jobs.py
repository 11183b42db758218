"""Sending a query: at once, or as a job that the service carries out in its own time."""

import logging
import time

from stellarlabels.archive.tap import faults
from stellarlabels.exceptions import QueryCancelledError, QueryError, ServiceError, ServiceTimeoutError

__all__ = ["run_job", "send"]

_log = logging.getLogger(__name__)

#: Seconds between two looks at a job: at first, growing by a factor, at most.
_FIRST, _GROWTH, _LONGEST = 0.1, 1.5, 20.0


def send(request):
    """Send a query and wait for its reply.

    Parameters
    ----------
    request : `~stellarlabels.archive.tap.request.Request`

    Returns
    -------
    bytes
    """
    from pyvo.dal import TAPQuery

    with request.translated():
        query = TAPQuery(
            request.url, request.adql, maxrec=request.maxrec, uploads=request.streams(), session=request.session
        )
        return request.content(query.submit())


def run_job(request, read, retry, cancelled, *, wait=None, watch=None):
    """Run a query as a job, and remove the job when its result is here or nobody wants it any more.

    Parameters
    ----------
    request : `~stellarlabels.archive.tap.request.Request`
    read : callable
        Turns the bytes of the reply into what is returned.
    retry : `~stellarlabels.archive.tap.Retry`
    cancelled : `threading.Event`
    wait : float, optional
        Seconds after which the job is given up.
    watch : callable, optional
        Called with the job's phase after each look at it.

    Returns
    -------
    object
        What ``read`` gives.
    """
    from pyvo.dal import AsyncTAPJob

    def ask(function):
        def translated():
            with request.translated():
                return function()

        return retry.call(translated, cancelled)

    job = ask(
        lambda: AsyncTAPJob.create(
            request.url, request.adql, maxrec=request.maxrec, uploads=request.streams(), session=request.session
        )
    )
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
        if phase in ("COMPLETED", "ERROR", "ABORTED"):
            return phase
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
            return faults.refusal(message, where)
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
