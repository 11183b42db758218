"""Spectra on other wavelengths, and gaps in them bridged; many spectra at once."""

import numpy as np


def interpolate(wavelength, values, targets, redshift=None):
    """Values (N, M) interpolated linearly to (P,) or (N, P) wavelengths, times 1 + redshift (N, 1); NaN outside."""
    values = np.asarray(values, float)
    count, size = values.shape
    if size < 2:
        return np.full((count, np.shape(targets)[-1]), np.nan)
    wavelength, targets = np.asarray(wavelength, float), np.asarray(targets, float)
    logs = np.log(targets) if wavelength.ndim == 1 else None
    if redshift is not None:
        targets = targets * (1 + redshift)
        logs = None if logs is None else logs + np.log1p(redshift)
    left = _places(wavelength, targets, logs, count)
    np.subtract(left, 1, out=left)
    np.clip(left, 0, size - 2, out=left)
    # one straight line for each pair of neighbors: two numbers to look up for each target instead of four
    slope = np.diff(values, axis=1)
    slope /= np.diff(wavelength, axis=-1)
    start = values[:, :-1] - slope * wavelength[..., :-1]
    if left.ndim == 2:
        left += (size - 1) * np.arange(count)[:, None]
        out = slope.take(left, mode="clip")  # all are inside: it is faster than to look for those that are not
        out *= targets
        out += start.take(left, mode="clip")
    else:
        out = slope[:, left]
        out *= targets
        out += start[:, left]
    first, last = wavelength[..., :1], wavelength[..., -1:]
    if targets.size and (targets.min() < first.max() or targets.max() > last.min()):
        out[np.broadcast_to((targets < first) | (targets > last), out.shape)] = np.nan
    return out


def _places(wavelength, targets, guess, count):
    """Index of the first wavelength beyond each target, as of `numpy.searchsorted` with ``side="right"``."""
    # For wavelengths (M,) the logarithms of the targets are needed as well, whose memory is used.
    if wavelength.ndim == 2:
        low = min(wavelength.min(initial=np.inf), targets.min(initial=np.inf))
        step = max(wavelength.max(initial=-np.inf), targets.max(initial=-np.inf)) - low + 1.0
        rows = np.arange(count)[:, None]
        places = (np.broadcast_to(targets, (count, targets.shape[-1])) + rows * step).ravel()
        right = np.searchsorted((wavelength + rows * step).ravel(), places, side="right")
        return right.reshape(count, -1) - rows * wavelength.shape[1]
    if targets.ndim == 2 and targets.size > 10 * wavelength.size:
        # equal steps of the logarithm, to a tenth of a step: the place is known to within one
        logs = np.log(wavelength)
        step = (logs[-1] - logs[0]) / (logs.size - 1)
        if np.abs(logs - logs[0] - step * np.arange(logs.size)).max() < 0.1 * step:
            guess -= logs[0] - step
            guess *= 1 / step
            right = np.clip(guess, 1, logs.size - 1, out=guess).astype(np.int64)
            right += targets >= wavelength.take(right)
            right -= targets < wavelength.take(right - 1)
            return right
    return np.searchsorted(wavelength, targets, side="right")


def fill_gaps(wavelength, values, good):
    """Values (N, M) with those not good interpolated linearly; NaN before the first and after the last good one."""
    out = np.where(good, values, np.nan)
    size = out.shape[1]
    known, gaps = np.flatnonzero(good), np.flatnonzero(~good)
    if gaps.size == 0 or known.size == 0:
        return out
    place = np.searchsorted(known, gaps)
    left, right = known[np.maximum(place - 1, 0)], known[np.minimum(place, known.size - 1)]
    row = gaps // size
    inside = (left // size == row) & (right // size == row) & (left < gaps) & (right > gaps)
    gaps, left, right = gaps[inside], left[inside], right[inside]
    if wavelength.ndim == 1:
        where = (wavelength[index % size] for index in (gaps, left, right))
    else:
        where = (wavelength.ravel()[index] for index in (gaps, left, right))
    at, before, after = where
    low, high = out.ravel()[left], out.ravel()[right]
    out.reshape(-1)[gaps] = low + (at - before) / (after - before) * (high - low)
    return out
