"""Parquet, with the header of a VOTable in its metadata (VOParquet 1.0). It needs pyarrow."""

import io
from dataclasses import replace

import numpy as np

from stellarlabels.catalogs.content import BLOCK, Content
from stellarlabels.catalogs.formats import arrow, votable_header
from stellarlabels.catalogs.progress import slices
from stellarlabels.catalogs.records import Packer
from stellarlabels.exceptions import InputError

__all__ = ["blocks", "read", "write"]

_VERSION = b"IVOA.VOTable-Parquet.version"
_HEADER = b"IVOA.VOTable-Parquet.content"
#: Integers that repeat, as flags do: for them and for text a dictionary saves time and space, not for others.
_SMALL = ("uint8", "int16", "int32")
#: Rows of a row group.
_GROUP = 18 * BLOCK


def write(content, stream, path):
    """Write a content as Parquet."""
    pa = arrow.load()
    packer = Packer(content.fields, unicode=True, null_flags=True, null_truth=b"?")
    metadata = {_VERSION: b"1.0", _HEADER: votable_header.document(content, packer).encode("utf-8")}
    nothing = pa.table({item.column.name: _array(pa, item, slice(0, 0)) for item in content.fields})
    schema = nothing.schema.with_metadata(metadata)
    repetitive = [item.column.name for item in content.fields if item.kind == "U" or item.data.dtype.name in _SMALL]
    with pa.parquet.ParquetWriter(stream, schema, use_dictionary=repetitive) as writer:
        for part in slices(len(content), step=_GROUP):
            writer.write_table(pa.table([_array(pa, item, part) for item in content.fields], schema=schema))


def _array(pa, item, part):
    """A slice of a column as an Arrow array."""
    shape = item.column.shape
    if len(shape) > 1:
        raise InputError(f"column {item.column.name!r}: Parquet holds numbers and one-dimensional cells, got {shape}")
    data = item.data[part].reshape(-1)
    values = pa.array(data, mask=item.mask[part].reshape(-1) if item.has_missing else None)
    return pa.FixedSizeListArray.from_arrays(values, shape[0]) if shape else values


def read(path):
    """The content of a Parquet file."""
    pa = arrow.load()
    with pa.parquet.ParquetFile(path) as file:
        described, columns = _described((file.schema_arrow.metadata or {}).get(_HEADER))
        # One column after the other, so that Arrow's and NumPy's copies of the whole table are never there together.
        fields = [
            arrow.field(name, file.read(columns=[name])[name], columns.get(name)) for name in file.schema_arrow.names
        ]
    pa.default_memory_pool().release_unused()
    return replace(described, fields=fields)


def blocks(path, rows):
    """The content of a Parquet file, in pieces of at most so many rows; at least one piece."""
    pa = arrow.load()
    with pa.parquet.ParquetFile(path) as file:
        if not file.metadata.num_rows:
            yield _content(file.read())
        for batch in file.iter_batches(batch_size=rows):
            yield _content(pa.Table.from_batches([batch], schema=file.schema_arrow))


def _content(table):
    """The content of an Arrow table."""
    described, columns = _described((table.schema.metadata or {}).get(_HEADER))
    fields = [arrow.field(name, table[name], columns.get(name)) for name in table.column_names]
    return replace(described, fields=fields)


def _described(header):
    """What the header says of the table, and of each column."""
    if not header:
        return Content([]), {}
    content, table = votable_header.parse(io.BytesIO(header))
    nothing = np.zeros(0), np.zeros(0, bool)
    return content, {one.name: votable_header.make_field(one, *nothing).column for one in table.fields}
