"""Bias, scatter and honesty of errors of one table of labels against another."""

import numpy as np

from stellarlabels import columns
from stellarlabels.exceptions import InputError
from stellarlabels.labels import coverage, pulls, robust_scatter
from stellarlabels.validation.bins import as_table, inside, quantity_along
from stellarlabels.validation.derived import classes
from stellarlabels.validation.joining import aligned
from stellarlabels.validation.samples import STATISTICS, Sample
from stellarlabels.validation.verdicts import good_rows, in_training

_ALONE = "only one star: no scatter"
_NONE = "no star has both values"


def label_names(table):
    """Labels of the vocabulary that a table has, under any of their names, in the order of the vocabulary."""
    return [name for name in columns.vocabulary().notes["labels"] if columns.find(table, name) is not None]


def residuals(labels, reference, name, *, good=True):
    """Residuals and pulls of one label, row by row.

    Parameters
    ----------
    labels : `~astropy.table.Table`
        Output of a system's ``predict``.
    reference : `~astropy.table.Table`
        With columns of the same names or their aliases. It is joined by an identifier that both tables have, as in
        `compare`.
    name : str
        Label.
    good : bool
        Whether only labels count that are good, in both tables.

    Returns
    -------
    residual, pull : `~numpy.ndarray` of float64, shape (N,)
        Label minus reference, in the label's unit and in units of the total error (the reference's own included);
        NaN where either is missing or not good.

    Raises
    ------
    InputError
        As of `compare`.
    """
    reference = aligned(labels, reference)
    value, error, _ = columns.label_columns(name)
    predicted, sigma = columns.column_values(labels, value), columns.column_values(labels, error, required=False)
    truth, truth_error = (
        columns.column_values(reference, value),
        columns.column_values(reference, error, required=False),
    )
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        residual, pull = predicted - truth, pulls(predicted, sigma, truth, truth_error)
    for table in (labels, reference) if good else ():
        own = good_rows(table, name)
        if own is not None:
            residual[~own] = pull[~own] = np.nan
    return residual, pull


def compare(labels, reference, *, names=None, rows=None, good=True):
    """Bias, scatter and calibration of labels against reference labels of the same stars, in brief.

    Parameters
    ----------
    labels, reference : `~astropy.table.Table`
        Tables of stars. They are joined by the first identifier that both have (``source_id``, ``obsid``, ...); of
        several rows of the reference for one star that counts which has the most good labels, and of these the highest
        S/N. Without an identifier in common they are the same rows in the same order.
    names : sequence of str, optional
        Labels to compare; by default all that both tables have.
    rows : array_like of bool, optional
        Stars of ``labels`` to compare; all by default.
    good : bool
        Whether only labels count that are good, in both tables: ``<label>_good``, or by the column ``<label>_flag``.

    Returns
    -------
    `~astropy.table.QTable`
        One row for each label: ``label``, ``unit``, ``stars``, ``bias`` (median residual), ``scatter`` (1.4826 times
        the median absolute deviation), ``rmse``, ``error`` (median predicted error), ``pull_width`` (robust scatter
        of the pulls, 1 if the errors are right), ``coverage`` (share of pulls within one sigma, 0.683 if they are
        right), and ``in_training``, the number of these stars with which the weights were trained, as their flags say:
        for them residuals are too small. NaN where there are no stars or no errors.

    Raises
    ------
    InputError
        If the tables have no star or no label in common, or differ in length where they have no identifier in common.

    See Also
    --------
    summarize : Gaussian fits, standard errors and groups of stars.
    """
    labels, reference = columns.as_table(labels, "labels"), columns.as_table(reference, "reference")
    if names is None:
        names = [name for name in labels.colnames if f"{name}_err" in labels.colnames]
        names = [name for name in names if columns.find(reference, name) is not None]
    if not names:
        raise InputError("reference: it has none of the labels to compare")
    picked = np.ones(len(labels), bool) if rows is None else np.asarray(rows, bool)
    reference, out = aligned(labels, reference), []
    for name in names:
        residual, pull = residuals(labels, reference, name, good=good)
        known = picked & np.isfinite(residual)
        value, error, _ = columns.label_columns(name)
        sigma = columns.column_values(labels, error, required=False)[known]
        some = residual[known]
        row = {"label": name, "unit": value.unit, "stars": int(known.sum())}
        row |= {"bias": _median(some), "scatter": robust_scatter(some), "rmse": Sample(some).rmse()}
        row |= {"error": _median(sigma), "pull_width": robust_scatter(pull[known]), "coverage": coverage(pull[known])}
        out.append(row | {"in_training": int((known & in_training(labels, name)).sum())})
    return as_table(out)


