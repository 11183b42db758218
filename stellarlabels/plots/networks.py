"""What a network looks at: attention, derivative spectra, importance of wavelengths."""

import numpy as np

from stellarlabels.analysis import spectral_lines
from stellarlabels.plots.labels import axis, symbol
from stellarlabels.plots.style import CYCLE, INK, new_axes, styled


@styled
def attention_bars(table, label, *, coefficients=5, ax=None):
    """Attention to the first coefficients of both bands and to all other inputs (Fallows & Sanders 2024, Fig. 8).

    Parameters
    ----------
    table : `~astropy.table.Table` or dict of str to `~astropy.table.Table`
        Output of `stellarlabels.analysis.attention`, or of `stellarlabels.analysis.importance` with ``lines``; several,
        for instance of hot and of cool stars, by the name that the legend shows.
    label : str
    coefficients : int
        Number of coefficients of each band.
    ax : `~matplotlib.axes.Axes`, optional

    Returns
    -------
    `~matplotlib.axes.Axes`
    """
    ax = new_axes(ax, size=(8, 4))
    tables = table if isinstance(table, dict) else {"": table}
    names = [str(name) for name in next(iter(tables.values()))["feature"]]
    number = [int(name.split()[1]) if name.startswith(("BP ", "RP ")) else 0 for name in names]
    shown, width = np.array(number) < coefficients, 0.8 / len(tables)
    shares = all(f"{label}_share" in one.colnames for one in tables.values())
    for place, (title, one) in enumerate(tables.items()):
        values = 100 * np.asarray(one[f"{label}_share"]) if shares else np.asarray(one[label].value)
        at = np.arange(shown.sum()) + (place - 0.5 * (len(tables) - 1)) * width
        ax.bar(at, values[shown], width, color=CYCLE[place % len(CYCLE)], label=title)
    ax.set_xticks(range(shown.sum()), [name for name, keep in zip(names, shown, strict=True) if keep], rotation=90)
    ax.set_ylabel(f"share in {symbol(label)} (%)" if shares else axis(label, "attention to "))
    if len(tables) > 1:
        ax.legend()
    return ax


@styled
def derivative_panel(derivative, observed, label, *, simulated=None, ax=None):
    """A derivative spectrum beside observed and simulated differences, scaled to the same size, with lines marked.

    Parameters
    ----------
    derivative, observed : `~astropy.table.Table`
        Outputs of `stellarlabels.analysis.derivative_spectra` and
        `stellarlabels.analysis.observed_differences`.
    label : str
    simulated : `~astropy.table.Table`, optional
        Output of `stellarlabels.analysis.simulated_differences`, the black curves of the paper's Figures 11 to 14.
    ax : `~matplotlib.axes.Axes`, optional

    Returns
    -------
    `~matplotlib.axes.Axes`
    """
    ax = new_axes(ax, size=(8, 4))
    curves = [(derivative, "network", {"ls": "-"}), (observed, "observed, high - low", {"ls": "--"})]
    curves += [] if simulated is None else [(simulated, "simulated", {"color": "black", "lw": 1.0})]
    for table, text, style in curves:
        values = np.asarray(table[label].value)
        ax.plot(table["wavelength"].to_value("nm"), values / np.abs(values).max(), label=text, **style)
    for line in spectral_lines():
        low, high = line["low"].to_value("nm"), line["high"].to_value("nm")
        ax.axvspan(low, high, color="0.85", zorder=0)
        ax.text(0.5 * (low + high), 1.02, line["name"], ha="center", fontsize="small", rotation=90)
    ax.set(xlabel="wavelength (nm)", ylabel=f"change of the flux with {symbol(label)} (scaled)", ylim=(-1.1, 1.35))
    ax.legend(loc="lower right")
    return ax


@styled
def importance_spectrum(table, label, *, ax=None):
    """Share of each wavelength in what a network knows of a label (Section 5.1 of the SolarDis paper).

    Parameters
    ----------
    table : `~astropy.table.Table` or dict of str to `~astropy.table.Table`
        Output of `stellarlabels.analysis.importance`; several, for instance of hot and of cool stars as in the paper's
        Figures 15 and 16, by the name that the legend shows.
    label : str
    ax : `~matplotlib.axes.Axes`, optional

    Returns
    -------
    `~matplotlib.axes.Axes`
        The share in per cent, against wavelength where the table knows it, with absorption features of cool stars
        marked, else against the number of the pixel.
    """
    ax = new_axes(ax, size=(8, 3))
    several = table if isinstance(table, dict) else {"": table}
    known = all("wavelength" in one.colnames for one in several.values())
    lowest = highest = drawn = 0
    for title, one in several.items():
        share = 100 * np.asarray(one[f"{label}_share"], float)
        at = one["wavelength"].value if known else np.asarray(one["pixel"])
        inputs = np.asarray(one["input"]).astype(str)
        for name in dict.fromkeys(inputs.tolist()):
            text = ", ".join(filter(None, [title, name if len(set(inputs)) > 1 or not title else ""]))
            ax.plot(at[inputs == name], share[inputs == name], lw=0.8, color=CYCLE[drawn % len(CYCLE)], label=text)
            drawn += 1
        lowest, highest = min(lowest, share.min()), max(highest, share.max())
    if drawn > 1:
        ax.legend(loc="upper right")
    ax.axhline(0, color=INK, lw=0.6)
    unit = next(iter(several.values()))["wavelength"].unit if known else None
    if known:
        _mark(ax, unit, at.min(), at.max())
    text = f"wavelength ({unit.to_string('unicode')})" if known else "pixel"
    ax.set(xlabel=text, ylabel=f"share in {symbol(label)} (%)", ylim=(lowest, (1.25 if known else 1.1) * highest))
    return ax


def _mark(ax, unit, low, high):
    """Shade absorption features within a range, and write their names at the top of the panel."""
    for line in spectral_lines():
        ends = [line[end].to_value(unit) for end in ("low", "high")]
        if low <= ends[0] and ends[1] <= high:
            ax.axvspan(*ends, color="0.85", zorder=0)
            style = {"ha": "center", "va": "top", "fontsize": "small", "rotation": 90}
            ax.text(0.5 * sum(ends), 0.97, line["name"], transform=ax.get_xaxis_transform(), **style)
