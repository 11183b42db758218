"""Ready-made conditions for cuts: comparisons of quantities, bits of masks, words, and their combinations.

The answer is a pair of bool arrays, whether the condition is met and whether it could be judged. Combinations follow
three-valued logic: "and" is false as soon as one part is false, even if another part is unknown.
"""

import operator

import numpy as np

from stellarlabels import columns
from stellarlabels.columns.jplus import FILTERS as JPLUS_FILTERS
from stellarlabels.exceptions import InputError
from stellarlabels.tables.columns import integers, text
from stellarlabels.tables.quality import bitmasks

__all__ = ["COMPARISONS", "compare", "present", "without_bits"]


def quantity(table, name):
    """Values (N, ...) of a name of the vocabulary, NaN where missing; worked out as `DERIVED` tells if need be."""
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


def _difference(label):
    """By how much two networks differ in a label: twice their standard deviation."""
    return lambda table: 2 * columns.column_values(table, columns.error_term(label, "model"), required=False)


#: Quantities that are worked out if the table does not have them.
DERIVED = {
    "bp_rp": _color,
    "phot_g_mean_mag_0": _dereddened_g,
    "parallax_over_error": _parallax_over_error,
    "b": _latitude,
    "galactic_height": _height,
    **{f"{label}_difference": _difference(label) for label in ("teff", "logg", "feh")},
}


#: Comparisons of a quantity with a limit, by their signs.
COMPARISONS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
}


def compare(name, comparison, limit, of=None):
    """The condition ``name comparison limit``.

    Parameters
    ----------
    name : str
        A quantity; ``|name|`` for its absolute value, ``name[gSDSS]`` for one filter of J-PLUS. If it has several
        elements, all must meet the condition.
    comparison : {"<", "<=", ">", ">=", "="}
    limit : float or sequence of float
        A number, in the unit of the vocabulary, or with ``of`` the coefficients of a polynomial, constant first. NaN
        for a limit that is not known: then the condition cannot be judged.
    of : str, optional
        The quantity that the polynomial is of.

    Returns
    -------
    callable
        From a table to the two bool arrays.

    Raises
    ------
    InputError
        If an argument is not as described.
    """
    if comparison not in COMPARISONS:
        raise InputError(f"comparison: expected one of {', '.join(COMPARISONS)}, got {comparison!r}")
    coefficients = np.atleast_1d(np.asarray(limit, dtype=float))
    if coefficients.ndim != 1 or (of is None and len(coefficients) != 1):
        raise InputError(
            f"limit: expected one number, or the coefficients of a polynomial of a quantity, got {limit!r}"
        )
    read = _reader(name)
    read_other = None if of is None else _reader(of)

    def test(table):
        value = read(table)
        bound = np.full(len(table), coefficients[0])
        if read_other is not None:
            bound = np.polynomial.polynomial.polyval(read_other(table), coefficients)
        bound = bound.reshape(bound.shape + (1,) * (value.ndim - bound.ndim))
        defined = np.isfinite(bound) & ~np.isnan(value)
        return _all_elements(defined & COMPARISONS[comparison](value, bound), defined)

    return test


def present(name):
    """The condition that there is a finite value; always judged."""
    read = _reader(name)

    def test(table):
        value = read(table)
        return np.isfinite(value).all(axis=tuple(range(1, value.ndim))), np.ones(len(table), bool)

    return test


def without_bits(name, bits):
    """The condition that none of the named bits is set in the mask ``name`` (see `bitmasks`)."""
    mask = bitmasks.get(name)
    mask.mask(*bits)

    def test(table):
        value, defined = integers(table, name)
        return _all_elements(defined & ~mask.any(value, *bits), defined)

    return test


def is_word(name, word):
    """The condition that a text column holds this word, in any case of letters."""

    def test(table):
        key = columns.find(table, name)
        if key is None:
            return np.zeros(len(table), bool), np.zeros(len(table), bool)
        value, defined = text(table, key)
        return defined & (np.char.lower(value) == word.lower()), defined

    return test


def both(*answers):
    """Combine answers by "and"."""
    passed = np.logical_and.reduce([answer[0] for answer in answers])
    failed = np.logical_or.reduce([answer[1] & ~answer[0] for answer in answers])
    return passed, passed | failed


def negation(answer):
    """The opposite answer, unknown where it is unknown."""
    passed, defined = answer
    return defined & ~passed, defined


def _all_elements(passed, defined):
    """The answer for a star from those for its elements."""
    if passed.ndim == 1:
        return passed, defined
    axes = tuple(range(1, passed.ndim))
    every = passed.all(axis=axes)
    return every, every | (defined & ~passed).any(axis=axes)


def _reader(name):
    """Reads a quantity that may be written with bars or an index."""
    absolute = len(name) > 2 and name[0] == name[-1] == "|"
    column, _, index = name.strip("|").partition("[")
    columns.column(column)
    if index:
        element = _filter_number(index.rstrip("]"))

    def read(table):
        value = quantity(table, column)
        if index:
            if value.shape[1:] != (len(JPLUS_FILTERS),):
                raise InputError(
                    f"column {column!r}: expected {len(JPLUS_FILTERS)} elements for each star, got {value.shape[1:]}"
                )
            value = value[:, element]
        return np.abs(value) if absolute else value

    return read


def _filter_number(name):
    """Place of a filter among the 12."""
    if name not in JPLUS_FILTERS:
        raise InputError(f"filter: expected one of {', '.join(JPLUS_FILTERS)}, got {name!r}")
    return JPLUS_FILTERS.index(name)
