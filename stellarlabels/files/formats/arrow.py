"""Arrow, in which both Parquet and text files are read."""

from dataclasses import replace

import numpy as np

from stellarlabels.columns import Column
from stellarlabels.exceptions import ReadError, StellarLabelsError
from stellarlabels.files.content import Field

__all__ = ["field", "load"]


def load():
    """The library, imported on first use."""
    try:
        import pyarrow
        import pyarrow.compute
        import pyarrow.csv
        import pyarrow.parquet
    except ImportError as error:
        raise StellarLabelsError("format: Parquet and CSV need the package pyarrow; install it first") from error
    return pyarrow


def field(name, array, column=None):
    """The column of a chunked Arrow array, declared by ``column`` where there is one."""
    pa = load()
    array = _with_equal_cells(pa, array.combine_chunks())
    shape, mask = (), _as_numpy(array.is_null())
    if pa.types.is_fixed_size_list(array.type):
        shape = (array.type.list_size,)
        array = array.values[array.offset * shape[0] : (array.offset + len(array)) * shape[0]]
        mask = mask.repeat(shape[0]) | _as_numpy(array.is_null())
    if pa.types.is_nested(array.type):
        raise ReadError(f"column {name!r} has cells of the type {array.type}, which are not supported")
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        data = _as_numpy(array.fill_null("")).astype(np.str_)
        mask |= data == ""
    else:
        data = _as_numpy(array.fill_null(False if pa.types.is_boolean(array.type) else 0))
    if data.dtype.kind == "f":
        mask |= np.isnan(data)
    column = replace(column or Column(name), dtype="str" if data.dtype.kind == "U" else data.dtype.name, shape=shape)
    return Field(column, data.reshape(-1, *shape), mask.reshape(-1, *shape))


def _with_equal_cells(pa, array):
    """A list array whose lists have the same length, as most writers store spectra, as one of lists of a fixed size."""
    if not (pa.types.is_list(array.type) or pa.types.is_large_list(array.type)):
        return array
    sizes = pa.compute.unique(array.value_lengths().drop_null()).to_pylist()
    if len(sizes) > 1:
        return array
    return array.cast(pa.list_(array.type.value_type, sizes[0] if sizes else 0))


def _as_numpy(array):
    """An Arrow array without nulls as a NumPy array that can be changed."""
    out = array.to_numpy(zero_copy_only=False)
    return out if out.flags.writeable else out.copy()
