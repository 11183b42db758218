"""Cells that hold arrays, in whatever way a file format delivers them: rectangles, lists of arrays, or text."""

from dataclasses import dataclass

import numpy as np

from stellarlabels.columns.column import without_unit
from stellarlabels.exceptions import InputError

_PAIRS = {"(": ")", "[": "]"}
_NULLS = ("null", "None", "none", "--", "masked")

#: Texts of a whole cell without an array.
_MISSING = (*_NULLS, "", "nan", "NaN", "NA", "N/A", "NULL")


@dataclass(frozen=True)
class Ragged:
    """Arrays of different lengths, one after the other: all values, and the length of each."""

    values: np.ndarray
    lengths: np.ndarray

    @classmethod
    def from_column(cls, column):
        """The cells of a column, 2-d, arrays or texts: masked elements are NaN, missing cells have no length."""
        data = without_unit(column)
        if data.ndim == 2 and data.dtype.kind in "fiub":
            values = np.ma.filled(data.astype(np.float64), np.nan)
            return cls(values.ravel(), np.full(values.shape[0], values.shape[1]))
        if data.ndim == 1 and data.dtype.kind == "f" and np.isnan(np.ma.filled(data, np.nan)).all():
            return cls(np.empty(0), np.zeros(data.size, dtype=np.int64))  # nothing in any row
        if data.ndim != 1 or data.dtype.kind not in "OSU":
            raise InputError(f"expected cells that hold arrays of numbers, got dtype {data.dtype}, shape {data.shape}")
        hidden = np.ma.getmaskarray(data)
        cells = [None if masked else cell for cell, masked in zip(data.data, hidden, strict=True)]
        cells = [cell.decode() if isinstance(cell, bytes) else cell for cell in cells]
        if cells and all(cell is None or isinstance(cell, str) for cell in cells):
            return parse([cell or "" for cell in cells])
        cells = [parse([cell]).values if isinstance(cell, str) else cell for cell in cells]
        plain = [_plain(cell) for cell in cells]
        return cls(np.concatenate([np.empty(0), *plain]), np.array([cell.size for cell in plain], dtype=np.int64))

    def matrix(self, length):
        """The arrays as rows of a matrix; NaN throughout in rows of arrays that have another length."""
        rows = self.lengths == length
        if rows.all():
            return self.values.reshape(-1, length)
        out = np.full((self.lengths.size, length), np.nan)
        out[rows] = self.rows(rows, length)
        return out

    def rows(self, chosen, length):
        """The chosen arrays, all of ``length``, as a matrix."""
        starts = np.cumsum(self.lengths) - self.lengths
        return self.values[starts[chosen][:, None] + np.arange(length)]

    def cells(self):
        """The arrays as a matrix if they are all of one length, else as an array of arrays."""
        if self.lengths.size and (self.lengths == self.lengths[0]).all():
            return self.values.reshape(self.lengths.size, -1)
        out = np.empty(self.lengths.size, dtype=object)
        out[:] = np.split(self.values, np.cumsum(self.lengths)[:-1]) if self.lengths.size else []
        return out


def _plain(cell):
    """One cell as a one-dimensional float array; empty for what is missing (None, NaN, masked)."""
    if cell is None or cell is np.ma.masked or (np.ndim(cell) == 0 and not isinstance(cell, np.ndarray)):
        return np.empty(0)
    try:
        return np.ma.filled(np.ma.asarray(cell).astype(np.float64), np.nan).ravel()
    except (TypeError, ValueError) as error:
        raise InputError(f"expected arrays of numbers, got {str(cell)[:60]!r}") from error


def holds_arrays(column):
    """Whether the cells of a column are arrays (or texts that look like arrays)."""
    data = without_unit(column)
    if data.ndim > 1 or data.dtype.kind == "O":
        return True
    return data.dtype.kind == "U" and any(looks_like_array(text) for text in data[:20].compressed())


def looks_like_array(text):
    """Whether a text is written as an array: in round or square brackets."""
    text = text.strip()
    return len(text) > 1 and _PAIRS.get(text[0]) == text[-1]


def parse(texts):
    """Texts such as ``(1.0, 2.0)``, ``[1.0,null]`` or ``[1. 2.]`` as correctly rounded numbers; null is NaN."""
    # An empty text is a missing array; an InputError names what is no array, or was abbreviated with dots.
    bodies = [_body(text) for text in texts]
    lengths = np.array([body.count(",") + 1 if body else 0 for body in bodies], dtype=np.int64)
    lines = ",".join(body for body in bodies if body).replace(" ", "").replace(",", "\n")
    return Ragged(_numbers(lines, int(lengths.sum())), lengths)


