"""Spectra at rest, on one grid, divided by a pseudo-continuum, and how much of each reaches the network."""

from dataclasses import dataclass
from functools import partial
from math import ceil

import numpy as np
from astropy import units as u

from stellarlabels import flags, threads
from stellarlabels.exceptions import InputError
from stellarlabels.inputs.base import Features, FeatureSet, register
from stellarlabels.inputs.spectra.table_pixels import MASKS, fill_gaps, interpolate, only_pixels, pixels
from stellarlabels.inputs.spectra.velocity import redshift

#: Pixels of the three running means.
WIDTH = 51

#: Relative error of pixels without information, and the smallest error of the others.
UNKNOWN, LEAST = 5.0, 2e-3

#: Smallest number of pixels that a fit keeps, as a share of those that it starts with.
LEAST_LEFT = 0.05


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
    least = np.maximum(LEAST_LEFT * start, 2 * (order + 1))
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


#: Spectra that are worked on at once: few enough for the processor's cache.
BLOCK = 64

#: Share of the pixels of a part that has to reach the network for the part to count as there.
LEAST_SHARE = 0.5


@dataclass
class Normalised:
    """Spectra divided by their pseudo-continuum: flux and, or None, error (N, P), and what is known of each of them."""

    # "flux" is NaN where the spectrum does not reach or could not be normalised, 1 there if there are errors, which are
    # 5. "replaced" (N,): pixels beyond the limits were replaced. "snr" (N,): median of flux over error of the good ones
    # of every fifth pixel. "parts" (N, K): half of the pixels of each part are good, with a positive continuum.
    # "at_rest" (N,): a velocity was known.

    flux: np.ndarray
    error: np.ndarray | None
    replaced: np.ndarray
    snr: np.ndarray
    parts: np.ndarray
    at_rest: np.ndarray

    @property
    def usable(self):
        """Spectra of which at least one part reaches the network, and without a pixel that is no number, (N,)."""
        return self.parts.any(axis=1) & np.isfinite(self.flux).all(axis=1)

    def label_flags(self):
        """Bits of `stellarlabels.flags.LABEL`, (N,)."""
        usable = self.usable
        return flags.LABEL.where(
            NO_INPUT=~usable,
            BAD_SAMPLES=usable & self.replaced,
            MISSING_BAND=usable & ~self.parts.all(axis=1),
            MISSING_VELOCITY=usable & ~self.at_rest,
        )


def normalise(table, grid, continuum, *, splits=(), masks=MASKS, weighted=True):
    """`Normalised` spectra of a table at rest on a grid (P,) in Angstrom, by one such as `running_continuum`."""
    # "continuum(wavelength, flux, ivar, good, z)" takes a block of spectra and gives the quotient on the grid, its
    # error or None, whether pixels were replaced, and which are known. "splits" are wavelengths between the parts of
    # the grid.
    count = len(table)
    spectra, z = only_pixels(table), redshift(table)
    known = np.isfinite(z)
    z = np.where(known, z, 0.0)[:, None]
    edges = [0, *np.searchsorted(grid, splits), grid.size]
    flux, error = np.full((count, grid.size), np.nan, np.float32), np.full((count, grid.size), UNKNOWN, np.float32)
    parts = np.zeros((count, len(edges) - 1), bool)
    out = Normalised(flux, error if weighted else None, np.zeros(count, bool), np.zeros(count), parts, known)

    def one(rows):
        data = pixels(spectra[rows], masks=masks, weighted=weighted)
        block = (data.wavelength, data.flux, data.ivar, data.good, z[rows])
        out.flux[rows], own_error, out.replaced[rows], reached = continuum(*block)
        if weighted:
            out.error[rows] = own_error
        out.snr[rows] = _median_snr(*block[1:4])
        for part, (low, high) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
            out.parts[rows, part] = reached[:, low:high].mean(axis=1) > LEAST_SHARE

    pixels(spectra[:0], masks=masks)  # what is missing is said also where there are no stars
    threads.in_threads(one, _blocks(count))
    return out


