"""Cells that hold arrays, in whatever way a file format delivers them: rectangles, lists of arrays, or text."""

import warnings
from dataclasses import dataclass
from io import StringIO

import numpy as np

from stellarlabels import schema
from stellarlabels.exceptions import InputError

__all__ = ["Ragged", "exact_floats", "holds_arrays", "looks_like_array", "parse"]

_PAIRS = {"(": ")", "[": "]"}
_NULLS = ("null", "None", "none", "--", "masked")


@dataclass(frozen=True)
class Ragged:
    """Arrays of different lengths, one after the other.

    Parameters
    ----------
    values : `~numpy.ndarray` of float64, shape (sum of lengths,)
    lengths : `~numpy.ndarray` of int, shape (N,)
    """

    values: np.ndarray
    lengths: np.ndarray

    @classmethod
    def from_column(cls, column):
        """The cells of a table column.

        Parameters
        ----------
        column : `~astropy.table.Column`, `~astropy.units.Quantity` or array_like
            Two-dimensional, or one-dimensional with arrays, masked arrays or texts as cells. A unit is not looked at.

        Returns
        -------
        `Ragged`
            Masked elements are NaN; masked, empty and missing cells have length 0.

        Raises
        ------
        InputError
            If the cells are neither arrays nor texts of arrays.
        """
        data = schema.without_unit(column)
        if data.ndim == 2 and data.dtype.kind in "fiub":
            values = np.ma.filled(data.astype(np.float64), np.nan)
            return cls(values.ravel(), np.full(values.shape[0], values.shape[1]))
        if data.ndim == 1 and data.dtype.kind == "f" and np.isnan(np.ma.filled(data, np.nan)).all():
            return cls(np.empty(0), np.zeros(data.size, dtype=np.int64))  # nothing in any row
        if data.ndim != 1 or data.dtype.kind not in "OSU":
            raise InputError(f"expected cells that hold arrays of numbers, got dtype {data.dtype}, shape {data.shape}")
        hidden = np.ma.getmaskarray(data)
        cells = [None if masked else cell for cell, masked in zip(data.data, hidden, strict=True)]
        if any(isinstance(cell, str | bytes) for cell in cells):
            return parse([cell.decode() if isinstance(cell, bytes) else cell or "" for cell in cells])
        plain = [_plain(cell) for cell in cells]
        return cls(np.concatenate([np.empty(0), *plain]), np.array([cell.size for cell in plain], dtype=np.int64))

    def matrix(self, length):
        """The arrays as rows of a matrix.

        Parameters
        ----------
        length : int

        Returns
        -------
        `~numpy.ndarray` of float64, shape (N, length)
            NaN throughout in rows of arrays that have another length.
        """
        out = np.full((self.lengths.size, length), np.nan)
        rows = self.lengths == length
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
    data = schema.without_unit(column)
    if data.ndim > 1 or data.dtype.kind == "O":
        return True
    return data.dtype.kind == "U" and any(looks_like_array(text) for text in data[:20].compressed())


def looks_like_array(text):
    """Whether a text is written as an array: in round or square brackets."""
    text = text.strip()
    return len(text) > 1 and _PAIRS.get(text[0]) == text[-1]


def parse(texts):
    """Texts such as ``(1.0, 2.0)``, ``[1.0,null]`` or ``[1. 2.]`` as numbers.

    Parameters
    ----------
    texts : list of str
        In round or square brackets; numbers separated by commas, or by blanks as NumPy prints them. An empty text is a
        missing array.

    Returns
    -------
    `Ragged`
        Correctly rounded; null, None, nan and -- are NaN.

    Raises
    ------
    InputError
        If a text is not an array of numbers, or was abbreviated with dots when it was written.
    """
    bodies = [_body(text) for text in texts]
    lengths = np.array([body.count(",") + 1 if body else 0 for body in bodies], dtype=np.int64)
    lines = ",".join(body for body in bodies if body).replace(" ", "").replace(",", "\n")
    return Ragged(_numbers(lines, int(lengths.sum())), lengths)


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
    import pandas as pd

    if not count:
        return np.empty(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            frame = pd.read_csv(
                StringIO(lines),
                header=None,
                names=["value"],
                dtype=np.float64,
                na_values=_NULLS,
                skip_blank_lines=False,
                index_col=False,
                quoting=3,
                **exact_floats(),
            )
    except (ValueError, pd.errors.ParserWarning) as error:
        raise InputError(f"an array does not hold numbers: {error}") from error
    if len(frame) != count:
        raise InputError(f"expected {count} numbers in the arrays, found {len(frame)}")
    return frame["value"].to_numpy()


def exact_floats():
    """Options with which `pandas.read_csv` rounds correctly; new versions do so of themselves."""
    import pandas as pd

    version = tuple(int(part) for part in pd.__version__.split(".")[:2])
    return {} if version >= (3, 1) else {"float_precision": "round_trip"}


def _shorten(text):
    return repr(text if len(text) <= 60 else f"{text[:40]}...{text[-15:]}")
