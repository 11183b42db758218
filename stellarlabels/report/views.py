"""The tables of a report as they are shown: rounded, in words, with units."""

import numpy as np

from stellarlabels.plots.names import plain, unit
from stellarlabels.report.parts import View
from stellarlabels.report.words import MISSING, number, percent, with_error
from stellarlabels.validation.tally import NONE

__all__ = ["of_bins", "of_calibration", "of_comparison", "of_contents", "of_tally"]


def of_contents(table, file):
    """The labels of a catalog.

    Parameters
    ----------
    table : `~astropy.table.QTable`
        Output of `stellarlabels.report.numbers.contents`.
    file : str
        Name of the file with the same numbers.

    Returns
    -------
    `~stellarlabels.report.parts.View`
    """
    head = ("Label", "Stars", "Missing", "Without a flag", "5 %", "Median", "95 %", "Median error")
    rows = [
        (
            _label(row),
            f"{row['stars']:,}",
            f"{row['missing']:,}",
            "no flags" if row["unflagged"] < 0 else f"{row['unflagged']:,}",
            *(number(row[key], 4) for key in ("low", "median", "high")),
            number(row["error"]),
        )
        for row in table
    ]
    caption = "The labels of the catalog: numbers of stars, quantiles of the values, and the median of the errors."
    return View(caption, head, rows, (False, *(True,) * 7), file)


def of_tally(tally, file):
    """How often each flag is raised; flags that no star has are in the file only.

    Parameters
    ----------
    tally : `~astropy.table.QTable`
    file : str

    Returns
    -------
    `~stellarlabels.report.parts.View`
    """
    columns = list(dict.fromkeys(map(str, tally["column"])))
    found = {}
    for row in tally:
        found.setdefault((str(row["flag"]), str(row["meaning"])), {})[str(row["column"])] = row
    rows = [
        (flag, *(_share(by_column.get(name)) for name in columns), meaning)
        for (flag, meaning), by_column in found.items()
        if flag == NONE or any(row["stars"] for row in by_column.values())
    ]
    caption = (
        f"Share of the stars with each flag, and their number; {NONE} are the stars without any. A star may have "
        "several. Flags that no star has are left out."
    )
    return View(caption, ("Flag", *columns, "Meaning"), rows, (False, *(True,) * len(columns), False), file)


def _share(row):
    """Share and number of the stars with a flag; nothing where the column has no such flag."""
    if row is None:
        return ""
    return f"{percent(row['share'])} ({row['stars']:,})" if np.isfinite(row["share"]) else MISSING


def of_comparison(comparison, file):
    """Bias and scatter of all labels against a reference.

    Parameters
    ----------
    comparison : `~stellarlabels.report.numbers.Comparison`
    file : str

    Returns
    -------
    `~stellarlabels.report.parts.View`
    """
    head = ("Label", "Group", "Stars", "Median", "Gaussian mean", "Gaussian sigma", "Robust scatter", "RMSE")
    rows = []
    for row in comparison.table:
        if not row["stars"]:
            continue
        pairs = (
            (row[key], row[f"{key}_err"]) for key in ("median", "gauss_mean", "gauss_sigma", "robust_sigma", "rmse")
        )
        cells = (with_error(*pair) for pair in pairs)
        rows.append((_label(row), str(row["group"]), f"{row['stars']:,}", *cells))
    caption = (
        f"Catalog minus {comparison.title}: median, mean and sigma of a Gaussian fit clipped at 3 sigma, robust "
        "scatter (1.4826 times the median absolute deviation) and root mean square; standard errors from a bootstrap."
    )
    return View(caption, head, rows, (False, False, *(True,) * 6), file)


def of_calibration(comparison, file):
    """Whether the errors are honest.

    Parameters
    ----------
    comparison : `~stellarlabels.report.numbers.Comparison`
    file : str

    Returns
    -------
    `~stellarlabels.report.parts.View`
    """
    head = (
        "Label",
        "Stars",
        "Median error",
        "Pull width",
        "Within 1 sigma",
        "Within 2 sigma",
        "Factor",
        "PIT distance",
    )
    errors = {str(row["label"]): row["error"] for row in comparison.table if row["group"] == "all"}
    rows = [
        (
            plain(str(row["label"])),
            f"{row['stars']:,}",
            f"{number(errors[str(row['label'])])} {unit(str(row['label']))}".rstrip(),
            with_error(row["pull_width"], row["pull_width_err"]),
            percent(row["coverage_1"]),
            percent(row["coverage_2"]),
            with_error(row["factor"], row["factor_err"]),
            number(row["pit_distance"], 2),
        )
        for row in comparison.calibration
    ]
    caption = (
        f"Are the errors honest? Against {comparison.title}, whose own errors count. Right errors give a pull width "
        "of 1, 68 % within 1 sigma and 95 % within 2 sigma. The factor is what the errors are to be multiplied with."
    )
    return View(caption, head, rows, (False, *(True,) * 7), file)


def of_bins(comparison, name, quantity, file):
    """Bias, scatter and honesty of the errors of one label in bins.

    Parameters
    ----------
    comparison : `~stellarlabels.report.numbers.Comparison`
    name, quantity : str
        Label, and what the bins are in.
    file : str

    Returns
    -------
    `~stellarlabels.report.parts.View` or None
        None if there are no bins.
    """
    table = comparison.bins
    if table is None or not len(table):
        return None
    table = table[(np.asarray(table["label"]) == name) & (np.asarray(table["along"]) == quantity)]
    if not len(table):
        return None
    head = (
        f"{plain(quantity)}",
        "Stars",
        "Median residual",
        "Robust scatter",
        "Median error",
        "Pull width",
        "Within 1 sigma",
    )
    rows = [
        (
            f"{number(row['low'], 4)} to {number(row['high'], 4)}",
            f"{row['stars']:,}",
            with_error(row["median"], row["median_err"]),
            with_error(row["robust_sigma"], row["robust_sigma_err"]),
            number(row["error"]),
            with_error(row["pull_width"], row["pull_width_err"]),
            percent(row["coverage"]),
        )
        for row in table
    ]
    where = "the reference's own value" if quantity == name else f"{plain(quantity)}"
    units = f" Residuals in {unit(name)}." if unit(name) else ""
    caption = f"{plain(name)} in bins of {where} with equal numbers of stars.{units}"
    return View(caption, head, rows, (False, *(True,) * 6), file)


def _label(row):
    name = str(row["label"])
    return f"{plain(name)} ({unit(name)})" if unit(name) else plain(name)
