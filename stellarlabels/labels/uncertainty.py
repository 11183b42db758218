"""Are the errors honest? Pulls, coverage, and a recorded recalibration of predicted errors."""

from dataclasses import dataclass

import numpy as np

__all__ = ["ONE_SIGMA", "Calibration", "combine", "coverage", "pulls", "robust_scatter"]

#: Probability inside one standard deviation of a Gaussian.
ONE_SIGMA = 0.6826894921370859

#: Standard deviation of a Gaussian over its median absolute deviation.
MAD_TO_SIGMA = 1.482602218505602


def robust_scatter(residual):
    """1.4826 times the median absolute deviation from the median, NaN left out.

    Returns
    -------
    float
        NaN if there is no value.
    """
    residual = np.asarray(residual, float)
    residual = residual[np.isfinite(residual)]
    if residual.size == 0:
        return np.nan
    return float(MAD_TO_SIGMA * np.median(np.abs(residual - np.median(residual))))


def pulls(predicted, error, reference, reference_error=0.0):
    """Residuals in units of their expected standard deviation.

    Parameters
    ----------
    predicted, error : array_like
        Predicted labels and their total standard errors.
    reference, reference_error : array_like
        Labels compared with and their standard errors; a missing (NaN) reference error counts as 0.

    Returns
    -------
    `~numpy.ndarray`
        ``(predicted - reference) / sqrt(error^2 + reference_error^2)``.
    """
    extra = np.nan_to_num(np.asarray(reference_error, float))
    return (np.asarray(predicted, float) - reference) / np.hypot(np.asarray(error, float), extra)


def coverage(pull, sigma=1.0):
    """Share of pulls within ``sigma``, NaN left out; 0.683 is right for one sigma."""
    pull = np.asarray(pull, float)
    pull = pull[np.isfinite(pull)]
    return float(np.mean(np.abs(pull) < sigma)) if pull.size else np.nan


def combine(means, sigmas):
    """Mean and standard deviation of an equal mixture of Gaussians.

    Parameters
    ----------
    means, sigmas : array_like, shape (K, N, L)
        Predictions of K networks.

    Returns
    -------
    mean, sigma : `~numpy.ndarray`, shape (N, L)
        The variance is the mean variance (aleatoric) plus the variance of the means (epistemic).
    """
    means, sigmas = np.asarray(means), np.asarray(sigmas)
    return means.mean(axis=0), np.sqrt(np.mean(sigmas**2, axis=0) + means.var(axis=0))


@dataclass
class Calibration:
    """Factors on predicted errors as a function of the signal-to-noise ratio of the input.

    Parameters
    ----------
    log_snr : `~numpy.ndarray`, shape (K,)
        Decimal logarithms of the signal-to-noise ratio at which the factors are given.
    factors : `~numpy.ndarray`, shape (K, L)
        Factor of each label; between the knots linear, outside constant.
    """

    log_snr: np.ndarray
    factors: np.ndarray

    @classmethod
    def none(cls, labels):
        """The calibration that changes nothing."""
        return cls(np.zeros(1), np.ones((1, labels)))

    @classmethod
    def fit(cls, predicted, error, reference, reference_error, snr, knots=4, least=100):
        """Find the factors for which one-sigma intervals hold 68.3 % of the validation stars.

        Parameters
        ----------
        predicted, error, reference, reference_error : `~numpy.ndarray`, shape (N, L)
            For stars that were not trained on. NaN in the reference for unknown labels.
        snr : `~numpy.ndarray`, shape (N,)
        knots : int
            Largest number of bins of signal-to-noise ratio with equal numbers of stars.
        least : int
            Smallest number of stars in a bin; with fewer stars than this altogether nothing is changed.

        Returns
        -------
        Calibration
        """
        labels = predicted.shape[1]
        known = np.isfinite(snr) & (snr > 0)
        bins = min(knots, known.sum() // least)
        if bins < 1:
            return cls.none(labels)
        log_snr = np.full(len(snr), np.nan)
        log_snr[known] = np.log10(snr[known])
        edges = np.quantile(log_snr[known], np.linspace(0, 1, bins + 1))
        index = np.clip(np.searchsorted(edges, log_snr, side="right") - 1, 0, bins - 1)
        centers = np.array([np.median(log_snr[known & (index == k)]) for k in range(bins)])
        factors = np.ones((bins, labels))
        for k in range(bins):
            rows = known & (index == k)
            for label in range(labels):
                factors[k, label] = _factor(
                    *(array[rows, label] for array in (predicted, error, reference, reference_error))
                )
        return cls(centers, factors)

    def apply(self, error, snr):
        """Calibrated errors.

        Parameters
        ----------
        error : `~numpy.ndarray`, shape (N, L)
        snr : `~numpy.ndarray`, shape (N,)
            Where it is unknown, the factor at the lowest signal-to-noise ratio holds.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            at = np.log10(snr)
        at = np.where(np.isfinite(at), at, self.log_snr[0])
        factors = [np.interp(at, self.log_snr, column) for column in self.factors.T]
        return error * np.stack(factors, axis=1)


def _factor(predicted, error, reference, reference_error):
    """Factor on ``error`` at which 68.3 % of the residuals are within one sigma (1 for fewer than 10 stars)."""
    from scipy.optimize import brentq

    good = np.isfinite(predicted) & np.isfinite(error) & np.isfinite(reference)
    if good.sum() < 10:
        return 1.0
    residual, error = np.abs(predicted - reference)[good], error[good]
    extra = np.nan_to_num(reference_error)[good]

    def excess(log_factor):
        return np.quantile(residual / np.hypot(np.exp(log_factor) * error, extra), ONE_SIGMA) - 1

    low, high = np.log(0.1), np.log(10)
    if excess(low) <= 0:
        return 0.1
    if excess(high) >= 0:
        return 10.0
    return float(np.exp(brentq(excess, low, high, xtol=1e-4)))
