"""Which rows are of the same star: for splits by star, and for means over repeated visits."""

import numpy as np
from astropy import units as u

from stellarlabels import columns
from stellarlabels.exceptions import MissingColumnError
from stellarlabels.tables.columns import identifier_name, identifiers
from stellarlabels.tables.join import copy_of
from stellarlabels.tables.sky import Stars, angle, neighbors


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

    out, reach = copy_of(table), angle(radius, "radius")
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
