"""Columns and schemas: what a column is called, holds, and means, declared once.

A `Column` knows its canonical name, the other names under which archives deliver it, its unit, dtype, UCD and
description. A `Schema` is an ordered list of columns. The columns of the library's own vocabulary (all inputs and all
labels) are in ``data/vocabulary.ecsv``; the published catalogs have a schema each in ``catalogs/schemas``.

The functions `values` and `find` are the one way in which the rooms of the library take columns out of a user's table:
by canonical name or alias, in the declared unit, with missing values as NaN.
"""

import warnings
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from astropy import units as u
from astropy.io.ascii import InconsistentTableError
from astropy.table import MaskedColumn, QTable, Table
from astropy.utils.masked import Masked

from stellarlabels import packaged
from stellarlabels.exceptions import (
    ColumnUnitError,
    InputError,
    MissingColumnError,
    MissingUnitWarning,
    ReadError,
)

__all__ = [
    "Column",
    "Schema",
    "vocabulary",
    "column",
    "label_columns",
    "find",
    "column_name",
    "values",
    "column_values",
    "without_unit",
    "identifier",
    "check_same_stars",
]


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
        masked = _in_unit(data, self, self.name, warn=False)
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


class Schema:
    """An ordered list of columns with a name and a source.

    Parameters
    ----------
    name : str
    columns : iterable of `Column`
    description, reference : str
    notes : dict, optional
        Anything else worth keeping, such as corrections to a published table.

    Raises
    ------
    InputError
        If a name or alias is used twice.
    """

    def __init__(self, name, columns, description="", reference="", notes=None):
        self.name = name
        self.columns = tuple(columns)
        self.description = description
        self.reference = reference
        self.notes = dict(notes or {})
        self._index = {}
        for item in self.columns:
            for key in item.names:
                if self._index.setdefault(key.lower(), item) is not item:
                    raise InputError(f"schema {name!r}: the name {key!r} belongs to two columns")

    @classmethod
    def read(cls, path):
        """Read a schema from an ECSV file.

        Parameters
        ----------
        path : path-like
            The file has the columns name, unit, dtype, ucd, description and, where needed, aliases (blank-separated),
            shape (blank-separated integers), format, and those of a published catalog: canonical, paper_name,
            file_name, null (blank-separated), flag, source and optional ("yes"). Name, description and reference of
            the schema itself are in the file's metadata; whatever else is there becomes ``notes``.

        Raises
        ------
        ReadError
            If the file is missing or is not such a file.
        """
        try:
            table = Table.read(path, format="ascii.ecsv")
            meta = dict(table.meta)
            name, names = meta.pop("name"), list(table["name"])
        except (OSError, KeyError, ValueError, InconsistentTableError) as error:
            raise ReadError(f"{path}: expected an ECSV file of a schema; {type(error).__name__}: {error}") from error

        def text(row, key):
            if key not in table.colnames or np.ma.is_masked(row[key]):
                return ""
            return str(row[key]).strip()

        columns = [
            Column(
                name=str(key),
                unit=text(row, "unit"),
                dtype=text(row, "dtype") or "float64",
                ucd=text(row, "ucd"),
                description=text(row, "description"),
                aliases=tuple(text(row, "aliases").split()),
                shape=tuple(int(n) for n in text(row, "shape").split()),
                format=text(row, "format"),
                canonical=text(row, "canonical"),
                paper_name=text(row, "paper_name"),
                file_name=text(row, "file_name"),
                nulls=tuple(text(row, "null").split()),
                flags=text(row, "flag"),
                source=text(row, "source"),
                optional=text(row, "optional") == "yes",
            )
            for key, row in zip(names, table, strict=True)
        ]
        return cls(name, columns, meta.pop("description", ""), meta.pop("reference", ""), notes=meta)

    def __iter__(self):
        return iter(self.columns)

    def __len__(self):
        return len(self.columns)

    def __contains__(self, name):
        return str(name).lower() in self._index

    def __getitem__(self, name):
        try:
            return self._index[str(name).lower()]
        except KeyError:
            raise MissingColumnError(f"schema {self.name!r} has no column {name!r}") from None

    def __repr__(self):
        return f"<Schema {self.name!r}: {len(self)} columns>"

    @property
    def names(self):
        """Canonical names, in order."""
        return [item.name for item in self.columns]

    def empty(self, length=0):
        """A `~astropy.table.QTable` of ``length`` rows with every column of the schema, all values masked."""
        out = QTable(meta={"schema": self.name})
        for item in self.columns:
            shape = (length, *item.shape)
            dtype = "U1" if item.is_text else item.dtype
            out[item.name] = item.dress(np.ma.masked_all(shape, dtype=dtype))
        return out

    def validate(self, table):
        """What keeps a table from conforming to the schema.

        Parameters
        ----------
        table : `~astropy.table.Table`

        Returns
        -------
        list of str
            One sentence for each missing column, unit that cannot be converted, text where numbers are declared, and
            wrong cell shape; empty if the table conforms.
        """
        problems = []
        for item in self.columns:
            name = _lookup(table, item)
            if name is None and item.optional:
                continue
            if name is None:
                problems.append(f"column {item.name!r} is missing (known names: {', '.join(item.names)})")
                continue
            data = table[name]
            if data.shape[1:] != item.shape:
                problems.append(f"column {name!r} has cells of shape {data.shape[1:]}, expected {item.shape}")
            if without_unit(data[:0]).dtype.kind in "SU" and not item.is_text:
                problems.append(f"column {name!r} holds text, expected numbers")
            try:
                _in_unit(data[:0], item, name, warn=False)
            except ColumnUnitError as error:
                problems.append(str(error))
        return problems

    def conform(self, table, *, missing="mask", unknown="leave"):
        """The table in the schema's names, order, units and dtypes.

        Parameters
        ----------
        table : `~astropy.table.Table`
            Columns are found by canonical name or alias, in any case of letters.
        missing : {"mask", "error"}
            What to do about columns that are not there.
        unknown : {"leave", "keep"}
            Whether columns that the schema does not know are left out or follow the others as they are.

        Returns
        -------
        `~astropy.table.QTable`
            Same rows, same order. Optional columns that are not there are left out. Columns that the schema does not
            know are listed in ``meta["left_out"]`` or ``meta["unknown_columns"]``, others that are not there in
            ``meta["missing_columns"]``.

        Raises
        ------
        MissingColumnError
            With ``missing="error"``, naming the column.
        ColumnUnitError
            If a unit does not convert.
        InputError
            If a column holds something else than declared; see `Column.dress`.
        """
        for argument, value, choices in (
            ("missing", missing, ("mask", "error")),
            ("unknown", unknown, ("leave", "keep")),
        ):
            if value not in choices:
                raise InputError(f"{argument}: expected one of {choices}, got {value!r}")
        out = QTable(meta={**table.meta, "schema": self.name})
        used, absent = set(), []
        for item in self.columns:
            name = _lookup(table, item)
            if name is None and item.optional:
                continue
            if name is None:
                if missing == "error":
                    raise MissingColumnError(f"column {item.name!r} is missing; looked for {', '.join(item.names)}")
                absent.append(item.name)
                dtype = "U1" if item.is_text else item.dtype
                out[item.name] = item.dress(np.ma.masked_all((len(table), *item.shape), dtype=dtype))
                continue
            used.add(name)
            out[item.name] = item.dress(_in_unit(table[name], item, name))
        others = [name for name in table.colnames if name not in used]
        if unknown == "keep":
            for name in others:
                out[name] = table[name]
        reports = {"unknown_columns" if unknown == "keep" else "left_out": others, "missing_columns": absent}
        out.meta.update({key: names for key, names in reports.items() if names})
        return out