def summarize(
    labels,
    reference,
    *,
    names=None,
    rows=None,
    groups=None,
    good=True,
    clip=3.0,
    bootstrap=200,
    seed=0,
):
    """Bias, scatter and calibration of labels against reference labels of the same stars, with standard errors.

    Parameters
    ----------
    labels, reference : `~astropy.table.Table`
        Tables of stars, joined as in `compare`; N is the number of rows of ``labels``.
    names : sequence of str, optional
        Labels to compare; by default all that ``labels`` has.
    rows : array_like of bool, shape (N,), optional
        Stars to compare; all by default.
    groups : dict of str to array_like of bool, shape (N,), optional
        Stars of each group, for which there are rows of their own; see `classes`.
    good : bool
        Whether only labels count that are good, in both tables: ``<label>_good``, or by the column ``<label>_flag``,
        the label under any of its names.
    clip : float
        Limit of the Gaussian fits in standard deviations, at least 2: the likelihood is that of a Gaussian of which no
        more is seen.
    bootstrap : int
        Number of resamplings from which the standard errors are; 0 for none.
    seed : int
        Of the resamplings.

    Returns
    -------
    `~astropy.table.QTable`
        For each label one row with all stars (``group`` is ``"all"``), then one for each group:

        - ``label``, ``unit``, ``group``, ``stars`` (int64), those with both values;
        - of the residuals, label minus reference, in the label's unit: ``mean``, ``median``, ``std`` (standard
          deviation), ``gauss_mean`` and ``gauss_sigma`` (clipped Gaussian fit, the bias and 1-sigma of the papers),
          ``robust_sigma`` (1.4826 times the median absolute deviation) and ``rmse``, each with its standard error
          ``<name>_err``;
        - ``clipped``, share of the residuals beyond the limit of the fit (0.0027 for a Gaussian and three sigma);
        - ``error``, median predicted error; of the pulls ``pull_width`` (robust; 1 if the errors are right) with
          ``pull_width_err``, and ``coverage`` of one sigma (0.683 if they are right) with ``coverage_err``;
        - ``note``, a sentence if something is missing, or if the weights were trained with some of the stars, for
          which residuals are too small; else empty.

        NaN where a number cannot be given. ``meta`` holds the settings.

    Raises
    ------
    InputError
        If the tables differ in length, or if ``labels`` has no label.

    Notes
    -----
    The bootstrap draws the counts of the residuals in cells of 1/20 of their robust width (wider ones in the tails), so
    that its duration does not grow with the number of stars (Efron 1979, Ann. Stat. 7, 1).
    """
    reference = aligned(labels, reference)
    names = label_names(labels) if names is None else list(names)
    if not names:
        raise InputError("labels: the table has no label of the vocabulary")
    groups = {"all": np.ones(len(labels), bool)} | {key: np.asarray(mask, bool) for key, mask in (groups or {}).items()}
    out = []
    for name in names:
        residual, pull, sigma, note = selected(labels, reference, name, rows=rows, good=good)
        for group, mask in groups.items():
            numbers = _numbers(residual[mask], pull[mask], sigma[mask], note, clip, bootstrap, seed)
            out.append({"label": name, "unit": columns.column(name).unit, "group": group, **numbers})
    return as_table(out, clip=clip, bootstrap=bootstrap, seed=seed)


def by_class(labels, reference, *, rule="logg", limit=3.5, **options):
    """As `summarize`, for all stars, dwarfs and giants.

    Parameters
    ----------
    labels, reference : `~astropy.table.Table`
        As for `summarize`. The reference decides what is a giant, unless it lacks what the rule needs.
    rule, limit
        As for `classes`.
    **options
        For `summarize`.

    Returns
    -------
    `~astropy.table.QTable`
        As of `summarize`; groups are ``all``, ``dwarfs`` and ``giants``.
    """
    reference = aligned(labels, reference)
    return summarize(labels, reference, groups=classes(reference, labels, rule=rule, limit=limit), **options)


