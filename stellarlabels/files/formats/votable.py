"""VOTable: one table, in BINARY2 or in plain text, with units in VOUnits, UCDs, descriptions, nulls and metadata.

The header is in `stellarlabels.files.formats.votable_header`; the rows are packed and unpacked in
`stellarlabels.files.formats.binary2` and `stellarlabels.files.formats.tabledata`, thousands at a time.
"""

import numpy as np

from stellarlabels.exceptions import ReadError
from stellarlabels.files.content import BLOCK
from stellarlabels.files.formats import binary2, tabledata
from stellarlabels.files.formats.votable_header import PLACE, document, make_field, parse
from stellarlabels.files.progress import TEXT, slices
from stellarlabels.files.records import Packer

__all__ = ["blocks", "read", "write"]


def write(content, stream, path, *, serialization="binary2"):
    """Write a content as VOTable.

    Parameters
    ----------
    content : `~stellarlabels.files.content.Content`
    stream : file object
    path : `~pathlib.Path`
    serialization : {"binary2", "tabledata"}
    """
    packer = Packer(content.fields, unicode=True, null_flags=serialization == "binary2", null_truth=b"?")
    head, tail = document(content, packer, serialization).split(PLACE)
    stream.write(head.encode("utf-8"))
    rows, step = {"binary2": (binary2.rows, BLOCK), "tabledata": (tabledata.rows, TEXT)}[serialization]
    for part in slices(len(content), step=step):
        stream.write(rows(packer, part))
    stream.write(tail.encode("utf-8"))


def read(path):
    """The first table of a VOTable file."""
    with open(path, "rb") as stream:
        found = binary2.find(stream)
        if found is not None:
            return found.content(found.arrays())
        stream.seek(0)
        content, table = parse(stream)
    content.fields = [_field(declared, table.array[declared.ID]) for declared in table.fields]
    return content


def blocks(path, rows, first=0):
    """The first table of a VOTable file, some rows at a time.

    Parameters
    ----------
    path : path-like
    rows : int
        Of a block; the last one may have fewer.
    first : int
        Number of rows that are passed over.

    Yields
    ------
    `~stellarlabels.files.content.Content`
        At least one. Only tables in BINARY or BINARY2 with cells of fixed size are read as they come; others are read
        as a whole.
    """
    with open(path, "rb") as stream:
        found = binary2.find(stream)
        if found is not None:
            for arrays in found.blocks(rows, first):
                yield found.content(arrays)
            return
    yield from _sliced(read(path), rows, first)


def _sliced(content, rows, begin):
    begin = min(begin, len(content))
    for first in range(begin, max(len(content), begin + 1), rows):
        yield content.part(slice(first, first + rows))


def _field(declared, column):
    """The column of a FIELD as Astropy has read it."""
    data, mask = np.ma.getdata(column), np.ma.getmaskarray(column).copy()
    if data.dtype.kind in "OS":
        if declared.datatype not in ("char", "unicodeChar"):
            raise ReadError(f"column {declared.name!r} has cells of varying length, which are not supported")
        mask |= np.equal(data, None) if data.dtype.kind == "O" else False
        texts = np.where(mask, "", data).astype(object)
        data = np.array([_decoded(text) for text in texts.flat], dtype=np.str_).reshape(texts.shape)
    return make_field(declared, data, mask)


def _decoded(text):
    return text.decode("utf-8") if isinstance(text, bytes) else str(text)
