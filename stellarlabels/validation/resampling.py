"""Statistics of many resamplings of a sample, drawn as counts of its values in narrow cells."""

import numpy as np

from stellarlabels.labels.uncertainty.scores import MAD_TO_SIGMA
from stellarlabels.validation.clipping import clipped, running, variance

__all__ = ["resample"]

#: Half width of the finely divided range and width of its cells, in units of the sample's robust width.
_REACH, _CELL = 6.0, 0.05
#: Number of cells from there to either end of the sample, in equal steps of the logarithm.
_TAIL = 20


def resample(values, sums, median, scale, *, number, clip, seed):
    """Statistics of resamplings with replacement.

    Parameters
    ----------
    values : `~numpy.ndarray`, shape (N,)
        Sorted, and relative to a value in their middle.
    sums : sequence of `~numpy.ndarray`, shape (N + 1,)
        Running number, sum and sum of squares of the values.
    median, scale : float
        Their median and a width that is not zero.
    number : int
        How many times the sample is drawn.
    clip : float
        Limit of the Gaussian fits.
    seed : int

    Returns
    -------
    mean, median, std, gauss_mean, gauss_sigma, robust_sigma, square : `~numpy.ndarray`, shape (number,)
        The last is the mean square; all relative to the same value.
    """
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
