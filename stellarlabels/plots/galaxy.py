"""The Galaxy: a map in radius and height, and gradients of metallicity."""

import numpy as np
from astropy import units as u

from stellarlabels.analysis import maps
from stellarlabels.plots.names import axis, plain, symbol
from stellarlabels.plots.style import CYCLE, INK, VALUES, density_map, new_axes, note, styled

__all__ = ["gradients", "rz_map"]


@styled
def rz_map(table, name=None, *, statistic="median", least=3, bins=60, ax=None, **options):
    """Map of the Galaxy in radius and height: number of stars, or the typical value of a label.

    Parameters
    ----------
    table : `~astropy.table.Table`
        With ``r_gc`` and ``z_gc``, or positions and distances.
    name : str, optional
        Label; without one the stars are counted.
    statistic : {"median", "mean", "std"}
        What is shown of the label.
    least : int
        Smallest number of stars in a cell for which the label is shown.
    bins : int
        Number of cells in each direction.
    ax : `~matplotlib.axes.Axes`, optional
    **options
        For `stellarlabels.analysis.maps.rz_map`.

    Returns
    -------
    `~matplotlib.axes.Axes`

    Raises
    ------
    MissingColumnError
        If the positions or the distances are not there.
    """
    from matplotlib.colors import LogNorm

    ax = new_axes(ax)
    found = maps.rz_map(table, name, bins=bins, **options)
    x, y, stars = maps.as_image(found, "stars")
    edges = u.Quantity(x).value, u.Quantity(y).value
    style = {"rasterized": True, "zorder": 2}
    if not found.meta["stars"]:
        note(ax, found.meta["note"])
    elif name is None:
        image = np.ma.masked_equal(stars, 0)
        drawn = ax.pcolormesh(*edges, image, cmap=density_map(), norm=LogNorm(1, max(image.max(), 2)), **style)
        _bar(ax, drawn, "stars per cell")
    else:
        values = np.asarray(u.Quantity(maps.as_image(found, statistic)[2]).value)
        image = np.ma.masked_where((stars < least) | ~np.isfinite(values), values)
        low, high = np.quantile(image.compressed(), [0.02, 0.98]) if image.count() else (0, 1)
        drawn = ax.pcolormesh(*edges, image, cmap=VALUES, vmin=low, vmax=high, **style)
        _bar(ax, drawn, axis(name, f"{statistic} "))
    if found.meta["stars"]:
        beyond = f", {found.meta['outside']:,} outside" if found.meta["outside"] else ""
        note(ax, f"{found.meta['stars']:,} stars{beyond}")
    ax.set(xlabel="$R$ (kpc)", ylabel="$Z$ (kpc)")
    return ax


@styled
def gradients(*tables, titles=(), name="feh", ax=None):
    """Gradients of a label in bins of height or radius, with their errors.

    Parameters
    ----------
    *tables : `~astropy.table.Table`
        Outputs of `stellarlabels.analysis.gradients.radial_gradients`, or of ``vertical_gradients``.
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


def _bar(ax, drawn, text):
    bar = ax.figure.colorbar(drawn, ax=ax, label=text)
    bar.solids.set_rasterized(True)
