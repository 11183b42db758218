"""Arrow, in which Parquet and text files are read: its arrays as fields, and what kinds of them are carried.

Numbers, truth values, text and lists of these are what tables of stars hold. Categories and bytes are carried as text,
dates and times as text in ISO 8601, decimals as integers or floats; what has none of these forms is left out by name.
"""

import numpy as np

from stellarlabels.columns import Column, Ragged
from stellarlabels.files.content import field_of, ragged_field


def load():
    """The library, imported on first use."""
    import pyarrow
    import pyarrow.compute
    import pyarrow.csv
    import pyarrow.parquet

    return pyarrow


def numbers(data, names=None):
    """The shortest text that gives each number back; ``names`` for NaN and the two infinities, or True and False."""
    pa, pc = load(), load().compute  # NumPy takes ten times as long
    array = pa.array(np.ascontiguousarray(data))
    if data.dtype.kind == "b":
        return pc.if_else(array, *names)
    text = pc.cast(array, pa.string())
    if data.dtype.kind == "f" and names is not None and not np.isfinite(data).all():
        for condition, name in zip((np.isnan(data), data == np.inf, data == -np.inf), names, strict=True):
            text = pc.if_else(pa.array(condition), name, text)
    return text


def is_list(kind):
    """Whether a type is one of lists."""
    types = load().types
    return types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)


def reason(kind):
    """Why columns of a type are not carried; an empty text if they are."""
    types = load().types
    if is_list(kind):
        inner = kind.value_type
        is_number = types.is_integer(inner) or types.is_floating(inner) or types.is_boolean(inner)
        is_text = types.is_string(inner) and types.is_fixed_size_list(kind)
        return "" if is_number or types.is_null(inner) or types.is_decimal(inner) or is_text else str(kind)
    if types.is_dictionary(kind):
        return reason(kind.value_type)
    return str(kind) if types.is_nested(kind) or types.is_interval(kind) else ""


def field(name, array, column=None, length=None):
    """The field of a chunked array, declared by ``column``; ``length()`` is that of lists of which none is here."""
    pa = load()
    column = column or Column(name)
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if isinstance(array, pa.ChunkedArray):  # no chunk at all
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if is_list(array.type):
        return _lists(pa, column, array, length)
    data, mask = _values(pa, array)
    return field_of(column, data, mask)


def _values(pa, array):
    """Values of an array that holds no lists, and where they are missing."""
    array = _simple(pa, array)
    mask = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        return array.fill_null("").to_numpy(zero_copy_only=False).astype(np.str_), mask
    fill = False if pa.types.is_boolean(array.type) else 0
    plain = array.fill_null(fill) if array.null_count else array
    return np.require(plain.to_numpy(zero_copy_only=False), requirements="W"), mask


def _simple(pa, array):
    """The array in one of the types that fields have."""
    types, kind = pa.types, array.type
    if types.is_dictionary(kind):
        return _simple(pa, array.dictionary_decode())
    if types.is_null(kind):
        return array.cast(pa.float64())
    if types.is_decimal(kind):
        try:
            return array.cast(pa.float64() if kind.scale > 0 else pa.int64())
        except pa.ArrowInvalid:  # more digits than 64 bits have
            return array.cast(pa.string())
    if types.is_temporal(kind):
        return array.cast(pa.int64() if types.is_duration(kind) else pa.string())
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        try:
            return array.cast(pa.binary()).cast(pa.string())
        except pa.ArrowInvalid:
            return pa.array([None if cell is None else cell.decode("latin-1") for cell in array.to_pylist()])
    if types.is_boolean(kind) or types.is_integer(kind) or types.is_floating(kind) or types.is_large_string(kind):
        return array.cast(pa.float32()) if types.is_float16(kind) else array
    return array if types.is_string(kind) else pa.array(array.to_pylist(), pa.string())  # views of strings and bytes


def _lists(pa, column, array, length):
    """The field of a list array: cells of one shape if all lists have one length, or none."""
    is_fixed = pa.types.is_fixed_size_list(array.type)
    if is_fixed:
        lengths = np.where(array.is_valid().to_numpy(zero_copy_only=False), array.type.list_size, 0)
    else:
        lengths = array.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    data, mask = _values(pa, array.flatten())
    size = 0 if lengths.any() else array.type.list_size if is_fixed else length() if length else 0
    return ragged_field(column, Ragged(data, lengths.astype(np.int64)), size, mask)
