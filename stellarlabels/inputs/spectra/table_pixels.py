"""The pixels of the spectra of a table as arrays, whatever survey they are from."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from astropy import units as u
from astropy.table import Table

from stellarlabels import columns, packaged
from stellarlabels.exceptions import InputError, MissingColumnError

#: Columns of bits, none of which may be set in a good pixel; a table may have any of them.
MASKS = ("andmask", "ormask", "mask")

#: Columns that hold a number for each pixel, without the masks.
PIXELS = ("wavelength", "flux", "ivar")


@lru_cache(maxsize=1)
def _declared():
    """The declarations of the columns of pixels."""
    with packaged.file("spectra", "columns.ecsv") as path:
        return columns.Schema.read(path)


def pixel_column(name, arm=""):
    """The declaration of a column of pixels, one of `PIXELS` or `MASKS`; ``arm`` is the end of its name."""
    return columns.column(name + arm) if arm else _declared()[name]


@dataclass
class Pixels:
    """Observed wavelengths (M,) or (N, M) in Angstrom; flux, ivar (0 if bad), which are good, and there, (N, M)."""

    wavelength: np.ndarray
    flux: np.ndarray
    ivar: np.ndarray
    good: np.ndarray
    there: np.ndarray


def pixels(table, arm="", *, masks=MASKS, weighted=True):
    """Pixels of the spectra of a table.

    Parameters
    ----------
    table : `~astropy.table.Table`
        With ``wavelength`` (cells, or one array in ``table.meta``), ``flux``, ``ivar`` and, where there are any, the
        masks. Cells may differ in length. Wavelengths may descend.
    arm : str
        End of the columns' names: "" for spectra in one piece, "_b" and "_r" for the arms of medium resolution.
    masks : sequence of str
        Names of the masks that count, of `MASKS`; those that the table lacks do not.
    weighted : bool
        Whether a good pixel must have a positive inverse variance.

    Returns
    -------
    Pixels

    Raises
    ------
    MissingColumnError
        If the table has no wavelengths, no flux, or no inverse variance.
    InputError
        If a column does not hold spectra.
    """
    flux, ivar = _flux_and_ivar(table, arm)
    bits = [cells(table, pixel_column(name, arm), required=False) for name in masks]
    arrays = [_wavelengths(table, arm), flux, ivar, *(mask for mask in bits if mask.shape[1])]
    size = max(array.shape[1] for array in arrays)
    wavelength, flux, ivar, *bits = _ascending([_lengthened(array, size) for array in arrays])
    there = np.broadcast_to(np.isfinite(wavelength), flux.shape)
    with np.errstate(invalid="ignore"):
        known = (ivar > 0) & (ivar < np.inf)
        good = there & np.isfinite(flux) & (known if weighted else True)
        for mask in bits:
            good &= ~(mask > 0)
    wavelength, in_order = _completed(_common(wavelength, size))
    good = good & in_order
    return Pixels(wavelength, np.where(good, flux, 0.0), np.where(good & known, ivar, 0.0), good, there)


def only_pixels(table, arm=""):
    """The columns that `pixels` needs in a table of their own, of which slices cost little; data are shared."""
    keys = [columns.column_name(table, pixel_column(name, arm)) for name in (*PIXELS, *masks_of(arm))]
    out = Table({key: table[key] for key in keys if key is not None}, copy=False)
    out.meta.update(table.meta)
    return out


def masks_of(arm):
    """Names of the masks that are declared for an arm."""
    return MASKS if not arm else ("andmask", "ormask")


def cells(table, item, *, required=True):
    """Cells of a column as one array (N, M) in the declared unit, NaN where masked or beyond the end of a cell."""
    key = columns.column_name(table, item)
    if key is None and not required:
        return np.zeros((len(table), 0))
    if key is None or np.dtype(getattr(table[key], "dtype", float)).kind != "O":
        out = columns.column_values(table, item)
        if out.ndim != 2:
            raise InputError(f"column {key!r}: expected an array in each cell, got cells of shape {out.shape[1:]}")
        return out
    try:
        flat = [np.ma.filled(np.ma.MaskedArray(cell, dtype=float), np.nan).ravel() for cell in table[key]]
    except (TypeError, ValueError) as error:
        raise InputError(f"column {key!r}: expected an array of numbers in each cell; {error}") from error
    lengths = np.array([len(cell) for cell in flat], int)
    out = np.full((len(flat), max(lengths, default=0)), np.nan)
    out[np.arange(out.shape[1]) < lengths[:, None]] = np.concatenate([*flat, []])
    return out


def _flux_and_ivar(table, arm):
    """Flux in its own unit and its inverse variance in that unit, (N, M) each; relative, so that any unit will do."""
    items = {name: pixel_column(name, arm) for name in ("flux", "ivar")}
    keys = {name: columns.column_name(table, item) for name, item in items.items()}
    units = {name: getattr(table[key], "unit", None) if key else None for name, key in keys.items()}
    bare = Table({key: _without_unit(table[key]) for key in keys.values() if key is not None}, copy=False)
    flux, ivar = (cells(bare, item) for item in items.values())
    if units["flux"] and units["ivar"]:
        try:
            ivar = ivar * u.Unit(units["ivar"]).to(u.Unit(units["flux"]) ** -2)
        except (u.UnitConversionError, TypeError, ValueError) as error:
            raise InputError(f"column {keys['ivar']!r}: expected the unit of 1 / {keys['flux']}**2; {error}") from error
    return flux, ivar


def _without_unit(column):
    """A column's data without its unit, also where these are objects."""
    return column if np.dtype(column.dtype).kind == "O" else columns.without_unit(column)


