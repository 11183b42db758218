"""Metallicity gradients of the Galaxy, radial and vertical, as in Section 4.4 of the SolarDis paper."""

import numpy as np
from astropy import units as u
from astropy.table import QTable

from stellarlabels import columns
from stellarlabels.analysis.galactic_positions import positions
from stellarlabels.exceptions import InputError
from stellarlabels.validation import derived_label, grouped_lines

#: Bins and ranges of Shen & Luo (2024), Section 4.4.
_HEIGHTS = np.arange(11) * 0.2 * u.kpc
_RADII = np.arange(7, 15) * u.kpc


def radial_gradients(
    table,
    *,
    name="feh",
    edges=_HEIGHTS,
    r_range=(7, 14) * u.kpc,
    method="least_squares",
    rows=None,
    **options,
):
    """Change of a label with the Galactocentric radius in bins of height: Table 3 of Shen & Luo (2024).

    Parameters
    ----------
    table : `~astropy.table.Table`
        N stars, with ``r_gc`` and ``z_gc``, or with what `~stellarlabels.analysis.galactocentric` needs.
    name : str
        Label.
    edges : `~astropy.units.Quantity`
        Edges of the bins of the height, positive on both sides of the plane; a bin holds its lower edge.
    r_range : `~astropy.units.Quantity`, shape (2,)
        Smallest and largest R.
    method : {"least_squares", "weighted", "robust"}
        How the straight lines are fitted; see ``stellarlabels.validation.grouped_lines``. The paper's is
        ``"least_squares"``. Errors of R are not taken into account: they make gradients flatter.
    rows : array_like of bool, shape (N,), optional
        Stars that count; all by default.
    **options
        For `~stellarlabels.analysis.galactocentric`.

    Returns
    -------
    `~astropy.table.QTable`
        One row for each bin, with the columns of the paper's table: ``z`` (kpc), middle of the bin; ``gradient`` and
        ``gradient_err`` (dex / kpc); ``intercept`` and ``intercept_err`` (dex), the label of the line at R = 0;
        ``stars`` (int64). Then ``low`` and ``high`` (kpc), ``scatter`` around the line (dex) and ``note``, a sentence
        where there is no line.

    Raises
    ------
    InputError
        If an argument is not as described.
    """
    radius, height = positions(table, **options)
    return _gradients(table, name, "z", np.abs(height), edges, radius, r_range, method, rows)


def vertical_gradients(
    table,
    *,
    name="feh",
    edges=_RADII,
    z_range=(0, 2) * u.kpc,
    method="least_squares",
    rows=None,
    **options,
):
    """Change of a label with the height over the plane in bins of radius: Table 4 of Shen & Luo (2024).

    Parameters
    ----------
    table : `~astropy.table.Table`
        As for `radial_gradients`.
    name : str
        Label.
    edges : `~astropy.units.Quantity`
        Edges of the bins of R.
    z_range : `~astropy.units.Quantity`, shape (2,)
        Smallest and largest height.
    method, rows, **options
        As for `radial_gradients`.

    Returns
    -------
    `~astropy.table.QTable`
        As of `radial_gradients`, with ``r`` in the place of ``z``, and the gradient with the height.

    Raises
    ------
    InputError
        If an argument is not as described.
    """
    radius, height = positions(table, **options)
    return _gradients(table, name, "r", radius, edges, np.abs(height), z_range, method, rows)


def _gradients(table, name, key, place, edges, x, x_range, method, rows):
    """Lines of a label along x in bins of another coordinate, both in kpc."""
    edges, limits = (u.Quantity(item, u.kpc).value for item in (edges, x_range))
    if edges.ndim != 1 or edges.size < 2 or not (np.diff(edges) > 0).all():
        raise InputError(f"edges: expected at least two numbers that increase, got {edges}")
    if limits.shape != (2,) or not limits[0] < limits[1]:
        raise InputError(f"range: expected a smallest and a largest value, got {limits}")
    value, error, source = derived_label(table, name, required=False)
    group = np.searchsorted(edges, place, side="right") - 1
    group = np.where(place == edges[-1], len(edges) - 2, group)
    used = (x >= limits[0]) & (x <= limits[1])
    if rows is not None:
        used &= np.asarray(rows, bool)
    fit = grouped_lines(x, value, np.where(used, group, -1), len(edges) - 1, error=error, method=method)
    unit = u.Unit(columns.column(name).unit)
    out = QTable({key: 0.5 * (edges[:-1] + edges[1:]) * u.kpc})
    out["gradient"], out["gradient_err"] = fit["slope"] * unit / u.kpc, fit["slope_err"] * unit / u.kpc
    out["intercept"], out["intercept_err"] = fit["intercept"] * unit, fit["intercept_err"] * unit
    out["stars"] = fit["stars"]
    out["low"], out["high"] = edges[:-1] * u.kpc, edges[1:] * u.kpc
    out["scatter"] = fit["scatter"] * unit
    out["note"] = _notes(fit, f"the table has no {name}" if not source else "")
    for column in ("gradient", "gradient_err", "intercept", "intercept_err", "scatter"):
        out[column].info.format = ".4f"
    for column in (key, "low", "high"):
        out[column].info.format = ".3g"
    out.meta.update(label=name, method=method, range=f"{limits[0]:g} to {limits[1]:g} kpc")
    return out


def _notes(fit, missing):
    """Why bins have no line."""
    words = np.where(fit["stars"] == 0, "no star in this bin", "fewer than three stars, or all at the same place")
    return np.where(np.isfinite(fit["slope"]), "", missing or words).astype(str)
