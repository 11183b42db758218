"""Parquet, with the header of a VOTable in its metadata (VOParquet 1.0). It needs pyarrow."""

import io
from dataclasses import replace

import numpy as np

from stellarlabels.catalogs import votable
from stellarlabels.catalogs.content import Content, Field
from stellarlabels.catalogs.records import Packer
from stellarlabels.exceptions import InputError, ReadError, StellarLabelsError
from stellarlabels.schema import Column

__all__ = ["read", "write"]

_VERSION = b"IVOA.VOTable-Parquet.version"
_HEADER = b"IVOA.VOTable-Parquet.content"


def _pyarrow():
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise StellarLabelsError("format: Parquet needs the package pyarrow; install it first") from error
    return pyarrow


def write(content, stream, path):
    """Write a content as Parquet."""
    pa = _pyarrow()
    packer = Packer(content.fields, unicode=True, null_flags=True, null_truth=b"?")
    table = pa.table({item.column.name: _array(pa, item) for item in content.fields})
    metadata = {
        _VERSION: b"1.0",
        _HEADER: votable.document(content, packer).encode("utf-8"),
    }
    pa.parquet.write_table(table.replace_schema_metadata(metadata), stream)


def _array(pa, item):
    shape = item.column.shape
    if len(shape) > 1:
        raise InputError(f"column {item.column.name!r}: Parquet holds numbers and one-dimensional cells, got {shape}")
    values = pa.array(item.data.reshape(-1), mask=item.mask.reshape(-1))
    return pa.FixedSizeListArray.from_arrays(values, shape[0]) if shape else values


def read(path):
    """The content of a Parquet file."""
    table = _pyarrow().parquet.read_table(path)
    header = (table.schema.metadata or {}).get(_HEADER)
    described = votable.parse(io.BytesIO(header)) if header else Content([])
    columns = {item.column.name: item.column for item in described.fields}
    fields = [_field(name, table[name].combine_chunks(), columns.get(name)) for name in table.column_names]
    return replace(described, fields=fields)


def _field(name, array, column):
    """The column of an Arrow array, declared by the header where there is one."""
    pa = _pyarrow()
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


def _as_numpy(array):
    """An Arrow array without nulls as a NumPy array that can be changed."""
    return np.array(array.to_numpy(zero_copy_only=False))
