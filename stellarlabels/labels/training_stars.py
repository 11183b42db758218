"""A compact set of the stars that networks were trained with: a Bloom filter of their identifiers."""

import math

import numpy as np

from stellarlabels import columns

#: Share of other stars that are taken for one of the set.
RATE = 1e-3


class TrainingStars:
    """Identifiers as a Bloom filter (Bloom 1970, CACM 13, 422): no star of the set is missed, one in 1000 is added."""

    def __init__(self, identifier, bits, hashes, stars):
        self.identifier, self.bits, self.hashes, self.stars = str(identifier), bits, int(hashes), int(stars)
        if bits.dtype != np.uint8 or bits.ndim != 1 or not bits.size or not 1 <= self.hashes <= 64:
            raise ValueError(f"training stars: expected bytes and 1 to 64 hashes, got {bits.dtype} and {hashes}")

    @classmethod
    def of(cls, table, rows):
        """Of rows of a table; None if it has no identifiers that are integers."""
        name = _identifier(table)
        if name is None:
            return None
        values, known = _identifiers(table[rows], name)
        values = np.unique(values[known])
        if not values.size:
            return None
        size = max(8, math.ceil(-values.size * math.log(RATE) / math.log(2) ** 2 / 8))
        out = cls(name, np.zeros(size, np.uint8), max(1, round(size * 8 / values.size * math.log(2))), values.size)
        for place in out._places(values):
            np.bitwise_or.at(out.bits, place >> 3, np.uint8(1) << (place & 7).astype(np.uint8))
        return out

    @classmethod
    def joined(cls, before, table, rows):
        """A set that has rows of a table, too; in place of none a new one."""
        if before is None:
            return cls.of(table, rows)
        name = columns.find(table, before.identifier)
        if name is None or before.has(table[rows]).all():
            return before
        values, known = _identifiers(table[rows], before.identifier)
        out = cls(
            before.identifier, before.bits.copy(), before.hashes, before.stars + int((~before.has(table[rows])).sum())
        )
        for place in out._places(np.unique(values[known])):
            np.bitwise_or.at(out.bits, place >> 3, np.uint8(1) << (place & 7).astype(np.uint8))
        return out

    def has(self, table):
        """Which rows (N,) of a table are of the set; none without the identifier that it is of."""
        if columns.find(table, self.identifier) is None:
            return np.zeros(len(table), bool)
        values, out = _identifiers(table, self.identifier)
        for place in self._places(values):
            out &= (self.bits[place >> 3] >> (place & 7).astype(np.uint8)) & 1 == 1
        return out

    def _places(self, values):
        """Bits (N,) of identifiers, one array for each hash."""
        first, step = _mixed(values.astype(np.uint64)), _mixed(~values.astype(np.uint64)) | np.uint64(1)
        for number in range(self.hashes):
            yield ((first + np.uint64(number) * step) % np.uint64(8 * self.bits.size)).astype(np.int64)


def _mixed(values):
    """64-bit integers as random ones (SplitMix64, Steele et al. 2014)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _identifier(table):
    """Name in the vocabulary of the table's identifiers, if these are integers."""
    key = columns.identifier(table)
    if key is None or columns.without_unit(table[key]).dtype.kind not in "iu":
        return None
    return next((item.name for item in columns.vocabulary() if columns.find(table, item.name) == key), None)


def _identifiers(table, name):
    """Integers (N,) and which of them are known."""
    data = columns.without_unit(table[columns.find(table, name)])
    if data.dtype.kind not in "iu":
        return np.zeros(len(table), np.int64), np.zeros(len(table), bool)
    return data.filled(0).astype(np.int64), ~np.ma.getmaskarray(data)
