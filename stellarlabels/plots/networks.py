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
    table : `~astropy.table.Table`
        Output of `stellarlabels.analysis.attention`.
    label : str
    coefficients : int
        Number of coefficients of each band.
    ax : `~matplotlib.axes.Axes`, optional

    Returns
    -------
    `~matplotlib.axes.Axes`
    """
    ax = new_axes(ax, size=(8, 4))
    names = [str(name) for name in table["feature"]]
    number = [int(name.split()[1]) if name.startswith(("BP ", "RP ")) else 0 for name in names]
    shown = np.array(number) < coefficients
    ax.bar(range(shown.sum()), np.asarray(table[label].value)[shown], color=CYCLE[0])
    ax.set_xticks(range(shown.sum()), [name for name, keep in zip(names, shown, strict=True) if keep], rotation=90)
    ax.set_ylabel(axis(label, "attention to "))
    return ax


@styled
def derivative_panel(derivative, observed, label, *, ax=None):
    """A derivative spectrum beside the observed difference, both scaled to the same size, with lines marked.

    Parameters
    ----------
    derivative, observed : `~astropy.table.Table`
        Outputs of `stellarlabels.analysis.derivative_spectra` and
        `stellarlabels.analysis.observed_differences`.
    label : str
    ax : `~matplotlib.axes.Axes`, optional

    Returns
    -------
    `~matplotlib.axes.Axes`
    """
    ax = new_axes(ax, size=(8, 4))
    for table, text, style in ((derivative, "network", "-"), (observed, "observed, high - low", "--")):
        values = np.asarray(table[label].value)
        ax.plot(table["wavelength"].to_value("nm"), values / np.abs(values).max(), style, label=text)
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
    table : `~astropy.table.Table`
        Output of `stellarlabels.analysis.importance`.
    label : str
    ax : `~matplotlib.axes.Axes`, optional

    Returns
    -------
    `~matplotlib.axes.Axes`
        The share in per cent, against wavelength where the table knows it, else against the number of the pixel.
    """
    ax = new_axes(ax, size=(8, 3))
    share = 100 * np.asarray(table[f"{label}_share"], float)
    if "wavelength" in table.colnames:
        at, text = table["wavelength"].value, f"wavelength ({table['wavelength'].unit.to_string('unicode')})"
    else:
        at, text = np.asarray(table["pixel"]), "pixel"
    for place, name in enumerate(dict.fromkeys(map(str, table["input"]))):
        rows = np.asarray(table["input"]).astype(str) == name
        ax.plot(at[rows], share[rows], lw=0.8, color=CYCLE[place % len(CYCLE)], label=name)
    if place:
        ax.legend(loc="upper right")
    ax.axhline(0, color=INK, lw=0.6)
    ax.set(xlabel=text, ylabel=f"share in {symbol(label)} (%)", ylim=(min(0, share.min()), 1.1 * share.max()))
    return ax
