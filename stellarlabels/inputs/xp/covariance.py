"""Covariance of recovered coefficients, in a form that fits into memory for any number of stars."""

import numpy as np

from stellarlabels.inputs.xp.layout import BANDS, TOTAL, columns
from stellarlabels.inputs.xp.packed import pack
from stellarlabels.inputs.xp.prior import OWN, prior

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
