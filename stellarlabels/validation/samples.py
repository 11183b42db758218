"""Location and width of samples of numbers, of whole samples and of many resamplings of one at a time.

A `Sample` is sorted once; sums over any range of its values are then differences of running sums, so that clipped fits
take no more passes over the numbers. For the bootstrap its values are counted in narrow cells: a resampling draws the
counts of the cells, and the statistics of all resamplings are worked out together. A million values take no longer
than a thousand.
"""

import numpy as np

from stellarlabels.labels.uncertainty.scores import MAD_TO_SIGMA
from stellarlabels.validation.clipping import check_clip, clipped, running, variance
from stellarlabels.validation.resampling import resample

__all__ = ["STATISTICS", "Sample", "gaussian_fit"]

#: Names of the statistics, in the order of the tables.
STATISTICS = ("mean", "median", "std", "gauss_mean", "gauss_sigma", "robust_sigma", "rmse")

#: Squares of absurd numbers are infinite, and what is worked out from them is NaN; nobody need be told.
_quiet = np.errstate(over="ignore", invalid="ignore")


def gaussian_fit(values, *, clip=3.0):
    """Mean and standard deviation of a Gaussian fitted to the values within so many standard deviations of its mean.

    Parameters
    ----------
    values : array_like
        NaN is left out.
    clip : float
        Limit in standard deviations, at least 2; infinite for plain mean and standard deviation.

    Returns
    -------
    mean, sigma : float
        NaN without values; sigma is NaN for one value.
    share : float
        Share of the values within the limit.

    Raises
    ------
    InputError
        If ``clip`` is below 2.

    Notes
    -----
    The solution of the likelihood of a Gaussian of which only the values within the limit are seen: the standard
    deviation of those values is divided by that of a unit Gaussian cut there (0.9866 for three), without which clipping
    makes every width too small.
    """
    sample = Sample(values)
    mean, sigma, share = sample.gaussian(clip)
    return float(mean), float(sigma), float(share)


class Sample:
    """Sorted values and the running sums of their powers.

    Parameters
    ----------
    values : array_like
        NaN and infinite values are left out.

    Attributes
    ----------
    values : `~numpy.ndarray` of float64, shape (N,)
    """

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
        """All statistics of the sample.

        Parameters
        ----------
        clip : float
            As for `gaussian_fit`.

        Returns
        -------
        dict of str to float
            By the names of `STATISTICS`.
        """
        mean, sigma, _ = self.gaussian(clip)
        found = (self.mean(), self.median(), self.std(), mean, sigma, self.robust_sigma(), self.rmse())
        return dict(zip(STATISTICS, map(float, found), strict=True))

    @_quiet
    def bootstrap(self, number=200, *, clip=3.0, seed=0):
        """Standard errors of all statistics.

        Parameters
        ----------
        number : int
            Number of resamplings; with fewer than two no error is known.
        clip : float
            As for `gaussian_fit`.
        seed : int

        Returns
        -------
        dict of str to float
            By the names of `STATISTICS`; NaN for fewer than two values.
        """
        if len(self) < 2 or number < 2:
            return dict.fromkeys(STATISTICS, np.nan)
        if self.values[0] == self.values[-1]:
            return dict.fromkeys(STATISTICS, 0.0)
        drawn = self.resampled(number, clip=clip, seed=seed)
        return {name: _spread(drawn[name]) for name in STATISTICS}

    @_quiet
    def resampled(self, number=200, *, clip=3.0, seed=0):
        """All statistics of resamplings with replacement.

        Parameters
        ----------
        number : int
        clip : float
            As for `gaussian_fit`.
        seed : int

        Returns
        -------
        dict of str to `~numpy.ndarray` of float64, shape (number,)
            By the names of `STATISTICS`.
        """
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
