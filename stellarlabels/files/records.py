"""Columns packed into rows of big-endian bytes, as FITS and VOTable both store them, and text out of such bytes."""

import numpy as np

from stellarlabels.exceptions import InputError


class Packer:
    """Turns fields into a structured array of rows, any slice of them at a time."""

    # "unicode" says whether text that is not ASCII is packed as UTF-16 or an error, "null_flags" whether each row
    # begins with a bit for each column that is set where the whole cell is missing, "null_truth" which character stands
    # for a missing boolean. "dtype" is that of the rows, "nulls" has for each column of integers with missing values
    # the integer that stands for them where there is no flag for the cell.

    def __init__(self, fields, *, unicode, null_flags, null_truth):
        self.fields = fields
        self.null_truth = ord(null_truth)
        for item in fields:
            if item.kind == "O":
                raise InputError(f"column {item.column.name!r}: cells of several lengths are not written")
            if item.kind == "U" and not unicode and not item.is_ascii:
                raise InputError(f"column {item.column.name!r}: this format holds ASCII text only")
        # Where a flag tells of the whole cell, only arrays need an integer for what is missing in them.
        self.nulls = [
            item.null if item.kind in "iu" and (item.column.shape or not null_flags) else None for item in fields
        ]
        formats = [(f"f{i}", self._format(item), item.column.shape) for i, item in enumerate(fields)]
        self._flag_bytes = (len(fields) + 7) // 8 if null_flags else 0
        if null_flags:
            formats.insert(0, ("flags", "u1", (self._flag_bytes,)))
        self.dtype = np.dtype(formats)

    @staticmethod
    def _format(item):
        if item.kind == "b":
            return "u1"
        if item.kind == "U":
            return f"S{item.width if item.is_ascii else 2 * item.width}"
        return item.data.dtype.newbyteorder(">")

    def rows(self, part):
        """The rows of a slice as a structured array."""
        out = np.zeros(len(range(*part.indices(len(self.fields[0].data)))), self.dtype)
        for index, (item, null) in enumerate(zip(self.fields, self.nulls, strict=True)):
            out[f"f{index}"] = self._packed(item, null, part)
        if self._flag_bytes:
            out["flags"] = np.packbits(self._empty_cells(part, len(out)), axis=1)
        return out

    def _packed(self, item, null, part):
        """The values of a slice of a column, nulls in their places."""
        data = item.data[part]
        if item.kind == "b":
            data = np.where(data, np.uint8(ord("T")), np.uint8(ord("F")))
            return np.where(item.mask[part], np.uint8(self.null_truth), data) if item.has_missing else data
        if item.kind == "U":
            return data.astype(np.bytes_) if item.is_ascii else _utf16(item, data)
        return data if null is None else np.where(item.mask[part], data.dtype.type(null), data)

    def _empty_cells(self, part, rows):
        """Whether each cell is missing altogether, (N, columns)."""
        out = np.zeros((rows, len(self.fields)), bool)
        for index, item in enumerate(self.fields):
            if item.has_missing:
                mask = item.mask[part]
                out[:, index] = mask.all(axis=tuple(range(1, mask.ndim)))
        return out


def _utf16(item, data):
    try:
        return np.char.encode(data, "utf-16-be")
    except UnicodeEncodeError as error:
        raise InputError(f"column {item.column.name!r}: its text is not Unicode ({error})") from error


def text(cells, encoding="utf-8"):
    """Text out of bytes; it ends at the first null character. What is no UTF-8 is Latin-1, if that is the encoding."""
    wide = encoding == "utf-16-be"
    kind = ">u2" if wide else "u1"
    size = cells.dtype.itemsize // np.dtype(kind).itemsize
    if not size:
        return np.zeros(cells.shape, "U1")
    codes = np.ascontiguousarray(cells).view(kind).reshape(*cells.shape, size).astype(np.uint32)
    if not codes.all():
        codes[np.logical_or.accumulate(codes == 0, axis=-1)] = 0
    is_coded = (codes >= 0xD800) & (codes < 0xE000) if wide else codes > 0x7F
    if not is_coded.any():
        return codes.view(f"U{size}").reshape(cells.shape)
    lines = [line.tobytes() for line in codes.astype(kind).reshape(-1, size)]
    return np.array([_decoded(line, encoding).rstrip("\0") for line in lines], f"U{size}").reshape(cells.shape)


def _decoded(line, encoding):
    try:
        return line.decode("utf-8" if encoding == "latin-1" else encoding)
    except UnicodeDecodeError:
        return line.decode(encoding, "replace")