def parse_column(texts, dtype=np.float64):
    """As `parse`, for a column of texts in Arrow's memory, without an object for each; values in float64 or float32."""
    parts = [_parse_chunk(chunk, dtype) or _parse_texts(chunk.to_pylist()) for chunk in texts.chunks]
    lengths = [np.empty(0, dtype=np.int64), *(part.lengths for part in parts)]
    values = [np.empty(0, dtype), *(part.values for part in parts)]
    return Ragged(np.concatenate(values, dtype=dtype, casting="same_kind"), np.concatenate(lengths))


def _parse_texts(texts):
    return parse(["" if text is None or text.strip() in _MISSING else text for text in texts])


def _parse_chunk(texts, dtype):
    """Arrays of plain numbers between brackets, separated by commas; None for texts of any other kind."""
    import pyarrow as pa

    _, offsets, content = texts.buffers()
    offsets = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    letters = np.frombuffer(content or b"", np.uint8)[offsets[0] : offsets[-1]]
    starts, stops = offsets[:-1] - offsets[0], offsets[1:] - offsets[0]
    there = stops > starts
    last = stops[there] - 1
    pairs = np.stack([letters[starts[there]], letters[last]], axis=1)
    closed = (pairs == list(b"()")).all(axis=1) | (pairs == list(b"[]")).all(axis=1)
    if not closed.all():
        return None
    if not closed.size:
        return Ragged(np.empty(0, dtype), np.zeros(there.size, np.int64))
    is_end = letters == ord(",")
    is_end[last] = True
    ends = np.flatnonzero(is_end)
    # Numbers are separated by commas, with a blank after each comma or after none. Whatever else is there is an error.
    blanks = np.count_nonzero(letters[ends[:-1] + 1] == ord(" "))
    if blanks not in (0, ends.size - last.size):
        return None
    # Each number and what is between it and the next one is a text; the latter are hidden.
    edges = np.empty(2 * ends.size + 1, np.int32)
    edges[0], edges[1::2] = 1, ends
    np.add(ends, 2 if blanks else 1, out=edges[2::2], casting="unsafe")
    numbers = np.searchsorted(ends, last)
    edges[2 * numbers + 2] = last + 2
    edges[-1] = letters.size
    shown = np.full(edges.size // 8 + 1, 0b01010101, np.uint8)
    buffers = [pa.py_buffer(shown), pa.py_buffer(edges), pa.py_buffer(letters)]
    try:
        values = pa.Array.from_buffers(pa.string(), edges.size - 1, buffers).cast(pa.from_numpy_dtype(dtype))
    except pa.ArrowInvalid:
        return None
    lengths = np.zeros(there.size, np.int64)
    lengths[there] = np.diff(numbers, prepend=-1)
    return Ragged(np.frombuffer(values.buffers()[1], dtype)[: 2 * ends.size : 2].copy(), lengths)


def _body(text):
    """What is between the brackets, with commas between the numbers."""
    text = text.strip()
    if not text:
        return ""
    if not looks_like_array(text):
        raise InputError(f"expected an array such as (1.0, 2.0), got {_shorten(text)}")
    body = text[1:-1]
    if "..." in body:
        raise InputError(f"an array was abbreviated with dots when it was written: {_shorten(text)}")
    if "np." in body:  # the repr of NumPy 2 scalars
        for name in ("np.float64(", "np.float32(", ")"):
            body = body.replace(name, "")
    if "\n" in body or "," not in body:
        body = ",".join(body.replace(",", " ").split())
    return body.strip().removesuffix(",")


def _numbers(lines, count):
    """Numbers, one a line."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not count:
        return np.empty(0)
    texts = pa.array(lines.split("\n"), pa.string())
    texts = pc.if_else(pc.is_in(texts, pa.array([*_NULLS, ""])), "nan", pc.replace_substring_regex(texts, r"^\+", ""))
    try:
        values = texts.cast(pa.float64())
    except pa.ArrowInvalid as error:
        raise InputError(f"an array does not hold numbers: {error}") from error
    if len(values) != count:
        raise InputError(f"expected {count} numbers in the arrays, found {len(values)}")
    return np.array(values)


def _shorten(text):
    return repr(text if len(text) <= 60 else f"{text[:40]}...{text[-15:]}")
