"""Plots of labels. Every function takes an Axes or makes one, and returns what it drew on."""

import numpy as np

from stellarlabels import schema
from stellarlabels.validation.statistics import residuals

__all__ = ["kiel", "residual_panels"]


def _axes(ax):
    """The given Axes, or those of a new figure."""
    from matplotlib.figure import Figure

    return Figure(figsize=(6, 5), layout="constrained").add_subplot() if ax is None else ax


def _name(label):
    """Axis text of a label, with its unit."""
    texts = {"teff": r"$T_{\rm eff}$", "logg": r"$\log g$", "feh": "[Fe/H]", "alpha_m": r"[$\alpha$/M]"}
    unit = schema.column(label).unit
    return texts.get(label, label) + (f" ({unit})" if unit else "")


def kiel(labels, *, color="feh", ax=None, **scatter):
    """Kiel diagram: log g against Teff.

    Parameters
    ----------
    labels : `~astropy.table.Table`
        With ``teff`` and ``logg`` or their aliases.
    color : str
        Label that colors the points, if the table has it.
    ax : `~matplotlib.axes.Axes`, optional
    **scatter
        For `~matplotlib.axes.Axes.scatter`.

    Returns
    -------
    `~matplotlib.axes.Axes`
    """
    ax = _axes(ax)
    teff, logg = schema.values(labels, "teff"), schema.values(labels, "logg")
    shade = schema.values(labels, color, required=False)
    style = {"s": 9, "cmap": "viridis", "linewidths": 0, **scatter}
    if np.isfinite(shade).any():
        points = ax.scatter(teff, logg, c=shade, **style)
        ax.figure.colorbar(points, ax=ax, label=_name(color))
    else:
        style.pop("cmap")
        ax.scatter(teff, logg, **style)
    ax.set(xlabel=_name("teff"), ylabel=_name("logg"))
    ax.xaxis.set_inverted(True)
    ax.yaxis.set_inverted(True)
    return ax


def residual_panels(labels, reference, *, names=None, figure=None):
    """Residual against reference, one panel for each label, with error bars and the median in bins.

    Parameters
    ----------
    labels, reference : `~astropy.table.Table`
        Same rows in the same order.
    names : sequence of str, optional
        Labels; by default all that both tables have.
    figure : `~matplotlib.figure.Figure`, optional
        Empty figure to draw on.

    Returns
    -------
    `~matplotlib.figure.Figure`
    """
    from matplotlib.figure import Figure

    from stellarlabels.validation.statistics import compare

    summary = compare(labels, reference, names=names)
    count = len(summary)
    columns = min(count, 2)
    lines = -(-count // columns)
    figure = Figure(figsize=(5.5 * columns, 3.4 * lines), layout="constrained") if figure is None else figure
    for index, row in enumerate(summary):
        name = str(row["label"])
        ax = figure.add_subplot(lines, columns, index + 1)
        residual, _ = residuals(labels, reference, name)
        truth = schema.values(reference, name)
        error = schema.column_values(labels, schema.label_columns(name)[1], required=False)
        known = np.isfinite(residual)
        ax.errorbar(truth[known], residual[known], error[known], fmt=".", ms=3, lw=0.4, color="0.55", zorder=1)
        centers, medians = _running_median(truth[known], residual[known])
        ax.plot(centers, medians, "o-", color="C1", zorder=3, label="median")
        ax.axhline(0, color="k", lw=0.8, zorder=2)
        spread = float(row["scatter"])
        if np.isfinite(spread) and spread > 0:
            ax.set_ylim(-6 * spread, 6 * spread)
        ax.set(xlabel=f"{_name(name)}, reference", ylabel="residual")
        ax.set_title(f"bias {row['bias']:.3g}, scatter {row['scatter']:.3g}, n = {row['stars']}", fontsize=10)
    return figure


def _running_median(x, y, bins=10):
    """Median of y in bins of x with equal numbers of points."""
    if x.size < 2 * bins:
        return np.array([]), np.array([])
    parts = np.array_split(np.argsort(x), bins)
    return np.array([np.median(x[part]) for part in parts]), np.array([np.median(y[part]) for part in parts])
