"""Parquet, with the header of a VOTable in its metadata (VOParquet 1.0); Astropy's own metadata are read, too."""

import io
from dataclasses import replace

import numpy as np

from stellarlabels.exceptions import InputError
from stellarlabels.files.content import BLOCK, Content
from stellarlabels.files.formats import arrow, foreign, votable_header
from stellarlabels.files.progress import slices
from stellarlabels.files.records import Packer
from stellarlabels.files.sheets import Sheet, regrouped

_VERSION = b"IVOA.VOTable-Parquet.version"
_HEADER = b"IVOA.VOTable-Parquet.content"
_ASTROPY = b"table_meta_yaml"
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
    with pa.parquet.ParquetWriter(stream, schema, use_dictionary=repetitive, write_page_checksum=True) as writer:
        for part in slices(len(content), step=_GROUP):
            writer.write_table(pa.table([_array(pa, item, part) for item in content.fields], schema=schema))


def arrow_schema(content):
    """The Arrow schema of a content, with the header of a VOTable in its metadata."""
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


def tables(place):
    """The table of a Parquet file."""
    return [_Table(place)]


class _Table(Sheet):
    """The table of a Parquet file."""

    def __init__(self, place):
        source = place.path if place.is_plain else io.BytesIO(place.bytes())
        self._source = source
        with self._open() as file:
            schema = file.schema_arrow
            super().__init__(place, schema.names, rows=file.metadata.num_rows)
        self._about, self._columns = described(schema.metadata)
        self.meta = dict(self._about.meta)
        reasons = {name: arrow.reason(kind) for name, kind in zip(self.names, schema.types, strict=True)}
        self.left_out = {name: text for name, text in reasons.items() if text}
        self._stored, self._lengths = schema.names, {}

    def _open(self, **options):
        return arrow.load().parquet.ParquetFile(self._source, page_checksum_verification=True, **options)

    def read(self, declared=None):
        is_simple = self._stored == self.names
        with self._open() as file:
            whole = None if is_simple and self.names else file.read()
            # One column after the other: Arrow's and NumPy's copies of the whole table are never there together.
            fields = [
                self._field(name, file.read(columns=[name])[name] if whole is None else whole.column(index))
                for index, name in enumerate(self.names)
                if name not in self.left_out
            ]
        arrow.load().default_memory_pool().release_unused()
        return replace(self._about, fields=fields)

    def blocks(self, rows, first=0, declared=None):
        pa = arrow.load()
        # Without a buffer for all columns of a row group, which may be the whole file.
        with self._open(pre_buffer=False, buffer_size=1 << 20) as file:
            groups, first = _groups_from(file.metadata, first)
            batches = file.iter_batches(batch_size=min(rows, _BATCH), row_groups=groups)
            tables = (pa.Table.from_batches([batch]) for batch in batches)
            for table in regrouped(tables, rows, first, pa.concat_tables, file.schema_arrow.empty_table()):
                found = [pair for pair in zip(self.names, table.columns, strict=True) if pair[0] not in self.left_out]
                yield replace(self._about, fields=[self._field(*pair) for pair in found])

    def _field(self, name, array):
        return arrow.field(name, array, self._columns.get(name), lambda: self._length(name))

    def _length(self, name):
        """Length of the first list of a column in the file that is not empty; 0 if all are."""
        if name not in self._lengths:
            stored = self._stored[self.names.index(name)]
            self._lengths[name] = 0
            with self._open(pre_buffer=False) as file:
                for batch in file.iter_batches(columns=[stored], batch_size=_BATCH):
                    longest = arrow.load().compute.max(batch.column(0).value_lengths()).as_py()
                    if longest:
                        self._lengths[name] = longest
                        break
        return self._lengths[name]


def _groups_from(metadata, first):
    """Row groups that hold the rows from ``first`` on, and the number of rows before it in the first of them."""
    for group in range(metadata.num_row_groups):
        inside = metadata.row_group(group).num_rows
        if first < inside:
            return list(range(group, metadata.num_row_groups)), first
        first -= inside
    return [], 0


def described(metadata):
    """What the metadata of an Arrow schema say: a content without fields, and the declarations of columns by name."""
    metadata = metadata or {}
    if metadata.get(_HEADER):
        table, parents = votable_header.parse(io.BytesIO(metadata[_HEADER]))
        fields = [votable_header.make_field(one, one.name, np.zeros(0), None) for one in table.fields]
        return votable_header.about(table, parents, []), {item.column.name: item.column for item in fields}
    if metadata.get(_ASTROPY):
        _, about, declared = foreign.described(metadata[_ASTROPY].decode("utf-8").split("\n"))
        return Content([], about), declared
    return Content([]), {}
