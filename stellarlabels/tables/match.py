"""What a matched table looks like: rows of two tables side by side, what is missing masked, and the match's flags."""

import numpy as np
from astropy import units as u
from astropy.table import Column, MaskedColumn, QTable
from astropy.utils.masked import Masked

from stellarlabels import columns, flags
from stellarlabels.exceptions import InputError

__all__ = ["MATCH", "copy", "side_by_side"]

MATCH = flags.register(
    flags.FlagSet(
        "match",
        "match_flag: what is known of the match of two stars",
        [
            ("UNMATCHED", "No star of the right table belongs to this one; its columns are masked."),
            ("AMBIGUOUS", "More than one star of the right table qualifies; the best is given, or each in a row."),
            ("SHARED", "The star of the right table belongs to more than one star of the left table."),
            ("NO_POSITION", "The position is missing or impossible, so nothing could be matched."),
            (
                "NO_PROPER_MOTION",
                "Proper motion or epoch is missing: the positions are compared as they are, at different epochs.",
            ),
            ("NOT_MUTUAL", "The nearest star of the right table is nearer to another star of the left table."),
            ("NO_IDENTIFIER", "The identifier is missing, so nothing could be joined."),
        ],
    )
)


def copy(table, argument="table"):
    """A new `~astropy.table.QTable` with the columns and metadata of ``table``.

    Raises
    ------
    InputError
        If the argument, called ``argument``, is no table.
    """
    if not hasattr(table, "colnames"):
        raise InputError(f"{argument}: expected an astropy Table, got {type(table).__name__}")
    return QTable(table, copy=True)


def side_by_side(left, right, rows, *, suffix, leave_out=(), **extra):
    """The rows of one table, each beside its row of another.

    Parameters
    ----------
    left : `~astropy.table.QTable`, length N
        Changed and returned.
    right : `~astropy.table.Table`
    rows : `~numpy.ndarray` of int, shape (N,)
        Row of ``right`` beside each row of ``left``; negative for none.
    suffix : str
        Appended to names of the right table, and of ``extra``, that are taken (letters in any case).
    leave_out : collection of str
        Columns of ``right`` that are not taken over.
    **extra : array_like
        Further columns, by their name in the vocabulary, after those of both tables.

    Returns
    -------
    `~astropy.table.QTable`

    Raises
    ------
    InputError
        If there are gaps and a column of ``right`` is of a kind that cannot be masked.
    """
    if not suffix:
        raise InputError("suffix: expected at least one character, got an empty string")
    right = QTable(right, copy=False)
    for name in right.colnames:
        if name not in leave_out:
            left[_free_name(name, left.colnames, suffix)] = _take(right[name], rows, name)
    for name, data in extra.items():
        left[_free_name(name, left.colnames, suffix)] = columns.column(name).dress(data)
    return left


def _free_name(name, taken, suffix):
    """``name``, with the suffix appended as often as it takes to differ from all names that are taken."""
    used = {other.lower() for other in taken}
    while name.lower() in used:
        name += suffix
    return name


def _take(column, rows, name):
    """Rows of a column, masked where the row is negative."""
    missing = rows < 0
    taken = column[np.where(missing, 0, rows)] if len(column) else _zeros(column, len(rows), name)
    return _blank(taken, missing, name) if missing.any() else taken


def _zeros(column, length, name):
    """A column of zeros of the same kind as an empty column."""
    zeros = np.zeros((length, *column.shape[1:]), getattr(column, "dtype", None))
    if isinstance(column, u.Quantity):
        out = u.Quantity(zeros, column.unit, dtype=zeros.dtype)
        out.info.description, out.info.format, out.info.meta = (
            column.info.description,
            column.info.format,
            column.info.meta,
        )
        return out
    if isinstance(column, Column):
        return type(column)(
            zeros, unit=column.unit, description=column.description, format=column.format, meta=column.meta
        )
    raise _no_mask(column, name)


def _blank(column, missing, name):
    """The column with some rows masked, and NaN, 0 or an empty string under the mask."""
    if isinstance(column, u.Quantity):
        mask = np.array(column.mask if isinstance(column, Masked) else np.zeros(column.shape, bool))
        plain = column.unmasked if isinstance(column, Masked) else column
        plain.value[missing] = _null(plain.dtype)
        mask[missing] = True
        out = Masked(plain, mask=mask)
        out.info = column.info
        return out
    if isinstance(column, Column):
        out = MaskedColumn(column, mask=np.array(np.ma.getmaskarray(column)))
        np.ma.getdata(out)[missing] = _null(out.dtype)
        out.mask[missing] = True
        return out
    try:
        column[missing] = np.ma.masked
        masked = bool(np.all(column.mask[missing]))
    except (TypeError, ValueError, AttributeError, NotImplementedError) as error:
        raise _no_mask(column, name) from error
    if not masked:
        raise _no_mask(column, name)
    return column


def _no_mask(column, name):
    """The error for a column that cannot be masked."""
    return InputError(
        f"right: the column {name!r}, a {type(column).__name__}, cannot be masked where there is no match"
    )


def _null(dtype):
    """What stands under the mask in a column of this dtype."""
    return {"f": np.nan, "c": np.nan, "S": b"", "U": "", "O": None}.get(dtype.kind, 0)