def _blocks(count):
    """Slices of at most `BLOCK` rows, as many for each thread."""
    workers = threads.count()
    number = ceil(ceil(count / BLOCK) / workers) * workers
    edges = np.linspace(0, count, number + 1).astype(int)
    return [slice(low, high) for low, high in zip(edges[:-1], edges[1:], strict=True) if low < high]


def _median_snr(flux, ivar, good):
    """Median signal-to-noise ratio over the good ones of every fifth pixel, 0 where there are none."""
    flux, ivar = flux[:, ::5], ivar[:, ::5]
    good = good[:, ::5] & (ivar > 0)
    ratio = np.where(good, np.abs(flux) * np.sqrt(ivar), np.inf)
    number = good.sum(axis=1)
    if not ratio.shape[1]:
        return np.zeros(len(ratio))
    middle = np.sort(ratio, axis=1)[np.arange(len(ratio)), np.maximum(number - 1, 0) // 2]
    return np.where(number > 0, middle, 0.0)


def averaged(flux, error, pixels_of):
    """Means of so many neighboring pixels, weighted with the inverse variances, and their errors, (N, P / pixels)."""
    weight = 1 / (error * error).reshape(len(error), error.shape[1] // pixels_of, pixels_of)
    total = weight.sum(axis=2)
    return (flux.reshape(weight.shape) * weight).sum(axis=2) / total, 1 / np.sqrt(total)


@register
class SpectrumPixels(FeatureSet):
    """Spectra of any survey, with errors, divided by a local continuum.

    Inputs: ``wavelength``, ``flux``, ``ivar``, and the masks that are named; ``z`` or ``radial_velocity``. Stars
    without a velocity are taken to be at rest and have the flag MISSING_VELOCITY. Arrays: ``flux`` and ``error``
    (N, P).

    Parameters
    ----------
    low, high : float
        Ends of the grid in Angstrom, at rest.
    step : float
        Of the decimal logarithm of the wavelength.
    average : int
        Pixels of the grid of which each input is the weighted mean.
    width : int
        Pixels of each of the three running means that make the continuum.
    splits : sequence of float
        Wavelengths between parts of the grid, for instance the arms of the spectrograph. A star needs one part of which
        at least half of the pixels are there; if another one is not, it has the flag MISSING_BAND.
    masks : sequence of str
        Columns of bits that speak against a pixel: any of "andmask", "ormask", "mask".
    """

    name = "spectrum"

    def __init__(self, *, low, high, step=1e-4, average=1, width=WIDTH, splits=(), masks=MASKS):
        if not 0 < low < high:
            raise InputError(f"low, high: expected two wavelengths in ascending order, got {low!r} and {high!r}")
        if set(masks) - set(MASKS):
            raise InputError(f"masks: expected some of {list(MASKS)}, got {list(masks)}")
        self.low, self.high, self.step, self.average, self.width = low, high, step, int(average), int(width)
        self.splits, self.masks = tuple(splits), tuple(masks)
        number = int(np.log10(high / low) / step) // self.average * self.average
        self.grid = 10 ** (np.log10(low) + step * np.arange(number))

    @property
    def config(self):
        names = ("low", "high", "step", "average", "width")
        return {name: getattr(self, name) for name in names} | {
            "splits": list(self.splits),
            "masks": list(self.masks),
        }

    @property
    def wavelengths(self):
        """Wavelengths of the pixels of each array of a spectrum (dict of str to `~astropy.units.Quantity`)."""
        return {"flux": self.grid.reshape(-1, self.average).mean(axis=1) * u.AA}

    def compute(self, table):
        work = partial(running_continuum, grid=self.grid, width=self.width)
        return spectrum_features(
            normalise(table, self.grid, work, splits=self.splits, masks=self.masks), average=self.average
        )


def spectrum_features(result, *, average=1):
    """`Features` of normalised spectra: ``flux`` and, where there are errors, ``error``."""
    usable = result.usable
    arrays = {"flux": np.where(usable[:, None], result.flux, 1.0).astype(np.float32)}
    if result.error is not None:
        arrays["flux"], arrays["error"] = averaged(arrays["flux"], result.error, average)
    unknown = np.full(len(usable), np.nan)
    return Features(arrays, result.label_flags(), usable, unknown, unknown.copy(), result.snr, unknown.copy())
