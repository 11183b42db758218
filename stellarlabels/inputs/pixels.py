"""Spectra from tables as arrays, at rest and on other wavelengths, many at once."""

from dataclasses import dataclass

import numpy as np
from astropy.table import Table

from stellarlabels import columns
from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.inputs.lamost.columns import PIXELS, arm_column

__all__ = ["LIGHT", "Pixels", "cells", "fill_gaps", "interpolate", "only_pixels", "pixels", "redshift"]

#: Speed of light in km/s.
LIGHT = 299792.458


@dataclass
class Pixels:
    """Pixels of N spectra.

    Parameters
    ----------
    wavelength : `~numpy.ndarray` of float64, shape (M,) or (N, M)
        Angstrom, as observed; finite and increasing. Of shape (M,) if all spectra have the same.
    flux, ivar : `~numpy.ndarray` of float64, shape (N, M)
        0 where not good.
    good : `~numpy.ndarray` of bool, shape (N, M)
        Pixels that can be used.
    there : `~numpy.ndarray` of bool, shape (N, M)
        Pixels that the spectrum has, good or not.
    """

    wavelength: np.ndarray
    flux: np.ndarray
    ivar: np.ndarray
    good: np.ndarray
    there: np.ndarray


def redshift(table):
    """Redshifts that bring spectra to rest.

    Parameters
    ----------
    table : `~astropy.table.Table`
        With ``radial_velocity`` (of a catalog) or ``z`` (of the spectrum's header). Where both are known the radial
        velocity counts.

    Returns
    -------
    `~numpy.ndarray` of float64, shape (N,)
        NaN where neither is known.
    """
    velocity = columns.values(table, "radial_velocity", required=False)
    z = columns.values(table, "z", required=False)
    return np.where(np.isfinite(velocity), velocity / LIGHT, z)


def pixels(table, arm="", *, masks=("andmask", "ormask"), weighted=True):
    """Pixels of the spectra of a table.

    Parameters
    ----------
    table : `~astropy.table.Table`
        With ``wavelength`` (cells, or one array in ``table.meta``), ``flux``, ``ivar`` and, where there are any, the
        masks; as from `stellarlabels.archive.readers.read_lamost`. Cells may differ in length.
    arm : {"", "_b", "_r"}
        End of the columns' names: "" for LAMOST's low resolution.
    masks : sequence of str
        Masks of which no bit may be set in a good pixel.
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
    flux, ivar = (cells(table, arm_column(name, arm)) for name in ("flux", "ivar"))
    declared = arm_column("wavelength", arm)
    if columns.column_name(table, declared) is not None:
        wavelength = cells(table, declared)
    elif declared.name in table.meta:
        wavelength = np.asarray(getattr(table.meta[declared.name], "value", table.meta[declared.name]), float)[None]
    else:
        raise MissingColumnError(f"column {declared.name!r} is missing, and it is not in the table's meta")
    bits = [cells(table, arm_column(name, arm), required=False) for name in masks]
    size = max(array.shape[1] for array in (wavelength, flux, ivar, *bits))
    wavelength, flux, ivar = (_lengthened(array, size) for array in (wavelength, flux, ivar))
    there = np.broadcast_to(np.isfinite(wavelength), flux.shape)
    with np.errstate(invalid="ignore"):
        known = (ivar > 0) & (ivar < np.inf)
        good = there & np.isfinite(flux) & (known if weighted else True)
        for mask in bits:
            if mask.shape[1]:
                good &= ~(_lengthened(mask, size) > 0)
    longest = wavelength[[np.argmax(np.isfinite(wavelength).sum(axis=1))]] if len(wavelength) else np.zeros((1, size))
    if ((wavelength == longest) | np.isnan(wavelength)).all():
        wavelength = longest
    wavelength, sorted_ = _completed(wavelength)
    good = good & sorted_
    return Pixels(wavelength, np.where(good, flux, 0.0), np.where(good & known, ivar, 0.0), good, there)


def only_pixels(table, arm=""):
    """The columns that `pixels` needs in a table of their own, of which slices cost little.

    Parameters
    ----------
    table : `~astropy.table.Table`
    arm : {"", "_b", "_r"}

    Returns
    -------
    `~astropy.table.Table`
        The columns themselves are shared with the input.
    """
    keys = [columns.column_name(table, arm_column(name, arm)) for name in PIXELS]
    out = Table({key: table[key] for key in keys if key is not None}, copy=False)
    out.meta.update(table.meta)
    return out


def cells(table, item, *, required=True):
    """A column of arrays.

    Parameters
    ----------
    table : `~astropy.table.Table`
    item : `~stellarlabels.columns.Column`
        The column may hold arrays of one length or, as objects, of several.
    required : bool
        Whether the absence of the column is an error; if not, it gives cells without a number.

    Returns
    -------
    `~numpy.ndarray` of float64, shape (N, M)
        In the declared unit, NaN where masked or beyond the end of a shorter cell.

    Raises
    ------
    MissingColumnError
        If the column is required and absent.
    InputError
        If the cells are not arrays of numbers.
    """
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


def interpolate(wavelength, values, targets, redshift=None):
    """Linear interpolation of many spectra.

    Parameters
    ----------
    wavelength : `~numpy.ndarray`, shape (M,) or (N, M)
        Increasing, finite.
    values : `~numpy.ndarray`, shape (N, M)
    targets : `~numpy.ndarray`, shape (P,) or (N, P)
        Wavelengths of the result.
    redshift : `~numpy.ndarray`, shape (N, 1), optional
        Where given, targets are at rest, and the wavelengths of the result are ``targets * (1 + redshift)``.

    Returns
    -------
    `~numpy.ndarray` of float64, shape (N, P)
        NaN outside of the wavelengths.
    """
    values = np.asarray(values, float)
    count, size = values.shape
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
    """Index of the first wavelength beyond each target, as of `numpy.searchsorted` with ``side="right"``.

    For wavelengths (M,) the logarithms of the targets are needed as well, whose memory is used.
    """
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
    """Values with those that are not good interpolated linearly from their good neighbors.

    Parameters
    ----------
    wavelength : `~numpy.ndarray`, shape (M,) or (N, M)
    values : `~numpy.ndarray`, shape (N, M)
    good : `~numpy.ndarray` of bool, shape (N, M)

    Returns
    -------
    `~numpy.ndarray` of float64, shape (N, M)
        NaN before the first and after the last good pixel.
    """
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


def _lengthened(array, size):
    """The array with NaN at the end of each row, where that is too short."""
    if array.shape[1] == size:
        return array
    return np.pad(array, ((0, 0), (0, size - array.shape[1])), constant_values=np.nan)


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
