"""Straight lines through points, for one sample or for many groups of stars at once."""

import numpy as np

from stellarlabels.exceptions import InputError
from stellarlabels.labels import MAD_TO_SIGMA
from stellarlabels.validation.bins import grouped_median

#: Ways in which a straight line can be fitted.
METHODS = ("least_squares", "weighted", "robust")
#: Tuning constant of Huber's weights: 95 % efficiency for a Gaussian.
_HUBER = 1.345
#: Number of steps after which the scale of the residuals stays as it is.
_SCALES = 5
_KEYS = ("slope", "slope_err", "intercept", "intercept_err", "scatter")


def weighted_line(x, y, error=None):
    """A line through points (N,) with errors of y (N,): as `grouped_lines` with "weighted", dict of str to float."""
    found = grouped_lines(x, y, np.zeros(len(x), int), 1, error=error, method="weighted")
    return {key: column[0] for key, column in found.items()}


@np.errstate(invalid="ignore", divide="ignore", over="ignore")
def grouped_lines(x, y, group, number, *, error=None, method="least_squares"):
    """Lines y = slope x + intercept through points (N,) of groups (N,): dict of arrays (number,), NaN for < 3."""
    # Keys: "slope", "slope_err", "intercept", "intercept_err", "scatter" (standard deviation around the line, a robust
    # one for "robust", that beyond the errors for "weighted") and "stars". "least_squares" is ordinary, with errors
    # from the scatter around the line, as scipy.stats.linregress. "weighted": weights 1 / (error^2 + s^2), with the
    # scatter s beyond the errors that makes chi-squared per degree of freedom 1 (0 if it is below 1 without); an error
    # that is NaN counts as the median of the others of the group. "robust": Huber's weights (Huber 1964, Ann. Math.
    # Stat. 35, 73), with the errors of his sandwich formula.
    if method not in METHODS:
        raise InputError(f"method: expected one of {', '.join(METHODS)}, got {method!r}")
    used = np.isfinite(x) & np.isfinite(y) & (group >= 0) & (group < number)
    x, y, group = x[used], y[used], group[used]
    fit = _Groups(x, y, group, number)
    if method == "least_squares":
        found = fit.ordinary()
    elif method == "weighted":
        found = fit.weighted(_errors(None if error is None else error[used], group, number, len(x)))
    else:
        found = fit.robust()
    found["stars"] = fit.count.astype(np.int64)
    for key in _KEYS:
        found[key] = np.where(fit.solvable, found[key], np.nan)
    return found


class _Groups:
    """Points of all groups, centered on the means of their group."""

    def __init__(self, x, y, group, number):
        self.group, self.number = group, number
        self.count = self.sum(np.ones(len(x)))
        self.mean_x, self.mean_y = self.sum(x) / self.count, self.sum(y) / self.count
        self.x, self.y = x - self.mean_x[group], y - self.mean_y[group]
        low, high = np.full(number, np.inf), np.full(number, -np.inf)
        np.minimum.at(low, group, x)
        np.maximum.at(high, group, x)
        self.solvable = (self.count > 2) & (high > low)

    def sum(self, values):
        """Sum over each group."""
        return np.bincount(self.group, values, self.number)

    def solve(self, weight):
        """Line of weighted least squares: slope and value at the mean x, and the matrix of the normal equations."""
        s, sx, sxx = self.sum(weight), self.sum(weight * self.x), self.sum(weight * self.x**2)
        sy, sxy = self.sum(weight * self.y), self.sum(weight * self.x * self.y)
        determinant = s * sxx - sx**2
        slope, level = (s * sxy - sx * sy) / determinant, (sxx * sy - sx * sxy) / determinant
        inverse = np.array([[s, -sx], [-sx, sxx]]) / determinant  # of (slope, level)
        return slope, level, inverse

    def residual(self, slope, level):
        return self.y - slope[self.group] * self.x - level[self.group]

    def answer(self, slope, level, covariance, scatter):
        """Slope and intercept at x = 0 with errors, from a line and covariance at the mean x."""
        intercept_variance = covariance[1, 1] - 2 * self.mean_x * covariance[0, 1] + self.mean_x**2 * covariance[0, 0]
        errors = np.sqrt(covariance[0, 0]), np.sqrt(np.maximum(intercept_variance, 0))
        intercept = self.mean_y + level - slope * self.mean_x
        return dict(zip(_KEYS, (slope, errors[0], intercept, errors[1], scatter), strict=True))

    def ordinary(self):
        slope, level, inverse = self.solve(np.ones(len(self.x)))
        variance = self.sum(self.residual(slope, level) ** 2) / (self.count - 2)
        return self.answer(slope, level, inverse * variance, np.sqrt(variance))

    def weighted(self, error, steps=30):
        plain = self.ordinary()["scatter"] ** 2
        floor = 1e-10 * np.nan_to_num(plain) + 1e-60
        extra = np.fmax(plain - self.sum(error**2) / self.count, floor)
        for _ in range(steps):
            weight, residual = self._weigh(error, extra)
            # 1 / chi-squared is close to linear in the variance: it is where Newton's steps are taken.
            chi = self.sum(weight * residual**2) / (self.count - 2)
            moved = chi * (chi - 1) * (self.count - 2) / self.sum((weight * residual) ** 2)
            before, extra = extra, np.fmax(extra + np.nan_to_num(moved), floor)
            if np.allclose(extra, before, rtol=1e-8, atol=0):
                break
        weight, residual = self._weigh(error, extra)
        slope, level, inverse = self.solve(weight)
        return self.answer(slope, level, inverse, np.sqrt(np.where(extra > floor, extra, 0.0)))

    def _weigh(self, error, extra):
        """Weights for an additional variance, and residuals from the line that they give."""
        weight = 1 / (error**2 + extra[self.group])
        slope, level, _ = self.solve(weight)
        return weight, self.residual(slope, level)

    def robust(self, steps=60):
        slope, level, _ = self.solve(np.ones(len(self.x)))
        for step in range(steps):
            size = np.abs(self.residual(slope, level))
            if step < _SCALES:
                scale = MAD_TO_SIGMA * grouped_median(size, self.group, self.number)
                limit = (_HUBER * scale)[self.group]
            weight = _huber(size, limit)
            before = slope
            slope, level, _ = self.solve(weight)
            moved = np.abs(slope - before) > 1e-8 * np.abs(slope)
            if step >= _SCALES and not moved[self.solvable].any():
                break
        residual = self.residual(slope, level)
        share = self.sum((np.abs(residual) <= limit).astype(float)) / self.count
        weight = _huber(np.abs(residual), limit)
        variance = self.sum((weight * residual) ** 2) / (self.count - 2) / share**2
        _, _, inverse = self.solve(np.ones(len(self.x)))
        return self.answer(slope, level, inverse * variance, scale)


def _huber(size, limit):
    """Huber's weights; tiny beyond a limit of zero, so that points on the line decide."""
    return np.where(size > limit, np.maximum(limit / size, 1e-12), 1.0)


def _errors(error, group, number, length):
    """Errors with a typical one where it is missing."""
    if error is None:
        return np.zeros(length)
    typical = np.nan_to_num(grouped_median(error, group, number))
    return np.where(np.isfinite(error), error, typical[group])
