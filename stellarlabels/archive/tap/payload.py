"""Tables on their way to a service and back."""

import hashlib

import numpy as np
from astropy import units as u
from astropy.table import QTable, Table
from astropy.utils.masked import Masked

from stellarlabels import columns
from stellarlabels.archive.queries import BoundQuery
from stellarlabels.archive.queries.text import identifier
from stellarlabels.exceptions import InputError
from stellarlabels.files import dumps

__all__ = ["ROW", "digest", "numbered", "of_query", "quantities", "votable"]

#: Column with the number of the row in the user's table.
ROW = "upload_row"


def of_query(query, table):
    """The columns that a query wants to have uploaded, by their names in the vocabulary.

    Parameters
    ----------
    query : BoundQuery or str
        A text declares nothing: all columns of the table are taken as they are.
    table : `~astropy.table.Table`, data frame or dict
        Of one name and its table, for a text.

    Returns
    -------
    name : str
        Of the table, after ``TAP_UPLOAD.``.
    columns : `~astropy.table.QTable`

    Raises
    ------
    MissingColumnError
        If the table lacks a column.
    InputError
        If the query takes no upload, or the table is none.
    """
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
    """The table after one with the numbers of their rows.

    Parameters
    ----------
    table : `~astropy.table.QTable`
    start : int
        Number of the first row.

    Returns
    -------
    `~astropy.table.QTable`
    """
    out = QTable({ROW: np.arange(start, start + len(table), dtype=np.int64)})
    for name in table.colnames:
        if name.lower() != ROW:
            out[name] = table[name]
    return out


def votable(table):
    """A table as a VOTable in plain text, which every service reads.

    Parameters
    ----------
    table : `~astropy.table.Table`

    Returns
    -------
    bytes
    """
    plain = Table()
    for name in table.colnames:
        data = columns.without_unit(table[name])
        plain[name] = data if np.ma.getmaskarray(data).any() else data.data
        plain[name].unit = _unit(table[name])
    return dumps(plain, serialization="tabledata")


def quantities(table):
    """A table with quantities where there are units; integers stay integers.

    Parameters
    ----------
    table : `~astropy.table.Table`

    Returns
    -------
    `~astropy.table.QTable`
    """
    out = QTable()
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
    """A short text that is the same for the same data and no others.

    Parameters
    ----------
    table : `~astropy.table.Table`

    Returns
    -------
    str
    """
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
