"""From sampled spectra back to the coefficients that they were sampled from.

A sampled spectrum is a linear map of 110 coefficients (`design_matrix`), so that 343 samples would determine them, if
the map did not suppress some of their combinations a million times: structure finer than the resolution, and flux
outside of the samples' range. How well these combinations come out depends on how many digits the samples have. The
estimate is the mean of the Gaussian posterior of a linear model with a Gaussian prior, taken in the singular vectors
of the map, where it is one number for each.
"""

from functools import lru_cache

import numpy as np

from stellarlabels.exceptions import InputError
from stellarlabels.inputs.xp.covariance import CoefficientCovariance
from stellarlabels.inputs.xp.layout import BANDS, TOTAL, columns
from stellarlabels.inputs.xp.prior import OWN, prior
from stellarlabels.inputs.xp.samples import fill_gaps
from stellarlabels.inputs.xp.sampling import WAVELENGTH

#: Relative precision of the samples where there are too few of them to tell.
PRECISION = 1e-6

#: Key of a table's metadata for the relative precision of its samples, where it is known beforehand.
PRECISION_KEY = "relative_precision_of_samples"

#: Relative precision beyond which the design matrix itself is not known.
FINEST = 1e-9

#: Degrees of freedom that it takes to measure the precision.
DEGREES = 20

#: A band counts as missing where it has fewer samples of its own than this.
FEWEST = 20


def recover_coefficients(flux, flux_error=None, *, precision=None):
    """XP coefficients of sampled spectra, by regularised least squares.

    Parameters
    ----------
    flux : `~astropy.units.Quantity` or array_like, shape (N, 343)
        Samples at 336, 338 ... 1020 nm, in W m-2 nm-1 where there is no unit; NaN or masked where one is missing.
    flux_error : `~astropy.units.Quantity` or array_like, shape (N, 343), optional
        Their standard errors, from which the errors of the coefficients follow.
    precision : float, optional
        Relative precision with which the samples are an image of coefficients: 6e-8 for single precision. By default
        it is measured, for each star, from the part of the spectrum that no coefficients can produce.

    Returns
    -------
    coefficients : `~numpy.ndarray` of float64, shape (N, 110)
        55 of BP, then 55 of RP, in the archive's units. NaN for a band without samples of its own.
    covariance : CoefficientCovariance
        Of the same stars; its ``errors`` are standard errors (N, 110), ``matrices()`` the full matrices. NaN where the
        coefficients or the flux errors are.

    Raises
    ------
    InputError
        If the shapes are not those of spectra, or the precision is not positive.

    Notes
    -----
    The prior is the mean and covariance of the coefficients of real Gaia DR3 stars, for a spectrum of unit level. The
    covariance consists of Gaia's own measurement errors and of what the samples leave open. Errors of samples do not
    tell the covariance of coefficients, so that the measurement's is completed with mean correlations of real stars.
    For seven stars of which the true covariance is known, and each predicted from the others, the errors of synthetic
    J-PLUS magnitudes are right to 13 %, and those of coefficients to 15 % (root mean square).
    """
    flux = _spectra(flux, "flux")
    if precision is not None and not precision > 0:
        raise InputError(f"precision: expected a positive number, got {precision}")
    good = np.isfinite(flux)
    level = _level(flux, good)
    coefficients = np.full((len(flux), TOTAL), np.nan)
    weights = coefficients.copy()
    packed, kinds = np.unique(np.packbits(good, axis=1), axis=0, return_inverse=True)
    factors = np.zeros((len(packed), TOTAL, TOTAL))
    for kind, samples in enumerate(np.unpackbits(packed, axis=1, count=WAVELENGTH.size).astype(bool)):
        rows = np.flatnonzero((kinds.ravel() == kind) & np.isfinite(level))
        if rows.size:
            scaled = flux[np.ix_(rows, samples)] / level[rows, None]
            coefficients[rows], weights[rows], factors[kind] = _solve(scaled, samples, precision)
    flux_errors, errors = _measurement_errors(flux_error, flux.shape, level)
    for band in BANDS:
        missing = good[:, OWN[band]].sum(axis=1) < FEWEST
        coefficients[missing, columns(band)] = np.nan
        errors[missing, columns(band)] = np.nan
    coefficients *= level[:, None]
    weights *= level[:, None]
    return coefficients, CoefficientCovariance(flux_errors, errors, factors, kinds.ravel(), weights)


