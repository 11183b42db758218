"""XP coefficients of a table as plain arrays, with their covariances, from cells of any kind."""

from dataclasses import dataclass

import numpy as np

from stellarlabels import releases
from stellarlabels.columns import Ragged, find, without_unit
from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.inputs.xp.layout import BANDS, CELLS, COLUMNS, RELEASE, SIZES, columns, lengths
from stellarlabels.inputs.xp.packed import QuadraticForms, packed_correlations, size_of


@dataclass
class Coefficients:
    """Values and errors (N, 110), NaN in a missing band, and packed correlations by band, 0 where unknown."""

    values: np.ndarray
    errors: np.ndarray
    correlations: dict

    def variance(self, matrix):
        """Variances (N, M) of ``values @ matrix.T`` for a matrix of shape (M, 110)."""
        return sum(
            QuadraticForms(matrix[:, columns(band)])(self.errors[:, columns(band)], self.correlations[band])
            for band in BANDS
        )


def has_coefficients(table):
    """Whether a table has coefficients of either band."""
    return any(find(table, CELLS[band][0]) is not None for band in BANDS)


def require_coefficients(table):
    """Refuse a table without coefficients."""
    if not has_coefficients(table):
        names = " and ".join(repr(CELLS[band][0]) for band in BANDS)
        raise MissingColumnError(
            f"columns {names} are missing: the coefficients of XP spectra, cells of 55 numbers; stellarlabels.read_xp "
            "with sample=False reads them from the archive's files, and 'stellarlabels spectra gaia --continuous' or "
            "stellarlabels.xp_spectra with sample=False gets them"
        )


def check(table):
    """Rows (N,) of another release; an error unless they are to be ignored, or if there are no coefficients at all."""
    require_coefficients(table)
    remedy = "read them with sample=False, or say release='ignore' (in table.meta) to sample them all the same"
    return releases.require(table, RELEASE, what="the basis functions of this package", remedy=remedy)[1]


def lengths_of(table):
    """Columns of coefficients and their cell lengths in the one release of a table; those of Gaia DR3 by default."""
    found = [name for name in releases.of(table).all if name in releases.available()]
    known = [name for name in found if releases.get(name).knows("coefficients")]
    return lengths(known[0]) if len(known) == 1 else COLUMNS


def band_arrays(table, band, rows=slice(None), *, errors=True):
    """Values and errors (n, 55) of a band, NaN where there is no such cell, and packed correlations or None."""
    # Correlations that are missing throughout are 0. Without errors these and the correlations are None.
    keys = [find(table, name) for name in (CELLS[band] if errors else CELLS[band][:1])]
    count = len(range(*rows.indices(len(table))))
    found = [
        np.full((count, SIZES[band]), np.nan) if key is None else cells(table[key][rows], name)
        for key, name in zip(keys[:2], CELLS[band], strict=False)
    ]
    found = [np.asarray(array, dtype=np.float64) for array in found]
    if not errors:
        return *found, None, None
    return *found, None if keys[2] is None else _independent(cells(table[keys[2]][rows], CELLS[band][2]))


def cells(column, name, length=None):
    """Cells (N, length) of the column ``name``, NaN where of another length; correlations packed or (N, 55, 55)."""
    length = COLUMNS[name] if length is None else length
    data = without_unit(column) if hasattr(column, "mask") else np.ma.MaskedArray(np.asarray(column))
    if data.ndim == 2 and data.dtype.kind == "f" and data.dtype.isnative and data.shape[1] == length:
        return data.filled(np.nan) if np.ma.is_masked(data) else data.data
    if data.ndim == 3 and data.dtype.kind in "fiu":
        column = data.reshape(len(data), -1)
    try:
        ragged = Ragged.from_column(column)
    except InputError as error:
        raise InputError(f"column {name!r}: expected {length} numbers in each cell; {error}") from error
    size = size_of(length) + 1 if length == COLUMNS[name] else 0
    if name == CELLS[name[:2]][2] and set(ragged.lengths.tolist()) - {0} == {size**2}:
        return packed_correlations(ragged.matrix(size**2).reshape(-1, size, size))
    return ragged.matrix(length)


def _independent(packed):
    """Correlations with 0 for stars that have none."""
    rows = np.flatnonzero(np.isnan(packed[:, 0]))
    rows = rows[np.isnan(packed[rows]).all(axis=1)]
    if rows.size:
        packed = packed.copy()
        packed[rows] = 0.0
    return packed


def read_coefficients(table):
    """Coefficients of both bands of a table, as `Coefficients`; without errors these are NaN."""
    check(table)
    values, errors, correlations = zip(*(band_arrays(table, band) for band in BANDS), strict=True)
    packed = {
        band: np.zeros((len(table), COLUMNS[CELLS[band][2]])) if own is None else np.asarray(own, dtype=np.float64)
        for band, own in zip(BANDS, correlations, strict=True)
    }
    errors = np.hstack(errors)
    return Coefficients(np.hstack(values), np.where(errors >= 0, errors, np.nan), packed)
