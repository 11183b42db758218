"""Cost-sensitive weights: rare stars count more."""

import numpy as np

from stellarlabels.exceptions import InputError


def cost_weights(*axes, bins, gamma=0.5, ranges=None):
    """Weights (N,) of stars by how rare they are in a histogram of axes (N,): 1 in the fullest bin, more in others."""
    # The weight is (f / f_max) ** -gamma with f the number of stars in the star's bin and f_max that in the fullest bin
    # (Eq. 11 of the UA-CSNet paper; CSNet's Eq. 8 has the same form). Stars with a missing value on any axis get 1, but
    # for axes of one bin, on which the weight does not depend. Stars outside the ranges are in no bin; they get the
    # weight of the rarest stars that are in one (1 if none is).
    if len(axes) != len(bins) or (ranges is not None and len(axes) != len(ranges)):
        raise InputError(f"bins: expected {len(axes)} numbers, one for each axis, got {len(bins)}")
    if not gamma >= 0:
        raise InputError(f"gamma: expected a number of at least 0, got {gamma}")
    points = np.stack([np.asarray(axis, dtype=float) for axis in axes], axis=1)
    points[:, [count == 1 for count in bins]] = 0 if ranges is None else np.mean(ranges, axis=1)[np.equal(bins, 1)]
    out = np.ones(len(points))
    known = np.isfinite(points).all(axis=1)
    if not known.any():
        return out
    low, high = (points[known].min(axis=0), points[known].max(axis=0)) if ranges is None else np.transpose(ranges)
    inside = known.copy()
    inside[known] = ((points[known] >= low) & (points[known] <= high)).all(axis=1)
    if not inside.any():
        return out
    counts = np.asarray(bins)
    width = np.where(high > low, (high - low) / counts, 1.0)
    cell = np.minimum(((points[inside] - low) / width).astype(int), counts - 1)
    flat = np.ravel_multi_index(cell.T, bins)
    frequency = np.bincount(flat, minlength=int(np.prod(counts)))
    out[inside] = (frequency[flat] / frequency.max()) ** -gamma
    out[known & ~inside] = out[inside].max()
    return out
