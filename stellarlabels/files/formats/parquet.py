"""Parquet, with the header of a VOTable in its metadata (VOParquet 1.0). It needs pyarrow."""

import io
from dataclasses import replace

import numpy as np

from stellarlabels.exceptions import InputError
from stellarlabels.files.content import BLOCK, Content
from stellarlabels.files.formats import arrow, votable_header
from stellarlabels.files.progress import slices
from stellarlabels.files.records import Packer

__all__ = ["arrow_schema", "blocks", "count", "described", "read", "write"]

_VERSION = b"IVOA.VOTable-Parquet.version"
_HEADER = b"IVOA.VOTable-Parquet.content"
#: Integers that repeat, as flags do: for them and for text a dictionary saves time and space, not for others.
_SMALL = ("uint8", "int16", "int32")
#: Rows that are decoded at a time.
_BATCH = 16384
#: Rows of a row group.
_GROUP = 18 * BLOCK


def write(content, stream, path):
    """Write a content as Parquet."""
    pa = arrow.load()
    schema = arrow_schema(content)
    repetitive = [item.column.name for item in content.fields if item.kind == "U" or item.data.dtype.name in _SMALL]
    with pa.parquet.ParquetWriter(stream, schema, use_dictionary=repetitive) as writer:
        for part in slices(len(content), step=_GROUP):
            writer.write_table(pa.table([_array(pa, item, part) for item in content.fields], schema=schema))


def arrow_schema(content):
    """The Arrow schema of a content, with the header of a VOTable in its metadata.

    Parameters
    ----------
    content : `~stellarlabels.files.content.Content`

    Returns
    -------
    `pyarrow.Schema`
    """
    pa = arrow.load()
    packer = Packer(content.fields, unicode=True, null_flags=True, null_truth=b"?")
    metadata = {_VERSION: b"1.0", _HEADER: votable_header.document(content, packer).encode("utf-8")}
    nothing = pa.table({item.column.name: _array(pa, item, slice(0, 0)) for item in content.fields})
    return nothing.schema.with_metadata(metadata)


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
        about, columns = described(file.schema_arrow.metadata)
        # One column after the other, so that Arrow's and NumPy's copies of the whole table are never there together.
        fields = [
            arrow.field(name, file.read(columns=[name])[name], columns.get(name)) for name in file.schema_arrow.names
        ]
    pa.default_memory_pool().release_unused()
    return replace(about, fields=fields)


def count(path):
    """Number of rows of a Parquet file."""
    pa = arrow.load()
    return pa.parquet.read_metadata(path).num_rows


def blocks(path, rows, first=0):
    """The content of a Parquet file from a row on, in pieces of so many rows; at least one piece."""
    pa = arrow.load()
    # Without a buffer for all columns of a row group, which may be the whole file.
    with pa.parquet.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as file:
        groups, first = _groups_from(file.metadata, first)
        waiting, number, is_first = [], 0, True
        for batch in file.iter_batches(batch_size=min(rows, _BATCH), row_groups=groups):
            passed = min(first, len(batch))
            first -= passed
            waiting.append(batch.slice(passed))
            number += len(batch) - passed
            while number >= rows:
                table = pa.Table.from_batches(waiting)
                yield _content(table.slice(0, rows))
                is_first, number = False, number - rows
                waiting = table.slice(rows).to_batches()
        if number or is_first:
            yield _content(pa.Table.from_batches(waiting, schema=file.schema_arrow))


def _groups_from(metadata, first):
    """Row groups that hold the rows from ``first`` on, and the number of rows before it in the first of them."""
    for group in range(metadata.num_row_groups):
        inside = metadata.row_group(group).num_rows
        if first < inside:
            return list(range(group, metadata.num_row_groups)), first
        first -= inside
    return [], 0


def _content(table):
    """The content of an Arrow table."""
    about, columns = described(table.schema.metadata)
    fields = [arrow.field(name, table[name], columns.get(name)) for name in table.column_names]
    return replace(about, fields=fields)


def described(metadata):
    """What the header in the metadata of an Arrow schema says of the table, and of each column.

    Parameters
    ----------
    metadata : dict of bytes to bytes, or None

    Returns
    -------
    content : `~stellarlabels.files.content.Content`
        Without columns.
    columns : dict of str to `~stellarlabels.columns.Column`
    """
    header = (metadata or {}).get(_HEADER)
    if not header:
        return Content([]), {}
    content, table = votable_header.parse(io.BytesIO(header))
    nothing = np.zeros(0), np.zeros(0, bool)
    return content, {one.name: votable_header.make_field(one, *nothing).column for one in table.fields}
