"""A column: what it is called, holds and means, and how the numbers of a table become it."""

import warnings
from dataclasses import dataclass

import numpy as np
from astropy import units as u
from astropy.table import MaskedColumn
from astropy.utils.masked import Masked

from stellarlabels.exceptions import ColumnUnitError, InputError, MissingUnitWarning

__all__ = ["Column", "column_name", "in_unit", "without_unit"]


@dataclass(frozen=True)
class Column:
    """Declaration of one column.

    Parameters
    ----------
    name : str
        Canonical name.
    unit : str
        Unit in the form that `astropy.units.Unit` reads; empty for none.
    dtype : str
        NumPy dtype, for instance ``float64``, ``int64``, ``str``.
    ucd : str
        UCD1+ words.
    description : str
        One line of plain text.
    aliases : tuple of str
        Other names under which the same quantity is delivered.
    shape : tuple of int
        Shape of one cell; empty for scalars.
    format : str
        How a value is shown, as a Python format such as ``.3f``; empty for the default.
    canonical : str
        For a column of a published catalog, what the same quantity is called in the vocabulary.
    paper_name, file_name : str
        For a column of a published catalog, its name in the paper's table and in the published file; empty if the same
        as ``name`` or not known.
    nulls : tuple of str
        Values that stand for "missing" in the published file, beside NaN and an empty cell.
    flags : str
        For a column of flags, the set of `stellarlabels.flags` that says what they mean.
    source : str
        For a column of a published catalog, the table and column of the paper that describe it.
    optional : bool
        Whether a table without the column conforms to its schema.
    """

    name: str
    unit: str = ""
    dtype: str = "float64"
    ucd: str = ""
    description: str = ""
    aliases: tuple = ()
    shape: tuple = ()
    format: str = ""
    canonical: str = ""
    paper_name: str = ""
    file_name: str = ""
    nulls: tuple = ()
    flags: str = ""
    source: str = ""
    optional: bool = False

    @property
    def names(self):
        """All names of the column, each once: its own, those of the published catalog, and the aliases."""
        own = (self.name, self.file_name, self.paper_name, self.canonical, *self.aliases)
        return tuple(dict.fromkeys(name for name in own if name))

    @property
    def is_text(self):
        """Whether the cells are strings."""
        return self.dtype.startswith("str")

    def null(self):
        """A value that stands under the mask: NaN, 0, False or an empty string."""
        if self.is_text:
            return ""
        return np.array(np.nan if np.dtype(self.dtype).kind == "f" else 0, dtype=self.dtype)[()]

    def dress(self, data):
        """Turn plain data into a table column with this declaration's unit, dtype and metadata.

        Parameters
        ----------
        data : array_like
            Values in the declared unit (a Quantity or a Column with another unit is converted). Masked entries and
            NaN come out masked.

        Returns
        -------
        `~astropy.table.MaskedColumn`, or a masked or plain `~astropy.units.Quantity` when the column has a unit and
        holds numbers.

        Raises
        ------
        ColumnUnitError
            If the unit of the data does not convert to the declared one.
        InputError
            If the data cannot be held exactly in an integer column (fractions, numbers out of range, identifiers that
            have been floats), or text came where numbers are declared.
        """
        masked = in_unit(data, self, self.name, warn=False)
        mask = np.array(masked.mask)
        if masked.dtype.kind == "f":
            mask |= np.isnan(masked.data)
        array = _cast(masked.data, mask, self)
        if self.unit and array.dtype.kind in "fiu":
            quantity = u.Quantity(array, u.Unit(self.unit), dtype=array.dtype)
            out = Masked(quantity, mask=mask) if mask.any() else quantity
            out.info.description = self.description
        else:
            out = MaskedColumn(array, mask=mask, description=self.description)
            if self.unit:
                out.unit = self.unit
        out.info.meta = {key: text for key, text in (("ucd", self.ucd), ("flags", self.flags)) if text}
        out.info.format = self.format or None
        return out


