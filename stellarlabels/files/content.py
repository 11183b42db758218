"""What a file of stars holds, apart from its format: declared columns of plain arrays with masks, and metadata.

Writers take a `Content` and readers return one, so that a format module knows nothing of Astropy's column classes and
the rules for missing values, dtypes and metadata are the same for all formats:

* NaN and empty text are missing values, and so are lists of nothing.
* Values have one of the types of `stellarlabels.columns.portable`: int8 is written as int16; unsigned integers of more
  than 8 bits as the next larger signed ones; float16 as float32; instants as text.
* Metadata are what JSON can hold; anything else is held as its text.
"""

import json
import warnings
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from astropy import units as u
from astropy.table import Column as TableColumn, MaskedColumn, Table

from stellarlabels import __version__, columns, flags
from stellarlabels.columns import units
from stellarlabels.exceptions import FileWarning, InputError

#: Rows that are looked at, packed or written at a time.
BLOCK = 57_000

#: The software, as it is named in files.
_SOFTWARE = "stellarlabels"
#: Metadata about the reading or conforming of a table; not part of a catalog.
_REPORTS = ("left_out", "unknown_columns", "missing_columns", "renamed_columns", "similar_columns")


@dataclass
class Field:
    """One column: its declaration, its values (N, ...) and the mask of what is missing of them.

    The values are numbers, booleans, text (kind U), or arrays of several lengths (kind O); NaN, 0, False or an empty
    string where missing. Writers ask for slices of rows only, so that anything with dtype, shape and slices will do.
    """

    column: columns.Column
    data: np.ndarray
    mask: np.ndarray

    @cached_property
    def kind(self):
        """The dtype's kind: b, i, u, f, U or O."""
        return self.data.dtype.kind

    @cached_property
    def has_missing(self):
        """Whether anything is missing."""
        if isinstance(self.mask, np.ndarray) and not any(self.mask.strides):  # one truth value stands for all
            return bool(self.mask.size and self.mask.flat[0])
        return any(mask.any() for _, mask in self._blocks())

    @cached_property
    def is_ascii(self):
        """Whether all characters of a text column are ASCII."""
        return all(data.size == 0 or int(_codes(data).max()) < 128 for data, _ in self._blocks())

    @cached_property
    def width(self):
        """Length of the longest text: characters if all of them are ASCII, otherwise units of UTF-16.

        At least 2: validators frown upon texts of one character in a VOTable, whose arraysize is 1.
        """
        widths = [2]
        for data, _ in self._blocks():
            lengths = np.strings.str_len(data)
            if not self.is_ascii and data.dtype.itemsize:
                codes = _codes(data).reshape(*data.shape, -1)
                lengths = lengths + (codes > 0xFFFF).sum(axis=-1)
            widths.append(int(lengths.max(initial=2)))
        return max(widths)

    @cached_property
    def null(self):
        """An integer that no value of the column has, to stand for missing ones: the lowest, the highest, or any."""
        if not self.has_missing:
            return None
        limits = np.iinfo(self.data.dtype)
        for candidate in (limits.min, limits.max):
            if not any(((data == candidate) & ~mask).any() for data, mask in self._blocks()):
                return int(candidate)
        used = np.zeros(0, self.data.dtype)
        for data, mask in self._blocks():
            used = np.union1d(used, data[~mask])
        gaps = np.flatnonzero(used[1:] != used[:-1] + 1)
        if not gaps.size:
            raise InputError(f"column {self.column.name!r}: every {self.data.dtype} is in use, none is left for nulls")
        return int(used[gaps[0]]) + 1

    def check_texts(self, what, controls):
        """An InputError for characters that ``what`` cannot hold; of control characters it holds these, all if None."""
        held = np.arange(1, 0x80) if controls is None else [ord(one) for one in controls]
        for data, _ in self._blocks():
            codes = _codes(data)
            odd = codes[(codes - np.uint32(1) < 31) | (codes == 0x7F) | (codes - np.uint32(0xD800) < 0x800)]
            cells = codes.reshape(-1, data.dtype.itemsize // 4 or 1)
            inside = cells[:, :-1][(cells[:, :-1] == 0) & (cells[:, 1:] != 0)]
            wrong = [chr(code) for code in np.setdiff1d(np.append(odd, inside), held)]
            if wrong:
                raise InputError(
                    f"column {self.column.name!r}: its texts have control characters, or halves of such as need two, "
                    f"that {what} does not hold: {wrong}; replace them, for instance by spaces"
                )

    def _blocks(self):
        """Values and masks, some rows at a time."""
        for first in range(0, len(self.data), BLOCK):
            part = slice(first, first + BLOCK)
            yield self.data[part], self.mask[part]


def _codes(data):
    """The code points of an array of text."""
    return np.ascontiguousarray(data).reshape(-1).view(np.uint32)


@dataclass
class Content:
    """A catalog as files hold it: fields, metadata, the meanings of flag bits by kind, coordinate system, software."""

    fields: list
    meta: dict = field(default_factory=dict)
    name: str = ""
    description: str = ""
    reference: str = ""
    flags: dict = field(default_factory=dict)
    coosys: dict = field(default_factory=dict)
    creator: str = ""

    @property
    def is_own(self):
        """Whether this library made it, so that nulls are true nulls."""
        return self.creator.startswith(_SOFTWARE)

    def __len__(self):
        return len(self.fields[0].data) if self.fields else 0

    def part(self, rows):
        """The content of some rows (a slice)."""
        fields = [Field(item.column, item.data[rows], item.mask[rows]) for item in self.fields]
        return replace(self, fields=fields)


def from_table(table, declared=None):
    """The content of a table, with the declarations of a schema if there is one; an InputError names what is wrong."""
    if not table.colnames:
        raise InputError("table: expected at least one column, got none")
    _check_names(table.colnames)
    plain = columns.portable(table)
    fields = [_field(name, plain[name], declared) for name in table.colnames]
    meta = {str(key): _jsonable(value) for key, value in table.meta.items() if key not in _REPORTS}
    for key in [key for key in meta if not key.strip()]:
        warnings.warn(f"meta: the entry {key!r} has no name and is not written: {meta.pop(key)!r}", FileWarning, 3)
    return Content(
        fields,
        meta,
        name=str(meta.get("schema") or meta.get("system") or "labels"),
        description=str(meta.pop("description", "") or getattr(declared, "description", "")),
        reference=str(meta.pop("reference", "") or getattr(declared, "reference", "")),
        flags=_flag_meanings(fields),
        coosys={} if declared is None else dict(declared.notes.get("coosys", {})),
        creator=f"{_SOFTWARE} {__version__}",
    )


def _check_names(names):
    seen = {}
    for name in names:
        if (other := seen.setdefault(name.lower(), name)) != name:
            raise InputError(f"table: the columns {other!r} and {name!r} differ in the case of letters only")


def _field(name, data, declared):
    """The `Field` of a table's column."""
    masked = columns.without_unit(data)
    if masked.dtype.kind not in "biufU":
        raise InputError(f"column {name!r}: expected numbers, truth values or text, got dtype {masked.dtype}")
    masked = masked.astype(masked.dtype.newbyteorder("="), copy=False)
    array, mask = masked.data, np.ma.getmaskarray(masked)
    if mask.any():
        array = array.copy()
        array[mask] = {"f": np.nan, "U": ""}.get(array.dtype.kind, 0)
    return field_of(_declaration(name, data, declared), array, mask)


def _declaration(name, data, declared):
    """Declaration of a column: the schema's, or from its own metadata with the gaps filled from the vocabulary."""
    unit = getattr(data, "unit", None)
    own = columns.Column(name, "" if unit is None else units.parse(str(unit)))
    if declared is not None and name in declared.names:
        return replace(declared[name], unit=own.unit)
    info, meta = data.info, data.info.meta or {}
    known = columns.declaration(name)
    known = known if known is not None and known.name == name else own
    return replace(
        own,
        flags=_flag_set(data, name) if data.dtype.kind in "iu" else "",
        ucd=meta.get("ucd") or known.ucd,
        description=info.description or known.description,
        format=info.format if isinstance(info.format, str) else known.format,
    )


def _flag_set(data, name):
    """Name of the set that explains a column of flags; "label" without a look at the modules that declare others."""
    own = name.removesuffix("_flag")
    if own != name and own not in flags.DECLARED_IN and own in columns.vocabulary():
        return "label"
    return flags.set_of(data)


def _flag_meanings(fields):
    """For each kind of flag column among the fields, the values and meanings of its bits."""
    out = {}
    for kind in dict.fromkeys(item.column.flags for item in fields if item.column.flags):
        found = flags.get(kind)
        out[kind] = [(flag.value, f"{flag.name}: {flag.meaning}") for flag in found]
        if found.good:
            out[kind].insert(0, (0, found.zero))
    return out


def _jsonable(value):
    """The value as JSON would give it back."""
    return json.loads(json.dumps(value, default=_simplest))


def _simplest(value):
    """What stands for an object that JSON does not know: NumPy's numbers as numbers, anything else as text."""
    plain = isinstance(value, np.generic | np.ndarray) and not isinstance(value, u.Quantity)
    return value.tolist() if plain else str(value)


def field_of(column, data, mask=None):
    """The `Field` of values in native byte order; NaN and empty texts are missing, too."""
    data = data.astype(data.dtype.newbyteorder("="), copy=False)
    if data.dtype.kind == "f":
        missing = np.isnan(data) if np.isnan(data.min(initial=0)) else None
    else:
        missing = data == "" if data.dtype.kind == "U" else None
    if missing is not None:
        mask = missing if mask is None else mask | missing
    if mask is None or not np.any(mask):
        mask = np.broadcast_to(np.False_, data.shape)
    dtype = {"U": "str", "O": "object"}.get(data.dtype.kind, data.dtype.name)
    return Field(replace(column, dtype=dtype, shape=data.shape[1:]), data, mask)


def ragged_field(column, cells, length=0, mask=None):
    """The `Field` of a ``stellarlabels.columns.Ragged``: rows of ``length`` if no cell has values; a mask of these."""
    empty, values = cells.lengths == 0, cells.values
    lengths = np.unique(cells.lengths[~empty])
    if mask is not None and (values.dtype.kind == "f" or lengths.size > 1):
        values = np.where(mask, np.nan, values)
    if lengths.size > 1:
        data = np.empty(empty.size, dtype=object)
        data[:] = np.split(values, np.cumsum(cells.lengths)[:-1])
        return field_of(column, data, empty)
    shape = (empty.size, int(lengths[0]) if lengths.size else length)
    if not empty.any():
        return field_of(column, values.reshape(shape), None if mask is None else mask.reshape(shape))
    data, hidden = np.zeros(shape, values.dtype), np.ones(shape, bool)
    if values.dtype.kind == "f":
        data[empty] = np.nan
    if lengths.size:
        data[~empty] = values.reshape(-1, shape[1])
        hidden[~empty] = False if mask is None else mask.reshape(-1, shape[1])
    return field_of(column, data, hidden)


def cells_field(column, data, mask=None):
    """The `Field` of cells of any kind: bytes are UTF-8; objects are texts, or arrays of one length or several."""
    if data.dtype.kind == "S":
        data = np.char.decode(data, "utf-8", "replace")
    if data.dtype.kind != "O":
        return field_of(column, data, mask)
    hidden = np.array([cell is None for cell in data.flat], bool).reshape(data.shape)
    hidden = hidden if mask is None else hidden | mask
    if not all(isinstance(cell, str | bytes) for cell in data[~hidden].flat):
        return ragged_field(column, columns.Ragged.from_column(np.ma.MaskedArray(data, mask)))
    texts = [cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell) for cell in data.flat]
    return field_of(column, np.where(hidden, "", np.array(texts, np.str_).reshape(data.shape)), hidden)