@lru_cache(maxsize=1)
def vocabulary():
    """The `Schema` of all column names that the library gives or takes (``data/vocabulary.ecsv``)."""
    with packaged.file("", "vocabulary.ecsv") as path:
        return Schema.read(path)


def column(name):
    """The declaration of ``name`` (or of the column that has it as an alias) in the vocabulary.

    Raises
    ------
    MissingColumnError
        If the vocabulary has no such name.
    """
    return vocabulary()[name]


def label_columns(label):
    """Declarations of a label, its error and its flag.

    Parameters
    ----------
    label : str
        Name of a label in the vocabulary, for instance ``teff``.

    Returns
    -------
    tuple of `Column`
        ``label``, ``label_err`` (total standard error), ``label_flag`` (bits of `stellarlabels.flags.LABEL`).
    """
    value = column(label)
    error = replace(
        value,
        name=f"{value.name}_err",
        aliases=(*(f"{name}_err" for name in value.aliases), *(f"e_{name}" for name in value.names)),
        ucd=f"stat.error;{value.ucd}" if value.ucd else "stat.error",
        description=f"Standard error of {value.name}",
    )
    flag = Column(
        name=f"{value.name}_flag",
        dtype="int32",
        ucd="meta.code.qual",
        description=f"Flag bits of {value.name}; 0 is good",
    )
    return value, error, flag


