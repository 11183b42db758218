"""LAMOST low-resolution spectra as SolarDis gets them: at rest, on one grid, divided by a pseudo-continuum.

Three ways are offered, see `normalised`: what the authors' published code does, what the paper says, and a local
continuum that uses the inverse variances.
"""

from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from astropy import units as u

from stellarlabels import flags, threads
from stellarlabels.exceptions import InputError
from stellarlabels.features.base import Features, FeatureSet, register
from stellarlabels.features.spectra import fill_gaps, interpolate, only_pixels, pixels, redshift

__all__ = ["LINEAR_GRID", "LOG_GRID", "LRSSpectrum", "VARIANTS", "Normalised", "normalised"]

#: The 4,875 wavelengths (Angstrom, vacuum, at rest) of the paper's network: 3925 to 8799 in steps of 1.
LINEAR_GRID = np.arange(3925.0, 8800.0)

#: Wavelengths of the local continuum: the steps of LAMOST, 1e-4 in the logarithm, from 3850 to 8800 Angstrom.
LOG_GRID = 10 ** (np.log10(3850.0) + 1e-4 * np.arange(3590))

#: Numbers of the published code: window and degree of the Savitzky-Golay filter, wavelength between the two
#: polynomials, their degree, limit of strong lines in standard deviations, fits of each polynomial, and limits of
#: the result.
WINDOW, SMOOTH_DEGREE, SPLIT, DEGREE, STRONG, PASSES, LIMITS = 15, 7, 6000.0, 5, 3.0, 10, (0.1, 1.2)

#: Singular values that count, relative to the largest and for each pixel: the code fits in single precision.
SINGLE = float(np.finfo(np.float32).eps)

#: Spectra that are worked on at once: so many fit into the cache of a processor.
BLOCK = 64

#: Width (pixels) of the three running means that make the local continuum.
WIDTH = 51

#: Relative error of pixels without information, and the smallest error of the others.
UNKNOWN, LEAST = 5.0, 2e-3

VARIANTS = ("code", "paper", "local")


@dataclass
class Normalised:
    """Spectra divided by their pseudo-continuum.

    Parameters
    ----------
    flux : `~numpy.ndarray` of float32, shape (N, P)
        NaN where the spectrum does not reach or could not be normalised; with ``local`` 1 there.
    error : `~numpy.ndarray` of float32, shape (N, P) or None
        With ``local`` only: standard errors, 5 where nothing is known.
    replaced : `~numpy.ndarray` of bool, shape (N,)
        Whether any pixel was beyond the limits and was replaced: the catalog's flag of bad pixels.
    snr : `~numpy.ndarray`, shape (N,)
        Median ratio of flux and error over the good ones of every fifth pixel.
    blue, red : `~numpy.ndarray` of bool, shape (N,)
        Whether at least half of the pixels on that side of 5900 Angstrom are good.
    """

    flux: np.ndarray
    error: np.ndarray | None
    replaced: np.ndarray
    snr: np.ndarray
    blue: np.ndarray
    red: np.ndarray


