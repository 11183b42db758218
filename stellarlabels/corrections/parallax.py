"""The parallax zero-point of Gaia (E)DR3 (Lindegren et al. 2021), and parallaxes corrected for it."""

from functools import cache

import numpy as np
from astropy import units as u

from stellarlabels import flags, packaged, releases
from stellarlabels.columns import StarTable, column, entrance, find, values
from stellarlabels.exceptions import MissingColumnError

__all__ = ["correct_parallax", "zero_point"]

PARALLAX = flags.register(
    flags.FlagSet(
        "parallax",
        "parallax_flag: what limits the zero-point and the corrected parallax",
        [
            ("TWO_PARAMETER", "Only the position was solved; there is no parallax.", "bad"),
            ("UNKNOWN_SOLUTION", "astrometric_params_solved is missing or is none of 3, 31 and 95; no zero-point."),
            ("MISSING_INPUT", "Magnitude, color or ecliptic latitude is missing or impossible; no zero-point."),
            ("MAGNITUDE_RANGE", "G is not between 6 and 21 mag; the zero-point is that of the nearest limit."),
            ("COLOR_RANGE", "The color is outside the zero-point's range; the nearest limit was used."),
            ("MISSING_PARALLAX", "The parallax is missing.", "bad"),
            ("BAD_ERROR", "The error of the parallax is missing or not positive.", "bad"),
            ("NOT_CORRECTED", "By request, no zero-point was subtracted from the parallax."),
        ],
    )
)

_SOLVED_2P, _SOLVED_5P, _SOLVED_6P = 3, 31, 95
_TERMS = ("q00", "q01", "q02", "q10", "q11", "q12", "q20", "q30", "q40")
_BLOCK = 16384


@entrance("table")
def zero_point(table, *, release=None):
    """Zero-point of Gaia (E)DR3 parallaxes; subtract it from the parallax.

    Parameters
    ----------
    table : `~astropy.table.Table`
        With ``phot_g_mean_mag``, ``astrometric_params_solved``, ``nu_eff_used_in_astrometry`` (for 5-parameter
        solutions), ``pseudocolour`` (for 6-parameter solutions) and ``ecl_lat`` (or ``ra`` and ``dec``).
    release : str, optional
        The Gaia release of the table, where it does not tell it; see `stellarlabels.releases.of`. Where nothing does,
        it is taken to be Gaia DR3.

    Returns
    -------
    `~astropy.units.Quantity` of float64, shape (N,), mas
        Masked for 2-parameter solutions and where an input is missing. Magnitudes and colors outside the range of the
        calibration (6 < G < 21, 1.1 < nu_eff < 1.9 or 1.24 < pseudocolour < 1.72 per micron) count as its nearest
        limit; `correct_parallax` flags them.

    Raises
    ------
    stellarlabels.exceptions.MissingColumnError
        If a column is missing.
    stellarlabels.exceptions.ColumnUnitError
        If a column's unit does not convert.
    stellarlabels.exceptions.ReleaseError
        If no zero-point is known for the release of the stars.

    Notes
    -----
    Lindegren, L., Bastian, U., Biermann, M., et al. 2021, A&A, 649, A4, Eqs. A3 to A5, Tables 9 and 10.
    """
    values, _ = _zero_point(table, release, "leave the parallaxes as they are, or take a zero-point of your own")
    return column("parallax_zero_point").dress(values)


@entrance("table")
def correct_parallax(table, *, correct=True, release=None):
    """Parallaxes corrected for the zero-point.

    Parameters
    ----------
    table : `~astropy.table.Table`
        As for `zero_point`, and ``parallax`` and ``parallax_error``.
    correct : bool
        False leaves the parallaxes as they are, for releases of which no zero-point is known: it is 0, and the flag
        NOT_CORRECTED is set. Then only ``parallax`` and ``parallax_error`` are needed.
    release : str, optional
        As for `zero_point`.

    Returns
    -------
    `~astropy.table.QTable`
        All columns of the input, and ``parallax_zero_point`` (mas), ``parallax_corrected`` (mas; the parallax minus the
        zero-point, masked where either is missing), ``parallax_over_error_corrected`` (masked where the error is
        missing or not positive) and ``parallax_flag`` (bits of the flag set "parallax"). Negative parallaxes stay
        negative.

    Raises
    ------
    stellarlabels.exceptions.MissingColumnError
        If a column is missing.
    stellarlabels.exceptions.ColumnUnitError
        If a column's unit does not convert.
    stellarlabels.exceptions.ReleaseError
        If no zero-point is known for the release of the stars.
    """
    if correct:
        zero, flag = _zero_point(table, release, "give correct=False to take the parallaxes as they are")
    else:
        zero = np.zeros(len(table))
        flag = PARALLAX.where(NOT_CORRECTED=np.ones(len(table), bool))
    parallax, error = values(table, "parallax"), values(table, "parallax_error")
    bad_error = ~(np.isfinite(error) & (error > 0))
    corrected = parallax - zero
    with np.errstate(invalid="ignore", divide="ignore"):
        over_error = np.where(bad_error, np.nan, corrected / error)
    out = StarTable(table)
    columns = {
        "parallax_zero_point": zero,
        "parallax_corrected": corrected,
        "parallax_over_error_corrected": over_error,
        "parallax_flag": flag | PARALLAX.where(MISSING_PARALLAX=np.isnan(parallax), BAD_ERROR=bad_error),
    }
    for name, data in columns.items():
        out[name] = column(name).dress(data)
    return out


