"""Photometric noise as a survey has it, for photometry that has none or little: what would faint stars look like?"""

import numpy as np
from astropy.table import QTable

from stellarlabels import columns, packaged


def photometric_error(magnitude, limit, *, signal_to_noise=5.0, gamma=0.039, floor=0.0):
    """Standard error of magnitudes in a survey of a given depth.

    Parameters
    ----------
    magnitude : array_like
        In mag.
    limit : array_like
        Magnitude at which the signal-to-noise ratio is ``signal_to_noise``; it broadcasts with ``magnitude``.
    signal_to_noise : float
    gamma : float
        Share of the photons of the sky and of the read-out noise in the error at the limit; 0.04 is nothing but sky.
    floor : float
        Systematic error in mag that is added in quadrature.

    Returns
    -------
    `~numpy.ndarray` of float64
        In mag; NaN where the magnitude is missing.

    Notes
    -----
    Ivezic et al. (2019, ApJ 873, 111), Eqs. 4 and 5, with the depth of 5 sigma that belongs to ``limit``.
    """
    five_sigma = np.asarray(limit, dtype=float) - 2.5 * np.log10(5.0 / signal_to_noise)
    x = 10 ** (0.4 * (np.asarray(magnitude, dtype=float) - five_sigma))
    return np.sqrt((0.04 - gamma) * x + gamma * x**2 + floor**2)


def jplus_error(magnitudes):
    """Standard errors of J-PLUS magnitudes.

    Parameters
    ----------
    magnitudes : array_like, shape (N, 12)
        In mag (AB), in order of wavelength.

    Returns
    -------
    `~numpy.ndarray` of float64, shape (N, 12)
    """
    depth = packaged.table("photometry", "jplus_depth")
    settings = {name: depth.meta[name] for name in ("signal_to_noise", "gamma", "floor")}
    return photometric_error(magnitudes, np.asarray(depth["limit"]), **settings)


def _gaia_error(g, band):
    """Standard errors of BP or RP of stars of magnitude G."""
    table = packaged.table("photometry", "gaia_dr3_errors")
    return np.exp(np.interp(g, table["g"], np.log(table[band])))


def add_noise(table, *, g=None, seed=0):
    """J-PLUS and Gaia magnitudes with the noise that the surveys have.

    Parameters
    ----------
    table : `~astropy.table.Table`
        With ``mag_aper_6_0`` (12 magnitudes in order of wavelength), ``phot_g_mean_mag``, ``phot_bp_mean_mag`` and
        ``phot_rp_mean_mag``, and, where there are, ``mag_err_aper_6_0`` and errors of BP and RP.
    g : float, optional
        G magnitude at which all stars are to be seen. The noise is that of stars so faint; the magnitudes themselves
        are not shifted, so that nothing but the precision changes. By default each star's own.
    seed : int
        Of the random numbers. With the same seed, noise at another ``g`` is the same noise on another scale.

    Returns
    -------
    `~astropy.table.QTable`
        All columns of the input, with noise in the J-PLUS magnitudes, BP and RP, and errors that contain it:
        ``mag_err_aper_6_0``, ``phot_bp_mean_mag_error``, ``phot_rp_mean_mag_error`` in mag.

    Raises
    ------
    stellarlabels.exceptions.MissingColumnError
        If a magnitude is missing.
    """
    rng = np.random.default_rng(seed)
    magnitudes = columns.values(table, "mag_aper_6_0")
    own = columns.values(table, "phot_g_mean_mag")
    seen = own if g is None else np.full(len(table), float(g))
    out = QTable(table)
    noise = jplus_error(magnitudes + (seen - own)[:, None])
    _add(out, "mag_aper_6_0", "mag_err_aper_6_0", noise, rng)
    for band in ("phot_bp_mean_mag", "phot_rp_mean_mag"):
        _add(out, band, f"{band}_error", _gaia_error(seen, band), rng)
    return out


def _add(table, name, error_name, noise, rng):
    """Noise in one column, and in its errors in quadrature."""
    column, key = columns.column(name), columns.find(table, name)
    values = columns.values(table, name)
    error_column = columns.column(error_name)
    error = np.nan_to_num(columns.values(table, error_name, required=False))
    table[key] = column.dress(values + noise * rng.standard_normal(values.shape))
    table[columns.find(table, error_name) or error_name] = error_column.dress(np.hypot(error, noise))
