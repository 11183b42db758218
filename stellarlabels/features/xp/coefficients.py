"""XP coefficients of a table as plain arrays."""

from dataclasses import dataclass

import numpy as np

from stellarlabels import schema
from stellarlabels.archive.arrays import Ragged
from stellarlabels.exceptions import MissingColumnError

__all__ = ["BANDS", "Coefficients", "has_coefficients", "read_coefficients"]

BANDS = ("bp", "rp")

#: Coefficients of a band, and elements above the diagonal of the matrix of their correlations.
SIZE = 55
CORRELATIONS = SIZE * (SIZE - 1) // 2

#: Rows and columns of the packed correlations: above the diagonal column by column, or below it row by row.
ROWS, COLUMNS = np.tril_indices(SIZE, -1)

#: Stars whose covariances are in memory at once: 2 MB, which fit into the cache of a processor.
CHUNK = 200


@dataclass
class Coefficients:
    """Coefficients of N stars with their covariance.

    Parameters
    ----------
    values, errors : `~numpy.ndarray` of float64, shape (N, 110)
        55 of BP, then 55 of RP; NaN throughout a band that is missing.
    correlations : dict of str to `~numpy.ndarray` of float64, shape (N, 1485)
        Packed as in the archive, for each band; 0 where the table has none.
    """

    values: np.ndarray
    errors: np.ndarray
    correlations: dict

    def variance(self, matrix):
        """Variances of ``values @ matrix.T``.

        Parameters
        ----------
        matrix : `~numpy.ndarray`, shape (M, 110)

        Returns
        -------
        `~numpy.ndarray` of float64, shape (N, M)
        """
        out = self.errors**2 @ (matrix**2).T
        for index, band in enumerate(BANDS):
            part = slice(index * SIZE, (index + 1) * SIZE)
            weights = 2 * matrix[:, part][:, ROWS] * matrix[:, part][:, COLUMNS]
            for start in range(0, len(out), CHUNK):
                rows = slice(start, start + CHUNK)
                out[rows] += _packed_covariance(self.correlations[band][rows], self.errors[rows, part]) @ weights.T
        return out


def _packed_covariance(correlations, errors):
    """Covariances below the diagonal, (N, 1485), row by row of the matrix: faster than picking the factors by index."""
    out = np.array(correlations)
    for row in range(1, SIZE):
        place = slice(row * (row - 1) // 2, row * (row + 1) // 2)
        out[:, place] *= errors[:, :row]
        out[:, place] *= errors[:, row : row + 1]
    return out


def has_coefficients(table):
    """Whether a table has coefficients of either band."""
    return any(schema.find(table, f"{band}_coefficients") is not None for band in BANDS)


def read_coefficients(table):
    """Coefficients of a table.

    Parameters
    ----------
    table : `~astropy.table.Table`
        With ``bp_coefficients`` (cells of 55) and ``rp_coefficients``; where there are, with
        ``bp_coefficient_errors`` (55) and ``bp_coefficient_correlations`` (1485), and the same of ``rp_``.

    Returns
    -------
    Coefficients
        Without errors they are NaN, without correlations the coefficients count as independent.

    Raises
    ------
    stellarlabels.exceptions.MissingColumnError
        If there are no coefficients.
    """
    if not has_coefficients(table):
        raise MissingColumnError("column 'bp_coefficients' is missing, and so is 'rp_coefficients'")

    def matrix(name, length):
        key = schema.find(table, name)
        return np.full((len(table), length), np.nan) if key is None else _cells(table[key], length)

    values = np.hstack([matrix(f"{band}_coefficients", SIZE) for band in BANDS])
    errors = np.hstack([matrix(f"{band}_coefficient_errors", SIZE) for band in BANDS])
    correlations = {band: _independent(matrix(f"{band}_coefficient_correlations", CORRELATIONS)) for band in BANDS}
    return Coefficients(values, np.where(errors >= 0, errors, np.nan), correlations)


def _cells(column, length):
    """Cells as rows of a matrix, NaN throughout where they have another length."""
    data = schema.without_unit(column)
    if data.ndim == 2 and data.dtype.kind == "f" and data.shape[1] == length:
        plain = np.asarray(data.data, dtype=np.float64)
        return np.where(data.mask, np.nan, plain) if data.mask.any() else plain
    return Ragged.from_column(column).matrix(length)


def _independent(packed):
    """Correlations with 0 for stars that have none."""
    rows = np.flatnonzero(np.isnan(packed[:, 0]))
    rows = rows[np.isnan(packed[rows]).all(axis=1)]
    if rows.size:
        packed = packed.copy()
        packed[rows] = 0.0
    return packed
