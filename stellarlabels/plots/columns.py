"""Values of a column and the text of its axis."""

import numpy as np
from astropy import units as u

from stellarlabels import columns
from stellarlabels.exceptions import InputError
from stellarlabels.plots import names
from stellarlabels.validation.bins import split

__all__ = ["label_values", "quantity"]


def quantity(tables, name):
    """Values of a column of the first table that has it, and the text of its axis.

    Parameters
    ----------
    tables : sequence of `~astropy.table.Table`
        Of the same N stars.
    name : str
        A name of the vocabulary or its alias, or the name of any column of numbers.

    Returns
    -------
    values : `~numpy.ndarray` of float64, shape (N,)
        NaN where missing.
    text : str
        Symbol and unit.

    Raises
    ------
    MissingColumnError
        If no table has the column.
    InputError
        If its cells are not single numbers.
    """
    found = split(tables, name, len(tables[0]))
    if found.values.ndim != 1:
        raise InputError(f"column {name!r}: expected single numbers, got cells of shape {found.values.shape[1:]}")
    unit = u.Unit(found.unit, parse_strict="silent") if found.unit else ""
    return found.values, names.axis(found.name, of=unit.to_string("unicode") if unit else "")


def label_values(table, name):
    """A label and its error.

    Parameters
    ----------
    table : `~astropy.table.Table`
    name : str
        Label.

    Returns
    -------
    value, error : `~numpy.ndarray` of float64, shape (N,)
        NaN where missing, or if the table does not have them.
    """
    value, error, _ = columns.label_columns(name)
    return tuple(np.asarray(columns.column_values(table, item, required=False)) for item in (value, error))
