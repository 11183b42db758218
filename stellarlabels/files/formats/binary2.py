"""Rows of a VOTable in BINARY2 (read also in BINARY): packed in base64, and unpacked, thousands of rows at a time.

Astropy takes the rows one by one. Here a row is a record of a NumPy array, which needs cells of fixed size; a file that
has other ones is left to Astropy.
"""

import io
import os
import re
from binascii import Error, a2b_base64, b2a_base64

import numpy as np

from stellarlabels.exceptions import ReadError
from stellarlabels.files.formats.votable_header import (
    DATATYPES,
    VOTable,
    about,
    check_elements,
    make_field,
    parse,
)
from stellarlabels.files.records import text as text_of
from stellarlabels.files.sheets import regrouped

#: 57 bytes make a line of 76 characters of base64.
_LINE = 57
#: Characters that are read at a time; the header and what follows the rows have to be smaller.
_WINDOW = 1 << 22
_START = re.compile(
    rb"<(?:[\w.-]+:)?DATA\s*>\s*<(?:[\w.-]+:)?BINARY(2?)\s*>\s*<(?:[\w.-]+:)?STREAM\s+encoding\s*=\s*[\"']base64[\"']\s*>"
)
_END = re.compile(rb"</(?:[\w.-]+:)?STREAM\s*>\s*</(?:[\w.-]+:)?BINARY2?\s*>\s*</(?:[\w.-]+:)?DATA\s*>")
_TABLE = re.compile(rb"<(?:[\w.-]+:)?TABLE\b")
_DTYPES = {name: f">{code}" for code, name in DATATYPES.items()}
_DTYPES |= {"boolean": "u1", "char": "S", "unicodeChar": "S"}


