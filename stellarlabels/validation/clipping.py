"""Gaussians fitted to what is within so many standard deviations, from running sums over sorted values."""

import numpy as np

from stellarlabels.exceptions import InputError

__all__ = ["check_clip", "clipped", "running", "variance"]

#: Smallest clipping limit for which the clipped fit has one solution near the bulk of the sample.
LEAST_CLIP = 2.0


def check_clip(clip):
    """Refuse limits that have no sensible solution.

    Parameters
    ----------
    clip : float
        In standard deviations.

    Raises
    ------
    InputError
        If it is below 2.
    """
    if not clip >= LEAST_CLIP:
        raise InputError(f"clip: expected at least {LEAST_CLIP:g} standard deviations, got {clip!r}")


def running(*arrays):
    """Sums up to each place, from zero.

    Parameters
    ----------
    *arrays : `~numpy.ndarray`, shape (..., K)

    Returns
    -------
    list of `~numpy.ndarray`, shape (..., K + 1)
        Along the last axis.
    """
    out = []
    for array in arrays:
        sums = np.zeros((*array.shape[:-1], array.shape[-1] + 1))
        np.cumsum(array, axis=-1, out=sums[..., 1:])
        out.append(sums)
    return out


def variance(count, first, second):
    """Variance of a population from the sums of powers of a sample.

    Parameters
    ----------
    count, first, second : array_like
        Number, sum, and sum of squares.

    Returns
    -------
    `~numpy.ndarray`
        With the number less one; NaN for one value.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.maximum(second - first**2 / count, 0) / (count - 1)


def clipped(at, sums, mean, sigma, clip, steps=100):
    """Clipped Gaussian fits to several weightings of the same values.

    Parameters
    ----------
    at : `~numpy.ndarray`, shape (K,)
        Sorted values.
    sums : sequence of `~numpy.ndarray`, shape (B, K + 1)
        Running sums of the weights, and of the weights times the values and their squares.
    mean, sigma : `~numpy.ndarray`, shape (B,)
        Where to begin.
    clip : float
        Limit in standard deviations.
    steps : int
        Largest number of them.

    Returns
    -------
    mean, sigma, weight : `~numpy.ndarray`, shape (B,)
        Of the Gaussian, and the weight within the limits.
    """
    from scipy.special import erf

    if np.isinf(clip):
        factor = 1.0
    else:
        factor = 1 - 2 * clip * np.exp(-0.5 * clip**2) / np.sqrt(2 * np.pi) / erf(clip / np.sqrt(2))
    row = np.arange(len(mean))
    before = None
    for _ in range(steps):
        reach = np.where(sigma > 0, clip * sigma, 0) if not np.isinf(clip) else np.full(len(mean), np.inf)
        low = np.searchsorted(at, mean - reach, side="left")
        high = np.searchsorted(at, mean + reach, side="right")
        count, first, second = (item[row, high] - item[row, low] for item in sums)
        enough = count > 1
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(enough, first / count, mean)
            sigma = np.where(enough, np.sqrt(variance(count, first, second) / factor), sigma)
        if before is not None and (before[0] == low).all() and (before[1] == high).all():
            break
        before = low, high
    return mean, np.where(count > 1, sigma, np.nan), count