def _spectra(values, name):
    """Spectra as plain floats, NaN where masked."""
    if getattr(values, "unit", None) is not None:
        mask = np.ma.getmaskarray(values) if not hasattr(values, "mask") else values.mask
        values = np.ma.MaskedArray(np.asarray(getattr(values, "unmasked", values).to_value("W / (m2 nm)")), mask)
    values = np.ma.filled(np.ma.asarray(values).astype(np.float64), np.nan)
    if values.ndim != 2 or values.shape[1] != WAVELENGTH.size:
        raise InputError(f"{name}: expected an array of shape (N, {WAVELENGTH.size}), got {values.shape}")
    return values


def _level(flux, good):
    """Level of a spectrum, as in `Prior`; NaN without samples."""
    with np.errstate(invalid="ignore", divide="ignore"):
        level = np.sqrt((np.where(good, flux, 0) ** 2).sum(axis=1) / (good * prior().profile ** 2).sum(axis=1))
    return np.where(level > 0, level, np.nan)


@lru_cache(maxsize=8)
def _decomposed(samples):
    """Decomposition of the map from whitened coefficients to those whitened samples whose mask has these bytes."""
    mask = np.frombuffer(samples, dtype=bool)
    left, singular, right = np.linalg.svd(
        (prior().design @ prior().factor)[mask] / prior().profile[mask, None], full_matrices=False
    )
    return left, singular, prior().factor @ right.T


def _solve(scaled, samples, precision):
    """Coefficients and weights (n, 110) and factor (110, 110) of spectra (n, S) of unit level with the same samples."""
    left, singular, factor = _decomposed(samples.tobytes())
    excess = (scaled - (prior().design @ prior().mean)[samples]) / prior().profile[samples]
    seen = excess @ left
    if precision is None:
        precision = _precision(excess - seen @ left.T)
    noise = np.broadcast_to(np.asarray(precision, dtype=float) ** 2, len(scaled))[:, None]
    total = singular**2 + noise
    missing = factor.shape[1] - singular.size  # fewer samples than coefficients
    weights = np.pad(np.sqrt(noise / total), ((0, 0), (0, missing)), constant_values=1.0)
    return prior().mean + (seen * singular / total) @ factor[:, : singular.size].T, weights, factor


def _precision(rest):
    """Relative precision (n,) of samples, from what (n, S) no coefficients can produce."""
    degrees = rest.shape[1] - TOTAL
    if degrees < DEGREES:
        return PRECISION
    return np.maximum(np.sqrt((rest**2).sum(axis=1) / degrees), FINEST)


def _measurement_errors(flux_error, shape, level):
    """Errors of the samples without gaps, and those of the coefficients that go with them; NaN where there are none."""
    flux_errors, errors = np.full(shape, np.nan), np.full((shape[0], TOTAL), np.nan)
    if flux_error is None:
        return flux_errors, errors
    flux_error = _spectra(flux_error, "flux_error")
    if flux_error.shape != shape:
        raise InputError(f"flux_error: expected the shape of flux, {shape}, got {flux_error.shape}")
    positive = np.where(flux_error > 0, flux_error, np.nan)
    for band in BANDS:
        own = fill_gaps(positive[:, OWN[band]])
        flux_errors[:, OWN[band]] = own
        errors[:, columns(band)] = getattr(prior(), band).errors(own / level[:, None]) * level[:, None]
    return flux_errors, errors