def normalised(table, *, variant="code", width=WIDTH):
    """Spectra of a table at rest, on a common grid, divided by their pseudo-continuum.

    Parameters
    ----------
    table : `~astropy.table.Table`
        N low-resolution spectra with ``wavelength``, ``flux``, ``ivar``, ``andmask``, ``ormask`` and ``z`` or
        ``radial_velocity``, as from `stellarlabels.archive.readers.read_lamost`.
    variant : {"code", "paper", "local"}
        "code": what the authors' published code does. Pixels with any mask bit are deleted (not those without an
        inverse variance); what is left is smoothed by a Savitzky-Golay filter (15 pixels, degree 7); below and above
        6000 Angstrom a polynomial of degree 5 is fitted, first to find strong lines (3 sigma, widened on both sides
        by their own width), then ten times without them, each time without pixels that lie one standard deviation or
        more below; the quotient is interpolated linearly to 1 Angstrom, and pixels above 1.2 or below 0.1 become 1.
        The code's fits run in single precision, in which the polynomial has only about four effective coefficients:
        singular values below n times 1.2e-7 of the largest are left out, here as well.
        "paper": what Section 2.2 of the paper says. The spectrum at rest is interpolated to 1 Angstrom, smoothed,
        divided by one polynomial, and pixels above 1.2 or below 0.1 become 0. What the paper does not say (filter,
        degree, rejection) is as in the code; the fit is in double precision and masks are not used.
        "local": three running means, weighted with the inverse variances, are the continuum; with errors.
    width : int
        Pixels of each of the running means of the variant "local".

    Returns
    -------
    Normalised
        On `LINEAR_GRID`, with "local" on `LOG_GRID`.

    Raises
    ------
    stellarlabels.exceptions.MissingColumnError
        If the table has no spectra.
    InputError
        If there is no such variant.
    """
    if variant not in VARIANTS:
        raise InputError(f"variant: expected one of {VARIANTS}, got {variant!r}")
    grid = LOG_GRID if variant == "local" else LINEAR_GRID
    count = len(table)
    flux = np.full((count, grid.size), np.nan, np.float32)
    error = np.full((count, grid.size), UNKNOWN, np.float32) if variant == "local" else None
    out = Normalised(flux, error, *(np.zeros(count, kind) for kind in (bool, float, bool, bool)))
    masks = () if variant == "paper" else ("andmask", "ormask")
    spectra = only_pixels(table)
    z = redshift(table)
    z = np.where(np.isfinite(z) & (z > -0.9), z, 0.0)[:, None]
    work = {"code": _as_code, "paper": _as_paper, "local": partial(_locally, width=width)}[variant]

    def one(part):
        data = pixels(spectra[part], masks=masks, weighted=variant == "local")
        block = (data.wavelength, data.flux, data.ivar, data.good, z[part])
        out.flux[part], own_error, out.replaced[part] = work(*block)
        if error is not None:
            out.error[part] = own_error
        out.snr[part] = _median_snr(*block[1:4])
        for side, target in ((data.wavelength < 5900.0, out.blue), (data.wavelength >= 5900.0, out.red)):
            target[part] = (data.good & side).sum(axis=1) > 0.5 * np.sum(side, axis=-1)

    pixels(spectra[:0], masks=masks)  # what is missing is said also where there are no stars
    threads.in_threads(one, _pieces(count, threads.count()))
    return out


def _pieces(count, workers):
    """Slices of at most `BLOCK` rows, as many for each worker."""
    number = -(-count // (BLOCK * workers)) * workers
    edges = np.linspace(0, count, number + 1).astype(int)
    return list(map(slice, edges[:-1], edges[1:]))


def _as_code(wavelength, flux, ivar, good, z):
    """The published code's steps for a block of spectra."""
    smooth = _smoothed(flux, good)
    ratio = np.full(flux.shape, np.nan)
    at_rest = wavelength / (1 + z)
    for arm in (good & (at_rest < SPLIT), good & (at_rest >= SPLIT)):
        columns = _span(arm)
        waves = wavelength[..., columns]
        continuum = _continuum(waves, smooth[:, columns], arm[:, columns], SINGLE)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio[:, columns] = np.where(arm[:, columns], smooth[:, columns] / continuum, ratio[:, columns])
    failed = (good & ~np.isfinite(ratio)).any(axis=1)
    result = interpolate(wavelength, fill_gaps(wavelength, ratio, good), LINEAR_GRID, z)
    result[failed] = np.nan
    return _limited(result, 1.0)


def _as_paper(wavelength, flux, ivar, good, z):
    """The paper's steps for a block of spectra."""
    at_rest = interpolate(wavelength, fill_gaps(wavelength, flux, good), LINEAR_GRID, z)
    usable = np.isfinite(at_rest).all(axis=1, keepdims=True)
    all_good = np.broadcast_to(usable, at_rest.shape)
    smooth = _smoothed(np.where(usable, at_rest, 0.0), all_good)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = smooth / _continuum(LINEAR_GRID, smooth, all_good, None)
    return _limited(np.where(usable, ratio, np.nan), 0.0)


def _limited(ratio, value):
    """Pixels beyond the limits replaced, no errors, and whether there were any; NaN throughout for spectra with one."""
    low, high = ratio.min(axis=1), ratio.max(axis=1)
    ratio[~np.isfinite(low + high)] = np.nan
    with np.errstate(invalid="ignore"):
        beyond = (high > LIMITS[1]) | (low < LIMITS[0])
        ratio[beyond] = np.where((ratio[beyond] > LIMITS[1]) | (ratio[beyond] < LIMITS[0]), value, ratio[beyond])
    return ratio, None, beyond


def _locally(wavelength, flux, ivar, good, z, *, width):
    """The local continuum of a block of spectra."""
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
    error = interpolate(wavelength, relative, LOG_GRID, z)
    ratio = interpolate(wavelength, ratio, LOG_GRID, z)
    there = np.isfinite(ratio) & np.isfinite(error)
    beyond = there & ((ratio < 0.0) | (ratio > 2.0))
    error = np.where(there & ~beyond, np.clip(error, LEAST, UNKNOWN), UNKNOWN)
    return np.where(there, np.clip(ratio, 0.0, 2.0), 1.0), error, beyond.any(axis=1)


def _smoothed(flux, good):
    """Savitzky-Golay filter over the good pixels of each spectrum, as if the others were not there."""
    from scipy.ndimage import correlate1d

    half = WINDOW // 2
    lengths = good.sum(axis=1)
    flat = flux[good]
    out = np.zeros_like(flux)
    if flat.size < WINDOW:
        return out
    middle, edge = _filter()
    smooth = correlate1d(flat, middle, mode="nearest")
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])[lengths >= WINDOW]
    ends = np.cumsum(lengths)[lengths >= WINDOW]
    window, first = np.arange(WINDOW), np.arange(half)
    smooth[starts[:, None] + first] = flat[starts[:, None] + window] @ edge.T
    smooth[ends[:, None] - 1 - first] = flat[ends[:, None] - 1 - window] @ edge.T
    out[good] = smooth
    return out


