"""Matching two tables by position on the sky, with the stars moved to the same epoch."""

import logging

import numpy as np
from astropy import units as u

from stellarlabels import columns, releases
from stellarlabels.columns import StarTable, entrance
from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.tables.columns import identifiers
from stellarlabels.tables.same_star import MATCH, side_by_side
from stellarlabels.tables.sky import Stars, angle, epoch_source, neighbors, separations

__all__ = ["crossmatch"]


_log = logging.getLogger(__name__)

_FIND = ("best", "all", "both")


@entrance("left", "right")
def crossmatch(left, right, radius=1 * u.arcsec, *, find="best", left_epoch=None, right_epoch=None, suffix="_right"):
    """Match two tables by position.

    If both epochs are known, two stars are compared at the same one: the left star is moved to the epoch of the right
    star if its proper motion is known; if it is not, the right star is moved to the epoch of the left one. The motion
    is uniform in space, with parallax and radial velocity where the table has them. Epochs may differ from row to row.

    Parameters
    ----------
    left, right : `~astropy.table.Table`
        With ``ra`` and ``dec``; for the motion ``ref_epoch``, ``pmra`` (times cos(dec)) and ``pmdec``, and for the
        perspective acceleration ``parallax`` and ``radial_velocity``. See `stellarlabels.columns` for other
        names.
    radius : `~astropy.units.Quantity`
        Largest separation, included.
    find : {"best", "all", "both"}
        - ``"best"``: for each left star the nearest right star. One right star may go to several left stars.
        - ``"both"``: as ``"best"``, but only if the left star is also the nearest one to its right star, so that no
          right star is given twice.
        - ``"all"``: every pair.
    left_epoch, right_epoch : float, `~astropy.units.Quantity` or `~astropy.time.Time`, optional
        Epoch of the positions (Julian year), one for the table or one for each row; by default its ``ref_epoch``, and
        where it has none, the reference epoch of the Gaia release that it is of (`stellarlabels.releases.of`). If the
        epoch of either table is unknown, all positions are compared as they are. ``meta["crossmatch"]["epochs"]`` says
        where both are from.
    suffix : str
        Appended to those names of the right table, and of the columns below, that the left table has already (letters
        in any case), as often as needed. Names of the left table never change.

    Returns
    -------
    `~astropy.table.QTable`
        With ``"best"`` and ``"both"`` the rows of ``left`` in the same order; with ``"all"`` one row for each pair, in
        the order of ``left`` and then of the separation. The columns are those of ``left``, of ``right``, and

        - ``separation`` (arcsec, float64), at the epoch at which the stars were compared;
        - ``match_row`` (int64), the row of ``right``;
        - ``match_flag`` (int32), bits of the flag set ``match``: `stellarlabels.flags.get`.

        Where there is no match, everything but ``match_flag`` is masked. ``meta["crossmatch"]`` holds the settings.

    Raises
    ------
    MissingColumnError
        If a table has no ``ra`` or ``dec``.
    InputError
        If an argument is not as described, or if a column of ``right`` cannot be masked.

    Examples
    --------
    >>> from astropy.table import QTable
    >>> import astropy.units as u
    >>> from stellarlabels.tables.crossmatch import crossmatch
    >>> gaia = QTable({"ra": [10.0, 20.0] * u.deg, "dec": [0.0, 0.0] * u.deg})
    >>> other = QTable({"ra": [20.0001] * u.deg, "dec": [0.0] * u.deg, "name": ["B"]})
    >>> matched = crossmatch(gaia, other, 1 * u.arcsec)
    >>> print(matched["name"][1], matched["separation"][1].round(2), matched["match_flag"].tolist())
    B 0.36 arcsec [1, 0]
    """
    if find not in _FIND:
        raise InputError(f"find: expected one of {', '.join(_FIND)}, got {find!r}")
    reach = angle(radius, "radius")
    out = StarTable(left, copy=True)
    left_stars, left_rows = Stars.read(out, left_epoch, "left_epoch")
    right_stars, right_rows = Stars.read(right, right_epoch, "right_epoch")
    i, j, separation, unmoved = _pairs(left_stars, right_stars, reach)
    i, j = left_rows[i], right_rows[j]
    order = np.lexsort((j, separation, i))
    i, j, separation, unmoved = i[order], j[order], separation[order], unmoved[order]
    ambiguous = np.bincount(i, minlength=len(out))[i] > 1
    if find != "all":
        first = _first(i)
        ambiguous, unmoved = ambiguous[first], unmoved[first]
        if find == "both":
            mutual = _is_first_of_right(i, j, separation)[first]
        i, j, separation = i[first], j[first], separation[first]
    shared = np.bincount(j, minlength=len(right))[j] > 1
    flag = MATCH.where(AMBIGUOUS=ambiguous, SHARED=shared, NO_PROPER_MOTION=unmoved)
    out.meta["crossmatch"] = {
        "find": find,
        "radius": str(radius),
        "moved": left_stars.epoch is not None and right_stars.epoch is not None,
        "epochs": [epoch_source(left, left_epoch), epoch_source(right, right_epoch)],
    }
    _log.info("crossmatch: %d pairs of %d and %d rows; %s", len(i), len(out), len(right), out.meta["crossmatch"])
    if find == "all":
        out = out[i]
        rows, apart = j, separation
    else:
        kept = mutual if find == "both" else np.ones(len(i), bool)
        rows, apart = np.full(len(out), -1), np.full(len(out), np.nan)
        rows[i[kept]], apart[i[kept]] = j[kept], separation[kept]
        flag = _flag_of_rows(len(out), left_rows, rows, i, flag, kept)
    return side_by_side(
        out,
        right,
        rows,
        suffix=suffix,
        separation=apart * u.rad,
        match_row=np.ma.masked_less(rows, 0),
        match_flag=flag,
    )


