"""Abundance planes: [X/Fe] against [Fe/H], for dwarfs and for giants."""

import numpy as np

from stellarlabels import columns
from stellarlabels.analysis.maps import cells
from stellarlabels.validation.abundances import label
from stellarlabels.validation.bins import Along
from stellarlabels.validation.giants import classes

__all__ = ["abundance_names", "abundance_plane", "abundance_planes"]


def abundance_names(table):
    """Abundances relative to iron (or all metals) that a table has, or that can be worked out from others.

    Parameters
    ----------
    table : `~astropy.table.Table`

    Returns
    -------
    list of str
        Such as ``mg_fe``, in the order of the vocabulary.
    """
    names = [name for name in columns.vocabulary().notes["labels"] if name.endswith(("_fe", "_m"))]
    first = table[:1]  # what can be worked out depends on the columns alone
    return [name for name in names if label(first, name, required=False)[2]]


def abundance_plane(table, name, *, bins=80, range=None, rows=None):
    """Number of stars in the cells of the plane of an abundance and [Fe/H].

    Parameters
    ----------
    table : `~astropy.table.Table`
        N stars.
    name : str
        Abundance such as ``mg_fe``; worked out from ``mg_h`` and ``feh`` if need be.
    bins, range, rows
        As for `stellarlabels.analysis.maps.binned_map`.

    Returns
    -------
    `~astropy.table.QTable`
        As of `stellarlabels.analysis.maps.binned_map`, with x = [Fe/H] and y = [X/Fe], and ``density``: number of
        stars over the largest one in a cell. ``meta["note"]`` is a sentence if the table does not have the labels.
    """
    planes, missing = [], []
    for key in ("feh", name):
        value, _, source = label(table, key, required=False)
        planes.append(Along(key, value, columns.column(key).unit))
        if not source:
            missing.append(f"the table has no {key}")
    out = cells(*planes, bins=bins, range=range, rows=rows)
    out["density"] = out["stars"] / max(out["stars"].max(), 1)
    out.meta["note"] = "; ".join(missing) or out.meta["note"]
    return out


def abundance_planes(table, names=None, *, rule="logg", limit=3.5, bins=80, range=None):
    """Abundance planes of dwarfs and of giants, as in Figures 10 and 11 of Wang et al. (2020).

    Parameters
    ----------
    table : `~astropy.table.Table`
    names : sequence of str, optional
        Abundances; by default `abundance_names`.
    rule, limit
        As for `stellarlabels.validation.classes`.
    bins, range
        As for `stellarlabels.analysis.maps.binned_map`.

    Returns
    -------
    dict of (str, str) to `~astropy.table.QTable`
        Output of `abundance_plane` by abundance and class, ``"dwarfs"`` or ``"giants"``. Without a range both classes
        of an abundance have that of all stars.
    """
    groups = classes(table, rule=rule, limit=limit)
    out = {}
    for name in abundance_names(table) if names is None else names:
        both = range or _range(table, name, np.logical_or(*groups.values()))
        for group, rows in groups.items():
            out[name, group] = abundance_plane(table, name, bins=bins, range=both, rows=rows)
    return out


def _range(table, name, rows):
    """Range of the plane of the stars of both classes; None without stars."""
    plane = abundance_plane(table, name, bins=1, rows=rows)
    if not plane.meta["stars"]:
        return None
    return [(plane[f"{axis}_low"][0].value, plane[f"{axis}_high"][0].value) for axis in "xy"]
