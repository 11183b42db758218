"""Labels against reference labels: one to one, residuals along any column, and all surveys against each other."""

import numpy as np

from stellarlabels.exceptions import InputError
from stellarlabels.labels import robust_scatter
from stellarlabels.plots import clouds
from stellarlabels.plots.labels import axis, label_values, quantity, unit
from stellarlabels.plots.style import CYCLE, INK, new_axes, note, styled
from stellarlabels.validation import aligned, compare, derived_label, label_names, matched, residuals

#: Half the height of a panel of residuals, in units of their robust scatter.
_SPAN = 6


@styled
def one_to_one(labels, reference, name, *, shade=None, ax=None):
    """A label against the reference, and below it the residual.

    Parameters
    ----------
    labels, reference : `~astropy.table.Table`
        Tables of stars, joined as in `stellarlabels.validation.compare`; only labels that are good in both count.
    name : str
        Label.
    shade : str, optional
        Column of either table that colors the stars, for instance ``c_fe`` for carbon-enhanced ones as in Figure 10 of
        Yang et al. (2025).
    ax : `~matplotlib.axes.Axes`, optional
        It is made smaller, so that the residual has room below it.

    Returns
    -------
    `~matplotlib.axes.Axes`
        The upper panel; that of the residual is the last one of its figure.

    Raises
    ------
    InputError
        If the tables differ in length.
    """
    ax, reference = new_axes(ax, size=(5.4, 5.6)), aligned(labels, reference)
    residual, _ = residuals(labels, reference, name)
    known = np.isfinite(residual)
    truth, value = (np.where(known, label_values(table, name)[0], np.nan) for table in (reference, labels))
    ends = clouds.axis_range(np.concatenate([truth[known], value[known]]))
    color, text = (None, "") if shade is None else quantity([reference, labels], shade)
    style = {"xlim": ends, "ylim": ends, "bar": shade is not None}
    shown, beyond = clouds.cloud(ax, truth, value, shade=color, shade_text=text, **style)
    ax.plot(ends, ends, color=INK, lw=1, zorder=3)
    ax.set_ylabel(axis(name, "this catalog: "))
    ax.tick_params(labelbottom=False)
    note(ax, _numbers(residual, name, shown, beyond))
    below = _below(ax)
    _residual(below, truth, residual, name, xlim=ends)
    below.set_ylabel(f"residual ({unit(name)})" if unit(name) else "residual")
    below.set_xlabel(axis(name, "reference: "))
    return ax


@styled
def residual_along(labels, reference, name, along, *, ax=None):
    """Residual of a label, label minus reference, against any column.

    Parameters
    ----------
    labels, reference : `~astropy.table.Table`
        Tables of stars, joined as in `stellarlabels.validation.compare`; only labels that are good in both count.
    name : str
        Label.
    along : str
        Column of ``labels``, or if it does not have it of ``reference``: a name of the vocabulary or any other.
    ax : `~matplotlib.axes.Axes`, optional

    Returns
    -------
    `~matplotlib.axes.Axes`

    Raises
    ------
    MissingColumnError
        If no table has the column.
    InputError
        If the tables differ in length, or the column does not hold numbers.
    """
    ax, reference = new_axes(ax), aligned(labels, reference)
    residual, _ = residuals(labels, reference, name)
    values, text = quantity([labels, reference], along)
    _panel(ax, values, residual, name)
    ax.set_xlabel(text)
    return ax


