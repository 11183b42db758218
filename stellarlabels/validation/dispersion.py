"""Intrinsic dispersion: how much values scatter beyond their errors."""

import numpy as np

__all__ = ["intrinsic"]

#: Fall of the log likelihood at the ends of a 68.3 % interval.
_HALF = 0.5


def intrinsic(values, errors):
    """Mean and intrinsic dispersion of values with Gaussian errors, by maximum likelihood.

    Parameters
    ----------
    values, errors : `~numpy.ndarray` of float64, shape (N,)
        Finite; errors are standard deviations, not negative.

    Returns
    -------
    dict of str to float
        ``mean`` and ``mean_err``, weighted by the inverse of error squared plus dispersion squared; ``dispersion``,
        0 if the errors explain the scatter, with ``dispersion_lo`` and ``dispersion_hi``, where the likelihood,
        greatest over the mean, has fallen by a factor exp(-1/2). NaN for fewer than two values, the interval for fewer
        than three.

    Notes
    -----
    Each value is drawn from a Gaussian with the variance of its error plus that of the population (Pryor & Meylan 1993,
    ASP Conf. Ser. 50, 357). The likelihood of the dispersion takes the mean as unknown (it is integrated over, not only
    maximised), which removes the bias of the maximum for few values.
    """
    from scipy.optimize import brentq, minimize_scalar

    out = dict.fromkeys(("mean", "mean_err", "dispersion", "dispersion_lo", "dispersion_hi"), np.nan)
    if values.size == 0:
        return out
    if values.size == 1:
        return out | {"mean": float(values[0]), "mean_err": float(errors[0]) or np.nan}
    spread = float(np.std(values, ddof=1))
    top = 10 * spread + float(errors.max())
    if top == 0:
        return out | {"mean": float(values[0]), "mean_err": 0.0, "dispersion": 0.0}
    floor = 1e-6 * top  # without errors the likelihood of no dispersion at all has no limit

    def fall(sigma):
        return -_log_likelihood(values, errors, max(sigma, floor))[0]

    grid = np.concatenate([[0.0], np.geomspace(1e-4, 1, 60) * top])
    heights = np.array([fall(item) for item in grid])
    place = int(heights.argmin())
    if place == 0:
        best = 0.0
    else:
        bounds = grid[place - 1], grid[min(place + 1, len(grid) - 1)]
        best = float(minimize_scalar(fall, bounds=bounds, method="bounded", options={"xatol": 1e-6 * top}).x)
        best = best if fall(best) < heights[0] else 0.0
    lowest = fall(best)
    _, mean, variance = _log_likelihood(values, errors, max(best, floor))
    out |= {"mean": float(mean), "mean_err": float(np.sqrt(variance)), "dispersion": best}
    if values.size < 3:
        return out

    def excess(sigma):
        return fall(sigma) - lowest - _HALF

    out["dispersion_lo"] = float(brentq(excess, 0.0, best)) if best > 0 and excess(0.0) > 0 else 0.0
    end = top
    while excess(end) < 0:
        end *= 4
    out["dispersion_hi"] = float(brentq(excess, best, end))
    return out


def _log_likelihood(values, errors, sigma):
    """Logarithm of the likelihood of a dispersion, with the best mean and its variance."""
    weight = 1 / (errors**2 + sigma**2)
    total = weight.sum()
    mean = (weight * values).sum() / total
    log = 0.5 * (np.log(weight).sum() - np.log(total) - (weight * (values - mean) ** 2).sum())
    return log, mean, 1 / total
