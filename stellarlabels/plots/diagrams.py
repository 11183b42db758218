"""Where the stars are: Kiel diagram, color-magnitude diagram, abundance planes."""

import numpy as np

from stellarlabels import columns
from stellarlabels.plots import clouds
from stellarlabels.plots.labels import axis, quantity, symbol
from stellarlabels.plots.style import CYCLE, new_axes, note, styled
from stellarlabels.validation import classes, derived_label

_LINES = ("-", "--", "-.", ":")
_BANDS = ("phot_bp_mean_mag", "phot_rp_mean_mag")


@styled
def kiel(labels, *, color="feh", isochrones=None, ax=None):
    """Kiel diagram: log g against Teff.

    Parameters
    ----------
    labels : `~astropy.table.Table`
        With ``teff`` and ``logg`` or their aliases.
    color : str
        Label that colors the points, or whose mean colors the cells, if the table has it.
    isochrones : dict of str to `~astropy.table.Table`, optional
        Lines with ``teff`` and ``logg``, by the name that the legend shows.
    ax : `~matplotlib.axes.Axes`, optional

    Returns
    -------
    `~matplotlib.axes.Axes`
        Hot stars are at the left, giants at the top.

    Raises
    ------
    MissingColumnError
        If the table has no ``teff`` or no ``logg``.
    """
    ax = new_axes(ax)
    known = columns.values(labels, "teff"), columns.values(labels, "logg")
    _drawn(ax, *known, labels, color)
    _lines(ax, isochrones, "teff", "logg")
    ax.set(xlabel=axis("teff"), ylabel=axis("logg"))
    _invert(ax.xaxis, ax.yaxis)
    return ax


@styled
def color_magnitude(table, *, color=None, magnitude=None, shade="feh", isochrones=None, ax=None):
    """Color-magnitude diagram.

    Parameters
    ----------
    table : `~astropy.table.Table`
    color, magnitude : str, optional
        Columns. By default the first that the table has of ``bp_rp_0``, ``bp_rp`` and BP minus RP, and of ``m_g``,
        ``m_g_dimmed`` and ``phot_g_mean_mag``.
    shade : str
        Label that colors the points, or whose mean colors the cells, if the table has it.
    isochrones : dict of str to `~astropy.table.Table`, optional
        Lines with ``bp_rp_0`` and ``m_g``, by the name that the legend shows.
    ax : `~matplotlib.axes.Axes`, optional

    Returns
    -------
    `~matplotlib.axes.Axes`
        Bright stars are at the top.

    Raises
    ------
    MissingColumnError
        If the table has no color or no magnitude.
    """
    ax = new_axes(ax)
    x, x_text = _color(table, color)
    y, y_text = quantity([table], magnitude or _first(table, "m_g", "m_g_dimmed", "phot_g_mean_mag"))
    _drawn(ax, x, y, table, shade)
    _lines(ax, isochrones, "bp_rp_0", "m_g")
    ax.set(xlabel=x_text, ylabel=y_text)
    _invert(ax.yaxis)
    return ax


@styled
def abundance_plane(labels, name="alpha_m", *, against="feh", rows=None, xlim=None, ylim=None, title="", ax=None):
    """An abundance against a metallicity.

    Parameters
    ----------
    labels : `~astropy.table.Table`
    name, against : str
        Labels, for instance ``mg_fe`` and ``feh``; worked out from others where the table does not have them.
    rows : array_like of bool, shape (N,), optional
        Stars to show; all by default.
    xlim, ylim : tuple of float, optional
    title : str
    ax : `~matplotlib.axes.Axes`, optional

    Returns
    -------
    `~matplotlib.axes.Axes`

    Raises
    ------
    MissingColumnError
        If the table lacks a label.
    """
    ax = new_axes(ax)
    x, y = derived_label(labels, against)[0], derived_label(labels, name)[0]
    if rows is not None:
        x, y = x[rows], y[rows]
    shown, beyond = clouds.cloud(ax, x, y, xlim=xlim, ylim=ylim)
    _count(ax, shown, beyond)
    ax.set(xlabel=axis(against), ylabel=axis(name), title=title)
    return ax


@styled
def abundance_planes(labels, name="alpha_m", *, against="feh", limit=3.5, figure=None):
    """An abundance against a metallicity, for dwarfs and for giants.

    Parameters
    ----------
    labels : `~astropy.table.Table`
        With ``logg``.
    name, against : str
        Labels.
    limit : float
        log g below which a star is a giant, in dex.
    figure : `~matplotlib.figure.Figure`, optional
        Empty figure to draw on; without it a figure of `matplotlib.pyplot` is made.

    Returns
    -------
    `~matplotlib.figure.Figure`
        Two panels with the same axes.

    Raises
    ------
    MissingColumnError
        If the table lacks a label or ``logg``.
    """
    from matplotlib import pyplot

    figure = pyplot.figure(figsize=(9.6, 4.2), layout="constrained") if figure is None else figure
    x, y = (derived_label(labels, key)[0] for key in (against, name))
    columns.values(labels, "logg")
    known = np.isfinite(x) & np.isfinite(y)
    ends = {"xlim": clouds.axis_range(x[known]), "ylim": clouds.axis_range(y[known])}
    for place, (group, rows) in enumerate(classes(labels, limit=limit).items()):
        title = f"{group} ({symbol('logg')} {'<' if group == 'giants' else '≥'} {limit:g})"
        ax = figure.add_subplot(1, 2, place + 1)
        abundance_plane(labels, name, against=against, rows=rows, title=title, ax=ax, **ends)
    return figure


def _lines(ax, isochrones, x, y):
    """Isochrones over the stars, which do not change the axes."""
    for index, (name, line) in enumerate((isochrones or {}).items()):
        style = {"color": CYCLE[1 + index % 3], "ls": _LINES[index % 4], "lw": 1.4, "zorder": 4}
        ax.plot(columns.values(line, x), columns.values(line, y), scalex=False, scaley=False, label=name, **style)
    if isochrones:
        ax.legend(loc="lower left")


def _color(table, name):
    """The color to show, and the text of its axis; BP minus RP if the table has no color."""
    has_bands = all(columns.find(table, band) is not None for band in _BANDS)
    if name is None and has_bands and columns.find(table, "bp_rp_0") is None and columns.find(table, "bp_rp") is None:
        blue, red = (columns.values(table, band) for band in _BANDS)
        return blue - red, axis("bp_rp")
    return quantity([table], name or _first(table, "bp_rp_0", "bp_rp"))


def _first(table, *names):
    """The first of the names that the table has; the last if it has none."""
    return next((name for name in names if columns.find(table, name) is not None), names[-1])


def _drawn(ax, x, y, table, shade):
    values = None
    if shade and columns.find(table, shade) is not None:
        values = columns.values(table, shade)
    _count(ax, *clouds.cloud(ax, x, y, shade=values, shade_text=axis(shade) if shade else ""))


def _count(ax, shown, beyond):
    note(ax, (f"{shown:,} stars" + (f", {beyond:,} outside" if beyond else "")) if shown else "no star has both values")


def _invert(*axes):
    for one in axes:
        one.set_inverted(True)
