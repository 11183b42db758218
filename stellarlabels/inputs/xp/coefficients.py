"""XP coefficients of both bands of a table, with the variances of what is made of them."""

from dataclasses import dataclass

import numpy as np

from stellarlabels.inputs.xp.bands import (
    BANDS,
    CORRELATIONS,
    SIZE,
    band_arrays,
    has_coefficients,
    require_coefficients,
)
from stellarlabels.inputs.xp.quadratic_forms import QuadraticForms

__all__ = ["BANDS", "Coefficients", "has_coefficients", "read_coefficients"]

#: Rows and columns of the packed correlations: above the diagonal column by column, or below it row by row.
ROWS, COLUMNS = np.tril_indices(SIZE, -1)


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
        parts = ((band, slice(index * SIZE, (index + 1) * SIZE)) for index, band in enumerate(BANDS))
        return sum(
            QuadraticForms(matrix[:, part])(self.errors[:, part], self.correlations[band]) for band, part in parts
        )


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
    require_coefficients(table)
    values, errors, correlations = zip(*(band_arrays(table, band) for band in BANDS), strict=True)
    packed = {
        band: np.zeros((len(table), CORRELATIONS)) if own is None else np.asarray(own, dtype=np.float64)
        for band, own in zip(BANDS, correlations, strict=True)
    }
    errors = np.hstack(errors)
    return Coefficients(np.hstack(values), np.where(errors >= 0, errors, np.nan), packed)
