"""Which star of a reference is which star of a catalog, and the labels of both side by side."""

import numpy as np
from astropy import units as u
from astropy.table import QTable

from stellarlabels import columns, flags
from stellarlabels.exceptions import InputError
from stellarlabels.tables import group_by_star, join_by_id
from stellarlabels.tables.crossmatch import crossmatch
from stellarlabels.validation.bins import grouped_median
from stellarlabels.validation.derived import with_labels
from stellarlabels.validation.joining import IDENTIFIERS, ranks
from stellarlabels.validation.statistics import label_names

#: Rows of the reference that are so much farther than the nearest one may be another star.
_SAME = 0.2 * u.arcsec
_MOTION = ("ra", "dec", "ref_epoch", "pmra", "pmdec", "parallax", "radial_velocity")


def match(catalog, reference, *, by="auto", radius=1 * u.arcsec):
    """Pairs of a star of a catalog and the same star in a reference.

    Parameters
    ----------
    catalog, reference : `~astropy.table.Table`
    by : str
        ``"position"``; an identifier that both tables have; or ``"auto"``: the first of ``source_id``, ``obsid``,
        ``mrs_id``, ``apogee_id`` and ``jplus_id``, and at last the position, by which there are any pairs. Identifiers
        of different releases of Gaia are not the same.
    radius : `~astropy.units.Quantity`
        Largest separation on the sky; see `stellarlabels.tables.crossmatch.crossmatch`.

    Returns
    -------
    `~astropy.table.QTable`
        One row for each star of the catalog that is in the reference, in the catalog's order: ``row`` and ``match_row``
        (int64), rows of the catalog and of the reference; ``match_flag`` (int32), bits of the flag set ``match``;
        ``separation`` (arcsec) if matched by position. ``meta["by"]`` says how, or what was tried. Of several rows of
        the reference with the same identifier, or in the radius within 0.2 arcsec of the nearest, that is taken which
        has the most good labels, and of these the highest S/N; several rows of the catalog may have the same one.

    Raises
    ------
    InputError
        If the tables have neither an identifier nor positions in common.
    """
    ways = _ways(catalog, reference) if by == "auto" else [by]
    for way in ways:
        table = _pairs(catalog, reference, way, radius)
        if len(table):
            return table
    table.meta["by"] = ", then ".join(ways)
    return table


def matched(catalog, reference, *, names=None, by="auto", radius=1 * u.arcsec):
    """The stars that a catalog and a reference have in common, with the same labels in both.

    Parameters
    ----------
    catalog, reference : `~astropy.table.Table`
    names : sequence of str, optional
        Labels; by default those of the catalog. Those that a table does not have are worked out from others where
        possible; see ``stellarlabels.validation.derived_label``.
    by, radius
        As for `match`.

    Returns
    -------
    labels, truth : `~astropy.table.QTable`
        M rows each, the same stars in the same order: the columns of each table that hold one value for each star, with
        labels and their errors under the names of the vocabulary. ``labels`` also has ``match_flag``. If they are
        matched by position, identifiers that both have are in the second called ``<name>_reference``.

    Raises
    ------
    InputError
        If the tables have neither an identifier nor positions in common.
    """
    names = label_names(catalog) if names is None else list(names)
    return labels_of_pairs(catalog, reference, match(catalog, reference, by=by, radius=radius), names)


def labels_of_pairs(catalog, reference, pairs, names):
    """What `matched` returns, for pairs that `match` has found."""
    labels = _with_labels(catalog, pairs["row"], names)
    labels["match_flag"] = pairs["match_flag"]
    labels.meta["matched_by"] = pairs.meta["by"]
    truth = _with_labels(reference, pairs["match_row"], names)
    if pairs.meta["by"] == "position":  # what the surveys call a spectrum is not by what the rows belong together
        for key in (columns.find(truth, name) for name in IDENTIFIERS if _has(labels, name) and _has(truth, name)):
            truth.rename_column(key, f"{key}_reference")
    return labels, truth


