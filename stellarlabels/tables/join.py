"""Joining two tables by an identifier."""

import numpy as np

from stellarlabels.columns import entrance
from stellarlabels.exceptions import InputError
from stellarlabels.tables import match
from stellarlabels.tables.columns import identifier_name, identifiers
from stellarlabels.tables.match import MATCH

__all__ = ["join_by_id"]


@entrance("left", "right")
def join_by_id(left, right, *, on="source_id", suffix="_right"):
    """Put the row of another table that has the same identifier beside each row.

    Identifiers are compared as 64-bit integers or as text, never as floats. Of several right rows with the same
    identifier the first is taken.

    Parameters
    ----------
    left, right : `~astropy.table.Table`
    on : str
        Name of the identifier: a name in both tables, or a name from the vocabulary, of which each table may have
        another alias.
    suffix : str
        See `stellarlabels.tables.crossmatch.crossmatch`.

    Returns
    -------
    `~astropy.table.QTable`
        The rows of ``left`` in the same order, with the columns of ``left``, those of ``right`` without its
        identifier, ``match_row`` (int64), the row of ``right``, and ``match_flag`` (int32), bits of the flag set
        ``match``: `UNMATCHED`, `AMBIGUOUS` (the right table has the identifier more than once), `SHARED` (the left
        table has it more than once) and `NO_IDENTIFIER` (masked, an empty text, or an integer that is not positive).
        What is not matched is masked.

    Raises
    ------
    MissingColumnError
        If a table has no such column.
    InputError
        If the identifiers are neither integers nor text, or integers in one table and text in the other.
    """
    out, other = match.copy(left, "left"), match.copy(right, "right")
    right_key = identifier_name(other, on)
    left_id, left_has = identifiers(out, identifier_name(out, on))
    right_id, right_has = identifiers(other, right_key)
    if left_id.dtype.kind != right_id.dtype.kind:
        raise InputError(f"on: {on!r} is of dtype {left_id.dtype} in left and {right_id.dtype} in right")
    rows_with_id = np.flatnonzero(right_has)
    known, first, count = np.unique(right_id[rows_with_id], return_index=True, return_counts=True)
    rows, repeated = np.full(len(out), -1), np.zeros(len(out), bool)
    if len(known):
        place = np.minimum(np.searchsorted(known, left_id), len(known) - 1)
        matched = left_has & (known[place] == left_id)
        rows[matched] = rows_with_id[first[place[matched]]]
        repeated[matched] = count[place[matched]] > 1
    matched = rows >= 0
    uses = np.bincount(rows[matched], minlength=max(len(other), 1))
    flag = MATCH.where(
        UNMATCHED=~matched, AMBIGUOUS=repeated, SHARED=matched & (uses[rows] > 1), NO_IDENTIFIER=~left_has
    )
    return match.side_by_side(
        out,
        other,
        rows,
        suffix=suffix,
        leave_out={right_key},
        match_row=np.ma.masked_less(rows, 0),
        match_flag=flag,
    )