def _wavelengths(table, arm):
    """Wavelengths in Angstrom, (N, M), or (1, M) if all spectra share them."""
    declared = pixel_column("wavelength", arm)
    if columns.column_name(table, declared) is not None:
        return cells(table, declared)
    if declared.name in table.meta:
        shared = table.meta[declared.name]
        return u.Quantity(shared, getattr(shared, "unit", None) or declared.unit).to_value(declared.unit)[None]
    raise MissingColumnError(
        f"column {declared.name!r} is missing: the vacuum wavelength of each pixel in Angstrom, cells of pixels; or "
        f"one array for all spectra, table.meta[{declared.name!r}] = wavelengths"
    )


def _lengthened(array, size):
    """The array with NaN at the end of each row, where that is too short."""
    if array.shape[1] == size:
        return array
    return np.pad(array, ((0, 0), (0, size - array.shape[1])), constant_values=np.nan)


def _ascending(arrays):
    """The arrays with those rows turned around whose wavelengths, the first array, descend."""
    wavelength = arrays[0]
    with np.errstate(invalid="ignore"):
        steps = np.diff(wavelength, axis=1)
        turned = (steps < 0).any(axis=1) & ~(steps > 0).any(axis=1)
    if not turned.any():
        return arrays
    if len(turned) == 1:
        return [array[:, ::-1] for array in arrays]
    return [np.where(turned[:, None], array[:, ::-1], array) for array in arrays]


def _common(wavelength, size):
    """Wavelengths as one row (1, M), if all spectra have the same ones as far as they reach."""
    longest = wavelength[[np.argmax(np.isfinite(wavelength).sum(axis=1))]] if len(wavelength) else np.zeros((1, size))
    return longest if ((wavelength == longest) | np.isnan(wavelength)).all() else wavelength


def _completed(wavelength):
    """Wavelengths without NaN that increase, and which of them were given and in order; (M,) if there is one row."""
    known = np.isfinite(wavelength)
    place = np.arange(wavelength.shape[1])
    filled = np.where(known, wavelength, -np.inf)
    highest = np.maximum.accumulate(filled, axis=1)
    before = np.concatenate([np.full((len(filled), 1), -np.inf), highest[:, :-1]], axis=1)
    fine = known & (filled > before)
    if fine.all():
        out = wavelength
    else:  # a thousandth of an Angstrom after what came before keeps the order
        last = np.maximum.accumulate(np.where(fine, place, -1), axis=1)
        anchor = np.where(last >= 0, np.take_along_axis(filled, np.maximum(last, 0), axis=1), 0.0)
        following = np.where(fine, filled, np.inf)
        upper = np.minimum.accumulate(following[:, ::-1], axis=1)[:, ::-1]
        step = np.minimum(1e-3, np.where(np.isfinite(upper), upper - anchor, 1.0) / (2 * wavelength.shape[1]))
        out = np.where(fine, wavelength, anchor + (place - last) * step)
    return (out[0], fine) if len(out) == 1 else (out, fine)


