"""Whether errors are right, and how often flags are raised."""

import numpy as np

from stellarlabels import columns, validation
from stellarlabels.labels import coverage, robust_scatter
from stellarlabels.plots import clouds
from stellarlabels.plots.labels import axis, label_values, quantity, symbol
from stellarlabels.plots.style import CYCLE, INK, new_axes, note, styled
from stellarlabels.validation import NO_FLAG, aligned, residuals


@styled
def pull_histogram(labels, reference, name, *, ax=None):
    """Histogram of the pulls, (label - reference) / error, beside the Gaussian that they should follow.

    Parameters
    ----------
    labels, reference : `~astropy.table.Table`
        Tables of stars, joined as in `stellarlabels.validation.compare`; only labels that are good in both count.
        The error is the total of both.
    name : str
        Label.
    ax : `~matplotlib.axes.Axes`, optional

    Returns
    -------
    `~matplotlib.axes.Axes`
        The outermost bins hold also what is beyond them.
    """
    ax = new_axes(ax)
    found = validation.pull_histogram(labels, reference, name)
    _bars(ax, found)
    pull = residuals(labels, reference, name)[1]
    if found.meta["stars"]:
        note(ax, f"width {robust_scatter(pull):.2f}, {100 * coverage(pull):.0f} % within 1\n{_stars(found)}")
    edge = float(found["high"][-1])
    at = np.linspace(-edge, edge, 201)
    ax.plot(at, np.exp(-0.5 * at**2) / np.sqrt(2 * np.pi), color=CYCLE[1], label="expected")
    ax.set(xlabel=f"pull of {symbol(name)} (residual / error)", ylabel="density", xlim=(-edge, edge))
    ax.set_ylim(0, 1.35 * max(0.4, np.nan_to_num(found["density"]).max()))
    ax.legend(loc="upper right")
    return ax


@styled
def pit_histogram(labels, reference, name, *, ax=None, bins=20):
    """Histogram of the probability integral transform: flat if the predicted distributions are right.

    Parameters
    ----------
    labels, reference : `~astropy.table.Table`
        Tables of stars, joined as in `stellarlabels.validation.compare`; only labels that are good in both count.
    name : str
        Label.
    ax : `~matplotlib.axes.Axes`, optional
    bins : int

    Returns
    -------
    `~matplotlib.axes.Axes`
        A shaded band shows where 95 % of the bins are by chance if the distributions are right.
    """
    ax = new_axes(ax)
    found = validation.pit_histogram(labels, reference, name, bins=bins)
    _bars(ax, found)
    top = 1.0
    if found.meta["stars"]:
        width = 1.96 * float(found["sampling_error"][0])
        ax.axhspan(1 - width, 1 + width, color=CYCLE[1], alpha=0.25, lw=0, label="95 % by chance")
        top = max(found["density"].max(), 1 + width)
        note(ax, _stars(found))
    ax.axhline(1, color=CYCLE[1], label="expected")
    ax.set(xlabel=f"PIT of {symbol(name)}", ylabel="density", xlim=(0, 1), ylim=(0, 1.45 * top))
    ax.legend(loc="upper right")
    return ax


@styled
def reliability_curve(labels, reference, name, *, ax=None):
    """Share of the reference values inside central intervals of given probability.

    Parameters
    ----------
    labels, reference : `~astropy.table.Table`
        Tables of stars, joined as in `stellarlabels.validation.compare`; only labels that are good in both count.
    name : str
        Label.
    ax : `~matplotlib.axes.Axes`, optional

    Returns
    -------
    `~matplotlib.axes.Axes`
        Below the diagonal the errors are too small, above it too large; if the stars are there by more than chance,
        the words in that corner are bold.
    """
    ax = new_axes(ax, size=(4.6, 4.4))
    found = validation.reliability(labels, reference, name)
    at = np.asarray(found["expected"])
    ax.plot([0, 1], [0, 1], color=INK, lw=1, label="expected")
    if found.meta["stars"]:
        width = 1.96 * np.asarray(found["sampling_error"])
        ax.fill_between(at, at - width, at + width, color=INK, alpha=0.2, lw=0, label="95 % by chance")
        ax.plot(at, found["observed"], "o-", color=CYCLE[0], ms=4, label="stars")
    else:
        note(ax, found.meta["note"], corner="center")
    off = _side(found)
    for x, y, text, here in ((0.03, 0.97, "errors too large", off > 0), (0.97, 0.03, "errors too small", off < 0)):
        sides = {"ha": "left" if x < 0.5 else "right", "va": "top" if y > 0.5 else "bottom"}
        ax.text(x, y, text, fontsize=9, color=INK, fontweight="bold" if here else "normal", **sides)
    ax.set(xlabel=f"probability of the interval, {symbol(name)}", ylabel="share of the stars inside")
    ax.set(xlim=(0, 1), ylim=(0, 1))
    corner = {"loc": "lower right", "bbox_to_anchor": (1, 0.08)} if off > 0 else {"loc": "upper left"}
    ax.legend(**{"bbox_to_anchor": (0, 0.92), **corner})
    return ax


