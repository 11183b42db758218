"""Rows of a VOTable in BINARY2 (read also in BINARY): packed in base64, and unpacked, thousands of rows at a time.

Astropy takes the rows one by one. Here a row is a record of a NumPy array, which needs cells of fixed size; a file that
has other ones is left to Astropy.
"""

import copy
import io
import os
import re
from binascii import Error, a2b_base64, b2a_base64

import numpy as np

from stellarlabels.exceptions import ReadError
from stellarlabels.files.formats.votable_header import check_elements, parse, values_of
from stellarlabels.files.records import text as text_of

#: 57 bytes make a line of 76 characters of base64.
_LINE = 57
#: Characters that are read at a time; the header and what follows the rows have to be smaller.
_WINDOW = 1 << 22
_START = re.compile(
    rb"<(?:[\w.-]+:)?DATA\s*>\s*<(?:[\w.-]+:)?BINARY(2?)\s*>\s*<(?:[\w.-]+:)?STREAM\s+encoding\s*=\s*[\"']base64[\"']\s*>"
)
_END = re.compile(rb"</(?:[\w.-]+:)?STREAM\s*>\s*</(?:[\w.-]+:)?BINARY2?\s*>\s*</(?:[\w.-]+:)?DATA\s*>")
_TABLE = re.compile(rb"<(?:[\w.-]+:)?TABLE\b")
_DTYPES = {
    "boolean": "u1",
    "unsignedByte": "u1",
    "short": ">i2",
    "int": ">i4",
    "long": ">i8",
    "float": ">f4",
    "double": ">f8",
    "char": "S",
    "unicodeChar": "S",
}


def rows(packer, part):
    """Rows in base64, in lines of 76 characters; parts whose number of rows is a multiple of 57 can be joined."""
    raw = packer.rows(part).view(np.uint8)
    whole = len(raw) // _LINE
    lines = np.full((whole, _LINE // 3 * 4 + 1), ord("\n"), np.uint8)
    encoded = b2a_base64(raw[: whole * _LINE].data, newline=False)
    lines[:, :-1] = np.frombuffer(encoded, np.uint8).reshape(whole, _LINE // 3 * 4)
    rest = raw[whole * _LINE :]
    return lines.tobytes() + (b2a_base64(rest.data) if len(rest) else b"")


def find(stream):
    """The `Rows` of a VOTable in a seekable stream, or None."""
    # None if the first table is in another serialization, is not the only one, or has cells of varying size.
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
    return Rows(stream, (start.end(), first + end.start()), table, parents, formats, has_flags=bool(start[1]))


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


class Rows:
    """The rows of a table in a stream: where the base64 text is, and what the document says of the table."""

    def __init__(self, stream, place, element, parents, formats, *, has_flags=True):
        self._stream, (self._start, self._end) = stream, place
        self.element, self.parents, self.fields = element, parents, element.fields
        flags = [("flags", "u1", ((len(formats) + 7) // 8,))] if has_flags else []
        self.dtype = np.dtype([*flags, *((f"f{i}", *item) for i, item in enumerate(formats))])

    @property
    def infos(self):
        """All INFO elements around the table."""
        return [info for parent in self.parents for info in getattr(parent, "infos", ())]

    @property
    def meta(self):
        """Values of all parameters and infos, by name."""
        return {name: value for parent in self.parents for name, value in values_of(parent).items()}

    def at(self, stream):
        """The same rows in another stream of the same file."""
        out = copy.copy(self)
        out._stream = stream
        return out

    def blocks(self, rows, first=0):
        """Some rows at a time from ``first`` on, one block at least: values of each column, and where they are null."""
        kept, count, is_first = [], 0, True
        for records in self._records():
            passed = min(first, len(records))
            first, records = first - passed, records[passed:]
            kept.append(records)
            count += len(records)
            if count >= rows:
                joined = np.concatenate(kept)
                for first in range(0, count - rows + 1, rows):
                    yield self._columns(joined[first : first + rows])
                    is_first = False
                kept = [joined[count - count % rows :]]
                count %= rows
        if count or is_first:
            yield self._columns(np.concatenate(kept) if kept else np.zeros(0, self.dtype))

    def arrays(self):
        """All rows: for each column, its values and where they are null."""
        most = (self._end - self._start) * 3 // 4 // self.dtype.itemsize
        out, filled = None, 0
        for records in self._records():
            part = slice(filled, filled + len(records))
            columns = self._columns(records)
            if out is None:
                out = [tuple(np.empty((most, *one.shape[1:]), one.dtype) for one in pair) for pair in columns]
            for whole, piece in zip(out, columns, strict=True):
                whole[0][part], whole[1][part] = piece
            filled = part.stop
        out = self._columns(np.zeros(0, self.dtype)) if out is None else out
        return [(data[:filled], mask[:filled]) for data, mask in out]

    def _records(self):
        """The rows as records, as many at a time as there are in a window of the file."""
        self._stream.seek(self._start)
        left = self._end - self._start
        text, raw = b"", b""
        while left:
            window = self._stream.read(min(_WINDOW, left))
            left -= len(window)
            text += window.translate(None, b" \t\r\n")
            whole = len(text) // 4 * 4 if left else len(text)
            try:
                raw += a2b_base64(text[:whole])
            except Error as error:
                raise ReadError(f"path: the rows of the table are not in base64: {error}") from error
            if b"<" in window:
                raise ReadError("path: there are elements among the rows of the table")
            text = text[whole:]
            whole = len(raw) // self.dtype.itemsize
            if whole:
                yield np.frombuffer(raw, self.dtype, whole)
            raw = raw[whole * self.dtype.itemsize :]
        if raw:
            raise ReadError(f"path: the table ends within a row, {len(raw)} bytes after its beginning")

    def _columns(self, records):
        if "flags" in self.dtype.names:
            flags = np.unpackbits(records["flags"], axis=1).view(bool)
        else:
            flags = np.zeros((len(records), len(self.fields)), bool)
        return [
            _unpacked(declared, records[f"f{index}"], flags[:, index]) for index, declared in enumerate(self.fields)
        ]


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
