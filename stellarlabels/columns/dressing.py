"""Names, units and masks of the columns that come along with a spectrum: photometry, astrometry, labels."""

import warnings

import numpy as np
from astropy import units as u
from astropy.table import Column, MaskedColumn, QTable, Table

from stellarlabels.columns.column import column_name, without_unit
from stellarlabels.columns.conversion import shared
from stellarlabels.columns.vocabulary import column, declaration, known_names
from stellarlabels.exceptions import ColumnUnitError, InputError


def by_name(table):
    """The table, sharing columns, with known ones under canonical names and all others in lower case."""
    # Names of one letter keep their case (B is a magnitude, b a latitude). Where two columns would get the same name,
    # the second keeps its own.
    known = known_names()
    out = Table()
    for name in table.colnames:
        new = name.lower() if len(name) > 1 else name
        item = known.get(name.lower())
        if item is not None and column_name(table, item) == name:
            new = item.name
        out.add_column(shared(table[name]), name=name if new in out.colnames else new, copy=False)
    return out


def dressed(table):
    """A QTable with the units, types and descriptions of the vocabulary where it knows a column and the column fits."""
    # A column that has no unit is taken to be in the declared one. One that does not hold what the vocabulary says is
    # left as it is; whoever needs it will say so.
    out = QTable()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # units that astropy does not know stay what they are
        for name in table.colnames:
            out[name] = _tidy(table[name])
            item = declaration(name)
            if item is None:
                continue
            try:
                out[name] = item.dress(table[name])
            except InputError:
                continue
    return out


def plain(name, array):
    """A float column of the vocabulary from an array, with NaN, not a mask, for what is missing."""
    item = column(name)
    out = u.Quantity(array, item.unit, copy=False) if item.unit else Column(array, copy=False)
    out.info.description = item.description
    out.info.meta = {"ucd": item.ucd}
    return out


def factor(data, name):
    """What the numbers of a column are multiplied with to be in the vocabulary's unit; 1 for one without a unit."""
    target, unit = column(name).unit, getattr(data, "unit", None)
    if unit is None or str(unit).strip() == "":
        return 1.0
    for dialect in ("generic", "fits", "vounit", "cds", "ogip"):
        try:
            return u.Unit(str(unit), format=dialect).to(target)
        except (u.UnitsError, ValueError, TypeError):
            continue
    raise ColumnUnitError(f"column {name!r} has the unit {str(unit)!r}, expected one that converts to {target!r}")


def _tidy(data):
    """The same column whatever the file's format: in the machine's byte order, masked only where something is."""
    if not isinstance(data, Column):
        return data
    plain = without_unit(data)
    plain = plain if plain.dtype.isnative else plain.astype(plain.dtype.newbyteorder("="))
    about = {"unit": data.unit, "description": data.description}
    return MaskedColumn(plain, **about) if np.ma.is_masked(plain) else Column(plain.data, **about)