def _side(found):
    """On which side of the diagonal a curve is: 1 above, -1 below, 0 if it is there by chance."""
    away = np.asarray(found["observed"] - found["expected"])
    if not found.meta["stars"] or np.all(np.abs(away) <= 1.96 * np.asarray(found["sampling_error"])):
        return 0
    return int(np.sign(away.mean()))


#: Terms of an error of `stellarlabels.UncertainNet`.
_TERMS = ("model", "input", "excess")


@styled
def errors_along(labels, name, along="phot_g_mean_mag", *, reference=None, terms=False, ax=None):
    """Predicted errors against magnitude or any other column; with a reference also the errors that were made.

    Parameters
    ----------
    labels : `~astropy.table.Table`
    name : str
        Label.
    along : str
        Column of ``labels`` or ``reference``.
    reference : `~astropy.table.Table`, optional
        Tables of stars, joined as in `stellarlabels.validation.compare`; only labels that are good in both count.
    terms : bool
        Whether to show the medians of the terms of the error, ``<label>_err_model``, ``_err_input`` and
        ``_err_excess``, those that the table has, as in Figures 5 and 6 of Fallows & Sanders (2024).
    ax : `~matplotlib.axes.Axes`, optional

    Returns
    -------
    `~matplotlib.axes.Axes`
        The observed scatter in a bin is the robust scatter of the residuals, with the median error of the reference
        taken off in squares.

    Raises
    ------
    MissingColumnError
        If no table has the column ``along``.
    """
    ax = new_axes(ax)
    value, error = label_values(labels, name)
    if reference is not None:
        reference = aligned(labels, reference)
    values, text = quantity([labels] if reference is None else [labels, reference], along)
    known = np.isfinite(error) & np.isfinite(value)
    error = np.where(known, error, np.nan)
    top = 1.3 * np.quantile(clouds.tame(error), 0.98) if known.any() else 1.0
    at, middle, *_ = clouds.medians(values, error)
    ax.plot(at, middle, "o-", color=CYCLE[1], ms=4, zorder=5, label="predicted, median")
    for place, term in enumerate(_TERMS if terms else ()):
        part = columns.column_values(labels, columns.error_term(name, term), required=False)
        at, middle, *_ = clouds.medians(values, np.where(known, part, np.nan))
        if at.size:
            ax.plot(at, middle, "--", color=CYCLE[2 + place], zorder=5, label=f"{term} term")
    if reference is not None:
        truth_error = label_values(reference, name)[1]
        at, observed = _observed(values, residuals(labels, reference, name)[0], truth_error)
        ax.plot(at, observed, "s--", color="black", ms=4, zorder=6, label="observed scatter")
        if observed.size:
            top = max(top, 1.3 * observed.max())
    shown, beyond = clouds.cloud(ax, values, error, xlim=clouds.along(values[known]), ylim=(0, top), bar=False)
    ax.set(xlabel=text, ylabel=axis(name, "error of "))
    note(ax, f"{shown:,} stars" + (f", {beyond:,} outside" if beyond else "") if shown else "no star has an error")
    ax.legend(loc="upper right")
    return ax


