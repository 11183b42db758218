"""The same stars in two releases, whose identifiers differ."""

import numpy as np
from astropy import units as u

from stellarlabels import columns, releases
from stellarlabels.exceptions import MissingColumnError
from stellarlabels.tables.columns import identifiers
from stellarlabels.tables.crossmatch import crossmatch
from stellarlabels.tables.same_star import MATCH


def same_stars(first, second, names, pairs=None, *, radius=1 * u.arcsec):
    """Rows (M,) of two tables that are of the same star and of no other, from pairs of identifiers or by position."""
    # "names" are those of the two releases. "pairs", such as the archive's table of neighbours, has the identifiers of
    # both; sources that one of the releases has split in two, or taken for one, are left out.
    if pairs is None:
        return _by_position(first, second, radius)
    keys = [_of_release(pairs, name) for name in names]
    found = [identifiers(pairs, key) for key in keys]
    whole = found[0][1] & found[1][1]
    linked = np.unique(np.stack([values[whole] for values, _ in found]), axis=1)
    once = np.ones(linked.shape[1], bool)
    for values in linked:
        _, place, count = np.unique(values, return_inverse=True, return_counts=True)
        once &= count[place] == 1
    rows = [_rows(table, values[once]) for table, values in zip((first, second), linked, strict=True)]
    both = (rows[0] >= 0) & (rows[1] >= 0)
    return tuple(own[both] for own in rows)


def _by_position(first, second, radius):
    """Rows of stars that are each other's only neighbour."""
    matched = crossmatch(first, second, radius, find="both")
    flag = np.asarray(matched["match_flag"])
    alone = (flag & ~MATCH["NO_PROPER_MOTION"]) == 0
    rows = np.flatnonzero(alone)
    return rows, np.asarray(np.ma.filled(matched["match_row"], -1))[rows].astype(int)


def _of_release(pairs, name):
    """The column of identifiers of a release."""
    release = releases.get(name)
    wanted = [f"{short.lower().replace(' ', '_')}_source_id" for short in (release.name, *release.aliases)]
    known = {key.lower(): key for key in pairs.colnames}
    for key in wanted:
        if key in known:
            return known[key]
    raise MissingColumnError(f"pairs: the identifiers of {name} are missing; looked for {', '.join(wanted)}")


def _rows(table, values):
    """Rows of identifiers in a table, -1 where it has none of them, or more than one."""
    key = columns.identifier(table)
    if key is None:
        raise MissingColumnError("table: pairs of identifiers need a column of identifiers, such as 'source_id'")
    own, present = identifiers(table, key)
    at = np.flatnonzero(present)
    known, first, count = np.unique(own[at], return_index=True, return_counts=True)
    if not known.size:
        return np.full(len(values), -1)
    place = np.minimum(np.searchsorted(known, values), known.size - 1)
    return np.where((known[place] == values) & (count[place] == 1), at[first[place]], -1)