def column_name(table, item):
    """Name under which ``item`` is in the table, or None. The canonical name wins, then the order of the aliases.

    The case of letters does not matter, except in names of one letter: B is a magnitude, b the galactic latitude.
    """
    present = {}
    for name in table.colnames:
        present.setdefault(name.lower(), name)
    for key in item.names:
        if key in table.colnames:
            return key
        if len(key) > 1 and key.lower() in present:
            return present[key.lower()]
    return None


def without_unit(data):
    """The numbers or texts of a column as a masked array, as they are, whatever class the column has.

    Parameters
    ----------
    data : `~astropy.table.Column`, `~astropy.units.Quantity` or array_like
        Masked or not.

    Returns
    -------
    `~numpy.ma.MaskedArray`
    """
    if isinstance(data, Masked):
        mask, plain = data.mask, data.unmasked
        plain = plain.value if isinstance(plain, u.Quantity) else plain
    elif isinstance(data, u.Quantity):
        mask, plain = False, data.value
    else:
        mask, plain = np.ma.getmaskarray(data), np.ma.getdata(data)
    return np.ma.MaskedArray(np.asarray(plain), mask=mask)


def in_unit(data, item, name, *, warn=True):
    """Column data as a masked array in the unit of ``item``; cells that are not numbers are left as they are."""
    masked = without_unit(data)
    unit = getattr(data, "unit", None)
    if masked.dtype.kind not in "fiu" or not (item.unit or isinstance(data, u.Quantity)):
        return masked
    if unit is None:
        if warn:
            warnings.warn(
                f"column {name!r} has no unit; it is taken to be in {item.unit}", MissingUnitWarning, stacklevel=4
            )
        return masked
    return np.ma.MaskedArray(_convert(masked.data, u.Unit(unit), item, name), mask=masked.mask)


def _convert(plain, unit, item, name):
    """Numbers in ``unit`` to the unit of ``item``.

    The vocabulary has bare dex and mag. Archives also say dex(cm/s2), mag(AB), log(cm.s**-2) or, for an abundance,
    nothing but "dimensionless"; the number is the same, once what is under the logarithm is in cgs units.
    """
    target = u.Unit(item.unit)
    if unit == target or str(unit).strip("'") == str(target):  # "dex" of a VOTable is a unit that only looks like dex
        return plain
    if target in (u.dex, u.mag):
        if unit == u.dimensionless_unscaled or (isinstance(unit, u.UnrecognizedUnit) and str(unit).startswith("log")):
            return plain
        if isinstance(unit, u.LogUnit) and unit.function_unit == target:
            return plain + (np.log10(unit.physical_unit.cgs.scale) if target == u.dex else 0.0)
    try:
        return u.Quantity(plain, unit).to_value(target)
    except (u.UnitsError, ValueError, TypeError) as error:
        raise ColumnUnitError(
            f"column {name!r} has the unit {str(unit)!r}, expected one that converts to {item.unit!r}"
        ) from error


def _cast(plain, mask, item):
    """Numbers or texts as the dtype of ``item``, exactly where that is an integer; under the mask is a null."""
    expected = f"column {item.name!r}: expected"
    if item.is_text:
        return np.where(mask, "", plain.astype(np.str_))
    dtype = np.dtype(item.dtype)
    out = np.where(mask, item.null(), plain) if mask.any() else plain
    if out.dtype.kind == "O":
        out = np.array(out.tolist())
    if out.dtype.kind not in "fiub" or out.shape != plain.shape:
        raise InputError(f"{expected} numbers, got dtype {plain.dtype}")
    if dtype.kind not in "iu":
        return out.astype(dtype)
    info = np.iinfo(dtype)
    if out.size and not (out.min() >= info.min and out.max() <= info.max):
        raise InputError(f"{expected} integers from {info.min} to {info.max}, got {out.min()} to {out.max()}")
    if out.dtype.kind == "f" and ((out % 1 != 0) | (np.abs(out) >= 2**53)).any():
        raise InputError(f"{expected} integers, got floats that have a fraction or may have been rounded")
    return out.astype(dtype)