def _observed(x, residual, truth_error):
    """Centers of bins in x, and the scatter of the residuals there without the errors of the reference."""
    known = np.isfinite(x) & np.isfinite(residual)
    x, residual, noise = x[known], residual[known], np.nan_to_num(truth_error[known])
    count = min(12, x.size // 30)
    if count == 0:
        return np.empty(0), np.empty(0)
    parts = np.array_split(np.argsort(x, kind="stable"), count)
    scatter = [np.sqrt(max(robust_scatter(residual[part]) ** 2 - np.median(noise[part]) ** 2, 0)) for part in parts]
    return np.array([np.median(x[part]) for part in parts]), np.array(scatter)


def _bars(ax, found):
    """The bars of a histogram, or why there are none."""
    if not found.meta["stars"]:
        note(ax, found.meta["note"])
        return
    edges = np.append(found["low"], found["high"][-1])
    ax.stairs(found["density"], edges, fill=True, color=CYCLE[0], alpha=0.8, label="stars")


def _stars(found):
    return f"{found.meta['stars']:,} stars"


@styled
def flag_tally(tally, *, ax=None):
    """Share of the stars with each flag, for each flag column.

    Parameters
    ----------
    tally : `~astropy.table.Table`
        Labels with their flags, any catalog with flags, or an output of `stellarlabels.validation.tally`.
    ax : `~matplotlib.axes.Axes`, optional

    Returns
    -------
    `~matplotlib.axes.Axes`
        A line for each flag that any star has, a column for each flag column, in each cell the share in per cent.
    """
    if not {"column", "flag", "stars", "share"} <= set(tally.colnames):
        tally = validation.tally(tally)
    names = list(dict.fromkeys(map(str, tally["column"])))
    raised = [str(row["flag"]) for row in tally if row["stars"] > 0 and row["flag"] != NO_FLAG]
    lines = list(dict.fromkeys(raised))
    ax = new_axes(ax, size=(max(4.0, 2.6 + 0.75 * len(names)), 1.6 + 0.32 * max(len(lines), 2)))
    if not lines:
        note(ax, "no star has a flag" if names else "the table has no flags")
        ax.set(xticks=[], yticks=[])
        return ax
    share = np.full((len(lines), len(names)), np.nan)
    for row in tally:
        if str(row["flag"]) in lines:
            share[lines.index(str(row["flag"])), names.index(str(row["column"]))] = 100 * row["share"]
    image = ax.imshow(np.ma.masked_invalid(share), cmap="Blues", vmin=0, vmax=100, aspect="auto")
    for line, place in np.argwhere(np.isfinite(share)):
        value = share[line, place]
        text = (
            "0"
            if value == 0
            else "<0.1"
            if value < 0.05
            else f"{value:.1f}"
            if value < 99.95 or value == 100
            else ">99.9"
        )
        ax.text(place, line, text, ha="center", va="center", fontsize=9, color="white" if value > 55 else "black")
    ax.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(lines)), lines)
    ax.tick_params(length=0)
    ax.figure.colorbar(image, ax=ax, label="stars (%)")
    return ax


@styled
def cut_waterfall(waterfall, *, ax=None):
    """What each cut of a selection costs.

    Parameters
    ----------
    waterfall : `~astropy.table.Table`
        Output of `stellarlabels.tables.quality.waterfall`.
    ax : `~matplotlib.axes.Axes`, optional

    Returns
    -------
    `~matplotlib.axes.Axes`
        A bar for each cut, in order from the top: the stars that are left, after it those that the cut takes, of which
        the paler part could not be judged; at the end how many are left.
    """
    names = [str(name) or "all" for name in waterfall["cut"]]
    ax = new_axes(ax, size=(7, 1.2 + 0.32 * len(names)))
    left, removed, unknown = (np.asarray(waterfall[key], float) for key in ("left", "removed", "undefined"))
    at = np.arange(len(names))
    ax.barh(at, left, color=CYCLE[0], label="left")
    ax.barh(at, removed - unknown, left=left, color=CYCLE[1], label="taken")
    ax.barh(at, unknown, left=left + removed - unknown, color=CYCLE[1], alpha=0.4, label="taken, as a value is missing")
    for place, count in enumerate(left):
        ax.text(1.01, place, f"{int(count):,}", transform=ax.get_yaxis_transform(), va="center", fontsize=9)
    ax.set_yticks(at, names)
    ax.set(xlabel="stars", ylim=(len(names) - 0.4, -0.6), xlim=(0, max(left.max(initial=0), 1)))
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.18), ncols=3)
    return ax
