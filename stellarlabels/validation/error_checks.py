"""Are the predicted errors of labels right? Pulls, coverage, PIT and reliability against a reference."""

import numpy as np
from astropy.table import QTable

from stellarlabels.labels import ONE_SIGMA, uncertainty
from stellarlabels.validation.bins import as_table
from stellarlabels.validation.samples import Sample
from stellarlabels.validation.statistics import label_names, selected

_LEVELS = (1, 2, 3)


def calibration(labels, reference, *, names=None, rows=None, good=True, bootstrap=200, seed=0):
    """Whether the pulls of each label are those of a unit Gaussian, and by what factor its errors are wrong.

    Parameters
    ----------
    labels, reference : `~astropy.table.Table`
        Tables of stars, joined as in `compare`. Errors of the reference count; where it has none, they are
        taken to be 0.
    names : sequence of str, optional
        Labels; by default all that ``labels`` has.
    rows : array_like of bool, shape (N,), optional
        Stars that count; all by default.
    good : bool
        Whether only labels count that are good, in both tables.
    bootstrap : int
        Number of resamplings for the standard errors; 0 for none.
    seed : int

    Returns
    -------
    `~astropy.table.QTable`
        One row for each label: ``label``; ``stars`` (int64) with both values and a predicted error; of the pulls
        ``pull_mean`` and ``pull_width`` (robust), with ``_err``; ``coverage_1``, ``coverage_2`` and ``coverage_3``, the
        shares within so many standard errors (0.683, 0.954 and 0.997 if the errors are right), with the
        ``_err`` of a binomial; ``factor``, by which the predicted errors, and those of the reference, would have to be
        multiplied for a one-sigma coverage of 68.3 %, with ``factor_err``; ``pit_distance``, the largest difference of
        the cumulative distribution of the PIT from that of uniform values (Kolmogorov-Smirnov), and
        ``pit_probability`` of one that large by chance; ``note``, a sentence if there is nothing to judge.
    """
    names = label_names(labels) if names is None else list(names)
    out = []
    for name in names:
        _, pull, _, note = selected(labels, reference, name, rows=rows, good=good)
        out.append({"label": name, **_row(Sample(pull), note, bootstrap, seed)})
    return as_table(out, bootstrap=bootstrap, seed=seed)


def reliability(labels, reference, name, *, levels=None, rows=None, good=True):
    """Share of the reference values inside central intervals of given probability.

    Parameters
    ----------
    labels, reference : `~astropy.table.Table`
        Tables of stars, joined as in `compare`.
    name : str
        Label.
    levels : array_like, optional
        Probabilities; 0.05 to 0.95 in steps of 0.05 by default.
    rows, good
        As for `calibration`.

    Returns
    -------
    `~astropy.table.QTable`
        As of ``stellarlabels.labels.uncertainty.reliability``; ``meta["note"]`` says if there is nothing to judge.
    """
    _, pull, _, note = selected(labels, reference, name, rows=rows, good=good)
    out = uncertainty.reliability(pull, 1.0, 0.0, levels=levels)
    out.meta.update(label=name, stars=int(np.isfinite(pull).sum()), note=note or _empty(pull))
    return out


def pit_histogram(labels, reference, name, *, bins=20, rows=None, good=True):
    """How often the reference value lies in each part of the predicted distribution.

    Parameters
    ----------
    labels, reference : `~astropy.table.Table`
        Tables of stars, joined as in `compare`.
    name : str
        Label.
    bins : int
        Number of bins between 0 and 1.
    rows, good
        As for `calibration`.

    Returns
    -------
    `~astropy.table.QTable`
        ``low``, ``high``, ``stars`` (int64), ``density`` (1 in every bin if the errors are right, high at both ends if
        they are too small) and ``sampling_error``, its standard error if they are right; ``meta["note"]``.
    """
    _, pull, _, note = selected(labels, reference, name, rows=rows, good=good)
    edges = np.linspace(0, 1, bins + 1)
    expected = np.full(bins, 1 / bins)
    return _histogram(uncertainty.pit(pull, 1.0, 0.0), edges, expected, name, note or _empty(pull))


