"""Sampled spectra of a table as plain arrays."""

import numpy as np

from stellarlabels import columns, flags
from stellarlabels.columns.wavelengths import quality
from stellarlabels.exceptions import InputError
from stellarlabels.inputs.xp.sampling import WAVELENGTH, sample

__all__ = ["fill_gaps", "spectra"]


def spectra(table):
    """Sampled spectra of a table as plain arrays, with what is wrong with them.

    Parameters
    ----------
    table : `~astropy.table.Table`
        With ``flux`` and ``flux_error`` (cells of 343 samples), or with XP coefficients, which are then sampled.

    Returns
    -------
    flux, error : `~numpy.ndarray` of float64, shape (N, 343)
        W m-2 nm-1; NaN for samples that are missing, not finite, or whose error is not positive.
    flag : `~numpy.ndarray` of int32, shape (N,)
        Bits of `stellarlabels.flags.SPECTRUM`; the table's ``spectrum_flag`` is taken over.

    Raises
    ------
    stellarlabels.exceptions.MissingColumnError
        If there is neither a sampled spectrum nor a set of coefficients.
    """
    if columns.find(table, "flux") is None and columns.find(table, "bp_coefficients") is not None:
        flux, error = (quantity.value for quantity in sample(table))
    else:
        flux, error = _cells(table, "flux"), _cells(table, "flux_error")
    flag = flags.SPECTRUM.empty(len(table))
    if columns.find(table, "spectrum_flag") is not None:
        flag |= np.nan_to_num(columns.values(table, "spectrum_flag")).astype(flags.DTYPE)
    bad = ~(np.isfinite(flux) & np.isfinite(error) & (error > 0))
    flux, error = np.where(bad, np.nan, flux), np.where(bad, np.nan, error)
    flag |= flags.SPECTRUM.where(**quality(flux, error, WAVELENGTH))
    return flux, error, flag


def _cells(table, name):
    """A column of spectra as (N, 343) floats; a row of another length becomes NaN throughout."""
    size = WAVELENGTH.size
    key = columns.find(table, name)
    if key is None or getattr(table[key], "ndim", 1) == 2 and table[key].shape[1] == size:
        return columns.values(table, name)
    data = table[key]
    if data.ndim == 2:
        raise InputError(
            f"column {key!r}: expected spectra of {size} samples, got {data.shape[1]}; resample them first"
        )
    if data.dtype != object:
        raise InputError(f"column {key!r}: expected cells of {size} samples, got one number in each row")
    out = np.full((len(table), size), np.nan)
    mask = np.ma.getmaskarray(data)
    rows = [i for i, cell in enumerate(data) if not mask[i] and np.shape(cell) == (size,)]
    if rows:
        out[rows] = np.ma.filled(np.ma.masked_invalid(np.ma.stack([data[i] for i in rows]).astype(float)), np.nan)
    return out


def fill_gaps(values):
    """Interpolate linearly over NaN along each row; ends are continued with the nearest value.

    Parameters
    ----------
    values : `~numpy.ndarray`, shape (N, M)
        Equally spaced samples.

    Returns
    -------
    `~numpy.ndarray`, shape (N, M)
        A copy; rows that are NaN throughout stay so.
    """
    good = np.isfinite(values)
    if good.all():
        return values.copy()
    rows, columns = np.ogrid[: values.shape[0], : values.shape[1]]
    last = values.shape[1] - 1
    before = np.maximum.accumulate(np.where(good, columns, -1), axis=1)
    after = np.minimum.accumulate(np.where(good, columns, last + 1)[:, ::-1], axis=1)[:, ::-1]
    left = np.where(before < 0, np.minimum(after, last), before)
    right = np.where(after > last, np.maximum(before, 0), after)
    share = (columns - left) / np.maximum(right - left, 1)
    return np.where(good, values, values[rows, left] * (1 - share) + values[rows, right] * share)
