"""Names, units and masks of the columns that come along with a spectrum: photometry, astrometry, labels."""

import warnings

import numpy as np
from astropy import units as u
from astropy.table import Column, MaskedColumn, QTable, Table

from stellarlabels import schema
from stellarlabels.exceptions import InputError

__all__ = ["by_name", "dressed", "plain"]


def by_name(table):
    """The table with known columns under their canonical names and all others in lower case.

    Names of one letter keep their case (B is a magnitude, b a latitude). Where two columns would get the same name, the
    second keeps its own.

    Parameters
    ----------
    table : `~astropy.table.Table`

    Returns
    -------
    `~astropy.table.Table`
        The columns themselves are shared with the input.
    """
    known = schema.vocabulary()
    out = Table()
    for name in table.colnames:
        new = name.lower() if len(name) > 1 else name
        if name in known and schema.find(table, name) == name:
            new = known[name].name
        out[name if new in out.colnames else new] = table[name]
    return out


def dressed(table):
    """Columns with the units, types and descriptions of the vocabulary where it knows them.

    Parameters
    ----------
    table : `~astropy.table.Table`
        With canonical names. A column of the vocabulary that has no unit is taken to be in the declared one.

    Returns
    -------
    `~astropy.table.QTable`
        Same rows. A column that does not hold what the vocabulary says is left as it is, for whoever needs it to say so.
    """
    known = schema.vocabulary()
    out = QTable()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # units that astropy does not know stay what they are
        for name in table.colnames:
            out[name] = _native(table[name])
            if name not in known:
                continue
            try:
                out[name] = known[name].dress(table[name])
            except InputError:
                continue
    return out


def plain(name, array):
    """A float column of the vocabulary with NaN, not a mask, for what is missing.

    Parameters
    ----------
    name : str
    array : `~numpy.ndarray`

    Returns
    -------
    `~astropy.table.Column` or `~astropy.units.Quantity`
    """
    item = schema.column(name)
    out = u.Quantity(array, item.unit, copy=False) if item.unit else Column(array)
    out.info.description = item.description
    out.info.meta = {"ucd": item.ucd}
    return out


def _native(column):
    """The column in the byte order of the machine."""
    data = schema.without_unit(column)
    if data.dtype.isnative:
        return column
    data = data.astype(data.dtype.newbyteorder("="))
    kind = MaskedColumn if np.ma.is_masked(data) else Column
    return kind(data if kind is MaskedColumn else data.data, unit=column.unit, description=column.info.description)
