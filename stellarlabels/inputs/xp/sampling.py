"""The linear map between XP coefficients and sampled spectra."""

from stellarlabels.columns.wavelengths import DEFAULT, as_grid

__all__ = ["WAVELENGTH", "design_matrix", "sample"]

#: Sampling of externally calibrated XP spectra in nm: 343 samples (GaiaXPy's default).
WAVELENGTH = DEFAULT


def sample(table, wavelength=None, *, truncation=False, errors=True, single=False):
    """Sampled flux of a table of XP coefficients.

    Parameters
    ----------
    table : `~astropy.table.Table`
        With ``bp_coefficients``, ``bp_coefficient_errors``, ``bp_coefficient_correlations`` and the same for ``rp_``.
    wavelength : `~astropy.units.Quantity` or array_like, shape (M,), optional
        Wavelengths, in nm where there is no unit; 336 to 1020 nm in steps of 2 nm by default.
    truncation : bool
        Whether to use the relevant bases only.
    errors : bool
        Whether to compute errors, which take most of the time; without, ``flux_error`` is None.
    single : bool
        Whether to compute errors in single precision: faster, and right to a relative 2e-5 instead of 1e-12.

    Returns
    -------
    flux, flux_error : `~astropy.units.Quantity`, shape (N, M), W / (m2 nm)
        NaN where a band is missing.

    Notes
    -----
    Equal to GaiaXPy's ``calibrate``, whose own linear map of the coefficients it applies to all stars at once; see
    `stellarlabels.archive.readers.sample_coefficients`.
    """
    from stellarlabels.inputs.xp.reader import sample_coefficients

    options = {"truncation": truncation, "errors": errors, "single": single}
    return sample_coefficients(table, wavelength=wavelength, **options)


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
    from stellarlabels.inputs.xp.coefficient_sampling import design_matrix as design

    return design(as_grid(wavelength))
