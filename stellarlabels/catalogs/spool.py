"""Columns that wait on the disk until all of their rows have come."""

import tempfile

import numpy as np


class Spool:
    """An unnamed file of arrays in a folder; it vanishes when it is closed or the process ends, in whatever way."""

    def __init__(self, folder):
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        self._end = 0

    def put(self, array):
        """Append an array; the result is where it is, for `get`."""
        place, raw = self._end, np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        self._file.seek(place)
        self._file.write(raw.data)
        self._end += raw.size
        return place

    def get(self, place, dtype, count):
        """So many items of an array that begins at ``place``, one-dimensional."""
        self._file.seek(place)
        return np.frombuffer(self._file.read(dtype.itemsize * count), dtype, count)

    def close(self):
        """Let go of everything."""
        self._file.close()


class SpooledArray:
    """An array in a spool, of a dtype (texts may be wider in places) and the shape of a row; gives slices of rows."""

    def __init__(self, spool, dtype, shape=()):
        self._spool = spool
        self._size = int(np.prod(shape, dtype=int))
        self._shape = shape
        self._pieces, self._starts = [], [0]
        self.dtype = np.dtype(dtype)

    def append(self, array):
        """Add rows; an integer is a number of rows that are all zero, False or empty."""
        if isinstance(array, int):
            self._pieces.append((None, self.dtype))
            rows = array
        else:
            self._pieces.append((self._spool.put(array), array.dtype))
            self.dtype = np.promote_types(self.dtype, array.dtype)
            rows = len(array)
        self._starts.append(self._starts[-1] + rows)

    def __len__(self):
        return self._starts[-1]

    @property
    def shape(self):
        """Shape of the whole array."""
        return (len(self), *self._shape)

    def __getitem__(self, rows):
        first, last, _ = rows.indices(len(self))
        out = np.zeros((max(last - first, 0), *self._shape), self.dtype)
        piece = max(int(np.searchsorted(self._starts, first, "right")) - 1, 0)
        while piece < len(self._pieces) and self._starts[piece] < last:
            begin, end = max(first, self._starts[piece]), min(last, self._starts[piece + 1])
            place, dtype = self._pieces[piece]
            if place is not None and end > begin:
                place += (begin - self._starts[piece]) * self._size * dtype.itemsize
                found = self._spool.get(place, dtype, (end - begin) * self._size)
                out[begin - first : end - first] = found.reshape(-1, *self._shape)
            piece += 1
        return out
