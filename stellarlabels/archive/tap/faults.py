"""What went wrong: errors of HTTP, of pyvo, and in the words of the services, as errors of this library."""

import re
import warnings
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from time import time
from xml.etree import ElementTree

from astropy.utils.exceptions import AstropyWarning

from stellarlabels.exceptions import (
    LoginError,
    QueryError,
    QuerySyntaxError,
    QueryTimeoutError,
    ReplyError,
    ServiceBusyError,
    ServiceConnectionError,
    ServiceError,
    ServiceTimeoutError,
    UnknownTableError,
    UploadTooLargeError,
)

__all__ = ["check", "refusal", "translated"]

#: What services and their databases say, in the order in which it is looked for.
_WORDS = (
    (
        ServiceBusyError,
        r"too many (connections|requests|jobs)|try again later|temporar\w+ (unavailable|down)|"
        r"server closed the connection|terminating connection|could not connect to server|"
        r"connection (to server|already closed|refused|pool)|database system is (starting up|shutting down)|"
        r"admin(istrator)? ?shutdown|server.{0,20}restart",
    ),
    (QueryTimeoutError, r"time ?-?out|timed out|time limit|execution ?duration|canceling statement"),
    (UploadTooLargeError, r"(upload|request|file|table).{0,80}(too (large|big|long|many)|limit|exceed|maxim)"),
    (
        UnknownTableError,
        r"could not (locate|find) (table|column)|(unknown|unresolved) (table|column|identifier|schema)|"
        r"unresolved|no such (table|column|field)|invalid object name|no (table|column|field) (matching|called|named)|"
        r"(table|column|relation|schema|field)\b.{0,200}(not found|does not exist|not known|is unknown|missing)",
    ),
    (LoginError, r"(not|un)[- ]?authori[sz]ed|authentication|permission denied|(token|session).{0,40}expired"),
    (
        QuerySyntaxError,
        r"syntax|could not parse|cannot parse|can't parse|parse ?error|parsing|encountered|"
        r"unexpected (token|input|end)|expected .+ (at|but|got)|incorrect (adql|query)|invalid (adql|query)|lexical",
    ),
)
_BUSY = (429, 500, 502, 503, 504)
_LONGEST = 500


def refusal(message, where):
    """The error for what a service says of a query.

    Parameters
    ----------
    message : str
        In the service's words.
    where : str
        Name of the service.

    Returns
    -------
    ServiceError
        Of the class that the words tell; `QueryError` if they tell nothing.
    """
    text = re.sub(r"\s+", " ", message or "").strip()[:_LONGEST] or "(without a reason)"
    for kind, pattern in _WORDS:
        if re.search(pattern, text, re.IGNORECASE):
            return kind(f"{where}: {_TELL[kind]}: {text}")
    return QueryError(f"{where}: the query failed: {text}")


_TELL = {
    ServiceBusyError: "the service is down or overloaded",
    QueryTimeoutError: "the query took longer than the service allows",
    UploadTooLargeError: "the service does not take an upload of this size",
    UnknownTableError: "the query names a table or column that the service does not have",
    LoginError: "the service refuses",
    QuerySyntaxError: "the service cannot read the ADQL",
}


def check(response, where, has_login):
    """Raise the error of an HTTP reply that is one.

    Parameters
    ----------
    response : `requests.Response`
    where : str
        Name of the service.
    has_login : bool
        Whether a token or a session was given.

    Raises
    ------
    ServiceError
        If the status is one of failure.
    """
    status = response.status_code
    if status < 400:
        return
    said = _words_of(response)
    if status in (401, 403):
        reason = "the login was refused: expired, wrong, or without this right" if has_login else "a login is needed"
        raise LoginError(f"{where}: {reason} (HTTP {status}); {said[:_LONGEST] or 'no reason was given'}")
    document = _status_of(response.content)
    if document is not None and status not in (429, 503):
        raise refusal(document, where)
    if status in _BUSY:
        error = ServiceBusyError(f"{where}: the service is down or overloaded (HTTP {status}) {said}".rstrip())
        error.retry_after = _seconds(response.headers.get("Retry-After"))
        raise error
    if status == 413:
        raise UploadTooLargeError(f"{where}: the service does not take an upload of this size (HTTP 413)")
    if status == 400 and said:
        raise refusal(said, where)
    raise ServiceError(f"{where}: HTTP {status} {response.reason or ''} for {response.url.split('?')[0]}; {said}")


@contextmanager
def translated(where, has_login=False):
    """Turn the errors of pyvo and requests into ours.

    Parameters
    ----------
    where : str
        Name of the service.
    has_login : bool
        Whether a token or a session was given.
    """
    import requests
    from erfa import ErfaWarning
    from pyvo.dal import DALFormatError, DALQueryError, DALServiceError

    try:
        with warnings.catch_warnings():
            # Documents in the dialects of services; dates of jobs that are far in the future.
            for category in (AstropyWarning, ErfaWarning):
                warnings.simplefilter("ignore", category)
            yield
    except ServiceError:
        raise
    except requests.RequestException as error:
        raise _of_requests(error, where) from error
    except DALServiceError as error:
        cause = error.cause
        response = getattr(cause, "response", None)
        if response is not None:
            check(response, where, has_login)
        if isinstance(cause, requests.RequestException):
            raise _of_requests(cause, where) from error
        raise ServiceError(f"{where}: {error}") from error
    except DALQueryError as error:
        raise refusal(str(error), where) from error
    except DALFormatError as error:
        raise ReplyError(f"{where}: not the document that it should be: {error}") from error


def _of_requests(error, where):
    """The error for a request that came to no end. The text of the cause may hold the query, not the token."""
    import requests

    if isinstance(error, requests.Timeout) or "timed out" in str(error).lower():
        return ServiceTimeoutError(f"{where}: no answer within the time limit")
    if isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError):
        return ServiceConnectionError(f"{where}: no connection, or a dropped one: {_root(error)}")
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return ReplyError(f"{where}: the reply is damaged: {_root(error)}")
    return ServiceError(f"{where}: {type(error).__name__}: {_root(error)}")


def _root(error):
    """The first cause, in few words."""
    while error.__context__ is not None:
        error = error.__context__
    return str(error)[:_LONGEST] or type(error).__name__


def _words_of(response):
    """What a reply of failure says, as plain text."""
    document = _status_of(response.content)
    if document is not None:
        return document
    text = response.content[:5000].decode("utf-8", "replace")
    text = re.sub(r"<(script|style|head)\b.*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL | re.IGNORECASE)
    return re.sub(r"\s+", " ", text).strip()[:_LONGEST]


def _status_of(content):
    """The text of the QUERY_STATUS of a VOTable that reports an error; None for anything else."""
    if b"QUERY_STATUS" not in content:
        return None
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError:
        return None
    for info in root.iter():
        if info.tag.endswith("INFO") and info.get("name") == "QUERY_STATUS" and info.get("value") == "ERROR":
            return "".join(info.itertext()).strip()
    return None


def _seconds(header):
    """Seconds that a Retry-After header asks for; None if it does not."""
    if not header:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time())
    except (TypeError, ValueError):
        return None
