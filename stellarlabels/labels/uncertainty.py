"""Are the errors honest? Pulls, coverage, and a recorded recalibration of predicted errors."""

from dataclasses import dataclass, field

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


def combine(means, sigmas, *, calibrated=False):
    """Mean and standard deviation of an ensemble of predictions.

    Parameters
    ----------
    means, sigmas : array_like, shape (K, N, L)
        Predictions of K networks.
    calibrated : bool
        Whether ``sigmas`` are calibrated errors of the single networks.

    Returns
    -------
    mean, sigma : `~numpy.ndarray`, shape (N, L)
        The mean of the means. With errors as the networks give them, the variance is the mean variance (aleatoric) plus
        the variance of the means (epistemic), that of an equal mixture. Calibrated errors contain both already; the
        mean of the networks is then better than the single ones by the variance of the means (the ambiguity
        decomposition of Krogh & Vedelsby 1995), which is subtracted, though never more than three quarters.
    """
    means, sigmas = np.asarray(means), np.asarray(sigmas)
    variance, spread = np.mean(sigmas**2, axis=0), means.var(axis=0)
    total = np.maximum(variance - spread, variance / 4) if calibrated else variance + spread
    return means.mean(axis=0), np.sqrt(total)


@dataclass
class Calibration:
    """Factors on predicted errors as functions of the star's magnitude or signal-to-noise ratio.

    Parameters
    ----------
    curves : dict of str to tuple of `~numpy.ndarray`
        For each axis ("magnitude", "log_snr") its knots, shape (K,), and the factors of each label there, shape (K, L).
        Between the knots the factors are linear, outside constant. The first axis that is known for a star counts; with
        none known the median factor. No curve: errors stay as they are.
    """

    curves: dict = field(default_factory=dict)

    @classmethod
    def fit(cls, predicted, error, reference, reference_error, axes, knots=8, least=100):
        """Find the factors for which one-sigma intervals hold 68.3 % of the stars.

        Parameters
        ----------
        predicted, error, reference, reference_error : `~numpy.ndarray`, shape (N, L)
            For stars that the predicting network was not trained on. NaN in the reference for unknown labels.
        axes : dict of str to `~numpy.ndarray`, shape (N,)
            Values of each axis, NaN where unknown; the most important axis first.
        knots : int
            Largest number of bins, with equal numbers of stars.
        least : int
            Smallest number of stars in a bin; with fewer stars than this on an axis it gets no curve.

        Returns
        -------
        Calibration
        """
        curves = {}
        for name, at in axes.items():
            known = np.isfinite(at)
            bins = min(knots, known.sum() // least)
            if bins < 1:
                continue
            edges = np.quantile(at[known], np.linspace(0, 1, bins + 1))
            index = np.clip(np.searchsorted(edges, at, side="right") - 1, 0, bins - 1)
            members = [known & (index == k) for k in range(bins)]
            factors = [
                [
                    _factor(*(array[rows, label] for array in (predicted, error, reference, reference_error)))
                    for label in range(predicted.shape[1])
                ]
                for rows in members
            ]
            curves[name] = np.array([np.median(at[rows]) for rows in members]), np.array(factors)
        return cls(curves)

    def apply(self, error, axes):
        """Calibrated errors.

        Parameters
        ----------
        error : `~numpy.ndarray`, shape (..., N, L)
        axes : dict of str to `~numpy.ndarray`, shape (N,)
            As in `fit`.
        """
        if not self.curves:
            return error
        factor = np.full(error.shape[-2:], np.nan)
        for name, (knots, factors) in self.curves.items():
            at = np.asarray(axes.get(name, np.full(len(factor), np.nan)), float)
            values = np.stack([np.interp(at, knots, column) for column in factors.T], axis=1)
            factor = np.where(np.isnan(factor) & np.isfinite(at)[:, None], values, factor)
        typical = np.median(next(iter(self.curves.values()))[1], axis=0)
        return error * np.where(np.isnan(factor), typical, factor)


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
