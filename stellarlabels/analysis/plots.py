"""Plots of what a network looks at. Every function takes an Axes or makes one, and returns it."""

import numpy as np

from stellarlabels.analysis.attention import lines

__all__ = ["attention_bars", "derivative_panels"]


def _axes(ax):
    from matplotlib.figure import Figure

    return Figure(figsize=(8, 4), layout="constrained").add_subplot() if ax is None else ax


def attention_bars(table, label, *, coefficients=5, ax=None):
    """Attention to the first coefficients of both bands and to all other inputs (the paper's Fig. 8).

    Parameters
    ----------
    table : `~astropy.table.Table`
        Output of `stellarlabels.analysis.attention.attention`.
    label : str
    coefficients : int
        Number of coefficients of each band.
    ax : `~matplotlib.axes.Axes`, optional

    Returns
    -------
    `~matplotlib.axes.Axes`
    """
    ax = _axes(ax)
    names = [str(name) for name in table["feature"]]
    number = [int(name.split()[1]) if name.startswith(("BP ", "RP ")) else 0 for name in names]
    shown = np.array(number) < coefficients
    ax.bar(np.flatnonzero(shown).argsort(), np.asarray(table[label].value)[shown], color="C0")
    ax.set_xticks(range(shown.sum()), [name for name, keep in zip(names, shown, strict=True) if keep], rotation=90)
    ax.set_ylabel(f"attention, {label}" + (f" ({table[label].unit})" if table[label].unit else ""))
    return ax


def derivative_panels(derivative, observed, label, *, ax=None):
    """A derivative spectrum beside the observed difference, both scaled to the same size, with lines marked.

    Parameters
    ----------
    derivative, observed : `~astropy.table.Table`
        Outputs of `stellarlabels.analysis.attention.derivative_spectra` and
        `stellarlabels.analysis.attention.observed_differences`.
    label : str
    ax : `~matplotlib.axes.Axes`, optional

    Returns
    -------
    `~matplotlib.axes.Axes`
    """
    ax = _axes(ax)
    for table, text in ((derivative, "network"), (observed, "observed, high - low")):
        values = np.asarray(table[label].value)
        ax.plot(table["wavelength"].to_value("nm"), values / np.abs(values).max(), label=text)
    for line in lines():
        low, high = line["low"].to_value("nm"), line["high"].to_value("nm")
        ax.axvspan(low, high, color="0.85", zorder=0)
        ax.text(0.5 * (low + high), 1.02, line["name"], ha="center", fontsize="small", rotation=90)
    ax.set_ylim(-1.1, 1.3)
    ax.set_xlabel("wavelength (nm)")
    ax.set_ylabel(f"change of the flux with {label} (scaled)")
    ax.legend(loc="lower right")
    return ax
