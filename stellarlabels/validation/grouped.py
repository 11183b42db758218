"""Medians of many groups at once."""

import numpy as np

__all__ = ["grouped_median"]

#: Number of groups from which on their medians are found by sorting all values together.
_MANY = 20_000


def grouped_median(values, group, number):
    """Median of the finite values of each group.

    Parameters
    ----------
    values : `~numpy.ndarray` of float64, shape (N,)
    group : `~numpy.ndarray` of int, shape (N,)
        From 0 to ``number`` - 1; others are left out.
    number : int

    Returns
    -------
    `~numpy.ndarray` of float64, shape (number,)
        NaN for a group without values.
    """
    used = np.isfinite(values) & (group >= 0) & (group < number)
    values, group = values[used], group[used]
    count = np.bincount(group, minlength=number)
    ends = np.cumsum(count)
    out = np.full(number, np.nan)
    if number > _MANY:
        values = values[np.lexsort((values, group))]
        some = count > 0
        start = ends[some] - count[some]
        out[some] = 0.5 * (values[start + (count[some] - 1) // 2] + values[start + count[some] // 2])
        return out
    kind = np.int16 if number < np.iinfo(np.int16).max else np.int64  # small integers are sorted by their digits
    values = values[np.argsort(group.astype(kind), kind="stable")]
    for place in np.flatnonzero(count):
        out[place] = np.median(values[ends[place] - count[place] : ends[place]])
    return out
