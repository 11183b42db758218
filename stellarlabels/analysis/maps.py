"""Maps of labels over two quantities: of the Galaxy, and planes of abundances."""

import numpy as np
from astropy import units as u
from astropy.table import QTable

from stellarlabels import columns
from stellarlabels.analysis.galaxy import on_the_sky, positions
from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.validation import Along, derived_label, grouped_median, is_ratio, quantity_along

#: Quantiles at which default ranges begin and end, and to which side they are rounded.
_ENDS = ((0.001, "lower"), (0.999, "higher"))


def binned_map(table, x, y, value=None, *, bins=100, range=None, rows=None):
    """Stars in the cells of a plane, and the typical value of a third quantity in each.

    Parameters
    ----------
    table : `~astropy.table.Table`
        N stars.
    x, y : str or array_like, shape (N,)
        The plane: names of columns, or values. Abundances such as ``mg_fe``, and ratios such as ``c_n``, are worked
        out from others where the table does not have them.
    value : str or array_like, shape (N,), optional
        The third quantity.
    bins : int or (int, int)
        Number of cells along x and along y.
    range : ((float, float), (float, float)), optional
        Smallest and largest x and y, in their units; by default all but 0.1 % of the stars at either end.
    rows : array_like of bool, shape (N,), optional
        Stars that count; all by default.

    Returns
    -------
    `~astropy.table.QTable`
        One row for each cell, x running faster: ``x_low``, ``x_high``, ``y_low``, ``y_high``, in the units of x and
        y; ``stars`` (int64), those with x and y in the cell and, if there is a third quantity, a value of it;
        and of that ``mean``, ``median`` and ``std``, NaN for an empty cell (``std`` for fewer than two stars). A cell
        holds its lower edges, the last also the upper. ``meta``: ``shape`` (cells along y and x), ``x``, ``y``,
        ``value`` (names), ``stars`` in all cells, ``outside`` of them, and ``note``, a sentence if there is nothing to
        show. See `as_image`.

    Raises
    ------
    InputError
        If a column is not there, or an argument is not as described.
    """
    planes = [_along(table, item) for item in (x, y)]
    third = None if value is None else _along(table, value)
    return cells(*planes, third, bins=bins, range=range, rows=rows)


def _along(table, item):
    """A quantity of a plane; an abundance that the table does not have is worked out from others."""
    try:
        return quantity_along((table,), item, len(table))
    except MissingColumnError:
        if not (is_ratio(item) or item in columns.vocabulary().notes["labels"]):
            raise
    return Along(item, derived_label(table, item)[0], "dex")


def cells(x, y, value=None, *, bins=100, range=None, rows=None):
    """As `binned_map`, for quantities of ``stellarlabels.validation.Along``."""
    number = np.broadcast_to(bins, 2)
    if number.dtype.kind not in "iu" or (number < 1).any():
        raise InputError(f"bins: expected one or two positive integers, got {bins!r}")
    known = np.isfinite(x.values) & np.isfinite(y.values)
    if value is not None:
        known &= np.isfinite(value.values)
    if rows is not None:
        known &= np.asarray(rows, bool)
    note = "" if known.any() else "no star has all values"
    limits = (None, None) if range is None else range
    edges = [
        _edges(item.values[known], count, limit) for item, count, limit in zip((x, y), number, limits, strict=True)
    ]
    column, line = (_place(item.values, edge) for item, edge in zip((x, y), edges, strict=True))
    here = known & (column >= 0) & (line >= 0)
    size = int(number[0] * number[1])
    cell = np.where(here, line * number[0] + column, -1)
    stars = np.bincount(cell[here], minlength=size)
    out = QTable()
    for name, item, edge, order in (("x", x, edges[0], np.tile), ("y", y, edges[1], np.repeat)):
        repeats = number[1] if name == "x" else number[0]
        for end, part in (("low", edge[:-1]), ("high", edge[1:])):
            out[f"{name}_{end}"] = order(part, repeats) * u.Unit(item.unit) if item.unit else order(part, repeats)
    out["stars"] = stars.astype(np.int64)
    if value is not None:
        for name, numbers in _typical(value.values, cell, here, stars, size).items():
            out[name] = numbers * u.Unit(value.unit) if value.unit else numbers
    out.meta.update(
        shape=(int(number[1]), int(number[0])),
        x=x.name,
        y=y.name,
        value="" if value is None else value.name,
        stars=int(stars.sum()),
        outside=int(known.sum() - stars.sum()),
        note=note,
    )
    return out


