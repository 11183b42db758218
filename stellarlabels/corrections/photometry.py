"""Gaia (E)DR3 photometry: the corrected BP/RP flux excess, and magnitudes from fluxes (Riello et al. 2021)."""

from dataclasses import replace

import numpy as np

from stellarlabels import columns, flags, packaged, releases
from stellarlabels.columns import StarTable
from stellarlabels.corrections.arguments import floats
from stellarlabels.exceptions import InputError

__all__ = ["correct_flux_excess", "magnitudes"]

PHOTOMETRY = flags.register(
    flags.FlagSet(
        "photometry",
        "photometry_flag: what is wrong with fluxes and with the flux excess",
        [
            ("MISSING_G", "The G magnitude or flux is missing or not positive.", "bad"),
            ("MISSING_BP", "The BP magnitude or flux is missing or not positive.", "bad"),
            ("MISSING_RP", "The RP magnitude or flux is missing or not positive.", "bad"),
            ("MISSING_EXCESS", "The flux excess is missing."),
            ("LARGE_EXCESS", "The corrected flux excess is more than five standard deviations from zero."),
            ("NOT_CORRECTED", "By request, no corrected flux excess was computed.", "note"),
        ],
    )
)

_MISSING = ("MISSING_G", "MISSING_BP", "MISSING_RP")


def expected_flux_excess(bp_rp):
    """Mean flux excess of well-behaved point sources for observed BP-RP in mag (Riello et al. 2021, Table 2)."""
    table = packaged.table("photometry", "flux_excess")
    color = floats(bp_rp, "bp_rp", "mag")
    piece = np.searchsorted(np.asarray(table["bp_rp_min"][1:]), color, side="right")
    c0, c1, c2, c3 = (np.asarray(table[name])[piece] for name in ("c0", "c1", "c2", "c3"))
    return ((c3 * color + c2) * color + c1) * color + c0


def flux_excess_scatter(g):
    """Standard deviation of the corrected flux excess for G in mag (Riello et al. 2021, Eq. 18); NaN below 0 mag."""
    meta = packaged.table("photometry", "flux_excess").meta
    g = floats(g, "g", "mag")
    g[~(g >= 0)] = np.nan
    return meta["sigma_constant"] + meta["sigma_factor"] * g ** meta["sigma_power"]


@columns.entrance("table")
def correct_flux_excess(table, *, correct=True, release=None):
    """The flux excess without its dependence on color, C*, and its scatter.

    Parameters
    ----------
    table : `~astropy.table.Table`
        Gaia EDR3 or DR3: ``phot_g_mean_mag``, ``phot_bp_mean_mag``, ``phot_rp_mean_mag``, ``phot_bp_rp_excess_factor``.
        The relation does not hold for the flux excess of other releases.
    correct : bool
        False masks the new columns and sets the flag NOT_CORRECTED, for releases of which no relation is known.
    release : str, optional
        The Gaia release of the table, where it does not tell it; see `stellarlabels.releases.of`. Where nothing does,
        it is taken to be Gaia DR3.

    Returns
    -------
    `~astropy.table.QTable`
        All columns of the input, and ``phot_bp_rp_excess_factor_corrected`` (C*, near 0 for isolated stars),
        ``phot_bp_rp_excess_factor_scatter`` (its standard deviation at the star's G) and ``photometry_flag`` (bits of
        the flag set "photometry"). Masked where an input is missing.

    Raises
    ------
    stellarlabels.exceptions.MissingColumnError
        If a column is missing.
    stellarlabels.exceptions.ReleaseError
        If no relation is known for the release of the stars.

    Notes
    -----
    Riello, M., De Angeli, F., Evans, D. W., et al. 2021, A&A, 649, A3, Eqs. 6 and 18.
    """
    if correct:
        remedy = "give correct=False to go on without, with the corrected flux excess masked"
        releases.fact_for(table, "flux_excess", release, unknown="Gaia DR3", remedy=remedy)
    excess = columns.values(table, "phot_bp_rp_excess_factor")
    g, bp, rp = (columns.values(table, f"phot_{band}_mean_mag") for band in ("g", "bp", "rp"))
    corrected, scatter = excess - expected_flux_excess(bp - rp), flux_excess_scatter(g)
    if not correct:
        corrected, scatter = np.full_like(excess, np.nan), np.full_like(excess, np.nan)
    with np.errstate(invalid="ignore"):
        large = np.abs(corrected) > 5 * scatter
    missing = {name: np.isnan(magnitude) for name, magnitude in zip(_MISSING, (g, bp, rp), strict=True)}
    missing["NOT_CORRECTED"] = np.full(len(table), not correct)
    corrected = {
        "phot_bp_rp_excess_factor_corrected": corrected,
        "phot_bp_rp_excess_factor_scatter": scatter,
        "photometry_flag": PHOTOMETRY.where(**missing, MISSING_EXCESS=np.isnan(excess), LARGE_EXCESS=large),
    }
    out = StarTable(table)
    for name, data in corrected.items():
        out[name] = columns.column(name).dress(data)
    return out


