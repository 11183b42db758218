"""A column: what it is called, holds and means, and how the numbers of a table become it."""

import re
import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from astropy import units as u
from astropy.table import MaskedColumn
from astropy.utils.masked import Masked

from stellarlabels import packaged
from stellarlabels.columns import units
from stellarlabels.exceptions import ColumnUnitError, InputError, MissingUnitWarning

#: Texts that say that there is no identifier.
NO_IDENTIFIER = ("", "nan", "--", "none", "null", "<na>", "n/a", "na", "nat", "masked", r"\n")

#: An identifier in text: digits, also behind the name of the survey as Gaia's archive and the CDS write it; in columns
#: of identifiers of other releases also behind that of any.
IDENTIFIER = re.compile(r"(?:gaia\s+e?dr3\s+)?([+-]?\d+)", re.IGNORECASE)
IN_ANY_RELEASE = re.compile(r"(?:gaia\s+e?dr\d\s+)?([+-]?\d+)", re.IGNORECASE)

#: Names in which the case of letters matters: B is a magnitude, b the galactic latitude; Gmag is that of Gaia, and gmag
#: that of SDSS, Pan-STARRS and others.
CASED = re.compile(r"(e_)?[A-Z]mag|[A-Za-z]")


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
        Values that stand for "missing", beside NaN and an empty cell: in the published file, or in any survey's.
    low, high : float
        Smallest and largest possible value in the declared unit. What is outside is no measurement.
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
    low: float = -np.inf
    high: float = np.inf
    flags: str = ""
    source: str = ""
    optional: bool = False

    @cached_property
    def names(self):
        """All names of the column, each once: its own, those of the published catalog, and the aliases."""
        own = (self.name, self.file_name, self.paper_name, self.canonical, *self.aliases)
        return tuple(dict.fromkeys(name for name in own if name))

    def goes_by(self, name):
        """Whether this is one of the column's names, in letters of any case but for those in `CASED`."""
        return name in self.names or any(key.lower() == name.lower() for key in self.names if not CASED.fullmatch(key))

    @cached_property
    def is_identifier(self):
        """Whether the cells are integers that name a star or a spectrum, of which no digit may be lost."""
        return self.dtype == "int64" and self.ucd.startswith(("meta.id;meta.main", "meta.id.cross"))

    @cached_property
    def is_main_identifier(self):
        """Whether it is the identifier of a table that has it, whatever others the table has."""
        return self.is_identifier and self.ucd.startswith("meta.id;meta.main")

    @property
    def designation(self):
        """The pattern of texts that are such identifiers."""
        return IDENTIFIER if self.is_main_identifier else IN_ANY_RELEASE

    @cached_property
    def is_text(self):
        """Whether the cells are strings."""
        return self.dtype.startswith("str")

    def null(self):
        """A value that stands under the mask: NaN, 0, False or an empty string."""
        if self.is_text:
            return ""
        return np.array(np.nan if np.dtype(self.dtype).kind == "f" else 0, dtype=self.dtype)[()]

    def dress(self, data, *, copy=True):
        """Turn plain data into a table column with this declaration's unit, dtype and metadata.

        Parameters
        ----------
        data : array_like
            Values in the declared unit (a Quantity or a Column with another unit is converted). Masked entries and
            NaN come out masked.
        copy : bool
            If not, the column shares the data where they are what it holds.

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
        array = _cast(masked.data, mask, self, copy)
        if self.unit and array.dtype.kind in "fiu":
            quantity = u.Quantity(array, u.Unit(self.unit), dtype=array.dtype, copy=False)
            out = Masked(quantity, mask=mask) if mask.any() else quantity
            out.info.description = self.description
        else:
            out = MaskedColumn(array, mask=mask, description=self.description, copy=False)
            if self.unit:
                out.unit = self.unit
        out.info.meta = {key: text for key, text in (("ucd", self.ucd), ("flags", self.flags)) if text}
        out.info.format = self.format or None
        return out


#: Tables that queries join to identifiers of Gaia, and the query.
_FETCHED = {"gaia": "gaia_by_id", "tmass": "gaia_by_id", "allwise": "gaia_by_id", "bailer_jones": "gaia_distances"}


def alike(table, *names):
    """What is said of columns of joined tables (``flux_1``, ``flux_x``, ``gaia.flux``) that could be meant by names."""
    meant = "|".join(re.escape(name) for name in names if len(name) > 1)
    pattern = re.compile(rf"\s*(\w+[.:])?({meant})(_(\d|x|y|left|right|gaia|xp))?\s*", re.IGNORECASE)
    found = [repr(name) for name in table.colnames if pattern.fullmatch(name)]
    which = "if that is it" if len(found) == 1 else "the one that is meant"
    return f"; the table has {', '.join(found)}: rename {which}" if found else ""


def absence(item, table):
    """What is said of a column that a table lacks: its names, what it is, and who gets it."""
    text = f"column {item.name!r} is missing{alike(table, *item.names)}; looked for {', '.join(item.names)}"
    if item.description:
        text += f"; it is: {item.description}"
    rows = packaged.table("archive", "names")
    found = {str(row["catalog"]) for row in rows[(rows["service"] == "gaia") & (rows["name"] == item.name)]}
    query = next((_FETCHED[name] for name in _FETCHED if name in found), None)
    if query is None:
        return text
    return (
        f"{text}; the Gaia archive has it by source_id: system.label(table), 'stellarlabels label --fetch', or "
        f"'stellarlabels query {query} --upload TABLE'"
    )


def column_name(table, item):
    """Name under which ``item`` is in the table, or None. Its own name wins, then the order of the aliases."""
    # The case of letters does not matter, except in `CASED`.
    # Under another name than its own, texts of anything but digits are no identifier: "source" is often a survey.
    present = {}
    for name in table.colnames:
        present.setdefault(name.lower(), name)
    for key in item.names:
        name = key if key in table.colnames else None if CASED.fullmatch(key) else present.get(key.lower())
        if name is not None and (key == item.name or not item.is_identifier or _may_be_identifiers(table[name], item)):
            return name
    return None


def _may_be_identifiers(data, item):
    """Whether a column holds numbers, or texts that begin with identifiers: digits, or as in "Gaia DR3 123"."""
    masked = without_unit(data)
    if masked.dtype.kind not in "SUO":
        return masked.dtype.kind in "iuf"
    some = [cell for cell in masked[:1000].compressed().tolist() if isinstance(cell, str | bytes)]
    texts = [(cell.decode("latin-1") if isinstance(cell, bytes) else cell).strip() for cell in some]
    told = [text for text in texts if text.lower() not in NO_IDENTIFIER]
    return all(item.designation.fullmatch(text) for text in told[:20])


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
    """Numbers in ``unit`` to the unit of ``item``; see `_shift` for logarithms."""
    target = u.Unit(item.unit)
    if isinstance(unit, u.UnrecognizedUnit):
        unit = u.Unit(units.parse(str(unit)), parse_strict="silent")
    if unit == target or str(unit).strip("'") == str(target):  # "dex" of a VOTable is a unit that only looks like dex
        return plain
    if target in (u.dex, u.mag):
        if unit == u.dimensionless_unscaled:
            return plain
        if isinstance(unit, u.LogUnit) and unit.function_unit == target:
            shift = _shift(unit.physical_unit, item)
            if shift is not None:
                return plain + shift if shift else plain
    try:
        return u.Quantity(plain, unit).to_value(target)
    except (u.UnitsError, ValueError, TypeError) as error:
        wanted = f"one that converts to {item.unit!r}" if item.unit else "none"
        raise ColumnUnitError(f"column {name!r} has the unit {str(unit)!r}, expected {wanted}") from error


def _shift(physical, item):
    """What is added to a logarithm for its unit to be bare; None if the unit cannot be that of the column."""
    # The vocabulary has bare dex and mag. Archives also say dex(cm/s2), mag(AB), log(cm.s**-2), [-] or [Sun]. Only a
    # gravity is the logarithm of a number with a unit; the number of any other column stays as it is.
    if item.unit == "mag" or physical == u.dimensionless_unscaled or str(physical) in ("Sun", "solar"):
        return 0.0
    is_acceleration = physical.is_equivalent(u.m / u.s**2)
    if item.ucd.startswith("phys.abund") or ("phys.gravity" in item.ucd and not is_acceleration):
        return None
    is_gravity = item.ucd in ("", "phys.gravity") and is_acceleration  # errors are the same in all units
    return float(np.log10(physical.to(u.cm / u.s**2))) if is_gravity else 0.0


def _cast(plain, mask, item, copy):
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
        return out.astype(dtype, copy=copy)
    info = np.iinfo(dtype)
    if out.size and not (out.min() >= info.min and out.max() <= info.max):
        raise InputError(f"{expected} integers from {info.min} to {info.max}, got {out.min()} to {out.max()}")
    if out.dtype.kind == "f" and ((out % 1 != 0) | (np.abs(out) >= 2**53)).any():
        raise InputError(f"{expected} integers, got floats that have a fraction or may have been rounded")
    return out.astype(dtype, copy=copy)