@styled
def residual_panels(labels, reference, *, names=None, figure=None):
    """Residual against reference, one panel for each label.

    Parameters
    ----------
    labels, reference : `~astropy.table.Table`
        Tables of stars, joined as in `stellarlabels.validation.compare`; only labels that are good in both count.
    names : sequence of str, optional
        Labels; by default all that both tables have.
    figure : `~matplotlib.figure.Figure`, optional
        Empty figure to draw on; without it a figure of `matplotlib.pyplot` is made.

    Returns
    -------
    `~matplotlib.figure.Figure`

    Raises
    ------
    InputError
        If the tables differ in length or have no label in common.
    """
    from matplotlib import pyplot

    reference = aligned(labels, reference)
    found = [str(name) for name in compare(labels, reference, names=names)["label"]]
    columns = min(len(found), 2)
    lines = -(-len(found) // columns)
    if figure is None:
        figure = pyplot.figure(figsize=(5.4 * columns, 3.6 * lines), layout="constrained")
    for index, name in enumerate(found):
        ax = figure.add_subplot(lines, columns, index + 1)
        _panel(ax, label_values(reference, name)[0], residuals(labels, reference, name)[0], name)
        ax.set_xlabel(axis(name, "reference: "))
    return figure


def _below(ax):
    """New Axes in the lower part of the place of others, which keep the upper part."""
    spec = ax.get_subplotspec()
    if spec is not None:
        upper, lower = spec.subgridspec(2, 1, height_ratios=(2.3, 1), hspace=0.03)
        ax.set_subplotspec(upper)
        return ax.figure.add_subplot(lower, sharex=ax)
    box = ax.get_position()
    ax.set_position((box.x0, box.y0 + 0.33 * box.height, box.width, 0.67 * box.height))
    return ax.figure.add_axes((box.x0, box.y0, box.width, 0.3 * box.height), sharex=ax)


def _panel(ax, x, residual, name):
    """Residuals against one quantity, with their numbers in the corner."""
    beyond = _residual(ax, x, residual, name, room=0.3)
    known = np.isfinite(residual) & np.isfinite(x)
    note(ax, _numbers(residual[known], name, int(known.sum()), beyond))


@styled
def pairwise_matrix(labels, reference=None, name=None, *, figure=None, **matching):
    """A label of several catalogs, each against each, as Figure 10 of the SolarDis paper.

    Parameters
    ----------
    labels : `~astropy.table.Table`, or dict of str to `~astropy.table.Table`
        Labels, to be compared with ``reference``; or two catalogs or more, by the name that is shown.
    reference : `~astropy.table.Table` or str, optional
        The other table. With a dict it is not needed, and the name of the label may stand in its place.
    name : str, optional
        Label; by default the first that all tables have.
    figure : `~matplotlib.figure.Figure`, optional
        Empty figure to draw on; without it a figure of `matplotlib.pyplot` is made.
    **matching
        For `stellarlabels.validation.matched`.

    Returns
    -------
    `~matplotlib.figure.Figure`
        Below the diagonal the catalog of the line against that of the column; on the diagonal the distribution in each;
        above it the median difference (line minus column), its robust scatter, and the number of stars.

    Raises
    ------
    InputError
        If there are fewer than two catalogs, or two of them cannot be matched.
    """
    from matplotlib import pyplot

    tables, name = _catalogs(labels, reference, name)
    count = len(tables)
    if figure is None:
        figure = pyplot.figure(figsize=(2.3 * count + 0.6,) * 2, layout="constrained")
    columns = {title: derived_label(table, name)[0] for title, table in tables.items()}
    ends = clouds.axis_range(np.concatenate(list(columns.values())))
    axes = figure.subplots(count, count, squeeze=False)
    for line, title in enumerate(columns):
        for place, other in enumerate(columns):
            ax = axes[line, place]
            if line == place:
                _distribution(ax, columns[title], ends)
            elif line > place:
                pair = matched(tables[title], tables[other], names=[name], **matching)
                y, x = (label_values(table, name)[0] for table in pair)
                clouds.cloud(ax, x, y, xlim=ends, ylim=ends, bar=False)
                ax.plot(ends, ends, color=INK, lw=1, zorder=3)
                _in_words(axes[place, line], x - y, name)
            if line == count - 1:
                ax.set_xlabel(f"{other}\n{axis(name)}", fontsize=9)
            if place == 0:
                ax.set_ylabel(f"{title}\n{axis(name)}" if line else f"{title}\nstars", fontsize=9)
            ax.tick_params(labelbottom=line == count - 1, labelleft=place == 0 and line > 0)
    return figure


def _catalogs(labels, reference, name):
    """Tables by their titles, and the label, however they were given."""
    if isinstance(reference, str):
        reference, name = None, reference
    tables = labels if isinstance(labels, dict) else {"labels": labels, "reference": reference}
    if len(tables) < 2 or any(not hasattr(table, "colnames") for table in tables.values()):
        got = ", ".join(type(table).__name__ for table in tables.values())
        raise InputError(
            f"labels: expected two tables or more, got {got}; for instance pairwise_matrix(labels, reference, 'teff') "
            "or pairwise_matrix({'mine': labels, 'APOGEE': apogee, 'GALAH': galah}, 'teff')"
        )
    if name is None:
        shared = set.intersection(*(set(label_names(table)) for table in tables.values()))
        name = next((label for label in label_names(next(iter(tables.values()))) if label in shared), None)
        if name is None:
            raise InputError("name: expected the name of a label, since the tables have none in common")
    return tables, name


def _distribution(ax, values, ends):
    known = values[np.isfinite(values)]
    ax.hist(known, bins=40, range=ends, color=CYCLE[0], alpha=0.8)
    ax.set_xlim(ends)


def _in_words(ax, difference, name):
    known = difference[np.isfinite(difference)]
    ax.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(0, 1))
    text = "no star in common"
    if known.size:
        text = f"{np.median(known):+.3g}\n± {robust_scatter(known):.3g} {unit(name)}\n{known.size:,} stars"
    ax.text(0.5, 0.5, text, ha="center", va="center", fontsize=9)


def _residual(ax, x, residual, name, *, xlim=None, room=0.0):
    """Cloud of residuals with running median and middle 68 %, ``room`` free above; returns the stars outside."""
    spread = robust_scatter(residual)
    known = residual[np.isfinite(residual)]
    center = float(np.median(known)) if known.size else 0.0
    if spread > 0 and np.abs(known - center).max() > _SPAN * spread:
        ylim = (center - _SPAN * spread, center + _SPAN * spread)
    else:
        ylim = clouds.axis_range(residual)
    if known.size:  # zero is always seen
        ylim = (min(ylim[0], -0.1 * ylim[1]), max(ylim[1], -0.1 * ylim[0]))
    ylim = (ylim[0], ylim[1] + room * (ylim[1] - ylim[0]))
    xlim = clouds.along(x[np.isfinite(residual)]) if xlim is None else xlim
    _, beyond = clouds.cloud(ax, x, residual, xlim=xlim, ylim=ylim, bar=False)
    ax.axhline(0, color=INK, lw=1, zorder=3)
    at, middle, low, high = clouds.medians(x, residual)
    ax.fill_between(at, low, high, color=CYCLE[1], alpha=0.2, lw=0, zorder=4, label="middle 68 %")
    ax.plot(at, middle, "o-", color=CYCLE[1], ms=4, zorder=5, label="median")
    ax.set_ylabel(axis(name, "residual of "))
    return beyond


def _numbers(residual, name, shown, beyond):
    """Bias, scatter and number of stars, in the corner of a panel."""
    if not shown:
        return "no star has both values"
    known = residual[np.isfinite(residual)]
    text = f"median {np.median(known):+.3g} {unit(name)}\nscatter {robust_scatter(known):.3g} {unit(name)}"
    text += f"\n{shown:,} stars"
    return text + (f", {beyond:,} outside" if beyond else "")
