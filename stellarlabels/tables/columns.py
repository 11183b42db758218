"""Columns that are no measurements: integers, identifiers and text out of a user's table, exact."""

import numpy as np
from astropy import units as u

from stellarlabels import columns
from stellarlabels.exceptions import InputError, MissingColumnError


def integers(table, name):
    """A column as 64-bit integers (N,), exact to the last digit and 0 where missing, and where it has a value (N,)."""
    key = columns.find(table, name)
    if key is None:
        return np.zeros(len(table), np.int64), np.zeros(len(table), bool)
    return _integers(table[key], key)


def identifier_name(table, name):
    """Name under which an identifier is in a table, from its own name or one of the vocabulary."""
    if name in table.colnames:
        return name
    found = columns.find(table, name) if name in columns.vocabulary() else None
    if found is None:
        raise MissingColumnError(f"column {name!r} is missing; the table has {', '.join(table.colnames) or 'none'}")
    return found


def identifiers(table, key):
    """An identifier column (N,), exact, and where it holds one: no masked or empty cell, and no integer below 1."""
    if np.ma.getdata(table[key]).dtype.kind in "SU":
        values, present = text(table, key)
        return values, present & (values != "")
    values, present = _integers(table[key], key)
    return values, present & (values > 0)


def text(table, key):
    """A text column (N,) without the blanks at its ends, and where it is not masked (N,)."""
    data = table[key]
    plain = np.ma.getdata(data)
    if plain.dtype.kind not in "SU":
        raise InputError(f"column {key!r}: expected text, got dtype {plain.dtype}")
    return np.char.strip(np.asarray(plain).astype(str)), ~np.ma.getmaskarray(data)


def _integers(data, key):
    """Exact 64-bit integers of a column, and where they are present."""
    if isinstance(data, u.Quantity):
        raise InputError(f"column {key!r}: expected integers without a unit, got a Quantity in {data.unit}")
    mask, plain = np.ma.getmaskarray(data), np.asarray(np.ma.getdata(data))
    if plain.dtype.kind not in "iu":
        raise InputError(f"column {key!r}: expected integers, got dtype {plain.dtype}, in which digits may be lost")
    if plain.dtype == np.uint64 and plain.size and plain.max() > np.iinfo(np.int64).max:
        raise InputError(f"column {key!r}: expected 64-bit signed integers, got values up to {plain.max()}")
    return np.where(mask, 0, plain).astype(np.int64), ~mask