def rows(packer, part):
    """Rows in base64, in lines of 76 characters; parts whose number of rows is a multiple of 57 can be joined."""
    raw = packer.rows(part).view(np.uint8)
    whole = len(raw) // _LINE
    lines = np.full((whole, _LINE // 3 * 4 + 1), ord("\n"), np.uint8)
    encoded = b2a_base64(raw[: whole * _LINE].data, newline=False)
    lines[:, :-1] = np.frombuffer(encoded, np.uint8).reshape(whole, _LINE // 3 * 4)
    rest = raw[whole * _LINE :]
    return lines.tobytes() + (b2a_base64(rest.data) if len(rest) else b"")


def find(place):
    """The table of a document; None if it is in another serialization, is not alone, or has cells of varying size."""
    with place.open() as stream:
        head = stream.read(_WINDOW)
        start = _START.search(head)
        if start is None or len(_TABLE.findall(head)) != 1 or b"<!" in head[: start.start()]:
            return None
        size = stream.seek(0, os.SEEK_END)
        first = max(size - _WINDOW, start.end())
        stream.seek(first)
        tail = stream.read()
    end = _END.search(tail)
    if end is None or _START.search(tail, end.end()):
        return None
    document = head[: start.start()] + tail[end.end() :]
    check_elements(head[: start.start() + len(b"<DATA ")])
    if not all(re.search(rb"\sdatatype\s*=", tag) for tag in re.findall(rb"<(?:[\w.-]+:)?FIELD\b[^>]*>", document)):
        return None
    table, parents = parse(io.BytesIO(document))
    formats = [_format(declared) for declared in table.fields]
    if None in formats or not formats:
        return None
    flags = [("flags", "u1", ((len(formats) + 7) // 8,))] if start[1] else []
    dtype = np.dtype([*flags, *((f"f{index}", *item) for index, item in enumerate(formats))])
    return Packed(place, (start.end(), first + end.start()), table, parents, dtype)


def _format(declared):
    """The dtype and shape of a cell; None if its size varies."""
    base = _DTYPES.get(declared.datatype)
    sizes = declared.arraysize or ""
    if base is None or sizes in ("0", "1") and base != "S" or not re.fullmatch(r"(\d+(x\d+)*)?", sizes):
        return None
    shape = [int(size) for size in reversed(sizes.split("x"))] if sizes else []
    if base == "S":
        width = (shape.pop() if shape else 1) * (2 if declared.datatype == "unicodeChar" else 1)
        base = f"S{width}"
        if not width:
            return None
    return base, tuple(shape)


class Packed(VOTable):
    """A table whose rows are records in base64; ``span`` is where these begin and end."""

    def __init__(self, place, span, element, parents, dtype):
        super().__init__(place, element, parents)
        self._span, self._dtype = span, dtype

    def read(self, declared=None):
        """All rows; each window of the file goes straight to its place in arrays, so that there is one copy."""
        most = (self._span[1] - self._span[0]) * 3 // 4 // self._dtype.itemsize
        pairs = self._columns(np.zeros(0, self._dtype))
        out = [tuple(np.empty((most, *one.shape[1:]), one.dtype) for one in pair) for pair in pairs]
        filled = 0
        for records in self._records():
            part = slice(filled, filled + len(records))
            for (data, mask), (values, nulls) in zip(out, self._columns(records), strict=True):
                data[part], mask[part] = values, nulls
            filled = part.stop
        self._check(filled)
        return self._content([(data[:filled], mask[:filled]) for data, mask in out])

    def blocks(self, rows, first=0, declared=None):
        number, nothing = first, np.zeros(0, self._dtype)
        for records in regrouped(self._records(), rows, first, np.concatenate, nothing):
            number += len(records)
            yield self._content(self._columns(records))
        self._check(number, first)

    def _check(self, number, first=0):
        """Refuse another number of rows than the table says it has."""
        said = self.element.nrows
        if said and number != max(said, first):
            raise ReadError(f"the VOTable says that it has {said} rows, but it has {number}")

    def _content(self, pairs):
        fields = [make_field(*declared, *pair) for declared, pair in zip(self.declared, pairs, strict=True)]
        return about(self.element, self.parents, fields)

    def _records(self):
        """The rows as records, as many at a time as there are in a window of the file."""
        text, raw = b"", b""
        with self.place.open() as stream:
            left = self._span[1] - stream.seek(self._span[0])
            while left:
                window = stream.read(min(_WINDOW, left))
                left -= len(window)
                text += window.translate(None, b" \t\r\n")
                whole = len(text) // 4 * 4 if left else len(text)
                try:
                    raw += a2b_base64(text[:whole])
                except Error as error:
                    raise ReadError(f"the rows of the table are not in base64: {error}") from error
                if b"<" in window:
                    raise ReadError("there are elements among the rows of the table")
                text = text[whole:]
                whole = len(raw) // self._dtype.itemsize
                if whole:
                    yield np.frombuffer(raw, self._dtype, whole)
                raw = raw[whole * self._dtype.itemsize :]
        if raw:
            raise ReadError(f"the table ends within a row, {len(raw)} bytes after its beginning")

    def _columns(self, records):
        """Values of each column, and where they are null."""
        fields = self.element.fields
        flags = np.zeros((len(records), len(fields)), bool)
        if "flags" in self._dtype.names:
            flags = np.unpackbits(records["flags"], axis=1).view(bool)
        return [_unpacked(declared, records[f"f{index}"], flags[:, index]) for index, declared in enumerate(fields)]


def _unpacked(declared, cells, flags):
    """Values of a column and where they are null."""
    data, null = cells, None
    if declared.datatype == "boolean":
        data = np.isin(cells, np.frombuffer(b"Tt1", np.uint8))
        null = ~data & ~np.isin(cells, np.frombuffer(b"Ff0", np.uint8))
    elif cells.dtype.kind == "S":
        data = text_of(cells, "utf-16-be" if declared.datatype == "unicodeChar" else "utf-8")
    elif cells.dtype.kind in "iu" and declared.values.null is not None:
        null = cells == declared.values.null
    data = data.astype(data.dtype.newbyteorder("="), copy=False)
    mask = np.broadcast_to(flags.reshape(-1, *[1] * (data.ndim - 1)), data.shape)
    return data, mask if null is None else mask | null
