"""The linear map between XP coefficients and sampled spectra."""

import numpy as np

from stellarlabels.archive.grid import DEFAULT

__all__ = ["WAVELENGTH", "design_matrix", "sample"]

#: Sampling of externally calibrated XP spectra in nm: 343 samples (GaiaXPy's default).
WAVELENGTH = DEFAULT


def sample(table, wavelength=None, *, truncation=False):
    """Sampled flux of a table of XP coefficients.

    Parameters
    ----------
    table : `~astropy.table.Table`
        With ``bp_coefficients``, ``bp_coefficient_errors``, ``bp_coefficient_correlations`` and the same for ``rp_``.
    wavelength : `~astropy.units.Quantity` or array_like, shape (M,), optional
        Wavelengths, in nm where there is no unit; 336 to 1020 nm in steps of 2 nm by default.
    truncation : bool
        Whether to use the relevant bases only.

    Returns
    -------
    flux, flux_error : `~astropy.units.Quantity`, shape (N, M), W / (m2 nm)
        NaN where a band is missing.
    """
    from stellarlabels.archive.readers import sample_coefficients

    return sample_coefficients(table, wavelength=wavelength, truncation=truncation)


def design_matrix(wavelength=None):
    """Sampled flux of each basis function: the linear map from coefficients to samples.

    Parameters
    ----------
    wavelength : `~astropy.units.Quantity` or array_like, shape (M,), optional
        As in `sample`.

    Returns
    -------
    `~numpy.ndarray` of float64, shape (M, 110)
        Flux for a unit coefficient: 55 columns of BP, then 55 of RP.
    """
    from astropy.table import Table

    size = 55
    unit, zero = np.eye(size), np.zeros((size, size))
    table = Table(
        {
            "source_id": np.arange(2 * size),
            "bp_coefficients": np.vstack([unit, zero]),
            "rp_coefficients": np.vstack([zero, unit]),
        }
    )
    for band in ("bp", "rp"):
        table[f"{band}_coefficient_errors"] = np.ones((2 * size, size))
        table[f"{band}_coefficient_correlations"] = np.zeros((2 * size, size * (size - 1) // 2))
        table[f"{band}_standard_deviation"] = np.ones(2 * size)
    return sample(table, wavelength)[0].value.T