def by_bins(
    labels,
    reference,
    name,
    along,
    *,
    bins=10,
    rows=None,
    good=True,
    clip=3.0,
    bootstrap=200,
    seed=0,
):
    """Bias, scatter and calibration of one label in bins of any quantity.

    Parameters
    ----------
    labels, reference : `~astropy.table.Table`
        As for `summarize`.
    name : str
        Label.
    along : str or array_like, shape (N,)
        The quantity, or the name of its column: one of ``labels``, or else of ``reference``.
    bins : int or array_like
        Number of bins with equally many stars, or their edges (in the unit of the column).
    rows, good, clip, bootstrap, seed
        As for `summarize`.

    Returns
    -------
    `~astropy.table.QTable`
        One row for each bin: ``low`` and ``high``, the edges, and ``center``, the median of the quantity, in its unit;
        then the columns of `summarize` from ``stars`` on, in the label's unit. A bin holds its lower edge, the last one
        also the upper. With no star or a constant quantity it is one row with a ``note``.

    Raises
    ------
    InputError
        If the tables differ in length, if neither has the column, or if the edges do not increase.
    """
    reference = aligned(labels, reference)
    quantity = quantity_along((labels, reference), along, len(labels))
    residual, pull, sigma, note = selected(labels, reference, name, rows=rows, good=good)
    known = np.isfinite(residual) & np.isfinite(quantity.values)
    edges, remark = quantity.edges(bins, known)
    out = []
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        mask = known & inside(quantity.values, low, high, closed=high == edges[-1])
        numbers = _numbers(residual[mask], pull[mask], sigma[mask], note or remark, clip, bootstrap, seed)
        out.append({"low": low, "high": high, "center": _median(quantity.values[mask]), **numbers})
    unit = columns.column(name).unit
    units = dict.fromkeys((*(f"{item}{end}" for item in STATISTICS for end in ("", "_err")), "error"), unit)
    units |= dict.fromkeys(("low", "high", "center"), quantity.unit)
    return as_table(out, units=units, clip=clip, bootstrap=bootstrap, seed=seed, label=name, along=quantity.name)


def selected(labels, reference, name, *, rows=None, good=True):
    """Residuals, pulls and errors (N,), NaN for stars that do not count, and a note on why there are none, or ""."""
    reference = aligned(labels, reference)
    value, error, _ = columns.label_columns(name)
    for table, word in ((labels, "catalog"), (reference, "reference")):
        if columns.column_name(table, value) is None:
            return *np.full((3, len(labels)), np.nan), f"the {word} has no {name}"
    residual, pull = residuals(labels, reference, name, good=good)
    sigma = columns.column_values(labels, error, required=False)
    note = ""
    if not np.isfinite(residual).any():
        empty = [
            f"all values of {name} in the {word} are missing"
            for table, word in ((labels, "catalog"), (reference, "reference"))
            if len(labels) and not np.isfinite(columns.column_values(table, value)).any()
        ]
        note = "; ".join(empty)
    left_out = ~_picked(rows, len(labels))
    trained = int((np.isfinite(residual) & ~left_out & in_training(labels, name)).sum())
    if trained:
        note = f"the weights were trained with {trained} of the stars: residuals are too small"
    left_out |= np.isnan(residual) if good else False
    for array in (residual, pull, sigma):
        array[left_out] = np.nan
    return residual, pull, sigma, note


def _numbers(residual, pull, error, note, clip, bootstrap, seed):
    """The columns of one row from ``stars`` on."""
    sample, pull, error = Sample(residual), Sample(pull), error[np.isfinite(residual)]
    out = {"stars": len(sample)}
    errors = sample.bootstrap(bootstrap, clip=clip, seed=seed)
    for key, number in sample.statistics(clip).items():
        out[key], out[f"{key}_err"] = number, errors[key]
    out["clipped"] = 1 - sample.gaussian(clip)[2]
    out["error"] = _median(error)
    out["pull_width"] = pull.robust_sigma() if len(pull) > 1 else np.nan
    out["pull_width_err"] = pull.bootstrap(bootstrap, clip=clip, seed=seed)["robust_sigma"]
    share = out["coverage"] = coverage(pull.values)
    out["coverage_err"] = np.sqrt(share * (1 - share) / len(pull)) if len(pull) else np.nan
    out["note"] = note or _remark(sample, pull)
    return out


def _remark(sample, pull):
    """A sentence on what the numbers of a row do not tell."""
    if not len(sample):
        return _NONE
    if len(sample) == 1:
        return _ALONE
    if sample.values[0] == sample.values[-1]:
        return "all residuals are equal: no scatter"
    return "" if len(pull) else "no predicted errors"


def _median(values):
    """Median of the finite values; NaN without any."""
    values = values[np.isfinite(values)]
    return float(np.median(values)) if values.size else np.nan


def _picked(rows, length):
    """The rows as a bool array."""
    if rows is None:
        return np.ones(length, bool)
    rows = np.asarray(rows)
    if rows.dtype != bool or rows.shape != (length,):
        raise InputError(f"rows: expected {length} bools, got {rows.dtype} of shape {rows.shape}")
    return rows
