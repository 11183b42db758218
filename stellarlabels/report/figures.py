"""The figures of a report, each with a caption and what is seen in words."""

import numpy as np
from astropy import units as u
from astropy.table import QTable

from stellarlabels import columns, plots, validation
from stellarlabels.analysis import abundance_names, positions, radial_gradients
from stellarlabels.exceptions import MissingColumnError
from stellarlabels.labels import coverage, robust_scatter
from stellarlabels.plots import axis_range, figure_bytes, label_values, plain, unit
from stellarlabels.report.numbers import along
from stellarlabels.report.page import Figure, Text, count, number, percent, with_unit
from stellarlabels.validation import NO_FLAG, classes, derived_label, residuals

#: Abundances that are shown against a metallicity, the most telling ones first, and how many of them.
_ABUNDANCES = ("alpha_m", "alpha_fe", "mg_fe", "c_fe", "n_fe", "ca_fe", "o_fe", "si_fe")
_PLANES = 4
#: Colors and hatches of good labels, good ones with a note, caution, and bad ones.
_LEVELS = (("#0072b2", ""), ("#56b4e9", ""), ("#e69f00", "//"), ("#d55e00", "xx"))
#: Smallest number of stars with a distance for a map of the Galaxy, and of pulls for figures of them.
_LEAST, _LEAST_PULLS = 100, 10


def of_catalog(source):
    """Yield the figures of the stars of a catalog."""
    table, known = source.table, [name for name in source.labels if _varies(source.table, name)]
    if {"teff", "logg"} <= set(known):
        yield _kiel(table)
    yield from _color_magnitude(table)
    against = next((name for name in ("feh", "m_h") if name in known), None)
    if against is not None and "logg" in known:
        derived = abundance_names(table)
        for name in [name for name in _ABUNDANCES if name in derived][:_PLANES]:
            yield from _planes(table, name, against)
    if against is not None:
        yield from _galaxy(table, against)
    bright = along(table)
    for name in known:
        error = label_values(table, name)[1]
        if bright is not None and np.isfinite(error).any():
            yield _errors(table, name, bright)


def of_levels(contents):
    """Yield the figure of how many labels are good, good with a note, of level caution, and bad or missing."""
    shown = contents[np.asarray(contents["good"]) >= 0]
    if not len(shown):
        return
    total = np.asarray(shown["stars"] + shown["missing"])
    note, good = np.asarray(shown["note"]), np.asarray(shown["good"])
    parts = {"good": good - note, "good, with a note": note, "caution": np.asarray(shown["caution"])}
    parts["bad, or no value"] = total - sum(parts.values())
    ax, start = _axes((6.4, 1.4 + 0.34 * len(shown))), np.zeros(len(shown))
    with plots.context():
        names = [plain(name) for name in shown["label"]]
        for (part, number), (color, hatch) in zip(parts.items(), _LEVELS, strict=True):
            share = 100 * number / np.maximum(total, 1)
            ax.barh(names, share, left=start, color=color, hatch=hatch, edgecolor="white", lw=0.5, label=part)
            start += share
        ax.set(xlim=(0, 100), xlabel="stars (%)")
        ax.invert_yaxis()
        ax.tick_params(right=False, top=False, left=False)
        ax.figure.legend(loc="outside upper center", ncols=4, frameon=False)
    least = int(np.argmin(good / np.maximum(total, 1)))
    alt = "Bars of the shares of good labels, of good ones with a note, of caution, and of bad or missing ones. "
    alt += f"{names[least]} has the fewest good ones: {percent(good[least] / max(total[least], 1))}."
    yield _done(ax.figure, alt, "How many labels are good; why the others are not is told below.")


def of_flags(tally):
    """Yield the figure of the flags' tally, if any star has a flag."""
    raised = tally[(np.asarray(tally["flag"]) != NO_FLAG) & (np.asarray(tally["stars"]) > 0)]
    if not len(raised):
        return
    width = len(set(map(str, tally["column"])))
    lines = list(dict.fromkeys(map(str, raised["flag"])))
    ax = _axes((3.2 + 0.62 * width, 1.5 + 0.3 * len(lines)))
    plots.flag_tally(tally, ax=ax)
    most = max(raised, key=lambda row: row["share"])
    alt = f"Table of shares for {count(len(lines), 'flag')} and {count(width, 'flag column')}. The most frequent is "
    alt += f"{most['flag']} in {most['column']}, with {percent(most['share'])} of the stars."
    yield _done(ax.figure, alt, "Share of the stars with each flag, in per cent, for each flag column.", wide=width > 6)


