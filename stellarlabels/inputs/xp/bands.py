"""XP coefficients of a table as plain arrays."""

import numpy as np

from stellarlabels import columns
from stellarlabels.exceptions import MissingColumnError
from stellarlabels.files import Ragged
from stellarlabels.inputs.xp.gaiaxpy_adapter import BANDS, CORRELATIONS, SIZE

__all__ = ["BANDS", "CORRELATIONS", "SIZE", "band_arrays", "has_coefficients", "require_coefficients"]


def has_coefficients(table):
    """Whether a table has coefficients of either band."""
    return any(columns.find(table, f"{band}_coefficients") is not None for band in BANDS)


def require_coefficients(table):
    """Raise a `~stellarlabels.exceptions.MissingColumnError` for a table without coefficients."""
    if not has_coefficients(table):
        raise MissingColumnError("column 'bp_coefficients' is missing, and so is 'rp_coefficients'")


def band_arrays(table, band, rows=slice(None), *, errors=True):
    """Coefficients of one band.

    Parameters
    ----------
    table : `~astropy.table.Table`
        Cells may be arrays, or texts of arrays.
    band : {"bp", "rp"}
    rows : slice
        Which stars.
    errors : bool
        Whether errors and correlations are wanted at all; they are None if not.

    Returns
    -------
    values, errors : `~numpy.ndarray` of float64, shape (N, 55)
        NaN in rows of cells that are missing or have another length.
    correlations : `~numpy.ndarray` of float64 or float32, shape (N, 1485), or None
        The same; zeros in rows that are NaN throughout, and None if the table has no correlations at all.

    Raises
    ------
    stellarlabels.exceptions.InputError
        If a column does not hold arrays of numbers.
    """
    names = (f"{band}_coefficients", f"{band}_coefficient_errors", f"{band}_coefficient_correlations")
    keys = [columns.find(table, name) for name in (names if errors else names[:1])]
    empty = np.full((len(range(*rows.indices(len(table)))), SIZE), np.nan)
    doubles = [_double(empty if key is None else _cells(table[key][rows], SIZE)) for key in keys[:2]]
    if not errors:
        return *doubles, None, None
    if keys[2] is None:
        return *doubles, None
    return *doubles, _independent(_cells(table[keys[2]][rows], CORRELATIONS))


def _double(array):
    return np.asarray(array, dtype=np.float64)


def _cells(column, length):
    """Cells as rows of a matrix, NaN throughout where they have another length."""
    data = columns.without_unit(column) if hasattr(column, "mask") else np.ma.MaskedArray(np.asarray(column))
    if data.ndim == 2 and data.dtype.kind == "f" and data.dtype.isnative and data.shape[1] == length:
        return data.filled(np.nan) if np.ma.is_masked(data) else data.data
    return Ragged.from_column(column).matrix(length)


def _independent(packed):
    """Correlations with 0 for stars that have none."""
    rows = np.flatnonzero(np.isnan(packed[:, 0]))
    rows = rows[np.isnan(packed[rows]).all(axis=1)]
    if rows.size:
        packed = packed.copy()
        packed[rows] = 0.0
    return packed
