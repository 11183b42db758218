"""Maps and gradients of the Galaxy, and trends in star clusters."""

import numpy as np
from astropy import units as u

from stellarlabels import analysis, columns
from stellarlabels.analysis import default_frame
from stellarlabels.exceptions import InputError
from stellarlabels.plots.labels import axis, label_values, plain, symbol, unit
from stellarlabels.plots.samples import draw_cells
from stellarlabels.plots.style import CYCLE, INK, new_axes, note, styled
from stellarlabels.validation import CLUSTER, cluster_members, cluster_summary

#: What is on the axes of each plane.
_AXES = {"rz": ("$R$ (kpc)", "$Z$ (kpc)"), "xy": ("$X$ (kpc)", "$Y$ (kpc)"), "sky": ("$l$ (deg)", "$b$ (deg)")}


@styled
def galaxy_map(table, name=None, *, plane="rz", statistic="median", least=3, bins=60, ax=None, **options):
    """Map of the Galaxy edge-on or face-on, or of the sky: number of stars, or the typical value of a label.

    Parameters
    ----------
    table : `~astropy.table.Table`
        With ``r_gc`` and ``z_gc`` (or ``x_gc`` and ``y_gc``), or positions and distances; for the sky positions.
    name : str, optional
        Label; without one the stars are counted.
    plane : {"rz", "xy", "sky"}
        R and Z, X and Y (a star marks the Sun), or Galactic longitude and latitude (the center in the middle).
    statistic : {"median", "mean", "std"}
        What is shown of the label.
    least : int
        Smallest number of stars in a cell for which the label is shown.
    bins : int
        Number of cells in each direction.
    ax : `~matplotlib.axes.Axes`, optional
    **options
        For `stellarlabels.analysis.galaxy_map`.

    Returns
    -------
    `~matplotlib.axes.Axes`

    Raises
    ------
    MissingColumnError
        If the positions or the distances are not there.
    """
    ax = new_axes(ax)
    found = analysis.galaxy_map(table, name, plane=plane, bins=bins, **options)
    draw_cells(ax, found, "" if name is None else axis(name, f"{statistic} "), statistic=statistic, least=least)
    x_text, y_text = _AXES[plane]
    ax.set(xlabel=x_text, ylabel=y_text)
    if plane == "xy":
        sun = u.Quantity(default_frame().galcen_distance).to_value("kpc")
        ax.plot(-sun, 0, "*", ms=10, color=CYCLE[1], mec="white", zorder=4, scalex=False, scaley=False)
    if plane == "sky":
        ax.set_xlim(*sorted(ax.get_xlim(), reverse=True))
    return ax


@styled
def gradients(*tables, titles=(), name="feh", ax=None):
    """Gradients of a label in bins of height or radius, with their errors.

    Parameters
    ----------
    *tables : `~astropy.table.Table`
        Outputs of `stellarlabels.analysis.radial_gradients`, or of ``vertical_gradients``.
    titles : sequence of str
        What the legend says of each.
    name : str
        The label.
    ax : `~matplotlib.axes.Axes`, optional

    Returns
    -------
    `~matplotlib.axes.Axes`
    """
    ax = new_axes(ax)
    key = "z" if "z" in tables[0].colnames else "r"
    drawn = 0
    for place, table in enumerate(tables):
        at, slope, error = (u.Quantity(table[column]).value for column in (key, "gradient", "gradient_err"))
        half = 0.5 * (u.Quantity(table["high"]) - u.Quantity(table["low"])).value
        known = np.isfinite(slope)
        drawn += known.sum()
        style = {"fmt": "osD^v"[place % 5], "ms": 5, "capsize": 2, "color": CYCLE[place % len(CYCLE)], "zorder": 3}
        title = titles[place] if place < len(titles) else None
        shown = (part[known] for part in (at, slope, error, half))
        ax.errorbar(*shown, label=title, **style)
    ax.axhline(0, color=INK, lw=0.8, zorder=1)
    if not drawn:
        note(ax, f"no bin has enough stars for a gradient of {plain(name)}")
    if titles:
        ax.legend()
    bins, along = ("|Z|", "R") if key == "z" else ("R", "|Z|")
    ax.set(xlabel=f"${bins}$ (kpc)", ylabel=f"d{symbol(name)} / d${along}$ ({_unit(tables[0])})")
    return ax


def _unit(table):
    return u.Unit(table["gradient"].unit).to_string("unicode", fraction="inline")


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