def tidy(content):
    """The content with the masks that Astropy writes as columns of their own, ``NAME.mask``, where they belong."""
    named = {item.column.name: item for item in content.fields}
    fields = []
    for item in content.fields:
        own = named.get(item.column.name.removesuffix(".mask"))
        if own is not None and own is not item and item.kind == "b" and item.data.shape == own.data.shape:
            continue
        mask = named.get(f"{item.column.name}.mask")
        if mask is not None and mask.kind == "b" and mask.data.shape == item.data.shape:
            item = replace(item, mask=item.mask | mask.data)
        fields.append(item)
    return content if len(fields) == len(content.fields) else replace(content, fields=fields)


def joined(contents):
    """The rows of several contents with the same columns, one after the other."""
    if len(contents) == 1:
        return contents[0]
    fields = []
    for items in zip(*(content.fields for content in contents), strict=True):
        if len({item.data.shape[1:] for item in items}) > 1:
            raise InputError(f"column {items[0].column.name!r} has cells of different shapes in the tables of one file")
        data = np.concatenate([item.data[:] for item in items])
        fields.append(field_of(items[0].column, data, np.concatenate([item.mask for item in items])))
    return replace(contents[0], fields=fields)


def plain_table(content):
    """The content as a `~astropy.table.Table` of plain and masked columns, with the units of the file."""
    out = Table()
    for item in content.fields:
        about = {"name": item.column.name, "description": item.column.description or None, "copy": False}
        if item.column.unit:
            about["unit"] = u.Unit(item.column.unit, parse_strict="silent")
        if item.column.ucd:
            about["meta"] = {"ucd": item.column.ucd}
        if item.has_missing:
            column = MaskedColumn(item.data[:], mask=item.mask[:], **about)
        else:
            column = TableColumn(item.data[:], **about)
        out.add_column(column, copy=False)
    return out