def pull_histogram(labels, reference, name, *, bins=40, limit=5.0, rows=None, good=True):
    """Distribution of the pulls beside the unit Gaussian that it should be.

    Parameters
    ----------
    labels, reference : `~astropy.table.Table`
        Tables of stars, joined as in `compare`.
    name : str
        Label.
    bins : int
        Number of bins.
    limit : float
        Largest pull; those beyond count for the first and the last bin.
    rows, good
        As for `calibration`.

    Returns
    -------
    `~astropy.table.QTable`
        ``low``, ``high``, ``stars`` (int64), ``density`` and, for right errors, ``expected`` density and
        ``sampling_error``; ``meta["note"]``.
    """
    from scipy.special import ndtr

    _, pull, _, note = selected(labels, reference, name, rows=rows, good=good)
    edges = np.linspace(-limit, limit, bins + 1)
    below = ndtr(edges)
    below[0], below[-1] = 0, 1
    table = _histogram(np.clip(pull, -limit, limit), edges, np.diff(below), name, note or _empty(pull))
    table.add_column(np.diff(below) / np.diff(edges), name="expected", index=4)
    return table


def _histogram(values, edges, expected, name, note):
    """Counts and densities, with the binomial error of the expected shares."""
    values = values[np.isfinite(values)]
    stars = np.histogram(values, edges)[0].astype(np.int64)
    width = np.diff(edges)
    with np.errstate(invalid="ignore", divide="ignore"):
        density = stars / np.float64(values.size) / width
        sampling = np.sqrt(expected * (1 - expected) / values.size) / width
    columns = {"low": edges[:-1], "high": edges[1:], "stars": stars, "density": density, "sampling_error": sampling}
    return QTable(columns, meta={"label": name, "stars": int(values.size), "note": note})


def _row(pull, note, bootstrap, seed):
    """The columns of one label from ``stars`` on."""
    size = len(pull)
    error = pull.bootstrap(bootstrap, seed=seed)
    out = {"stars": size, "pull_mean": pull.mean(), "pull_mean_err": error["mean"]}
    out |= {"pull_width": pull.robust_sigma() if size > 1 else np.nan, "pull_width_err": error["robust_sigma"]}
    for level in _LEVELS:
        share = uncertainty.coverage(pull.values, level)
        out[f"coverage_{level}"] = share
        out[f"coverage_{level}_err"] = np.sqrt(share * (1 - share) / size) if size else np.nan
    out["factor"], out["factor_err"] = _factor(np.sort(np.abs(pull.values)))
    out["pit_distance"], out["pit_probability"] = _uniformity(uncertainty.pit(-pull.values, 1.0, 0.0))
    return out | {"note": note or _empty(pull.values)}


def _factor(sizes):
    """Quantile of the absolute pulls that one-sigma intervals are to reach, and its error from order statistics."""
    if sizes.size < 2:
        return np.nan, np.nan
    half = np.sqrt(ONE_SIGMA * (1 - ONE_SIGMA) / sizes.size)
    low, middle, high = np.quantile(sizes, np.clip([ONE_SIGMA - half, ONE_SIGMA, ONE_SIGMA + half], 0, 1))
    return middle, 0.5 * (high - low)


def _uniformity(sorted_pit):
    """Distance of Kolmogorov and Smirnov from uniform values, and its probability."""
    from scipy.special import kolmogorov

    size = sorted_pit.size
    if not size:
        return np.nan, np.nan
    steps = np.arange(size + 1) / size
    distance = max((steps[1:] - sorted_pit).max(), (sorted_pit - steps[:-1]).max())
    root = np.sqrt(size)  # for few values as Stephens 1970, J. R. Stat. Soc. B 32, 115
    return distance, float(kolmogorov((root + 0.12 + 0.11 / root) * distance))


def _empty(pull):
    return "" if np.isfinite(pull).any() else "no star has both values and a predicted error"
