"""LAMOST low-resolution spectra as SolarDis gets them: at rest, on one grid, divided by a pseudo-continuum.

Three ways are offered, see `normalised`: what the authors' published code does, what the paper says, and a local
continuum that uses the inverse variances.
"""

from dataclasses import replace
from functools import cache, partial

import numpy as np
from astropy import units as u

from stellarlabels import columns
from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.inputs.base import FeatureSet, register
from stellarlabels.inputs.lamost.damage import HARD, KINDS, damaged
from stellarlabels.inputs.spectra import (
    fill_gaps,
    interpolate,
    normalise,
    pixel_column,
    running_continuum,
    spectrum_features,
)
from stellarlabels.inputs.spectra.normalised import UNKNOWN, WIDTH

#: The 4,875 wavelengths (Angstrom, vacuum, at rest) of the paper's network: 3925 to 8799 in steps of 1.
LINEAR_GRID = np.arange(3925.0, 8800.0)

#: Numbers of the published code: window and degree of the Savitzky-Golay filter, wavelength between the two
#: polynomials, their degree, limit of strong lines in standard deviations, fits of each polynomial, and limits of
#: the result.
WINDOW, SMOOTH_DEGREE, SPLIT, DEGREE, STRONG, PASSES, LIMITS = 15, 7, 6000.0, 5, 3.0, 10, (0.1, 1.2)

#: Singular values that count, relative to the largest and for each pixel: the code fits in single precision.
SINGLE = float(np.finfo(np.float32).eps)


def as_code(wavelength, flux, ivar, good, z):
    """The published code's steps for a block of spectra."""
    smooth = _smoothed(flux, good)
    ratio, positive = np.full(flux.shape, np.nan), np.zeros(flux.shape, bool)
    at_rest = wavelength / (1 + z)
    for arm in (good & (at_rest < SPLIT), good & (at_rest >= SPLIT)):
        span = _span(arm)
        waves = wavelength[..., span]
        continuum = _continuum(waves, smooth[:, span], arm[:, span], SINGLE)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio[:, span] = np.where(arm[:, span], smooth[:, span] / continuum, ratio[:, span])
            positive[:, span] |= arm[:, span] & (continuum > 0)
    failed = (good & ~np.isfinite(ratio)).any(axis=1)
    result = interpolate(wavelength, fill_gaps(wavelength, ratio, good), LINEAR_GRID, z)
    result[failed] = np.nan
    return *_limited(result, 1.0), _reached(wavelength, positive, z)


def as_paper(wavelength, flux, ivar, good, z):
    """The paper's steps for a block of spectra."""
    at_rest = interpolate(wavelength, fill_gaps(wavelength, flux, good), LINEAR_GRID, z)
    usable = np.isfinite(at_rest).all(axis=1, keepdims=True)
    all_good = np.broadcast_to(usable, at_rest.shape)
    smooth = _smoothed(np.where(usable, at_rest, 0.0), all_good)
    with np.errstate(divide="ignore", invalid="ignore"):
        continuum = _continuum(LINEAR_GRID, smooth, all_good, None)
        ratio = smooth / continuum
        positive = usable & (continuum > 0) & _reached(wavelength, good, z)
    return *_limited(np.where(usable, ratio, np.nan), 0.0), positive


def _reached(wavelength, known, z):
    """Pixels of the grid (N, P) that lie between two known pixels of the spectrum or one and its nearest neighbor."""
    share = interpolate(wavelength, known.astype(np.float64), LINEAR_GRID, z)
    return np.isfinite(share) & (share > 0.25)


def _limited(ratio, value):
    """Pixels beyond the limits replaced, no errors, and whether there were any; NaN throughout for spectra with one."""
    low, high = ratio.min(axis=1), ratio.max(axis=1)
    ratio[~np.isfinite(low + high)] = np.nan
    with np.errstate(invalid="ignore"):
        beyond = (high > LIMITS[1]) | (low < LIMITS[0])
        ratio[beyond] = np.where((ratio[beyond] > LIMITS[1]) | (ratio[beyond] < LIMITS[0]), value, ratio[beyond])
    return ratio, None, beyond


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
    """Pseudo-continua (N, M) at wavelengths (M,) or (N, M), NaN where too few pixels are left; cutoff as in `_fit`."""
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
    """Polynomials (N, M) that fit the kept pixels best, and the scatter (N, 1) of these."""
    # Powers of the place of each pixel are (M, 2 K - 1), and the first K of them (K, M); or such for each spectrum.
    # With a cutoff, singular values below so many times the number of pixels, relative to the largest, are left out.
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
    """Runs of strong pixels and as many good pixels again on each side, less one, up to the neighboring runs."""
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
    inside = np.flatnonzero(mask.any(axis=0))
    return slice(inside[0], inside[-1] + 1) if inside.size else slice(0, 0)


