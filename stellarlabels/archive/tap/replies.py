"""What comes back: a table that says whether it is complete, or an error in the words of HTTP, pyvo or services."""

import re
import warnings
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from time import time
from xml.etree import ElementTree

import numpy as np
from astropy.table import Column, MaskedColumn
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
    StellarLabelsError,
    TruncatedResultError,
    UnknownTableError,
    UploadTooLargeError,
)
from stellarlabels.files import parse_votable

__all__ = ["check", "parse", "refusal", "translated"]

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
    """The `ServiceError` for what a service says of a query: of the class that the words tell, else `QueryError`."""
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
    """Raise the `ServiceError` of an HTTP response whose status is one of failure."""
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
    """Turn the errors of pyvo and requests, for the service called ``where``, into ours."""
    import requests
    from erfa import ErfaWarning
    from pyvo.dal import DALFormatError, DALQueryError, DALServiceError

    try:
        with warnings.catch_warnings():
            # Documents in the dialects of services; dates of jobs that are far in the future.
            for category in (AstropyWarning, ErfaWarning):
                warnings.simplefilter("ignore", category)
            yield
    except StellarLabelsError:
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
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # Dates and durations that pyvo cannot read, entries that it expects and that are not there.
        reason = f"{type(error).__name__}: {error}"
        raise ServiceError(f"{where}: a document of the service cannot be understood ({reason})") from error


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


_KEPT = re.compile(r"citation|reference|publication|server|source|copyright|ack|rights|doi|bibcode", re.IGNORECASE)


def parse(content, where, maxrec=None, adql=""):
    """The table of a VOTable in bytes, with UCDs in ``info.meta`` and what the service says of itself in ``meta``.

    A `ReplyError` if it is damaged, a `TruncatedResultError` if rows are missing, a `QueryError` if it reports one.
    """
    if b"<VOTABLE" not in content[:4096] and b":VOTABLE" not in content[:4096]:
        raise ReplyError(f"{where}: the reply is no VOTable; it begins with {content.lstrip()[:60]!r}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)  # units and headers in the dialects of archives
            file = parse_votable(content)
            resource = _results(file)
            infos = [*file.infos, *(resource.infos if resource else ())]
            element = resource.tables[0] if resource and resource.tables else None
            infos += element.infos if element else ()
            table = element.to_table(use_names_over_ids=True) if element else None
    except Exception as error:  # damaged documents make the XML and VOTable parsers raise errors of any kind
        raise ReplyError(f"{where}: the reply is a damaged or truncated VOTable: {error}") from error
    states = {info.value.upper(): info.content for info in infos if info.name == "QUERY_STATUS" and info.value}
    if "ERROR" in states:
        raise refusal(states["ERROR"], where)
    if table is None or not table.colnames:
        raise ReplyError(f"{where}: the reply is a VOTable without a table of results")
    if "OVERFLOW" in states or (maxrec and len(table) >= maxrec and not _asks_for(adql, maxrec)):
        raise TruncatedResultError(
            f"{where}: the result is cut off after {len(table)} rows (MAXREC); ask for fewer stars at a time, or give "
            "a larger maxrec"
        )
    _describe(table, element)
    table.meta.clear()
    table.meta.update({info.name: info.value or info.content for info in infos if _KEPT.search(info.name or "")})
    return table


def _results(parent):
    """The resource with the results: the one of that type, or the first one with a table."""
    resources = list(parent.resources)
    for resource in resources:
        if resource.type == "results":
            return resource
    return next((resource for resource in resources if resource.tables), None)


def _asks_for(adql, maxrec):
    """Whether the query itself wants no more than that many rows."""
    found = re.match(r"\s*SELECT\s+(?:DISTINCT\s+|ALL\s+)?TOP\s+(\d+)\b", adql, re.IGNORECASE)
    return found is not None and int(found[1]) <= maxrec


def _describe(table, element):
    """UCDs where the library keeps them, texts as text, and nothing but that in the columns' metadata."""
    for field in element.fields:
        column = table[field.name] if field.name in table.colnames else None
        if column is None:
            continue
        column.info.meta = {"ucd": field.ucd} if field.ucd else {}
        if column.dtype.kind not in "fiuc":
            column.info.unit = None
        if column.dtype == object and field.datatype in ("char", "unicodeChar") and "x" not in (field.arraysize or ""):
            mask = np.ma.getmaskarray(column)
            text = np.where(mask, "", column.data).astype(str)
            new = MaskedColumn(text, mask=mask) if mask.any() else Column(text)
            new.info.description, new.info.meta = column.info.description, column.info.meta
            table[field.name] = new
