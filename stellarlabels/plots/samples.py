"""Samples of stars: how a quantity is distributed, what they have in common, and values over a plane."""

import numpy as np

from stellarlabels import analysis
from stellarlabels.exceptions import InputError
from stellarlabels.plots import clouds
from stellarlabels.plots.labels import axis, quantity
from stellarlabels.plots.style import CYCLE, VALUES, density_map, new_axes, note, styled

#: Centers of two and of three circles, with their radius.
_CIRCLES = {
    2: (np.array([[-0.55, 0.0], [0.55, 0.0]]), 0.95),
    3: (0.62 * np.array([[np.cos(a), np.sin(a)] for a in np.radians([90, 210, 330])]), 0.95),
}


@styled
def distribution(samples, name, *, bins=50, range=None, density=False, ax=None):
    """How a quantity is distributed in one or several samples, as in Figure 12 of Yang et al. (2025).

    Parameters
    ----------
    samples : `~astropy.table.Table` or dict of str to `~astropy.table.Table`
        By the names that the legend shows.
    name : str
        Column that each of them has: a label, an error, a magnitude, a distance.
    bins : int
        Number of intervals.
    range : (float, float), optional
        Their ends; by default such that outliers do not stretch them.
    density : bool
        Whether each histogram has the area 1, for samples of different size.
    ax : `~matplotlib.axes.Axes`, optional

    Returns
    -------
    `~matplotlib.axes.Axes`

    Raises
    ------
    MissingColumnError
        If a sample does not have the column.
    """
    ax = new_axes(ax)
    samples = samples if isinstance(samples, dict) else {"": samples}
    found = {key: quantity([table], name) for key, table in samples.items()}
    values = {key: item[0][np.isfinite(item[0])] for key, item in found.items()}
    low, high = clouds.axis_range(np.concatenate(list(values.values())), pad=0) if range is None else range
    beyond = 0
    for place, (key, data) in enumerate(values.items()):
        style = {"histtype": "step", "lw": 1.6, "color": CYCLE[place % len(CYCLE)], "ls": "-" if place < 7 else "--"}
        text = f"{key} ({data.size:,})" if key else None
        ax.hist(data, bins, range=(low, high), density=density and data.size > 0, label=text, **style)
        beyond += int(((data < low) | (data > high)).sum())
    if any(samples):
        ax.legend(loc="upper right")
    count = sum(data.size for data in values.values())
    note(ax, f"{count:,} stars" + (f", {beyond:,} outside" if beyond else "") if count else "no star has a value")
    ax.set(xlabel=next(iter(found.values()))[1], ylabel="density" if density else "stars", xlim=(low, high))
    ax.set_ylim(0, 1.3 * ax.get_ylim()[1])
    return ax


@styled
def venn(samples, *, ax=None):
    """How many stars two or three samples have in common, as in Figure 8 of Shen & Luo (2024).

    Parameters
    ----------
    samples : dict of str to array_like
        Identifiers of the stars of each sample, or for each the same stars' membership (bool, shape (N,)).
    ax : `~matplotlib.axes.Axes`, optional

    Returns
    -------
    `~matplotlib.axes.Axes`
        In each part of the circles the number of stars that are in just these samples. The circles have one size.

    Raises
    ------
    InputError
        If there are not two or three samples.
    """
    from matplotlib.patches import Circle

    if len(samples) not in _CIRCLES:
        raise InputError(f"samples: expected two or three, got {len(samples)}")
    ax = new_axes(ax, size=(4.8, 4.4))
    arrays = [np.asarray(one) for one in samples.values()]
    stars = [set(np.flatnonzero(one).tolist() if one.dtype == bool else one.tolist()) for one in arrays]
    centers, radius = _CIRCLES[len(samples)]
    for place, (key, center) in enumerate(zip(samples, centers, strict=True)):
        ax.add_patch(Circle(center, radius, color=CYCLE[place], alpha=0.3, lw=0))
        ax.add_patch(Circle(center, radius, fill=False, ec=CYCLE[place], lw=1.4))
        at = center * (1.5, 1) + (radius + 0.12) * np.array([0, 1 if center[1] >= 0 else -1])
        ax.text(*at, f"{key}\n{len(stars[place]):,}", ha="center", va="bottom" if at[1] > 0 else "top")
    for part in np.ndindex(*(2,) * len(samples)):
        if any(part):
            inside = set.intersection(*(one for one, use in zip(stars, part, strict=True) if use))
            inside = inside.difference(*(one for one, use in zip(stars, part, strict=True) if not use))
            middle = centers[np.array(part, bool)].mean(axis=0)
            ax.text(*middle * (1 if sum(part) == len(part) else 1.65), f"{len(inside):,}", ha="center", va="center")
    ax.set(xlim=(-1.9, 1.9), ylim=(-2.0, 2.1), aspect="equal")
    ax.axis("off")
    return ax