#: Wavelengths of the local continuum: the steps of LAMOST, 1e-4 in the logarithm, from 3850 to 8800 Angstrom.
LOG_GRID = 10 ** (np.log10(3850.0) + 1e-4 * np.arange(3590))

#: Wavelength (Angstrom) between the blue and the red arm.
SPLITS = (5900.0,)

VARIANTS = ("code", "paper", "local")

#: Signal-to-noise ratio below which copies with more noise are of no use.
LEAST_SNR = 8.0


def normalised(table, *, variant="code", width=WIDTH):
    """Spectra of a table at rest, on a common grid, divided by their pseudo-continuum.

    Parameters
    ----------
    table : `~astropy.table.Table`
        N low-resolution spectra with ``wavelength``, ``flux``, ``ivar``, ``andmask``, ``ormask`` and ``z`` or
        ``radial_velocity``, as from `stellarlabels.read_lamost`.
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
    ``stellarlabels.inputs.spectra.Normalised``
        On `LINEAR_GRID`, with "local" on `LOG_GRID`; two parts, below and above 5900 Angstrom.

    Raises
    ------
    stellarlabels.exceptions.MissingColumnError
        If the table has no spectra, or those of medium resolution.
    InputError
        If there is no such variant.
    """
    if variant not in VARIANTS:
        raise InputError(f"variant: expected one of {VARIANTS}, got {variant!r}")
    _check_resolution(table)
    if variant == "local":
        continuum = partial(running_continuum, grid=LOG_GRID, width=width)
        return normalise(table, LOG_GRID, continuum, splits=SPLITS, masks=LRSSpectrum.masks)
    continuum, masks = (as_code, LRSSpectrum.masks) if variant == "code" else (as_paper, ())
    return normalise(table, LINEAR_GRID, continuum, splits=SPLITS, masks=masks, weighted=False)


def _check_resolution(table):
    """Refuse a table that has spectra of medium resolution only, with the system that takes them."""
    there = [end for end in ("", "_b", "_r") if columns.column_name(table, pixel_column("flux", end)) is not None]
    if there and "" not in there:
        raise MissingColumnError(
            "table: column 'flux' is missing; expected spectra of low resolution (LRS), got those of medium resolution "
            f"(MRS, flux{there[0]}); SPCANet labels these"
        )
    for name in ("flux", "ivar"):
        if columns.column_name(table, pixel_column(name)) is None:
            raise MissingColumnError(
                f"table: column {name!r} is missing{columns.alike(table, name)}{without_spectra(table)}"
            )


def without_spectra(table, resolution="low"):
    """Words for a table without spectra of LAMOST: what they are and who gets them, or whose spectra these are."""
    there = {name.lower() for name in table.colnames}
    if {"flux", "flux_error"} <= there or "bp_coefficients" in there:
        return ": spectra of LAMOST are needed; these are XP spectra of Gaia; UACSNet and UncertainNet label them"
    return (
        f": spectra of {resolution} resolution of LAMOST, cells of pixels 'wavelength', 'flux' and 'ivar'. "
        "stellarlabels.read_lamost reads the survey's files, 'stellarlabels spectra lamost' or "
        "stellarlabels.lamost_spectra gets them by obsid or position, and system.label(table) or 'stellarlabels label' "
        "without --offline fetches what is lacking"
    )


@register
class LRSSpectrum(FeatureSet):
    """LAMOST low-resolution spectra, normalised.

    Stars whose velocity is not known are taken to be at rest and have the flag MISSING_VELOCITY: at 100 km/s Teff is
    hardly different, but [Fe/H] too low by 0.2. A star of which less than half of the pixels of both sides of 5900
    Angstrom are good and have a positive continuum has the flag NO_INPUT; of one side, MISSING_BAND.

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
    #: Columns of bits that speak against a pixel.
    masks = ("andmask", "ormask")

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
        return spectrum_features(normalised(table, variant=self.variant, width=self.width), average=2)

    def add_noise(self, features, amount, seed=0):
        if "error" not in features.arrays:
            return super().add_noise(features, amount, seed)
        flux, error = features.arrays["flux"], features.arrays["error"]
        noise = np.random.default_rng(seed).standard_normal(flux.shape, np.float32)
        flux = np.clip(flux + np.sqrt(amount, dtype=np.float32) * np.minimum(error, 1) * noise, 0, 2)
        more = np.sqrt(1 + amount, dtype=np.float32)
        arrays = {**features.arrays, "flux": flux, "error": np.minimum(error * more, UNKNOWN)}
        snr = features.snr / more
        return replace(features, arrays=arrays, snr=snr, usable=features.usable & (snr > LEAST_SNR))

    def damaged(self, table, seed=0):
        return damaged(table, [*KINDS, *2 * HARD], seed=seed)[:2]