@cache
def _filter():
    """Coefficients of the filter inside a spectrum (W,) and for each of its first pixels (W // 2, W)."""
    from scipy.signal import savgol_coeffs

    edge = [savgol_coeffs(WINDOW, SMOOTH_DEGREE, pos=place, use="dot") for place in range(WINDOW // 2)]
    return savgol_coeffs(WINDOW, SMOOTH_DEGREE, use="dot"), np.array(edge)


def _continuum(wavelength, flux, good, cutoff):
    """The pseudo-continuum of the published code; NaN for spectra of which too few pixels are left.

    Parameters
    ----------
    wavelength : `~numpy.ndarray`, shape (M,) or (N, M)
    flux : `~numpy.ndarray`, shape (N, M)
    good : `~numpy.ndarray` of bool, shape (N, M)
    cutoff : float or None
        Singular values below this times the number of pixels, relative to the largest, are left out; None for a fit
        without such a limit.
    """
    if wavelength.shape[-1] == 0:
        return np.full(flux.shape, np.nan)
    if cutoff is None:  # the origin matters only for what is left out
        low, high = wavelength.min(), wavelength.max()
        place = (2 * wavelength - low - high) / max(high - low, 1e-9)
    else:
        place = wavelength / SPLIT
    powers = np.repeat(place[..., None], 2 * DEGREE + 1, axis=-1)
    powers[..., 0] = 1.0
    np.multiply.accumulate(powers, axis=-1, out=powers)
    basis = np.ascontiguousarray(np.swapaxes(powers[..., : DEGREE + 1], -1, -2))
    scale = np.maximum(np.abs(flux).max(axis=1, keepdims=True), 1e-300)
    flux = flux / scale
    model, sigma = _fit(powers, basis, flux, good, cutoff)
    kept = good & ~_widened(good & (np.abs(model - flux) > STRONG * sigma), good)
    for number in range(PASSES):
        if number:
            np.subtract(model, flux, out=model)
            kept &= model < sigma
        model, sigma = _fit(powers, basis, flux, kept, cutoff)
    return model * scale


def _fit(powers, basis, flux, kept, cutoff):
    """Values (N, M) of the polynomials that fit the kept pixels best, and the scatter (N, 1) of these pixels.

    Powers of the place of each pixel are (M, 2 K - 1), and the first K of them (K, M); or such for each spectrum.
    """
    weight = kept.astype(np.float64)
    weighted = weight * flux
    moments = _sums(weight, powers)
    order = np.arange(DEGREE + 1)
    gram = moments[:, order[:, None] + order]
    right = _sums(weighted, powers[..., : DEGREE + 1])
    number = moments[:, 0]
    norm = np.sqrt(np.maximum(moments[:, 2 * order], 1e-300))
    values, vectors = np.linalg.eigh(gram / norm[:, :, None] / norm[:, None, :])
    limit = 1e-13 if cutoff is None else (cutoff * number[:, None]) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.where(values > limit * values[:, -1:], 1 / values, 0.0)
    projected = np.matmul((right / norm)[:, None, :], vectors)[:, 0] * inverse
    coefficients = np.matmul(vectors, projected[:, :, None])[:, :, 0] / norm
    coefficients[number == 0] = np.nan
    # the residuals' first two moments follow from sums that are known already
    count = np.maximum(number, 1)
    mean = (np.einsum("nj,nj->n", coefficients, moments[:, : DEGREE + 1]) - right[:, 0]) / count
    quadratic = np.einsum("nj,njk,nk->n", coefficients, gram, coefficients)
    square = quadratic - 2 * np.einsum("nj,nj->n", coefficients, right) + np.vecdot(weighted, flux)
    sigma = np.sqrt(np.maximum(square / count - mean**2, 0.0))[:, None]
    if basis.ndim == 2:
        return coefficients @ basis, sigma
    return np.matmul(coefficients[:, None, :], basis)[:, 0], sigma


def _sums(weight, powers):
    """Weighted sums over the pixels, (N, K)."""
    return weight @ powers if powers.ndim == 2 else np.matmul(weight[:, None, :], powers)[:, 0]


def _widened(strong, good):
    """Runs of strong pixels and as many pixels again on each side, less one, up to the neighboring runs.

    Neighbors are counted among the good pixels of a spectrum.
    """
    place, ends = np.flatnonzero(good), np.cumsum(good.sum(axis=1))
    mark = strong.ravel()[place]
    joined = mark[1:] & mark[:-1]
    inner = ends[:-1]
    joined[inner[(inner > 0) & (inner < place.size)] - 1] = False
    first = np.flatnonzero(mark & ~np.concatenate([[False], joined]))
    last = np.flatnonzero(mark & ~np.concatenate([joined, [False]]))
    out = np.zeros(good.shape, bool)
    if first.size == 0:
        return out
    of_row = np.concatenate([[0], ends])
    row, extra = place[first] // good.shape[1], last - first
    same = row[1:] == row[:-1]
    before = np.where(np.concatenate([[False], same]), np.concatenate([[0], last[:-1] + 1]), of_row[row])
    after = np.where(np.concatenate([same, [False]]), np.concatenate([first[1:] - 1, [0]]), of_row[row + 1] - 1)
    change = np.zeros(place.size + 1, int)
    np.add.at(change, np.maximum(first - extra, before), 1)
    np.add.at(change, np.minimum(last + extra, after) + 1, -1)
    out.reshape(-1)[place[np.cumsum(change[:-1]) > 0]] = True
    return out


def _span(mask):
    """The columns in which any row has a pixel, as a slice."""
    columns = np.flatnonzero(mask.any(axis=0))
    return slice(columns[0], columns[-1] + 1) if columns.size else slice(0, 0)


def _median_snr(flux, ivar, good):
    """Median signal-to-noise ratio over the good ones of every fifth pixel, 0 where there are none."""
    flux, ivar = flux[:, ::5], ivar[:, ::5]
    good = good[:, ::5] & (ivar > 0)
    ratio = np.where(good, np.abs(flux) * np.sqrt(ivar), np.inf)
    number = good.sum(axis=1)
    middle = np.sort(ratio, axis=1)[np.arange(len(ratio)), np.maximum(number - 1, 0) // 2]
    return np.where(number > 0, middle, 0.0)


def _paired(flux, error):
    """Weighted means of two neighboring pixels and their errors."""
    weight = 1 / (error * error).reshape(len(error), error.shape[1] // 2, 2)
    total = weight.sum(axis=2)
    return (flux.reshape(weight.shape) * weight).sum(axis=2) / total, 1 / np.sqrt(total)


@register
class LRSSpectrum(FeatureSet):
    """LAMOST low-resolution spectra, normalised.

    Arrays: ``flux`` (N, 4875) or, with the variant "local", ``flux`` and ``error`` (N, 1795), each a mean of two pixels
    weighted with their inverse variances.

    Parameters
    ----------
    variant : {"code", "paper", "local"}
        See `normalised`.
    width : int
        Of the local continuum.
    """

    name = "lamost_lrs"

    def __init__(self, variant="code", width=WIDTH):
        if variant not in VARIANTS:
            raise InputError(f"variant: expected one of {VARIANTS}, got {variant!r}")
        self.variant, self.width = variant, width

    @property
    def config(self):
        return {"variant": self.variant, "width": self.width}

    @property
    def wavelengths(self):
        """Wavelengths of the pixels of each array of a spectrum (dict of str to `~astropy.units.Quantity`)."""
        grid = LOG_GRID.reshape(-1, 2).mean(axis=1) if self.variant == "local" else LINEAR_GRID
        return {"flux": grid * u.AA}

    def compute(self, table):
        result = normalised(table, variant=self.variant, width=self.width)
        finite = np.isfinite(result.flux).all(axis=1)
        usable = finite & (result.blue | result.red) if self.variant == "local" else finite
        arrays = {"flux": np.where(usable[:, None], result.flux, 1.0).astype(np.float32)}
        if result.error is not None:
            arrays["flux"], arrays["error"] = _paired(arrays["flux"], result.error)
        flag = flags.LABEL.where(
            NO_INPUT=~usable,
            BAD_SAMPLES=usable & result.replaced,
            MISSING_BAND=usable & ~(result.blue & result.red),
        )
        unknown = np.full(len(table), np.nan)
        return Features(arrays, flag, usable, unknown, unknown.copy(), result.snr, unknown.copy())
