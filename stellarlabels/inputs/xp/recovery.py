"""From sampled spectra back to the coefficients that they were sampled from, with their covariance.

A sampled spectrum is a linear map of 110 coefficients (`design_matrix`), so that 343 samples would determine them, if
the map did not suppress some of their combinations a million times: structure finer than the resolution, and flux
outside of the samples' range. How well these combinations come out depends on how many digits the samples have. The
estimate is the mean of the Gaussian posterior of a linear model with a Gaussian prior, taken in the singular vectors
of the map, where it is one number for each.
"""

from dataclasses import dataclass, fields
from functools import cached_property, lru_cache

import numpy as np

from stellarlabels import packaged
from stellarlabels.exceptions import InputError
from stellarlabels.inputs.xp.layout import BANDS, TOTAL, columns
from stellarlabels.inputs.xp.packed import pack
from stellarlabels.inputs.xp.samples import fill_gaps
from stellarlabels.inputs.xp.sampling import WAVELENGTH, design_matrix

#: Samples that a band makes alone: up to 635 nm, and from 643 nm on.
OWN = {"bp": WAVELENGTH <= 635.0, "rp": WAVELENGTH >= 643.0}

#: Relative accuracy with which the flux errors of a star and the correlation of other stars give its own covariance.
#: Chosen on the stars with known correlations, each predicted from the others.
MISMATCH = 0.2


@dataclass(frozen=True)
class Noise:
    """Measurement noise of the n coefficients of a band with S own samples, for spectra of unit level."""

    correlation: np.ndarray  #: (n, n), mean, of the errors of the coefficients
    flux_root: np.ndarray  #: (S, R): times its transpose the mean correlation of the errors of the samples
    log_flux_error: np.ndarray  #: (S,), mean of the logarithms of the errors of the samples
    components: np.ndarray  #: (K, S), principal components of these logarithms
    slopes: np.ndarray  #: (K, n), change of the logarithms of the coefficients' errors with the components
    log_error: np.ndarray  #: (n,), mean of the logarithms of the coefficients' errors

    def errors(self, flux_error):
        """Errors (N, n) of coefficients that go with errors (N, S) of samples in real stars."""
        slopes = self.components.T @ self.slopes
        return np.exp(self.log_error + (np.log(flux_error) - self.log_flux_error) @ slopes)

    @cached_property
    def root(self):
        """``root @ root.T`` is the correlation of the coefficients' errors, shape (n, n)."""
        values, vectors = np.linalg.eigh(self.correlation)
        return vectors * np.sqrt(np.maximum(values, 0))

    def gain(self, design):
        """Best linear estimate (n, S) of the noise of the coefficients from that of samples ``design`` (S, n) makes."""
        half = np.exp(self.log_error)[:, None] * self.root
        size = np.exp(self.log_flux_error)
        seen = design @ half / size[:, None]
        return half @ np.linalg.solve(seen @ seen.T + MISMATCH**2 * np.eye(size.size), seen).T / size


@dataclass(frozen=True)
class Prior:
    """Distribution of coefficients and their errors for spectra of unit level, the root mean square of the samples."""

    mean: np.ndarray  #: (110,), of the coefficients
    factor: np.ndarray  #: (110, 110): times its transpose their covariance
    profile: np.ndarray  #: (343,), root mean square flux, to which rounding errors are taken to be proportional
    bp: Noise
    rp: Noise

    @cached_property
    def design(self):
        """The map from coefficients to samples, shape (343, 110)."""
        return design_matrix()

    @cached_property
    def gains(self):
        """`Noise.gain` of each band, by its name."""
        return {band: getattr(self, band).gain(self.design[OWN[band]][:, columns(band)]) for band in BANDS}


@lru_cache(maxsize=1)
def prior():
    """The prior that ships with the package; ``tools/xp_prior.py`` learns it from real Gaia DR3 spectra."""
    with packaged.file("xp", "coefficients.npz") as path, np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name].astype(np.float64) for name in stored.files}
    noise = {band: Noise(**{item.name: arrays[f"{band}_{item.name}"] for item in fields(Noise)}) for band in BANDS}
    return Prior(arrays["mean"], arrays["factor"], arrays["profile"], **noise)


#: Stars whose matrices `chunks` makes at once: 100 MB.
CHUNK = 1024

#: Numbers that fit into the cache of a processor.
CACHE = 2**17


