"""Samples of residuals: statistics, clipped Gaussian fits, and their standard errors from resampling."""

import numpy as np

from stellarlabels.exceptions import InputError
from stellarlabels.labels import MAD_TO_SIGMA

#: Names of the statistics, in the order of the tables.
STATISTICS = ("mean", "median", "std", "gauss_mean", "gauss_sigma", "robust_sigma", "rmse")

#: Squares of absurd numbers are infinite, and what is worked out from them is NaN; nobody need be told.
_quiet = np.errstate(over="ignore", invalid="ignore")


def gaussian_fit(values, *, clip=3.0):
    """Mean and width of a Gaussian fitted to the values within so many widths of its mean, and the share within."""
    # The solution of the likelihood of a Gaussian of which only the values within the limit are seen: the standard
    # deviation of those values is divided by that of a unit Gaussian cut there (0.9866 for three), without which
    # clipping makes every width too small.
    sample = Sample(values)
    mean, sigma, share = sample.gaussian(clip)
    return float(mean), float(sigma), float(share)


class Sample:
    """Sorted finite ``values`` (N,) and the running sums of their powers."""

    def __init__(self, values):
        values = np.asarray(values, float).ravel()
        self.values = values = np.sort(values[np.isfinite(values)])
        self._center = values[values.size // 2] if values.size else 0.0
        self._robust = None
        self._running = None

    def __len__(self):
        return self.values.size

    @property
    def _sums(self):
        """Running number, sum and sum of squares of the values relative to the center."""
        if self._running is None:
            relative = self.values - self._center
            self._running = np.arange(len(self) + 1.0), *running(relative, relative**2)
        return self._running

    def median(self):
        """The median; NaN without values."""
        size = len(self)
        return 0.5 * (self.values[(size - 1) // 2] + self.values[size // 2]) if size else np.nan

    def robust_sigma(self):
        """1.4826 times the median absolute deviation from the median; NaN without values."""
        if self._robust is None:
            self._robust = MAD_TO_SIGMA * _median_distance(self.values, self.median()) if len(self) else np.nan
        return self._robust

    @_quiet
    def mean(self):
        """The mean; NaN without values."""
        return self._center + self._sums[1][-1] / len(self) if len(self) else np.nan

    @_quiet
    def std(self):
        """The standard deviation, of a population of which this is a sample; NaN for fewer than two values."""
        if len(self) < 2:
            return np.nan
        return float(np.sqrt(variance(*(sums[-1] for sums in self._sums))))

    @_quiet
    def rmse(self):
        """The root of the mean square; NaN without values."""
        return float(np.sqrt(np.mean(self.values**2))) if len(self) else np.nan

    @_quiet
    def gaussian(self, clip=3.0):
        """As `gaussian_fit`."""
        check_clip(clip)
        if len(self) < 2:
            return self.mean(), np.nan, 1.0 if len(self) else np.nan
        sums = [item[None] for item in self._sums]
        start = np.array([self.median() - self._center]), np.array([self._scale()])
        mean, sigma, inside = clipped(self.values - self._center, sums, *start, clip)
        return self._center + mean[0], sigma[0], inside[0] / len(self)

    def statistics(self, clip=3.0):
        """All statistics, a dict by the names of `STATISTICS`; ``clip`` as for `gaussian_fit`."""
        mean, sigma, _ = self.gaussian(clip)
        found = (self.mean(), self.median(), self.std(), mean, sigma, self.robust_sigma(), self.rmse())
        return dict(zip(STATISTICS, map(float, found), strict=True))

    @_quiet
    def bootstrap(self, number=200, *, clip=3.0, seed=0):
        """Standard errors of all statistics, a dict as of `statistics`; NaN for fewer than two values."""
        if len(self) < 2 or number < 2:
            return dict.fromkeys(STATISTICS, np.nan)
        if self.values[0] == self.values[-1]:
            return dict.fromkeys(STATISTICS, 0.0)
        drawn = self.resampled(number, clip=clip, seed=seed)
        return {name: _spread(drawn[name]) for name in STATISTICS}

    @_quiet
    def resampled(self, number=200, *, clip=3.0, seed=0):
        """All statistics of resamplings with replacement, (number,) each, as of `statistics`."""
        check_clip(clip)
        center, middle = self._center, self.median() - self._center
        relative = self.values - center
        drawn = resample(relative, self._sums, middle, self._scale(), number=number, clip=clip, seed=seed)
        mean, median, std, gauss_mean, gauss_sigma, robust_sigma, square = drawn
        rmse = np.sqrt(np.maximum(square + 2 * center * mean + center**2, 0))
        found = (mean + center, median + center, std, gauss_mean + center, gauss_sigma, robust_sigma, rmse)
        return dict(zip(STATISTICS, found, strict=True))

    def _scale(self):
        """A width that is not zero unless all values are equal."""
        return self.robust_sigma() or self.std()


def _median_distance(values, middle):
    """Median of the distances of sorted values from a place between the smallest and the largest."""
    size = values.size
    start = np.searchsorted(values, middle)
    left, right = middle - values[:start][::-1], values[start:] - middle
    ranks = (size - 1) // 2 + 1, size // 2 + 1
    return float(np.mean([_of_two(left, right, rank) for rank in ranks]))


def _of_two(first, second, rank):
    """The number of a rank, from 1, in two sorted arrays together."""
    low, high = max(0, rank - second.size), min(rank, first.size)
    while low < high:  # how many of the smallest are in the first array
        middle = (low + high) // 2
        if first[middle] < second[rank - middle - 1]:
            low = middle + 1
        else:
            high = middle
    found = []
    if low > 0:
        found.append(first[low - 1])
    if rank - low > 0:
        found.append(second[rank - low - 1])
    return max(found)


def _spread(drawn):
    """Standard deviation of those that are known."""
    drawn = drawn[np.isfinite(drawn)]
    return float(np.std(drawn, ddof=1)) if drawn.size > 1 else np.nan


#: Smallest clipping limit for which the clipped fit has one solution near the bulk of the sample.
LEAST_CLIP = 2.0


def check_clip(clip):
    """Refuse limits below 2 standard deviations, which have no sensible solution."""
    if not clip >= LEAST_CLIP:
        raise InputError(f"clip: expected at least {LEAST_CLIP:g} standard deviations, got {clip!r}")


def running(*arrays):
    """Sums up to each place, from zero, along the last axis: (..., K) to (..., K + 1) for each array."""
    out = []
    for array in arrays:
        sums = np.zeros((*array.shape[:-1], array.shape[-1] + 1))
        np.cumsum(array, axis=-1, out=sums[..., 1:])
        out.append(sums)
    return out


def variance(count, first, second):
    """Variance of a population from number, sum and sum of squares of a sample; NaN for one value."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.maximum(second - first**2 / count, 0) / (count - 1)


def clipped(at, sums, mean, sigma, clip, steps=100):
    """Clipped Gaussian fits to sorted values (K,) under B weightings: mean, sigma and weight inside, (B,) each."""
    # "sums" (B, K + 1) are running sums of the weights, and of the weights times the values and their squares; "mean"
    # and "sigma" (B,) are where to begin.
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


#: Half width of the finely divided range and width of its cells, in units of the sample's robust width.
_REACH, _CELL = 6.0, 0.05
#: Number of cells from there to either end of the sample, in equal steps of the logarithm.
_TAIL = 20


def resample(values, sums, median, scale, *, number, clip, seed):
    """Seven statistics of resamplings with replacement, (number,) each, from sorted values (N,) and running sums."""
    # In the order of STATISTICS but for the last, the mean square; all are relative to the value in the middle, as are
    # "values" and "median". "sums" (N + 1,) are number, sum and sum of squares; "scale" is a width that is not zero.
    edges, count, at, at_square = _cells(values, sums, median, scale)
    random = np.random.default_rng(seed)
    weights = random.multinomial(len(values), count / len(values), size=number).astype(float)
    sums = running(weights, weights * at, weights * at_square)
    total = sums[0][:, -1]
    median = _quantile(edges, sums[0], 0.5)
    width = _half_width(edges, sums[0], median) * MAD_TO_SIGMA
    deviation = np.sqrt(variance(*(item[:, -1] for item in sums)))
    mean, sigma, _ = clipped(at, sums, median, np.where(width > 0, width, deviation), clip)
    return sums[1][:, -1] / total, median, deviation, mean, sigma, width, sums[2][:, -1] / total


def _cells(values, sums, middle, scale):
    """Edges of the cells, their counts, means and mean squares; relative to the center."""
    inner = middle + scale * np.arange(-_REACH, _REACH + _CELL / 2, _CELL)
    parts = [inner]
    for sign, end in ((-1, values[0]), (1, values[-1])):
        beyond = sign * (end - middle) / scale
        if beyond > _REACH:
            parts.append(middle + sign * scale * np.geomspace(_REACH, beyond * (1 + 1e-9), _TAIL + 1)[1:])
    edges = np.sort(np.concatenate(parts))
    place = np.searchsorted(values, edges)
    place[0], place[-1] = 0, values.size
    count, first, second = (np.diff(item[place]) for item in sums)
    # Empty cells between others stay, as gaps over which the distribution function is flat.
    kept = np.flatnonzero(count > 0)
    part = slice(kept[0], kept[-1] + 1)
    count, first, second, edges = count[part], first[part], second[part], edges[kept[0] : kept[-1] + 2]
    divisor = np.maximum(count, 1)
    return edges, count, np.where(count > 0, first / divisor, 0.5 * (edges[:-1] + edges[1:])), second / divisor


def _quantile(edges, weight, share):
    """Quantile of each row, with the weight of a cell spread evenly over it; ``weight`` is running."""
    half = share * weight[:, -1]
    rows = np.arange(len(weight))
    out = []
    for compare in (np.less, np.less_equal):  # a flat stretch has two ends, of which the middle is taken
        place = np.clip(compare(weight, half[:, None]).sum(axis=1) - 1, 0, len(edges) - 2)
        below, above = weight[rows, place], weight[rows, place + 1]
        with np.errstate(invalid="ignore", divide="ignore"):
            part = np.where(above > below, (half - below) / (above - below), 1.0)
        out.append(edges[place] + np.clip(part, 0, 1) * np.diff(edges)[place])
    return 0.5 * (out[0] + out[1])


def _below(edges, weight, at):
    """Weight of each row below a place."""
    place = np.minimum(np.maximum(np.searchsorted(edges, at) - 1, 0), len(edges) - 2)
    low, rows = edges[place], np.arange(len(weight))
    part = np.minimum(np.maximum((at - low) / (edges[place + 1] - low), 0), 1)
    return weight[rows, place] * (1 - part) + weight[rows, place + 1] * part


def _half_width(edges, weight, median, steps=28):
    """Median absolute deviation of each row, by bisection."""
    low = np.zeros(len(median))
    high = np.maximum(edges[-1] - median, median - edges[0])
    half = 0.5 * weight[:, -1]
    for _ in range(steps):
        middle = 0.5 * (low + high)
        short = _below(edges, weight, median + middle) - _below(edges, weight, median - middle) < half
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return 0.5 * (low + high)
