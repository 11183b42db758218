"""Spectra as they come: Gaia XP, LAMOST of low and of medium resolution."""

import numpy as np

from stellarlabels import columns
from stellarlabels.exceptions import InputError
from stellarlabels.inputs.spectra import masks_of, pixel_column, pixels
from stellarlabels.plots import clouds
from stellarlabels.plots.style import CYCLE, new_axes, note, styled


@styled
def spectrum(table, row=0, *, ax=None):
    """The spectrum of a star, with a band of one standard error.

    Parameters
    ----------
    table : `~astropy.table.Table`
        With spectra in any form that the systems take: XP samples or coefficients (flux in W m-2 nm-1 against nm), or
        LAMOST spectra (relative flux against Angstrom), whose two arms are drawn one after the other.
    row : int
        Which star.
    ax : `~matplotlib.axes.Axes`, optional

    Returns
    -------
    `~matplotlib.axes.Axes`
        Pixels that are missing or flagged are left out. Single wild pixels do not stretch the axis; how many are
        outside is said in the panel.

    Raises
    ------
    MissingColumnError
        If the table has no spectra.
    InputError
        If there is no such row.
    """
    if not 0 <= row < len(table):
        raise InputError(f"row: expected one of the {len(table)} rows of the table, counted from 0, got {row}")
    pieces, unit = _pieces(table[row : row + 1])
    ax = new_axes(ax, size=(8, 3.4))
    known = np.concatenate([flux for _, flux, _ in pieces])
    low, high = clouds.axis_range(known)
    low = min(low, max(np.min(known, where=np.isfinite(known), initial=low), 0.0))  # deep lines are seen
    for color, (at, flux, error) in zip(CYCLE, pieces, strict=False):
        ax.fill_between(at, flux - error, flux + error, color=color, alpha=0.3, lw=0)
        ax.plot(at, flux, color=color, lw=0.8)
    ax.set(xlabel=f"wavelength ({unit})", ylabel="flux (W m$^{-2}$ nm$^{-1}$)" if unit == "nm" else "flux")
    ax.set_ylim(low, high + 0.15 * (high - low))
    note(ax, _in_words(table, row, known, (low, high)))
    return ax


def _pieces(table):
    """Wavelength, flux and error (M,) of each arm of the only star, NaN where a pixel does not count; and the unit."""
    arms = [arm for arm in ("_b", "_r", "") if columns.column_name(table, pixel_column("ivar", arm)) is not None]
    if not arms:
        from stellarlabels.inputs.xp import WAVELENGTH, spectra

        flux, error, _ = spectra(table)
        return [(WAVELENGTH, flux[0], error[0])], "nm"
    out = []
    for arm in arms:
        found = pixels(table, arm, masks=masks_of(arm))
        with np.errstate(divide="ignore"):
            error = np.where(found.good[0], 1 / np.sqrt(found.ivar[0]), np.nan)
        wavelength = np.atleast_2d(found.wavelength)[0]
        out.append((wavelength, np.where(found.good[0], found.flux[0], np.nan), error))
    return out, "Angstrom"


def _in_words(table, row, flux, ends):
    """Which star it is, and how many pixels are not seen."""
    names = [name for name in (columns.identifier(table), "spectrum") if name in table.colnames]
    star = f"{names[0]} {table[names[0]][row]}" if names else f"row {row}"
    known = np.isfinite(flux)
    beyond = int(((flux < ends[0]) | (flux > ends[1])).sum())
    missing = flux.size - int(known.sum())
    if not known.any():
        return f"{star}\nno pixel of this spectrum counts"
    told = [f"{missing:,} pixels left out"] * bool(missing) + [f"{beyond:,} outside"] * bool(beyond)
    return "\n".join([star, ", ".join(told)] if told else [star])