class CoefficientCovariance:
    """Covariance matrices of the 110 coefficients of N stars.

    The matrix of a star is the sum of one of the measurement, block by block for BP and RP, and one of the recovery::

        C = K diag(s) P diag(s) K' + Q diag(e) R diag(e) Q'  +  F diag(w)**2 F'

    Here s are the errors of the samples that a band makes alone, P is their mean correlation in real stars, and K the
    best linear estimate of the noise of coefficients from that of samples; e are errors of coefficients as real stars
    with such errors of samples have them, R is their mean correlation, and Q = 1 - K A, with the design matrix A,
    leaves what the samples do not see. F and w, the recovery, are what the samples leave open. It takes 560 numbers for
    each star, instead of 12100.

    ``covariance[rows]`` is the covariance of a selection of stars, `matrices` and `chunks` make the matrices
    themselves, `band` the blocks of one band, `transform` and `variance` take them through linear maps.

    Parameters
    ----------
    flux_errors : `~numpy.ndarray`, shape (N, 343)
        Standard errors of the samples; NaN in all samples that a band makes alone where they are not known.
    errors : `~numpy.ndarray`, shape (N, 110)
        Standard errors of the coefficients that go with them.
    factors : `~numpy.ndarray`, shape (K, 110, 110)
        One F for each set of samples that stars have.
    kinds : `~numpy.ndarray` of int, shape (N,)
        Which of them belongs to a star.
    weights : `~numpy.ndarray`, shape (N, 110)
        w, NaN for stars without spectrum.
    """

    def __init__(self, flux_errors, errors, factors, kinds, weights):
        self._flux_errors = flux_errors
        self._errors = errors
        self._factors = factors
        self._kinds = kinds
        self._weights = weights

    def __len__(self):
        return len(self._weights)

    @property
    def shape(self):
        """Shape of `matrices`: (N, 110, 110)."""
        return (len(self), *self._factors.shape[1:])

    def __getitem__(self, rows):
        """Covariance of a selection of stars: a mask, a slice or an array of integers."""
        return CoefficientCovariance(
            self._flux_errors[rows], self._errors[rows], self._factors, self._kinds[rows], self._weights[rows]
        )

    @property
    def errors(self):
        """Standard errors of the coefficients, shape (N, 110)."""
        return np.sqrt(self.variance(np.eye(TOTAL)))

    @property
    def measurement_errors(self):
        """Standard errors of the measurement alone, shape (N, 110)."""
        return np.sqrt(self._measurement(np.eye(TOTAL), _diagonals))

    @property
    def recovery_errors(self):
        """Standard errors of the recovery alone, shape (N, 110)."""
        return np.sqrt(self._recovery(np.eye(TOTAL), _diagonals))

    def matrices(self):
        """The matrices of all stars, shape (N, 110, 110): 97 kB a star, so take a selection of many."""
        return self.transform(np.eye(TOTAL))

    def chunks(self, size=CHUNK):
        """Pairs of a slice of stars and their matrices, at most ``size`` stars at a time."""
        for start in range(0, len(self), size):
            rows = slice(start, min(start + size, len(self)))
            yield rows, self[rows].matrices()

    def band(self, band):
        """Covariances of the coefficients of a band, packed: lower triangles (N, n (n + 1) / 2), row by row."""
        matrix = np.eye(TOTAL)[columns(band)]
        parts = [pack(self[start : start + CHUNK].transform(matrix)) for start in range(0, max(len(self), 1), CHUNK)]
        return np.concatenate(parts)

    def transform(self, matrix):
        """Covariances (N, M, M) of ``coefficients @ matrix.T`` for a matrix of shape (M, 110)."""
        return self._measurement(matrix, _products) + self._recovery(matrix, _products)

    def variance(self, matrix):
        """Variances (N, M) of ``coefficients @ matrix.T``: the diagonals of `transform`."""
        return self._measurement(matrix, _diagonals) + self._recovery(matrix, _diagonals)

    def _measurement(self, matrix, combine):
        """The part of the measurement; ``combine`` makes what is wanted of the roots of matrices."""
        out = np.zeros((len(self), *_shape(matrix, combine)))
        known = prior()
        for band in BANDS:
            noise, gain, own = getattr(known, band), known.gains[band], columns(band)
            # A row of the map without this band has nothing to do with its errors, even where they are NaN.
            touched = np.flatnonzero(matrix[:, own].any(axis=1))
            part = matrix[touched, own]
            seen = part @ gain
            rest = part - seen @ known.design[OWN[band]][:, own]
            flux_errors, errors = self._flux_errors[:, OWN[band]], self._errors[:, own]
            place = (touched,) if combine is _diagonals else np.ix_(touched, touched)
            for rows in _blocks(len(self), seen.size):
                block = combine((seen * flux_errors[rows, None, :]) @ noise.flux_root)
                block += combine((rest * errors[rows, None, :]) @ noise.root)
                out[(rows, *place)] += block
        return out

    def _recovery(self, matrix, combine):
        """The part of the recovery."""
        out = np.empty((len(self), *_shape(matrix, combine)))
        for kind in np.unique(self._kinds):
            stars = np.flatnonzero(self._kinds == kind)
            scaled = matrix @ self._factors[kind]
            if combine is _diagonals:
                out[stars] = self._weights[stars] ** 2 @ (scaled**2).T
                continue
            for rows in _blocks(stars.size, scaled.size):
                out[stars[rows]] = combine(scaled * self._weights[stars[rows], None, :])
        return out


def _shape(matrix, combine):
    return (len(matrix),) if combine is _diagonals else (len(matrix), len(matrix))


def _blocks(count, size):
    """Slices of stars whose matrices of so many elements fit into the cache of a processor."""
    step = max(1, CACHE // max(size, 1))
    return (slice(start, start + step) for start in range(0, count, step))


def _diagonals(roots):
    return (roots**2).sum(axis=2)


def _products(roots):
    return roots @ roots.transpose(0, 2, 1)


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