def _pairs(left, right, radius):
    """All pairs within the radius: rows of both, separation, and whether epochs differ and nothing could be moved."""
    if left.epoch is None or right.epoch is None:
        i, j, separation = neighbors(left.direction, right.direction, radius)
        return i, j, separation, np.zeros(len(i), bool)
    if not right.moving.any() or left.moving.all():
        return _pairs_of_moved(left, right, radius)
    moving, resting = np.flatnonzero(left.moving), np.flatnonzero(~left.moving)
    i, j, separation, unmoved = _pairs_of_moved(left[moving], right, radius)
    j_back, i_back, separation_back, unmoved_back = _pairs_of_moved(right, left[resting], radius)
    parts = (
        (moving[i], resting[i_back]),
        (j, j_back),
        (separation, separation_back),
        (unmoved, unmoved_back),
    )
    return tuple(np.concatenate(part) for part in parts)


def _pairs_of_moved(stars, others, radius):
    """As `_pairs`, with each of ``stars`` moved to the epoch of the other star of the pair."""
    known = others.epoch[np.isfinite(others.epoch)]
    if not len(known):
        i, j, separation = neighbors(stars.direction, others.direction, radius)
    else:
        middle = (known.min() + known.max()) / 2
        moved = stars.at(middle)
        if len(known) == len(others) and known.min() == known.max():
            i, j, separation = neighbors(moved, others.direction, radius)
        else:
            years = (known.max() - known.min()) / 2
            if len(known) < len(others):
                years = np.maximum(years, np.abs(np.nan_to_num(middle - stars.epoch)))
            i, j = _candidates(moved, others.direction, radius, _path(stars, years))
            separation = separations(stars[i].at(others.epoch[j]), others.direction[j])
            near = separation <= radius
            i, j, separation = i[near], j[near], separation[near]
    years = others.epoch[j] - stars.epoch[i]
    return i, j, separation, (years != 0) & ~(stars.moving[i] & np.isfinite(years))


def _path(stars, years):
    """An upper limit to the way of each star in that many years, radians."""
    approach = np.clip(1 - np.abs(stars.radial) * years, 0.5, None)
    return 1.01 * np.linalg.norm(stars.motion, axis=1) * years / approach


def _candidates(first, second, radius, margin):
    """Pairs within the radius plus each star's own margin; stars with similar margins are searched together."""
    step = np.ceil(np.log2(1 + margin / radius))
    found = []
    for value in np.unique(step):
        rows = np.flatnonzero(step == value)
        i, j, _ = neighbors(first[rows], second, min(radius + margin[rows].max(), np.pi))
        found.append((rows[i], j))
    if not found:
        return np.zeros(0, int), np.zeros(0, int)
    return tuple(np.concatenate(part) for part in zip(*found, strict=True))


def _first(group):
    """Where a new value begins in a sorted array."""
    return np.concatenate([[True], group[1:] != group[:-1]]) if len(group) else np.zeros(0, bool)


def _is_first_of_right(i, j, separation):
    """Whether the left star of each pair is the nearest one to its right star."""
    order = np.lexsort((i, separation, j))
    out = np.zeros(len(i), bool)
    out[order] = _first(j[order])
    return out


def _flag_of_rows(length, with_position, rows, i, flag, kept):
    """Flags of all left rows from those of the best pairs."""
    out = MATCH.where(UNMATCHED=rows < 0, NO_POSITION=~np.isin(np.arange(length), with_position))
    out[i] |= flag
    out[i[~kept]] |= MATCH["NOT_MUTUAL"]
    return out


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
