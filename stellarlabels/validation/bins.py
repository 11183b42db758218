"""A quantity along which stars are put into bins."""

from dataclasses import dataclass

import numpy as np
from astropy import units as u

from stellarlabels import columns
from stellarlabels.exceptions import InputError, MissingColumnError

__all__ = ["Along", "inside", "split"]


@dataclass(frozen=True)
class Along:
    """A quantity of each star.

    Parameters
    ----------
    name : str
        Empty if it came as an array.
    values : `~numpy.ndarray` of float64, shape (N,)
        NaN where missing.
    unit : str
        Empty for none.
    """

    name: str
    values: np.ndarray
    unit: str = ""

    def edges(self, bins, known):
        """Edges of bins.

        Parameters
        ----------
        bins : int or array_like
            Number of bins with equally many stars, or the edges.
        known : `~numpy.ndarray` of bool, shape (N,)
            Stars that count.

        Returns
        -------
        edges : `~numpy.ndarray` of float64
        note : str
            Why there are fewer bins than asked for; empty if there are not.

        Raises
        ------
        InputError
            If the number is not positive, or the edges do not increase.
        """
        if np.ndim(bins) > 0:
            edges = u.Quantity(bins)
            edges = edges.to_value(self.unit) if edges.unit != u.dimensionless_unscaled else edges.value
            if edges.ndim != 1 or edges.size < 2 or not (np.diff(edges) > 0).all():
                raise InputError(f"bins: expected a number or edges that increase, got {bins!r}")
            return edges.astype(float), ""
        if not (isinstance(bins, int | np.integer) and bins > 0):
            raise InputError(f"bins: expected a positive number or edges, got {bins!r}")
        some = self.values[known]
        if not some.size:
            return np.array([np.nan, np.nan]), "no star has all values"
        edges = np.unique(np.quantile(some, np.linspace(0, 1, bins + 1)))
        if edges.size == 1:
            return np.repeat(edges, 2), f"{self.name or 'the quantity'} is the same for all stars: there is one bin"
        return edges, ""


def inside(values, low, high, *, closed=False):
    """Which values are in a bin.

    Parameters
    ----------
    values : `~numpy.ndarray`
    low, high : float
        Edges; the lower one belongs to the bin.
    closed : bool
        Whether the upper one does, too.

    Returns
    -------
    `~numpy.ndarray` of bool
    """
    return (values >= low) & ((values < high) | (closed & (values == high)))


def split(tables, along, length):
    """The quantity that is meant.

    Parameters
    ----------
    tables : sequence of `~astropy.table.Table`
        In which a name is looked for, in this order.
    along : str or array_like
        A name in a table or in the vocabulary, or the values.
    length : int
        Number of stars.

    Returns
    -------
    Along

    Raises
    ------
    InputError
        If no table has such a column, it holds no numbers, or the array is of another length.
    """
    if isinstance(along, str):
        for table in tables:
            if along in columns.vocabulary() and columns.find(table, along) is not None:
                item = columns.column(along)
                return Along(item.name, columns.values(table, along), item.unit)
            if along in table.colnames:
                return Along(along, *_plain(table[along], along))
        raise MissingColumnError(f"along: no table has a column {along!r}")
    values, unit = _plain(along, "along")
    if values.shape != (length,):
        raise InputError(f"along: expected {length} numbers, got an array of shape {values.shape}")
    return Along(getattr(getattr(along, "info", None), "name", None) or "", values, unit)


def _plain(data, name):
    """Numbers with NaN for missing ones, and their unit."""
    masked = columns.without_unit(data)
    if masked.dtype.kind not in "fiub":
        raise InputError(f"{name}: expected numbers, got dtype {masked.dtype}")
    unit = getattr(data, "unit", None)
    return masked.astype(float).filled(np.nan), "" if unit is None else unit.to_string()
