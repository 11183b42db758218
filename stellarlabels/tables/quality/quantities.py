"""The quantities that cuts are made on: columns of the vocabulary, and what can be worked out from them."""

import numpy as np

from stellarlabels import columns
from stellarlabels.tables.columns import integers

__all__ = ["DERIVED", "quantity"]


def quantity(table, name):
    """A quantity of each star.

    Parameters
    ----------
    table : `~astropy.table.Table`
    name : str
        Name in the vocabulary. If the table has no such column, it is worked out where `DERIVED` tells how.

    Returns
    -------
    `~numpy.ndarray` of float64, shape (N, ...)
        In the unit of the vocabulary, NaN where missing. 64-bit integers are rounded to 16 digits.
    """
    name = columns.column(name).name
    if columns.find(table, name) is None and name in DERIVED:
        return DERIVED[name](table)
    if columns.column(name).dtype == "int64":
        value, is_there = integers(table, name)
        return np.where(is_there, value, np.nan)
    return columns.values(table, name, required=False)


def _values(table, *names):
    return (quantity(table, name) for name in names)


def _color(table):
    """BP - RP."""
    bp, rp = _values(table, "phot_bp_mean_mag", "phot_rp_mean_mag")
    return bp - rp


def _dereddened_g(table):
    """G - A(G)."""
    g, extinction = _values(table, "phot_g_mean_mag", "ag")
    return g - extinction


def _parallax_over_error(table):
    """Parallax over its error, NaN for an error that is not positive."""
    parallax, error = _values(table, "parallax", "parallax_error")
    return np.divide(parallax, error, out=np.full(len(table), np.nan), where=error > 0)


def _latitude(table):
    """Galactic latitude of (ra, dec)."""
    from astropy import units as u
    from astropy.coordinates import SkyCoord

    ra, dec = _values(table, "ra", "dec")
    out = np.full(len(table), np.nan)
    valid = np.isfinite(ra) & (np.abs(dec) <= 90)
    out[valid] = SkyCoord(ra[valid] * u.deg, dec[valid] * u.deg).galactic.b.deg
    return out


def _height(table):
    """Geometric distance, or else the distance, times sin b, in kpc: the Sun is taken to be in the plane."""
    distance, latitude = _values(table, "r_med_geo" if columns.find(table, "r_med_geo") else "distance", "b")
    return distance / 1000 * np.sin(np.radians(latitude))


#: Quantities that are worked out if the table does not have them.
DERIVED = {
    "bp_rp": _color,
    "phot_g_mean_mag_0": _dereddened_g,
    "parallax_over_error": _parallax_over_error,
    "b": _latitude,
    "galactic_height": _height,
}
