"""Tables in the few types that every program and service reads, or an error that names the column which has none."""

import numpy as np
from astropy.table import Column, MaskedColumn, QTable
from astropy.time import Time

from stellarlabels.columns.column import without_unit
from stellarlabels.columns.conversion import like, shared
from stellarlabels.exceptions import InputError

#: NumPy types that VOTable and FITS do not have, and the smallest that hold the same numbers.
_WIDER = {"i1": "i2", "u2": "i4", "u4": "i8", "u8": "i8", "f2": "f4", "f16": "f8", "f12": "f8"}

_INTEGERS = (int, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64)

#: Types of Python objects that a column of each type can hold.
_KINDS = {
    "U": (str, np.str_),
    "?": (bool, np.bool_),
    "i8": _INTEGERS,
    "f8": (*_INTEGERS, float, np.float16, np.float32, np.float64),
}


def portable(table, argument="table"):
    """A new QTable in types that VOTable has: truth values, usual integers and floats, texts; instants become texts."""
    return QTable({name: _portable(table[name], f"{argument}: column {name!r}") for name in table.colnames}, copy=False)


def _portable(data, where):
    """One column in a type that VOTable has."""
    if isinstance(data, Time):
        return _texts(data.isot, np.ma.getmaskarray(data.isot), data)
    if not isinstance(data, (Column, np.ndarray)) or data.dtype.names:
        raise InputError(f"{where}: expected numbers, texts or times, got {type(data).__name__}; give its parts")
    plain = without_unit(data)
    kind, mask = plain.dtype.kind, np.ma.getmaskarray(plain)
    if kind == "M":
        return _texts(plain.data.astype("M8[ms]").astype(str), mask | np.isnat(plain.data), data)
    if kind == "O":
        return _portable(_of_objects(data, plain, mask, where), where)
    if kind == "S":
        return _texts(np.char.decode(plain.data, "utf-8", "replace"), mask, data)
    wider = _WIDER.get(plain.dtype.str[1:]) if kind in "iuf" else None
    if wider is None and kind in "biufcU":
        return shared(data)
    if wider is None:
        raise InputError(f"{where}: expected numbers, texts or times, got dtype {plain.dtype}")
    if plain.dtype == np.uint64 and plain.count() and plain.max() > np.iinfo(np.int64).max:
        raise InputError(f"{where}: expected integers of 63 bits, got {plain.max()}; give it as text")
    return like(data, plain.astype(wider), getattr(data, "unit", None))


def _texts(texts, mask, data):
    """Texts as a column with what is said of ``data``."""
    texts = np.where(mask, "", np.ma.getdata(texts))
    return like(data, np.ma.MaskedArray(texts, mask), None)


def _of_objects(data, plain, mask, where):
    """A column of Python objects of one kind as a column of their type; None and NaN are missing."""
    cells = plain.data.tolist()
    missing = mask | np.array([_is_missing(cell) for cell in cells], dtype=bool).reshape(mask.shape)
    there = [cell for cell, gone in zip(cells, missing, strict=True) if not gone]
    dtype = next((dtype for dtype, kinds in _KINDS.items() if all(type(cell) in kinds for cell in there)), None)
    if dtype is None:
        found = sorted({type(cell).__name__ for cell in there})
        raise InputError(f"{where}: expected cells of one kind, numbers or texts, got {' and '.join(found)}")
    null = np.zeros((), dtype)[()]
    try:
        values = np.array([null if gone else cell for cell, gone in zip(cells, missing, strict=True)], dtype=dtype)
    except OverflowError as error:
        raise InputError(f"{where}: expected integers of 63 bits, got longer ones; give it as text") from error
    out = MaskedColumn(values, mask=missing, unit=getattr(data, "unit", None), description=data.info.description)
    out.meta.update(data.info.meta or {})
    return out


def _is_missing(cell):
    """Whether a Python object stands for nothing: None, NaN, pandas' NA."""
    if cell is None or cell is np.ma.masked or type(cell).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(cell, (float, np.floating)) and np.isnan(cell)
