"""Members of a star cluster: is their metallicity the same at all magnitudes?"""

import numpy as np
from astropy import units as u

from stellarlabels import columns
from stellarlabels.exceptions import InputError
from stellarlabels.plots.columns import label_values
from stellarlabels.plots.names import axis, unit
from stellarlabels.plots.style import CYCLE, INK, new_axes, note, styled
from stellarlabels.validation.clusters import CLUSTER, cluster_members, cluster_summary

__all__ = ["cluster_trend"]


@styled
def cluster_trend(catalog, members, cluster, *, name="feh", magnitude="phot_g_mean_mag", literature=None, ax=None):
    """A label of the members of a cluster against magnitude, as in Figure 9 of Yang et al. (2025).

    Parameters
    ----------
    catalog : `~astropy.table.Table`
    members : `~astropy.table.Table`
        Membership list; see `stellarlabels.validation.cluster_members`.
    cluster : str
        Name in the list.
    name : str
        Label.
    magnitude : str
        Column of the catalog.
    literature : float, optional
        Value of the label to compare with.
    ax : `~matplotlib.axes.Axes`, optional

    Returns
    -------
    `~matplotlib.axes.Axes`
        With the mean and sigma of a Gaussian fit to the members, and the trend with magnitude.

    Raises
    ------
    InputError
        If the list has no such cluster.
    MissingColumnError
        If the catalog lacks the magnitude.
    """
    ax = new_axes(ax, size=(5.4, 3.8))
    summary = cluster_summary(catalog, members, name=name, magnitude=magnitude)
    rows = np.flatnonzero(np.asarray(summary[CLUSTER]) == cluster)
    if not rows.size:
        raise InputError(f"cluster: expected one of {list(summary[CLUSTER])}, got {cluster!r}")
    row = {key: summary[key][rows[0]] for key in summary.colnames}
    found = cluster_members(catalog, members)
    found = found[np.asarray(found[CLUSTER]) == cluster]
    value, error = label_values(found, name)
    at = columns.values(found, magnitude)
    known = np.isfinite(value) & np.isfinite(at)
    style = {"fmt": "o", "ms": 4, "lw": 0.8, "color": CYCLE[0], "zorder": 3, "label": "members"}
    ax.errorbar(at[known], value[known], np.nan_to_num(error[known]), **style)
    mean, sigma, slope = (float(u.Quantity(row[key]).value) for key in ("gauss_mean", "gauss_sigma", "slope"))
    if np.isfinite(sigma):
        ax.axhspan(mean - sigma, mean + sigma, color=CYCLE[1], alpha=0.2, lw=0, label="Gaussian fit")
        ax.axhline(mean, color=CYCLE[1], zorder=4)
    if np.isfinite(slope):
        ends = np.array([at[known].min(), at[known].max()])
        middle = float(u.Quantity(row["mean"]).value)
        middle = middle if np.isfinite(middle) else mean
        ax.plot(ends, middle + slope * (ends - np.mean(at[known])), "--", color="black", zorder=5, label="trend")
    if literature is not None:
        ax.axhline(literature, color=INK, ls=":", zorder=4, label="literature")
    note(ax, _numbers(row, name), corner="lower left")
    _room(ax, value[known], error[known], mean, sigma, literature)
    ax.set(xlabel=axis(magnitude), ylabel=axis(name), title=cluster)
    ax.legend(loc="upper right", ncols=2)
    return ax


def _numbers(row, name):
    """Mean, sigma and slope, or why there are none."""
    if not row["stars"]:
        return str(row["note"])
    numbers = {key: float(u.Quantity(row[key]).value) for key in ("gauss_mean", "gauss_sigma", "slope", "slope_err")}
    text = f"{numbers['gauss_mean']:.2f} ± {numbers['gauss_sigma']:.2f} {unit(name)}, {row['stars']} stars"
    if np.isfinite(numbers["slope"]):
        text += f"\nslope {numbers['slope']:+.3f} ± {numbers['slope_err']:.3f} {unit(name)}/mag"
    return text


def _room(ax, value, error, mean, sigma, literature):
    """Leave a part of the height free above and below the points, for text."""
    parts = [value - np.nan_to_num(error), value + np.nan_to_num(error), [mean - sigma, mean + sigma]]
    parts += [] if literature is None else [[literature]]
    every = np.concatenate(parts)
    every = every[np.isfinite(every)]
    low, high = (every.min(), every.max()) if every.size else (0, 1)
    height = max(high - low, 0.1)
    ax.set_ylim(low - 0.35 * height, high + 0.3 * height)