@styled
def value_map(table, x, y, name=None, *, statistic="median", least=3, bins=60, range=None, rows=None, ax=None):
    """Number of stars, or the typical value of a quantity, over the plane of two others.

    In the plane of two colors these are the maps of abundances in Appendix A of Yang et al. (2022); of errors in the
    plane of magnitude and [Fe/H], Figure 11 of Yang et al. (2025).

    Parameters
    ----------
    table : `~astropy.table.Table`
        N stars.
    x, y : str or array_like, shape (N,)
        Columns, or values such as colors; the name of a `~astropy.table.Column` is shown.
    name : str, optional
        Column; without one the stars are counted.
    statistic : {"median", "mean", "std"}
        What is shown of it.
    least : int
        Smallest number of stars in a cell for which it is shown.
    bins, range, rows
        As for `stellarlabels.analysis.binned_map`.
    ax : `~matplotlib.axes.Axes`, optional

    Returns
    -------
    `~matplotlib.axes.Axes`

    Raises
    ------
    MissingColumnError
        If the table does not have a column.
    """
    ax = new_axes(ax)
    found = analysis.binned_map(table, x, y, name, bins=bins, range=range, rows=rows)
    text = ""
    if name is not None:
        label = name.removesuffix("_err")
        text = axis(label, f"{statistic} " if name == label else f"{statistic} error of ")
    draw_cells(ax, found, text, statistic=statistic, least=least)
    for side, show in (("x", ax.set_xlabel), ("y", ax.set_ylabel)):
        show(axis(found.meta[side], of=str(found[f"{side}_low"].unit or "")))
    return ax


def draw_cells(ax, found, text, *, statistic, least):
    """Draw what `stellarlabels.analysis.binned_map` found: the statistic with a ``text``, or the number of stars."""
    from matplotlib.colors import LogNorm

    x, y, stars = analysis.as_image(found, "stars")
    edges = tuple(np.asarray(getattr(edge, "value", edge)) for edge in (x, y))
    style = {"rasterized": True, "zorder": 2}
    if not found.meta["stars"]:
        note(ax, found.meta["note"])
        return
    if not text:
        image = np.ma.masked_equal(stars, 0)
        drawn = ax.pcolormesh(*edges, image, cmap=density_map(), norm=LogNorm(1, max(image.max(), 2)), **style)
    else:
        values = analysis.as_image(found, statistic)[2]
        values = np.asarray(getattr(values, "value", values))
        image = np.ma.masked_where((stars < least) | ~np.isfinite(values), values)
        low, high = np.quantile(image.compressed(), [0.02, 0.98]) if image.count() else (0, 1)
        drawn = ax.pcolormesh(*edges, image, cmap=VALUES, vmin=low, vmax=high, **style)
    bar = ax.figure.colorbar(drawn, ax=ax, label=text or "stars per cell")
    bar.solids.set_rasterized(True)
    beyond = f", {found.meta['outside']:,} outside" if found.meta["outside"] else ""
    note(ax, f"{found.meta['stars']:,} stars{beyond}")
