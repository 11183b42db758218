"""The columns of the Kiel diagram and of the color-magnitude diagram, as isochrones have them."""

import numpy as np
from astropy.table import QTable

from stellarlabels import columns
from stellarlabels.tables.quality.quantities import quantity
from stellarlabels.validation.giants import classes

__all__ = ["color_magnitude", "kiel"]


def kiel(table, *, color="feh", rule="logg", limit=3.5):
    """Teff and log g of the stars that have both.

    Parameters
    ----------
    table : `~astropy.table.Table`
    color : str
        Label for the color of the points, if the table has it.
    rule, limit
        As for `stellarlabels.validation.classes`.

    Returns
    -------
    `~astropy.table.QTable`
        ``row`` (int64) of the table, ``teff`` (K), ``logg`` (dex), ``color`` in the unit of the label, NaN where it is
        missing, and ``group``: ``"dwarfs"``, ``"giants"`` or empty. ``meta``: ``color``, its name, and ``note``, a
        sentence if there is no star.
    """
    return _diagram(table, {"teff": _values(table, "teff"), "logg": _values(table, "logg")}, color, rule, limit)


def color_magnitude(table, *, color="feh", rule="logg", limit=3.5):
    """Color and absolute magnitude in the bands of Gaia of the stars that have both.

    Parameters
    ----------
    table : `~astropy.table.Table`
        ``bp_rp_0``, or else the observed BP - RP; and ``m_g``, or else G, the extinction ``ag`` (if there) and
        ``distance`` or ``r_med_geo``.
    color, rule, limit
        As for `kiel`.

    Returns
    -------
    `~astropy.table.QTable`
        As of `kiel`, with ``bp_rp_0`` and ``m_g`` (mag). ``meta["reddened"]`` says whether BP - RP is as observed, and
        ``meta["dimmed"]`` whether the extinction is not taken off.
    """
    reddened, dimmed = columns.find(table, "bp_rp_0") is None, False
    shade = quantity(table, "bp_rp") if reddened else _values(table, "bp_rp_0")
    if columns.find(table, "m_g") is not None:
        magnitude = _values(table, "m_g")
    else:
        extinction = _values(table, "ag")
        dimmed = not np.isfinite(extinction).any()
        distance = _values(table, "distance" if columns.find(table, "distance") else "r_med_geo")
        with np.errstate(invalid="ignore", divide="ignore"):
            modulus = 5 * np.log10(np.where(distance > 0, distance, np.nan) / 10)
        magnitude = _values(table, "phot_g_mean_mag") - modulus - (0 if dimmed else extinction)
    out = _diagram(table, {"bp_rp_0": shade, "m_g": magnitude}, color, rule, limit)
    out.meta.update(reddened=reddened, dimmed=dimmed)
    return out


def _values(table, name):
    return columns.values(table, name, required=False)


def _diagram(table, axes, color, rule, limit):
    """The stars for which both axes are known."""
    rows = np.flatnonzero(np.logical_and.reduce([np.isfinite(values) for values in axes.values()]))
    out = QTable({"row": rows.astype(np.int64)})
    for name, values in axes.items():
        out[name] = columns.column(name).dress(values[rows])
    out["color"] = _values(table, color)[rows]
    group = np.full(len(table), "", dtype="U6")
    for name, mask in classes(table, rule=rule, limit=limit).items():
        group[mask] = name
    out["group"] = group[rows]
    missing = [name for name in axes if not np.isfinite(axes[name]).any()]
    out.meta.update(color=color, note=f"no star has {' and '.join(missing or axes)}" if not len(rows) else "")
    return out
