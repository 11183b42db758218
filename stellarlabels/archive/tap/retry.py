"""Doing it again: which faults pass by themselves, and how long to wait for that."""

import logging
import random
from dataclasses import dataclass

from stellarlabels.exceptions import (
    InputError,
    QueryCancelledError,
    ReplyError,
    ServiceBusyError,
    ServiceConnectionError,
    ServiceTimeoutError,
)

__all__ = ["TRANSIENT", "Retry"]

_log = logging.getLogger(__name__)

#: Faults that may be gone a little later. A reply that is cut off or damaged is one of them.
TRANSIENT = (ServiceConnectionError, ServiceTimeoutError, ServiceBusyError, ReplyError)


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
        """Call a function until it succeeds, fails for good, or has failed too often.

        Parameters
        ----------
        function : callable
            Without arguments.
        cancelled : `threading.Event`
            Ends the waiting.

        Returns
        -------
        object
            What the function returns.

        Raises
        ------
        QueryCancelledError
            If the event is set.
        ServiceError
            The last one of the function.
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
        """Seconds to wait.

        Parameters
        ----------
        attempt : int
            Number of failures before this one.
        asked : float, optional
            What the service asked for.

        Returns
        -------
        float
        """
        backoff = self.first * 2**attempt * random.uniform(1, 1.2)
        return min(max(backoff, asked or 0), self.longest)