def as_image(table, column):
    """A column of a map as an image.

    Parameters
    ----------
    table : `~astropy.table.Table`
        Output of `binned_map` and the like.
    column : str

    Returns
    -------
    x_edges, y_edges : `~numpy.ndarray` or `~astropy.units.Quantity`, shape (X + 1,), (Y + 1,)
    image : `~numpy.ndarray` or `~astropy.units.Quantity`, shape (Y, X)
    """
    lines, width = table.meta["shape"]
    x = [table[f"x_{end}"][:width] for end in ("low", "high")]
    y = [table[f"y_{end}"][::width] for end in ("low", "high")]
    edges = [np.concatenate([low, high[-1:]]) for low, high in (x, y)]
    return *edges, np.reshape(np.asarray(table[column]) if table[column].unit is None else table[column], (lines, -1))


#: What the planes of the Galaxy are made of.
PLANES = {"rz": ("r_gc", "z_gc"), "xy": ("x_gc", "y_gc"), "sky": ("l", "b")}


def galaxy_map(table, name=None, *, plane="rz", bins=100, range=None, rows=None, **options):
    """Number of stars, or the typical value of a label, in a plane of the Galaxy or on the sky.

    Parameters
    ----------
    table : `~astropy.table.Table`
        N stars, with the coordinates of the plane, or with what `~stellarlabels.analysis.galactocentric` needs; for the
        sky with ``l`` and ``b``, or ``ra`` and ``dec``.
    name : str, optional
        Label; without one the stars are counted.
    plane : {"rz", "xy", "sky"}
        Edge-on, R and Z; face-on, X and Y; or Galactic longitude, from -180 to 180 deg, and latitude.
    bins, range, rows
        As for `binned_map`; the range in kpc or deg.
    **options
        For `~stellarlabels.analysis.galactocentric`.

    Returns
    -------
    `~astropy.table.QTable`
        As of `binned_map`, with the coordinates of the plane as x and y.

    Raises
    ------
    InputError
        If there is no such plane.
    MissingColumnError
        If positions or distances are not there.
    """
    if plane not in PLANES:
        raise InputError(f"plane: expected one of {', '.join(PLANES)}, got {plane!r}")
    found = on_the_sky(table) if plane == "sky" else positions(table, PLANES[plane], **options)
    planes = [Along(key, values, columns.column(key).unit) for key, values in zip(PLANES[plane], found, strict=True)]
    third = None if name is None else quantity_along((table,), name, len(table))
    return cells(*planes, third, bins=bins, range=range, rows=rows)


def _edges(values, number, limits):
    """Edges of cells of equal width."""
    if limits is None:
        low, high = 0.0, 1.0
        if values.size:
            low, high = (np.quantile(values, at, method=end) for at, end in _ENDS)
        if not low < high:
            low, high = low - 0.5, high + 0.5
    else:
        low, high = (float(getattr(item, "value", item)) for item in limits)
        if not low < high:
            raise InputError(f"range: expected a smallest and a largest value, got {limits!r}")
    return np.linspace(low, high, number + 1)


def _place(values, edges):
    """Number of the cell that a value is in; negative outside."""
    place = np.searchsorted(edges, values, side="right") - 1
    last = len(edges) - 2
    return np.where(values == edges[-1], last, np.where(place > last, -1, place))


def _typical(values, cell, here, stars, size):
    """Mean, median and standard deviation of the values in each cell."""
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(cell[here], values[here], size) / stars
        offset = values[here] - mean[cell[here]]
        std = np.sqrt(np.bincount(cell[here], offset**2, size) / (stars - 1))
    return {
        "mean": mean,
        "median": grouped_median(np.where(here, values, np.nan), cell, size),
        "std": np.where(stars > 1, std, np.nan),
    }


def abundance_names(table):
    """Abundances such as ``mg_fe``, relative to iron or all metals, that a table has or that can be worked out."""
    names = [name for name in columns.vocabulary().notes["labels"] if name.endswith(("_fe", "_m"))]
    first = table[:1]  # what can be worked out depends on the columns alone
    return [name for name in names if derived_label(first, name, required=False)[2]]
