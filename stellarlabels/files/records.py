"""Columns packed into rows of big-endian bytes, as FITS and VOTable both store them."""

import numpy as np

from stellarlabels.exceptions import InputError

__all__ = ["Packer"]


class Packer:
    """Turns columns into a structured array of rows, any slice of them at a time.

    Parameters
    ----------
    fields : list of `~stellarlabels.files.content.Field`
    unicode : bool
        Whether text that is not ASCII is packed as UTF-16; if not, it is an error.
    null_flags : bool
        Whether each row begins with one bit for each column, set where the whole cell is missing.
    null_truth : bytes
        The character that stands for a missing boolean.

    Attributes
    ----------
    dtype : `~numpy.dtype`
        Of the rows.
    nulls : list of int or None
        For each column of integers with missing values, the integer that stands for them where there is no flag for
        the cell.

    Raises
    ------
    InputError
        If a column holds text that is not ASCII and ``unicode`` is False.
    """

    def __init__(self, fields, *, unicode, null_flags, null_truth):
        self.fields = fields
        self.null_truth = ord(null_truth)
        for item in fields:
            if item.kind == "U" and not unicode and not item.is_ascii:
                raise InputError(f"column {item.column.name!r}: this format holds ASCII text only")
        self.nulls = [self._null(item, null_flags) for item in fields]
        formats = [(f"f{i}", self._format(item), item.column.shape) for i, item in enumerate(fields)]
        self._flag_bytes = (len(fields) + 7) // 8 if null_flags else 0
        if null_flags:
            formats.insert(0, ("flags", "u1", (self._flag_bytes,)))
        self.dtype = np.dtype(formats)

    @staticmethod
    def _null(item, null_flags):
        if item.kind not in "iu" or null_flags and not item.column.shape:
            return None
        return item.null

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