@columns.entrance("table")
def magnitudes(table, *, system="vega", zero_point_error=False, release=None):
    """Magnitudes and their errors from mean fluxes.

    Parameters
    ----------
    table : `~astropy.table.Table`
        With ``phot_g_mean_flux``, ``phot_bp_mean_flux``, ``phot_rp_mean_flux`` and, for errors,
        ``phot_g_mean_flux_error`` and so on, in electron / s.
    system : {"vega", "ab"}
        Magnitude system. The archive's magnitudes are Vega magnitudes.
    zero_point_error : bool
        Whether to add the zero-points' standard errors of about 0.003 mag, which all stars share, in quadrature.
    release : str, optional
        As for `correct_flux_excess`.

    Returns
    -------
    `~astropy.table.QTable`
        All columns of the input, and for each band ``phot_g_mean_mag`` and ``phot_g_mean_mag_error`` (and so on) in
        mag, which replace columns of these names; and ``photometry_flag`` (bits of the flag set "photometry").
        Magnitudes are masked where the flux is missing or not positive, errors also where the flux error is.

    Raises
    ------
    stellarlabels.exceptions.MissingColumnError
        If a flux is missing.
    stellarlabels.exceptions.InputError
        If the system is unknown.
    stellarlabels.exceptions.ReleaseError
        If no zero-points of the bands are known for the release of the stars.
    """
    if system not in ("vega", "ab"):
        raise InputError(f"system: expected 'vega' or 'ab', got {system!r}")
    remedy = "take the archive's own magnitudes"
    bands = releases.fact_for(table, "band_zero_points", release, unknown="Gaia DR3", remedy=remedy)
    out, missing = StarTable(table), {}
    for row, flag in zip(packaged.table("photometry", bands), _MISSING, strict=True):
        flux = columns.values(table, row["flux"])
        error = columns.values(table, f"{row['flux']}_error", required=False)
        missing[flag] = ~(flux > 0)
        flux[missing[flag]] = np.nan
        error[~(error > 0)] = np.nan
        magnitude_error = 2.5 / np.log(10) * error / flux
        if zero_point_error:
            magnitude_error = np.hypot(magnitude_error, row[f"{system}_error"])
        column = columns.column(row["magnitude"])
        key = columns.find(table, column.name) or column.name
        out[key] = column.dress(row[system] - 2.5 * np.log10(flux))
        error_column = replace(
            column, name=f"{key}_error", ucd=f"stat.error;{column.ucd}", description=f"Standard error of {key}"
        )
        out[error_column.name] = error_column.dress(magnitude_error)
    out["photometry_flag"] = columns.column("photometry_flag").dress(PHOTOMETRY.where(**missing))
    return out
