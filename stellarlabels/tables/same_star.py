"""Rows of the same star: joined by identifier, grouped by star, and what all matches of tables share."""

import numpy as np
from astropy import units as u
from astropy.table import Column, MaskedColumn
from astropy.utils.masked import Masked

from stellarlabels import columns, flags
from stellarlabels.columns import StarTable, entrance
from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.tables.columns import identifier_name, identifiers
from stellarlabels.tables.sky import Stars, angle, neighbors

MATCH = flags.register(
    flags.FlagSet(
        "match",
        "match_flag: what is known of the match of two stars",
        [
            ("UNMATCHED", "No star of the right table belongs to this one; its columns are masked.", "bad"),
            ("AMBIGUOUS", "More than one star of the right table qualifies; the best is given, or each in a row."),
            ("SHARED", "The star of the right table belongs to more than one star of the left table."),
            ("NO_POSITION", "The position is missing or impossible, so nothing could be matched.", "bad"),
            (
                "NO_PROPER_MOTION",
                "Proper motion or epoch is missing: the positions are compared as they are, at different epochs.",
            ),
            ("NOT_MUTUAL", "The nearest star of the right table is nearer to another star of the left table."),
            ("NO_IDENTIFIER", "The identifier is missing, so nothing could be joined.", "bad"),
        ],
    )
)


def side_by_side(left, right, rows, *, suffix, leave_out=(), **extra):
    """``left``, changed, and beside it the rows (N,) of ``right``, negative for none, then the columns ``extra``."""
    # The suffix goes to names that are taken, in any case of letters. Where there are gaps, columns have to be
    # maskable.
    if not suffix:
        raise InputError("suffix: expected at least one character, got an empty string")
    right = StarTable(right, copy=False)
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
    out = StarTable(left, copy=True)
    right_key = identifier_name(right, on)
    left_id, left_has = identifiers(out, identifier_name(out, on))
    right_id, right_has = identifiers(right, right_key)
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
    uses = np.bincount(rows[matched], minlength=max(len(right), 1))
    flag = MATCH.where(
        UNMATCHED=~matched, AMBIGUOUS=repeated, SHARED=matched & (uses[rows] > 1), NO_IDENTIFIER=~left_has
    )
    return side_by_side(
        out,
        right,
        rows,
        suffix=suffix,
        leave_out={right_key},
        match_row=np.ma.masked_less(rows, 0),
        match_flag=flag,
    )


@columns.entrance("table")
def group_by_star(table, *, by=None, radius=1 * u.arcsec):
    """Number the stars of a table in which a star may have several rows.

    Rows with the same identifier are one star, and rows with different identifiers are two, however near. Rows
    without an identifier are of the same star as each other within the radius, and as the nearest row with an
    identifier within the radius; when they lie between two stars, the two become one, so that a split by star never
    has visits of one star on both sides. A row with neither identifier nor position is a star of its own.

    Parameters
    ----------
    table : `~astropy.table.Table`
    by : str, optional
        Name of the column that identifies the star, integers or text; ``"position"`` for the position alone. By
        default ``source_id`` if the table has one, else the position. An identifier of spectra, such as LAMOST's
        obsid, does not identify a star.
    radius : `~astropy.units.Quantity`
        Largest separation of neighbors; positions are taken as they are.

    Returns
    -------
    `~astropy.table.QTable`
        The rows of ``table`` in the same order, with the column ``star_index`` (int64): 0, 1, 2 and so on in the order
        of the stars' first rows. A column of that name is replaced.

    Raises
    ------
    MissingColumnError
        If the table has neither an identifier nor a position, or no column ``by``.
    InputError
        If the identifiers are neither integers nor text, or the radius is no angle.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    out, reach = StarTable(table, copy=True), angle(radius, "radius")
    if by is None:
        by = "source_id" if columns.find(out, "source_id") else "position"
    star, named = np.arange(len(out)), np.zeros(len(out), bool)
    if by != "position":
        values, named = identifiers(out, identifier_name(out, by))
        _, first, inverse = np.unique(values[named], return_index=True, return_inverse=True)
        star[named] = np.flatnonzero(named)[first[inverse]]
    placed = columns.find(out, "ra") is not None and columns.find(out, "dec") is not None
    if by == "position" and not placed:
        raise MissingColumnError("by: expected the columns 'ra' and 'dec', or the name of an identifier")
    i, j = _neighbors_without_name(out, named, reach) if placed else (star[:0], star[:0])
    rows = np.arange(len(out))
    links = coo_matrix(
        (np.ones(len(out) + len(i), np.int8), (np.concatenate([rows, i]), np.concatenate([star, j]))),
        shape=(len(out), len(out)),
    )
    _, group = connected_components(links, directed=False) if len(out) else (0, rows)
    out["star_index"] = columns.column("star_index").dress(_in_order_of_appearance(group))
    return out


def _neighbors_without_name(table, named, radius):
    """Links of rows without an identifier: to each other, and to the nearest row that has one."""
    stars, rows = Stars.read(table)
    unnamed = ~named[rows]
    nameless, others = rows[unnamed], rows[~unnamed]
    i, j, _ = neighbors(stars.direction[unnamed], stars.direction[unnamed], radius)
    k, m, separation = neighbors(stars.direction[unnamed], stars.direction[~unnamed], radius)
    order = np.lexsort((m, separation, k))
    _, nearest = np.unique(k[order], return_index=True)
    k, m = k[order][nearest], m[order][nearest]
    return np.concatenate([nameless[i], nameless[k]]), np.concatenate([nameless[j], others[m]])


def _in_order_of_appearance(group):
    """Group numbers, renumbered in the order in which the groups appear."""
    _, first, inverse = np.unique(group, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]
