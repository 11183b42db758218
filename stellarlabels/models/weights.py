"""Cost-sensitive weights: rare stars count more."""

import numpy as np

from stellarlabels.exceptions import InputError

__all__ = ["cost_weights"]


def cost_weights(*axes, bins, gamma=0.5):
    """Weight of each star by how rare it is in a histogram.

    The weight is ``(f / f_max) ** -gamma`` with f the number of stars in the star's bin and f_max that in the fullest
    bin (Eq. 11 of the UA-CSNet paper; CSNet's Eq. 8 has the same form).

    Parameters
    ----------
    *axes : array_like, shape (N,)
        The quantities of the histogram, for instance (BP-RP)0 and [Fe/H].
    bins : sequence of int
        Number of equal bins between the smallest and the largest value of each axis.
    gamma : float
        Strength; 0 gives equal weights.

    Returns
    -------
    `~numpy.ndarray` of float64, shape (N,)
        1 for stars in the fullest bin, more for others. Stars with a missing (NaN) value on any axis get 1.

    Raises
    ------
    InputError
        If axes and bins do not go together, or gamma is negative.
    """
    if len(axes) != len(bins):
        raise InputError(f"bins: expected {len(axes)} numbers, one for each axis, got {len(bins)}")
    if not gamma >= 0:
        raise InputError(f"gamma: expected a number of at least 0, got {gamma}")
    points = np.stack([np.asarray(axis, dtype=float) for axis in axes], axis=1)
    out = np.ones(len(points))
    known = np.isfinite(points).all(axis=1)
    if not known.any():
        return out
    points = points[known]
    low, high = points.min(axis=0), points.max(axis=0)
    counts = np.asarray(bins)
    width = np.where(high > low, (high - low) / counts, 1.0)
    cell = np.minimum(((points - low) / width).astype(int), counts - 1)
    flat = np.ravel_multi_index(cell.T, bins)
    frequency = np.bincount(flat, minlength=int(np.prod(counts)))
    out[known] = (frequency[flat] / frequency.max()) ** -gamma
    return out