def of_label(comparison, name):
    """Yield the figures of one label against a reference."""
    labels, truth = comparison.labels, comparison.truth
    residual, pull = residuals(labels, truth, name)
    known = residual[np.isfinite(residual)]
    text, title = plain(name), comparison.title
    middle, scatter = with_unit(np.median(known), name), with_unit(robust_scatter(known), name)
    ax = _axes((5.4, 5.4))
    plots.one_to_one(labels, truth, name, ax=ax)
    alt = f"{text} of the catalog against {title} for {count(known.size)}, and the residual below. The median residual "
    alt += f"is {middle}, the robust scatter {scatter}."
    yield _done(
        ax.figure, alt, f"{text} against {title}; below, catalog minus reference with its median and middle 68 %."
    )
    bright = along(labels, truth)
    others = [bright] if bright else []
    others += [key for key in ("teff",) if key != name and _varies(truth, key)]
    for key in others:
        ax = _axes((5.4, 4.2))
        plots.residual_along(labels, truth, name, key, ax=ax)
        alt = f"Residual of {text} against {plain(key)}. {_trend(residual, _values(labels, truth, key), name, key)}"
        yield _done(ax.figure, alt, f"Residual of {text}, catalog minus {title}, against {plain(key)}.")
    told = int(np.isfinite(pull).sum())
    if told >= _LEAST_PULLS:
        yield from _of_pulls(comparison, name, pull, bright)
    else:
        have = f"{count(told)} in common {'has' if told == 1 else 'have'} an error" if told else "No star has an error"
        yield Text(f"{have}: too few to say whether errors of {text} are right.")


def _of_pulls(comparison, name, pull, bright):
    """Figures that say whether the errors of a label are right."""
    labels, truth, text = comparison.labels, comparison.truth, plain(name)
    size = (4.4, 4.0)
    ax = _axes(size)
    plots.pull_histogram(labels, truth, name, ax=ax)
    alt = f"Histogram of the pulls of {text}: their width is {number(robust_scatter(pull))} where 1 is right, and "
    alt += f"{percent(coverage(pull))} are within 1, where 68 % are right."
    yield _done(ax.figure, alt, f"Pulls of {text}: residual divided by the total error, and a unit Gaussian.")
    ax = _axes(size)
    plots.pit_histogram(labels, truth, name, ax=ax)
    density = np.asarray(validation.pit_histogram(labels, truth, name)["density"])
    ends, inner = density[[0, -1]].mean(), density[8:12].mean()
    shape = (
        "piled up at both ends: errors are too small there" if ends > 1.3 else "low at both ends: errors are too large"
    )
    shape = shape if ends > 1.3 or ends < 0.7 else "nearly flat at both ends"
    alt = f"Histogram of the probability integral transform of {text}, {shape}. The density is {number(ends)} in the "
    alt += f"outermost bins and {number(inner)} in the middle, where 1 is right."
    yield _done(ax.figure, alt, f"Where in its predicted distribution each reference {text} lies; flat is right.")
    ax = _axes(size)
    plots.reliability_curve(labels, truth, name, ax=ax)
    found = validation.reliability(labels, truth, name)
    half, most = (float(found["observed"][np.argmin(np.abs(found["expected"] - level))]) for level in (0.5, 0.9))
    alt = f"Share of the stars inside intervals of given probability for {text}: {percent(half)} are inside the 50 % "
    alt += f"interval and {percent(most)} inside the 90 % interval."
    yield _done(ax.figure, alt, f"Reliability of the errors of {text}; below the diagonal they are too small.")
    if bright is not None:
        ax = _axes((5.4, 4.2))
        plots.errors_along(labels, name, bright, reference=truth, ax=ax)
        error = label_values(labels, name)[1]
        alt = f"Predicted errors of {text} against {plain(bright)}, and the scatter that was observed. "
        alt += _trend(error, _values(labels, truth, bright), name, bright, "error")
        yield _done(ax.figure, alt, f"Predicted errors of {text} and the scatter about {comparison.title}.")


def _kiel(table):
    ax = _axes((5.4, 4.4))
    plots.kiel(table, ax=ax)
    groups = classes(table)
    alt = f"Kiel diagram, log g against Teff, of {count(sum(rows.sum() for rows in groups.values()))}: "
    alt += (
        f"{count(groups['dwarfs'].sum(), 'dwarf')} below and {count(groups['giants'].sum(), 'giant')} above log g 3.5. "
    )
    alt += f"Teff is from {_span(table, 'teff')}."
    return _done(ax.figure, alt, "Kiel diagram, colored by [Fe/H] where it is known.")


def _color_magnitude(table):
    has_color = any(_varies(table, name) for name in ("bp_rp_0", "bp_rp"))
    has_color = has_color or all(_varies(table, f"phot_{band}_mean_mag") for band in ("bp", "rp"))
    magnitude = next((name for name in ("m_g", "m_g_dimmed", "phot_g_mean_mag") if _varies(table, name)), None)
    if not has_color or magnitude is None:
        return
    color = next((name for name in ("bp_rp_0", "bp_rp") if _varies(table, name)), None)
    ax = _axes((5.4, 4.4))
    plots.color_magnitude(table, color=color, magnitude=magnitude, ax=ax)
    alt = (
        f"Color-magnitude diagram: {plain(magnitude)} from {_span(table, magnitude)}, bright stars at the top, against "
    )
    alt += f"{plain(color or 'bp_rp')}."
    yield _done(ax.figure, alt, f"{plain(magnitude)} against {plain(color or 'bp_rp')}.")


