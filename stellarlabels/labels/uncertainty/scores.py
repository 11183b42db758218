"""Are the errors honest? Pulls, coverage, probability integral transform, reliability."""

import numpy as np

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


def pit(predicted, error, reference, reference_error=0.0):
    """Probability integral transform, 0 to 1: where in its predicted Gaussian each reference lies; NaN if missing."""
    # Uniform if the predicted distributions are right; piled up at both ends if the errors are too small, in the middle
    # if they are too large (Dawid 1984, J. R. Stat. Soc. A 147, 278).
    from scipy.special import ndtr

    return ndtr(-pulls(predicted, error, reference, reference_error))


def reliability(predicted, error, reference, reference_error=0.0, *, levels=None):
    """Share of the references inside central intervals: a QTable of ``expected``, ``observed``, ``sampling_error``."""
    # "levels" are probabilities, by default 0.05 to 0.95 in steps of 0.05. The last column is the standard error of the
    # observed share if the expected one is right.
    from astropy.table import QTable
    from scipy.special import ndtri

    levels = np.arange(1, 20) / 20 if levels is None else np.asarray(levels, float)
    pull = np.abs(pulls(predicted, error, reference, reference_error))
    pull = np.sort(pull[np.isfinite(pull)])
    inside = np.searchsorted(pull, ndtri(0.5 + levels / 2), side="right")
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = inside / np.float64(pull.size)
        sampling = np.sqrt(levels * (1 - levels) / pull.size)
    return QTable({"expected": levels, "observed": observed, "sampling_error": sampling})
