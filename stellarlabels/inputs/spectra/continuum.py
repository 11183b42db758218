"""Pseudo-continua for many spectra at once: an iterative polynomial, and running means with errors."""

import numpy as np

from stellarlabels.inputs.spectra.resampling import fill_gaps, interpolate

#: Pixels of the three running means.
WIDTH = 51

#: Relative error of pixels without information, and the smallest error of the others.
UNKNOWN, LEAST = 5.0, 2e-3

#: Smallest number of pixels that a fit keeps, as a share of those that it starts with.
LEAST_SHARE = 0.05


def clipped_continuum(flux, good=None, *, order=4, low=1.0, high=4.0, iterations=5):
    """Polynomial pseudo-continuum with asymmetric iterative rejection.

    A polynomial is fitted to the good pixels of each spectrum; pixels more than ``low`` standard deviations below or
    ``high`` above it are rejected, and so on. A rejected pixel stays rejected. This is the continuum of the SPCANet
    paper (its Section 2.1: order 4, 1 sigma below, 4 sigma above, after Lee et al. 2008, AJ 136, 2022).

    Parameters
    ----------
    flux : array_like, shape (N, M)
        Spectra on a common grid of equal steps.
    good : array_like of bool, shape (N, M), optional
        Pixels that count; by default all that are finite.
    order : int
        Degree of the polynomial.
    low, high : float
        Limits of the rejection in standard deviations of the pixels that are left.
    iterations : int
        Largest number of rejections, which the paper does not give. A fit that would keep fewer than 5 % of its pixels
        stops earlier.

    Returns
    -------
    `~numpy.ndarray` of float64, shape (N, M)
        NaN for spectra with fewer good pixels than coefficients.
    """
    flux = np.asarray(flux, dtype=np.float64)
    good = np.isfinite(flux) if good is None else np.asarray(good, bool) & np.isfinite(flux)
    count, size = flux.shape
    values = np.where(good, flux, 0.0)
    start = good.sum(axis=1)
    enough = start > order
    level = np.abs(values).sum(axis=1) / np.maximum(start, 1)
    values /= np.where(level > 0, level, 1.0)[:, None]
    basis = np.polynomial.legendre.legvander(np.linspace(-1, 1, size), order)
    products = (basis[:, :, None] * basis[:, None, :]).reshape(size, -1)
    least = np.maximum(LEAST_SHARE * start, 2 * (order + 1))
    ridge = 1e-9 * np.eye(order + 1)
    kept = good
    for step in range(iterations + 1):
        weight = kept.astype(np.float64)
        moments = (weight @ products).reshape(count, order + 1, order + 1) + ridge
        right = (weight * values) @ basis
        model = np.linalg.solve(moments, right[:, :, None])[:, :, 0] @ basis.T
        if step == iterations:
            break
        residual = values - model
        number = np.maximum(weight.sum(axis=1), 1)
        sigma = np.sqrt((weight * residual**2).sum(axis=1) / number)[:, None]
        fewer = kept & (residual >= -low * sigma) & (residual <= high * sigma)
        fewer = np.where((fewer.sum(axis=1) >= least)[:, None], fewer, kept)
        if np.array_equal(fewer, kept):
            break
        kept = fewer
    return np.where(enough[:, None], model * level[:, None], np.nan)


def running_continuum(wavelength, flux, ivar, good, z, *, grid, width=WIDTH):
    """Flux (N, M) over a continuum of three running means weighted with ivar: ratio and error (N, P) at rest."""
    # 1 and UNKNOWN where nothing is known. Also whether pixels beyond 0 to 2 were cut off (N,), and which pixels of the
    # result are known (N, P). "wavelength" (M,) or (N, M) is as observed, "z" (N, 1), "width" the pixels of each mean.
    from scipy.ndimage import uniform_filter1d

    typical = np.maximum(np.median(ivar, axis=1, keepdims=True), 1e-30)
    weight = np.minimum(ivar / typical, 4.0)
    upper, lower = weight * flux, weight
    for _ in range(3):
        upper, lower = (uniform_filter1d(array, width, axis=1, mode="nearest") for array in (upper, lower))
    with np.errstate(divide="ignore", invalid="ignore"):
        continuum = upper / lower
        level = np.median(np.where(good, flux, 0.0), axis=1, keepdims=True)
        known = good & (lower > 1e-3) & (continuum > 0.02 * np.abs(level)) & (continuum > 0)
        continuum = np.where(known, continuum, 1.0)
        ratio = fill_gaps(wavelength, flux / continuum, known)
        relative = np.where(known, 1 / np.sqrt(np.where(known, ivar, 1.0)) / continuum, UNKNOWN)
    error = interpolate(wavelength, relative, grid, z)
    ratio = interpolate(wavelength, ratio, grid, z)
    there = np.isfinite(ratio) & np.isfinite(error)
    beyond = there & ((ratio < 0.0) | (ratio > 2.0))
    error = np.where(there & ~beyond, np.clip(error, LEAST, UNKNOWN), UNKNOWN)
    return np.where(there, np.clip(ratio, 0.0, 2.0), 1.0), error, beyond.any(axis=1), error < UNKNOWN
