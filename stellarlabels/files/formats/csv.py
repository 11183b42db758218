"""CSV and its relatives: read only, since they have no place for units, UCDs and nulls.

Numbers and identifiers are read exactly. The types are those that hold every value of a column in the whole file, so
that all pieces of a file have the same; that takes one pass over the file before the pieces are read. Empty cells and
the usual words for nothing (NULL, NaN, ...) are missing values of numbers; texts are kept as they are.
"""

import re
from dataclasses import replace

import numpy as np

from stellarlabels.exceptions import ReadError
from stellarlabels.files.content import Content
from stellarlabels.files.formats import arrow

__all__ = ["blocks", "read"]

#: What separates cells; the one that is most often in the first line.
_DELIMITERS = (",", "|", ";", "\t")


def read(path, declared=None):
    """The content of a text file."""
    pieces = list(blocks(path, 1_000_000, declared))
    fields = [
        replace(
            item,
            data=np.concatenate([piece.fields[number].data for piece in pieces]),
            mask=np.concatenate([piece.fields[number].mask for piece in pieces]),
        )
        for number, item in enumerate(pieces[0].fields)
    ]
    return Content(fields)


def blocks(path, rows, declared=None, first=0):
    """The content of a text file, in pieces of at most so many rows; at least one piece.

    What the schema declares as text or integers is read as such, so that identifiers keep all their digits.
    """
    pa = arrow.load()

    names, delimiter = _header(path)
    types = _types(path, names, delimiter, declared)
    waiting, number, yielded = [], 0, False
    try:
        for batch in _batches(path, names, delimiter, types):
            skipped = min(first, len(batch))
            first, batch = first - skipped, batch.slice(skipped)
            waiting.append(batch)
            number += len(batch)
            while number >= rows:
                table = pa.Table.from_batches(waiting)
                yield _content(table.slice(0, rows))
                yielded, number = True, number - rows
                waiting = table.slice(rows).to_batches()
    except pa.ArrowInvalid as error:
        raise _read_error(path, names, error) from error
    if number or not yielded:
        yield _content(pa.Table.from_batches(waiting, schema=pa.schema(list(types.items()))))


def _header(path):
    """Names of the columns, each once, and the delimiter."""
    pa = arrow.load()

    with pa.input_stream(str(path), compression="detect") as stream:
        text = b""
        while b"\n" not in text and (piece := stream.read(65536)):
            text += piece
    line = text.split(b"\n")[0].decode("utf-8-sig").strip("\r")
    if not line.strip():
        raise ReadError(f"path: {path} has no line of column names")
    delimiter = max(_DELIMITERS, key=line.count)
    names = []
    for name in line.lstrip("#").split(delimiter):
        name = own = name.strip().strip('"').strip()
        number = 1
        while name in names or not name:
            number += 1
            name = f"{own or 'column'}_{number}"
        names.append(name)
    return names, delimiter


def _batches(path, names, delimiter, types, only=None):
    """Record batches of the file, or of some of its columns."""
    pa = arrow.load()

    with pa.input_stream(str(path), compression="detect") as stream:
        try:
            yield from pa.csv.open_csv(
                stream,
                pa.csv.ReadOptions(column_names=names, skip_rows=1, block_size=1 << 22),
                pa.csv.ParseOptions(delimiter=delimiter),
                pa.csv.ConvertOptions(column_types=types, null_values=_null_words(), include_columns=only),
            )
        except pa.ArrowInvalid as error:
            if "Empty CSV file" not in str(error):
                raise


def _null_words():
    return [*arrow.load().csv.ConvertOptions().null_values, "None", "none", "-", "--"]


def _types(path, names, delimiter, declared):
    """For each column, the type that holds all its values: what the schema says, or what is found in the whole file."""
    pa = arrow.load()
    known = {} if declared is None else {name: declared[name] for name in names if name in declared}
    types = {name: _of(pa, column) for name, column in known.items()}
    open_ones = [name for name in names if types.get(name) in (None, pa.int64())]
    while open_ones:
        try:
            for batch in _batches(path, names, delimiter, types, open_ones):
                for item in batch.schema:
                    types.setdefault(item.name, _simple(pa, item.type))
            break
        except pa.ArrowInvalid as error:
            name = _culprit(error, names)
            if name is None or types.get(name) == pa.string():
                raise _read_error(path, names, error) from error
            is_free = name not in known  # an identifier is never widened to floats
            types[name] = pa.float64() if types.get(name) == pa.int64() and is_free else pa.string()
    return {name: types.get(name, pa.string()) for name in names}


def _of(pa, column):
    """The type in which a declared column is read. Small integers may be written as floats, which hold them exactly."""
    if column.is_text or column.shape:
        return pa.string()
    return pa.int64() if column.dtype == "int64" else pa.float64()


def _culprit(error, names):
    """The column that an error of Arrow is about, if it is about one."""
    found = re.search(r"CSV column #(\d+)", str(error))
    return names[int(found[1])] if found else None


def _read_error(path, names, error):
    name = _culprit(error, names)
    where = "" if name is None else f", column {name!r}"
    return ReadError(f"path: {path}{where} could not be read as CSV: {error}")


def _simple(pa, kind):
    """One of the types that are used here."""
    if pa.types.is_null(kind) or pa.types.is_int64(kind):
        return pa.int64()
    return kind if kind in (pa.float64(), pa.bool_()) else pa.string()


def _content(table):
    """The content of an Arrow table."""
    return Content([arrow.field(name, table[name]) for name in table.column_names])
