"""Averages over samples of which some are missing, without warnings for rows that have none."""

import numpy as np

__all__ = ["nanmean", "nanmedian"]


def nanmean(values):
    """Mean along rows without NaN; NaN (and no warning) for empty rows."""
    good = np.isfinite(values)
    count = good.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(good, values, 0).sum(axis=1) / count


def nanmedian(values):
    """Median along rows without NaN; NaN (and no warning) for empty rows."""
    empty = np.isnan(values).all(axis=1)
    if not np.isnan(values).any():
        return np.median(values, axis=1)
    out = np.full(len(values), np.nan)
    out[~empty] = np.nanmedian(values[~empty], axis=1)
    return out
