"""The reply to a query: a VOTable that says of itself whether it is complete -> a table."""

import re
import warnings

import numpy as np
from astropy.table import Column, MaskedColumn
from astropy.utils.exceptions import AstropyWarning

from stellarlabels.archive.tap.faults import refusal
from stellarlabels.exceptions import ReplyError, TruncatedResultError
from stellarlabels.files import parse_votable

__all__ = ["parse"]

_KEPT = re.compile(r"citation|reference|publication|server|source|copyright|ack|rights|doi|bibcode", re.IGNORECASE)


def parse(content, where, maxrec=None, adql=""):
    """Read a reply.

    Parameters
    ----------
    content : bytes
    where : str
        Name of the service.
    maxrec : int, optional
        Number of rows that were asked for at most.
    adql : str
        The query, to see whether it asks for so many rows itself.

    Returns
    -------
    `~astropy.table.Table`
        Units and descriptions as the service gives them, UCDs in the columns' ``meta``. Its own ``meta`` holds what
        the service says of citation and software.

    Raises
    ------
    ReplyError
        If it is no VOTable, or a damaged one.
    TruncatedResultError
        If rows are missing at its end.
    QueryError
        If it reports an error instead of a table.
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