def _planes(table, name, against):
    """An abundance against a metallicity, for dwarfs and for giants, with the same axes."""
    x, y = (derived_label(table, key)[0] for key in (against, name))
    known = np.isfinite(x) & np.isfinite(y)
    ends = {"xlim": axis_range(x[known]), "ylim": axis_range(y[known])}
    for group, rows in classes(table).items():
        shown = known & rows
        if not shown.any():
            continue
        ax = _axes((5.4, 4.2))
        plots.abundance_plane(table, name, against=against, rows=rows, title=group, ax=ax, **ends)
        alt = f"{plain(name)} against {plain(against)} of {count(shown.sum(), group[:-1])}: the medians are "
        alt += f"{with_unit(np.median(y[shown]), name)} and {with_unit(np.median(x[shown]), against)}."
        yield _done(ax.figure, alt, f"{plain(name)} against {plain(against)} for {group}.")


def _galaxy(table, name):
    """Map of the Galaxy and radial gradients, where there are positions and distances of enough stars."""
    if columns.find(table, "ra") is None or columns.find(table, "dec") is None:
        return
    try:
        radius, height = positions(table)
    except MissingColumnError:
        return
    known = np.isfinite(radius) & np.isfinite(height) & np.isfinite(label_values(table, name)[0])
    if known.sum() < _LEAST:
        return
    placed = QTable(table, copy=False)
    placed["r_gc"], placed["z_gc"] = radius * u.kpc, height * u.kpc
    ax = _axes((5.4, 4.2))
    plots.galaxy_map(
        placed, name, least=3 if known.sum() > 20_000 else 1, bins=60 if known.sum() > 20_000 else 30, ax=ax
    )
    low, high = (np.quantile(values[known], [0.01, 0.99]) for values in (radius, height))
    alt = f"Map of the median {plain(name)} of {count(known.sum())} in Galactocentric radius, {number(low[0])} to "
    alt += f"{number(low[1])} kpc, and height, {number(high[0])} to {number(high[1])} kpc."
    yield _done(ax.figure, alt, f"Median {plain(name)} in Galactocentric radius and height.")
    found = radial_gradients(placed, name=name)
    slopes = u.Quantity(found["gradient"]).value
    if np.isfinite(slopes).any():
        ax = _axes((5.4, 4.2))
        plots.gradients(found, name=name, ax=ax)
        shown = slopes[np.isfinite(slopes)]
        alt = f"Radial gradients of {plain(name)} in {count(shown.size, 'bin')} of height above the Galactic plane: "
        alt += f"{number(shown[0])} {unit(name)} per kpc nearest to the plane, {number(shown[-1])} farthest from it."
        yield _done(ax.figure, alt, f"Change of {plain(name)} with Galactocentric radius, in bins of height.")


def _errors(table, name, bright):
    ax = _axes((5.4, 4.2))
    plots.errors_along(table, name, bright, ax=ax)
    error = label_values(table, name)[1]
    alt = f"Predicted errors of {plain(name)} against {plain(bright)}. "
    alt += _trend(error, columns.values(table, bright), name, bright, "error")
    return _done(ax.figure, alt, f"Predicted errors of {plain(name)} against {plain(bright)}.")


def _trend(values, at, name, key, noun="residual"):
    """The median of a quantity for the lowest and the highest fifth of another, in words."""
    known = np.isfinite(values) & np.isfinite(at)
    if known.sum() < 10:
        return f"There are {count(known.sum())}."
    low, high = np.quantile(at[known], [0.2, 0.8])
    first, last = (np.median(values[known & side]) for side in (at <= low, at >= high))
    limits = [f"{number(limit, 4)} {unit(key)}".rstrip() for limit in (low, high)]
    return (
        f"The median {noun} is {with_unit(first, name)} below {plain(key)} = {limits[0]} and {with_unit(last, name)} "
        f"above {limits[1]}."
    )


def _values(labels, truth, key):
    for table in (labels, truth):
        if columns.find(table, key) is not None:
            return columns.values(table, key)
    return np.full(len(labels), np.nan)


def _span(table, name):
    values = columns.values(table, name)
    low, high = np.quantile(values[np.isfinite(values)], [0.01, 0.99])
    return f"{number(low, 4)} to {number(high, 4)} {unit(name)}".rstrip() + " (98 % of the stars)"


def _varies(table, name):
    """Whether a table has more than one value of a column."""
    if columns.find(table, name) is None:
        return False
    values = columns.values(table, name)
    values = values[np.isfinite(values)]
    return bool(values.size) and values.min() < values.max()


def _axes(size):
    from matplotlib.figure import Figure as Canvas

    with plots.context():
        return Canvas(figsize=size, layout="constrained").add_subplot()


def _done(figure, alt, caption, *, wide=False):
    return Figure(figure_bytes(figure), " ".join(alt.split()), caption, wide)