def median_per_star(table, *, by=None, radius=1 * u.arcsec):
    """One row for each star of a table, with medians of its labels and errors, and ``entries``, its number of rows."""
    star = np.asarray(group_by_star(_identity(table), by=by, radius=radius)["star_index"])
    _, first, count = np.unique(star, return_index=True, return_counts=True)
    out = QTable(table, copy=False)[first]
    for name in label_names(table):
        for item in columns.label_columns(name)[:2]:
            key = columns.column_name(table, item)
            if key is not None:
                out[key] = item.dress(grouped_median(columns.column_values(table, item), star, len(first)))
    out["entries"] = count.astype(np.int64)
    return out


def _pairs(catalog, reference, by, radius):
    """Pairs found in one way."""
    rank = ranks(reference)
    if by == "position":
        left, right = (_only(table, _MOTION) for table in (catalog, reference))
        out = crossmatch(left, right, radius)
        place, nearest = np.arange(len(reference)), columns.without_unit(out["match_row"]).filled(-1)
        best = _best_epochs(left, right, radius, rank, nearest) if len(np.unique(nearest)) < len(reference) else nearest
    else:
        place = np.argsort(rank)
        out = join_by_id(_only(catalog, (by,)), _only(reference, (by,))[place], on=by)
        best = columns.without_unit(out["match_row"]).filled(-1)
    rows = np.flatnonzero((np.asarray(out["match_flag"]) & flags.get("match")["UNMATCHED"]) == 0)
    table = QTable({"row": rows, "match_row": place[best[rows]].astype(np.int64)}, meta={"by": by})
    table["match_flag"] = np.asarray(out["match_flag"])[rows]
    if by == "position":
        table["separation"] = u.Quantity(columns.without_unit(out["separation"]).data[rows], u.arcsec)
    return table


def _best_epochs(left, right, radius, rank, nearest):
    """For each star of the left table the row of the right one of lowest rank of those at the place of the nearest."""
    key = "left_row"
    pairs = crossmatch(QTable({**left, key: np.arange(len(left))}), right, radius, find="all")
    pairs = pairs[~np.ma.getmaskarray(columns.without_unit(pairs["match_row"]))]
    star, row = (np.asarray(columns.without_unit(pairs[name])) for name in (key, "match_row"))
    apart = columns.without_unit(pairs["separation"]).data
    closest = np.full(len(left), np.inf)
    np.minimum.at(closest, star, apart)
    same = apart <= closest[star] + _SAME.to_value("arcsec")
    star, row = star[same], row[same]
    order = np.lexsort((rank[row], star))
    known, first = np.unique(star[order], return_index=True)
    out = nearest.copy()
    out[known] = row[order][first]
    return np.where(nearest < 0, -1, out)


def _ways(catalog, reference):
    """How two tables can be matched, the best way first."""
    both = [name for name in (*IDENTIFIERS, "ra", "dec") if _has(catalog, name) and _has(reference, name)]
    ways = [name for name in both if name in IDENTIFIERS] + (["position"] if {"ra", "dec"} <= set(both) else [])
    if not ways:
        raise InputError(
            "reference: expected an identifier that the catalog has, too, or positions in both tables; looked for "
            f"{', '.join(IDENTIFIERS)}, ra and dec"
        )
    return ways


def _has(table, name):
    return columns.find(table, name) is not None


def _only(table, names):
    """The columns of these names, under the names that they have."""
    found = [columns.find(table, name) if name in columns.vocabulary() else name for name in names]
    keys = [key for key in found if key in table.colnames]
    return QTable({key: table[key] for key in keys}, copy=False) if keys else QTable(table, copy=False)


def _identity(table):
    """The columns that tell stars apart."""
    return _only(table, ("source_id", "ra", "dec"))


def _with_labels(table, rows, names):
    """Rows of a table, with labels under the names of the vocabulary."""
    part = QTable({key: table[key][rows] for key in table.colnames if table[key].ndim == 1}, copy=False)
    labels = with_labels(part, names)
    own = {
        columns.column_name(part, item) for name in names for item in columns.label_columns(name)[:2] if name in labels
    }
    part.remove_columns([key for key in part.colnames if key in own])
    for key, column in labels.items():
        part[key] = column
    part.meta.update(table.meta)
    return part