def error_term(label, term):
    """Declaration of one term of a label's error, ``<label>_err_<term>``.

    Parameters
    ----------
    label : str
        Name of a label in the vocabulary.
    term : str
        "model" (scatter of networks or dropout passes), "input" (from the errors of the inputs) or "excess" (learned).
    """
    error = label_columns(label)[1]
    return replace(error, name=f"{error.name}_{term}", aliases=(), description=f"{error.description}, {term} term")


def _lookup(table, item):
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


def column_name(table, item):
    """As `find`, for a `Column` that need not be in the vocabulary."""
    return _lookup(table, item)


def find(table, name):
    """Name under which a column of the vocabulary is in a table.

    Parameters
    ----------
    table : `~astropy.table.Table`
    name : str
        Canonical name or alias.

    Returns
    -------
    str or None
        None if the table has it under none of its names.
    """
    return _lookup(table, column(name))


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


def _in_unit(data, item, name, *, warn=True):
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


def values(table, name, *, required=True, unit=None):
    """Values of a column of the vocabulary as a plain float array with NaN for what is missing.

    Parameters
    ----------
    table : `~astropy.table.Table`
    name : str
        Canonical name or alias.
    required : bool
        Whether the absence of the column is an error; if not, it gives NaN in every row.
    unit : str, optional
        Unit of the result; by default the declared one.

    Returns
    -------
    `~numpy.ndarray` of float64, shape (N, ...)

    Raises
    ------
    MissingColumnError
        If the column is required and absent. The message lists the names that were looked for.
    ColumnUnitError
        If the column's unit does not convert to the declared one.
    InputError
        If the column holds text, or is declared as 64-bit integers, which floats would round: take identifiers from
        ``table[find(table, name)]``.

    Warns
    -----
    MissingUnitWarning
        If a unit is declared and the column has none. The declared unit is assumed.
    """
    item = column(name)
    return column_values(table, item if unit is None else replace(item, unit=unit), required=required)


def column_values(table, item, *, required=True):
    """As `values`, for a `Column` that need not be in the vocabulary (the error of a label, say)."""
    if item.dtype == "int64":
        raise InputError(f"column {item.name!r} holds 64-bit integers, which floats would round; use find()")
    key = _lookup(table, item)
    if key is None:
        if required:
            raise MissingColumnError(f"column {item.name!r} is missing; looked for {', '.join(item.names)}")
        return np.full((len(table), *item.shape), np.nan)
    data = _in_unit(table[key], item, key)
    if data.dtype.kind not in "fiub":
        raise InputError(f"column {key!r}: expected numbers, got dtype {data.dtype}")
    out = np.array(data.data, dtype=np.float64)
    if np.ma.is_masked(data):
        out[np.broadcast_to(np.ma.getmaskarray(data), out.shape)] = np.nan
    return out


def identifier(table):
    """Name of the table's identifier column.

    Returns
    -------
    str or None
        The first of source_id and obsid (or their aliases) that the table has.
    """
    for name in ("source_id", "obsid"):
        key = find(table, name)
        if key is not None:
            return key
    return None


def check_same_stars(table, labels):
    """Refuse labels that belong to another table.

    Parameters
    ----------
    table, labels : `~astropy.table.Table`

    Raises
    ------
    InputError
        If the two differ in length, or in an identifier that both have.
    """
    if len(table) != len(labels):
        raise InputError(f"labels: expected the {len(table)} rows of the table, got {len(labels)}")
    key, other = identifier(table), identifier(labels)
    if key is not None and other is not None and key.lower() == other.lower() and (table[key] != labels[other]).any():
        raise InputError(f"labels: the column {other!r} differs from that of the table")