def interpolate(wavelength, values, targets, redshift=None):
    """Values (N, M) interpolated linearly to (P,) or (N, P) wavelengths, times 1 + redshift (N, 1); NaN outside."""
    values = np.asarray(values, float)
    count, size = values.shape
    if size < 2:
        return np.full((count, np.shape(targets)[-1]), np.nan)
    wavelength, targets = np.asarray(wavelength, float), np.asarray(targets, float)
    logs = np.log(targets) if wavelength.ndim == 1 else None
    if redshift is not None:
        targets = targets * (1 + redshift)
        logs = None if logs is None else logs + np.log1p(redshift)
    left = _places(wavelength, targets, logs, count)
    np.subtract(left, 1, out=left)
    np.clip(left, 0, size - 2, out=left)
    # one straight line for each pair of neighbors: two numbers to look up for each target instead of four
    slope = np.diff(values, axis=1)
    slope /= np.diff(wavelength, axis=-1)
    start = values[:, :-1] - slope * wavelength[..., :-1]
    if left.ndim == 2:
        left += (size - 1) * np.arange(count)[:, None]
        out = slope.take(left, mode="clip")  # all are inside: it is faster than to look for those that are not
        out *= targets
        out += start.take(left, mode="clip")
    else:
        out = slope[:, left]
        out *= targets
        out += start[:, left]
    first, last = wavelength[..., :1], wavelength[..., -1:]
    if targets.size and (targets.min() < first.max() or targets.max() > last.min()):
        out[np.broadcast_to((targets < first) | (targets > last), out.shape)] = np.nan
    return out


def _places(wavelength, targets, guess, count):
    """Index of the first wavelength beyond each target, as of `numpy.searchsorted` with ``side="right"``."""
    # For wavelengths (M,) the logarithms of the targets are needed as well, whose memory is used.
    if wavelength.ndim == 2:
        low = min(wavelength.min(initial=np.inf), targets.min(initial=np.inf))
        step = max(wavelength.max(initial=-np.inf), targets.max(initial=-np.inf)) - low + 1.0
        rows = np.arange(count)[:, None]
        places = (np.broadcast_to(targets, (count, targets.shape[-1])) + rows * step).ravel()
        right = np.searchsorted((wavelength + rows * step).ravel(), places, side="right")
        return right.reshape(count, -1) - rows * wavelength.shape[1]
    if targets.ndim == 2 and targets.size > 10 * wavelength.size:
        # equal steps of the logarithm, to a tenth of a step: the place is known to within one
        logs = np.log(wavelength)
        step = (logs[-1] - logs[0]) / (logs.size - 1)
        if np.abs(logs - logs[0] - step * np.arange(logs.size)).max() < 0.1 * step:
            guess -= logs[0] - step
            guess *= 1 / step
            right = np.clip(guess, 1, logs.size - 1, out=guess).astype(np.int64)
            right += targets >= wavelength.take(right)
            right -= targets < wavelength.take(right - 1)
            return right
    return np.searchsorted(wavelength, targets, side="right")


def fill_gaps(wavelength, values, good):
    """Values (N, M) with those not good interpolated linearly; NaN before the first and after the last good one."""
    out = np.where(good, values, np.nan)
    size = out.shape[1]
    known, gaps = np.flatnonzero(good), np.flatnonzero(~good)
    if gaps.size == 0 or known.size == 0:
        return out
    place = np.searchsorted(known, gaps)
    left, right = known[np.maximum(place - 1, 0)], known[np.minimum(place, known.size - 1)]
    row = gaps // size
    inside = (left // size == row) & (right // size == row) & (left < gaps) & (right > gaps)
    gaps, left, right = gaps[inside], left[inside], right[inside]
    if wavelength.ndim == 1:
        where = (wavelength[index % size] for index in (gaps, left, right))
    else:
        where = (wavelength.ravel()[index] for index in (gaps, left, right))
    at, before, after = where
    low, high = out.ravel()[left], out.ravel()[right]
    out.reshape(-1)[gaps] = low + (at - before) / (after - before) * (high - low)
    return out
