"""Bias, scatter and honesty of errors of one table of labels against another."""

import numpy as np
from astropy.table import QTable

from stellarlabels import schema
from stellarlabels.exceptions import InputError
from stellarlabels.labels.uncertainty import coverage, pulls, robust_scatter

__all__ = ["compare", "residuals"]


def residuals(labels, reference, name):
    """Residuals and pulls of one label, row by row.

    Parameters
    ----------
    labels : `~astropy.table.Table`
        Output of a system's ``predict``.
    reference : `~astropy.table.Table`
        Same rows, with columns of the same names or their aliases.
    name : str
        Label.

    Returns
    -------
    residual, pull : `~numpy.ndarray` of float64, shape (N,)
        Label minus reference, in the label's unit and in units of the total error (the reference's own included);
        NaN where either is missing.

    Raises
    ------
    InputError
        If the tables differ in length.
    """
    if len(labels) != len(reference):
        raise InputError(f"reference: expected {len(labels)} rows as in labels, got {len(reference)}")
    value, error, _ = schema.label_columns(name)
    predicted, sigma = schema.column_values(labels, value), schema.column_values(labels, error, required=False)
    truth, truth_error = schema.column_values(reference, value), schema.column_values(reference, error, required=False)
    return predicted - truth, pulls(predicted, sigma, truth, truth_error)


def compare(labels, reference, *, names=None, rows=None):
    """Bias, scatter and calibration of labels against reference labels of the same stars.

    Parameters
    ----------
    labels, reference : `~astropy.table.Table`
        Same rows in the same order.
    names : sequence of str, optional
        Labels to compare; by default all that both tables have.
    rows : array_like of bool, optional
        Stars to compare; all by default.

    Returns
    -------
    `~astropy.table.QTable`
        One row for each label: ``label``, ``unit``, ``stars``, ``bias`` (median residual), ``scatter`` (1.4826 times
        the median absolute deviation), ``rmse``, ``error`` (median predicted error), ``pull_width`` (robust scatter
        of the pulls, 1 if the errors are right) and ``coverage`` (share of pulls within one sigma, 0.683 if they are
        right). NaN where there are no stars or no errors.

    Raises
    ------
    InputError
        If the tables differ in length or have no label in common.
    """
    if names is None:
        names = [name for name in labels.colnames if f"{name}_err" in labels.colnames]
        names = [name for name in names if schema.find(reference, name) is not None]
    if not names:
        raise InputError("reference: it has none of the labels to compare")
    picked = np.ones(len(labels), bool) if rows is None else np.asarray(rows, bool)
    out = []
    for name in names:
        residual, pull = residuals(labels, reference, name)
        known = picked & np.isfinite(residual)
        value, error, _ = schema.label_columns(name)
        sigma = schema.column_values(labels, error, required=False)[known]
        sigma = sigma[np.isfinite(sigma)]
        some = residual[known]
        out.append(
            (
                name,
                value.unit,
                int(known.sum()),
                np.median(some) if some.size else np.nan,
                robust_scatter(some),
                np.sqrt(np.mean(some**2)) if some.size else np.nan,
                np.median(sigma) if sigma.size else np.nan,
                robust_scatter(pull[known]),
                coverage(pull[known]),
            )
        )
    columns = ["label", "unit", "stars", "bias", "scatter", "rmse", "error", "pull_width", "coverage"]
    table = QTable(rows=out, names=columns)
    for column in ("bias", "scatter", "rmse", "error"):
        table[column].info.format = ".4g"
    for column in ("pull_width", "coverage"):
        table[column].info.format = ".3f"
    return table