def _zero_point(table, release, remedy):
    """Zero-point in mas, NaN where undefined, and flags."""
    files = releases.fact_for(table, "parallax_zero_point", release, unknown="Gaia DR3", remedy=remedy)
    g = values(table, "phot_g_mean_mag")
    solved = values(table, "astrometric_params_solved")
    nu_eff, pseudocolor = _colors(table)
    sine = _sine_of_ecliptic_latitude(table)
    knots, limits, coefficients = _tables(*files)

    six = solved == _SOLVED_6P
    known = six | (solved == _SOLVED_5P)
    color = np.where(six, pseudocolor, nu_eff)
    low, high = (np.where(six, *limits[::-1, side]) for side in (0, 1))
    complete = known & np.isfinite(g) & np.isfinite(color) & np.isfinite(sine)
    with np.errstate(invalid="ignore"):
        flag = PARALLAX.where(
            TWO_PARAMETER=solved == _SOLVED_2P,
            UNKNOWN_SOLUTION=~known & (solved != _SOLVED_2P),
            MISSING_INPUT=known & ~complete,
            MAGNITUDE_RANGE=complete & ((g <= knots[0]) | (g >= knots[-1])),
            COLOR_RANGE=complete & ((color <= low) | (color >= high)),
        )
    color = np.clip(color, low, high)
    out = np.empty(len(g))
    for start in range(0, len(g), _BLOCK):
        rows = slice(start, start + _BLOCK)
        out[rows] = _evaluate(g[rows], color[rows], sine[rows], six[rows], knots, coefficients)
    out[~complete] = np.nan
    return out, flag


def _colors(table):
    """nu_eff and pseudocolour; a table may lack one of the two if it has the other."""
    names = ("nu_eff_used_in_astrometry", "pseudocolour")
    if all(find(table, name) is None for name in names):
        raise MissingColumnError(f"columns {names[0]!r} and {names[1]!r} are missing; at least one is needed")
    return tuple(values(table, name, required=False) for name in names)


def _sine_of_ecliptic_latitude(table):
    """Sine of the ecliptic latitude, NaN where it is missing or beyond the poles."""
    if find(table, "ecl_lat") is None and find(table, "ra") is not None:
        tilt = u.Quantity(packaged.table("parallax", "ecliptic")["value"][0], "arcsec").to_value("rad")
        ra, dec = (np.radians(values(table, name)) for name in ("ra", "dec"))
        dec[~((np.abs(dec) <= np.pi / 2) & np.isfinite(ra))] = np.nan
        ra[np.isnan(dec)] = np.nan
        return np.sin(dec) * np.cos(tilt) - np.cos(dec) * np.sin(ra) * np.sin(tilt)
    latitude = values(table, "ecl_lat")
    latitude[np.abs(latitude) > 90] = np.nan
    return np.sin(np.radians(latitude))


@cache
def _tables(*files):
    """Knots in G; color limits of 5p and 6p, shape (2, 2); coefficients in mas, shape (9, 2 * knots), 5p before 6p."""
    five, six = (packaged.table("parallax", name) for name in files)
    knots = np.asarray(five["phot_g_mean_mag"], dtype=float)
    limits = np.array([[table.meta["color_min"], table.meta["color_max"]] for table in (five, six)])
    coefficients = np.zeros((len(_TERMS), 2, knots.size))
    for kind, table in enumerate((five, six)):
        for term in set(_TERMS) & set(table.colnames):
            coefficients[_TERMS.index(term), kind] = table[term].quantity.to_value("mas")
    return knots, limits, coefficients.reshape(len(_TERMS), -1)


def _evaluate(g, color, sine, six, knots, coefficients):
    """The sum over q_jk(G) c_j b_k, in mas. Colors are inside their limits; NaN in the input gives any number."""
    g = np.clip(np.nan_to_num(g), knots[0], knots[-1])
    left = np.searchsorted(knots[1:-1], g, side="right")
    share = (g - knots[left]) / np.diff(knots)[left]
    left += np.where(six, knots.size, 0)
    lower = coefficients.take(left, axis=1)
    q00, q01, q02, q10, q11, q12, q20, q30, q40 = lower + share * (coefficients.take(left + 1, axis=1) - lower)
    square = sine * sine - 1 / 3
    c1 = np.clip(color - 1.48, -0.24, 0.24)
    c2 = np.clip(1.48 - color, 0, 0.24) ** 3
    c3 = np.minimum(color - 1.24, 0)
    c4 = np.maximum(color - 1.72, 0)
    return q00 + q01 * sine + q02 * square + c1 * (q10 + q11 * sine + q12 * square) + c2 * q20 + c3 * q30 + c4 * q40
