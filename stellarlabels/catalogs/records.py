"""Columns packed into rows of big-endian bytes, as FITS and VOTable both store them."""

import numpy as np

from stellarlabels.exceptions import InputError

__all__ = ["Packer"]


class Packer:
    """Turns columns into a structured array of rows, any slice of them at a time.

    Parameters
    ----------
    fields : list of `~stellarlabels.catalogs.content.Field`
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
        self._texts = [self._encoded(item, unicode) if item.kind == "U" else None for item in fields]
        self.nulls = [self._null(item, null_flags) for item in fields]
        formats = [
            (f"f{i}", self._format(item, text), item.column.shape)
            for i, (item, text) in enumerate(zip(fields, self._texts, strict=True))
        ]
        self._flag_bytes = (len(fields) + 7) // 8 if null_flags else 0
        if null_flags:
            formats.insert(0, ("flags", "u1", (self._flag_bytes,)))
        self.dtype = np.dtype(formats)

    @staticmethod
    def _encoded(item, unicode):
        if item.is_ascii:
            return item.data.astype(np.bytes_)
        if not unicode:
            raise InputError(f"column {item.column.name!r}: this format holds ASCII text only")
        try:
            return np.char.encode(item.data, "utf-16-be")
        except UnicodeEncodeError as error:
            raise InputError(f"column {item.column.name!r}: its text is not Unicode ({error})") from error

    @staticmethod
    def _null(item, null_flags):
        if item.kind not in "iu" or null_flags and not item.column.shape:
            return None
        return item.null()

    @staticmethod
    def _format(item, text):
        if item.kind == "b":
            return "u1"
        if text is None:
            return item.data.dtype.newbyteorder(">")
        width = max(text.dtype.itemsize, 1)
        return f"S{width if item.is_ascii else width + width % 2}"

    def rows(self, part):
        """The rows of a slice as a structured array."""
        out = np.zeros(len(range(*part.indices(len(self.fields[0].data)))), self.dtype)
        for index, (item, text, null) in enumerate(zip(self.fields, self._texts, self.nulls, strict=True)):
            data, mask = item.data[part], item.mask[part]
            if item.kind == "b":
                data = np.where(mask, self.null_truth, np.where(data, ord("T"), ord("F")))
            elif text is not None:
                data = text[part]
            elif null is not None:
                data = np.where(mask, null, data)
            out[f"f{index}"] = data
        if self._flag_bytes:
            out["flags"] = np.packbits(self._empty_cells(part), axis=1)
        return out

    def _empty_cells(self, part):
        """Whether each cell is missing altogether, (N, columns)."""
        masks = [item.mask[part] for item in self.fields]
        return np.stack([mask.reshape(len(mask), -1).all(axis=1) if mask.ndim > 1 else mask for mask in masks], axis=1)
