"""Bit masks of the surveys, by name: APOGEE's STARFLAG, ASPCAPFLAG and EXTRATARG, SExtractor's FLAGS.

Examples
--------
>>> from stellarlabels.tables.quality import bitmasks
>>> bitmasks.get("extratarg").decode(17)
['NOT_MAIN', 'DUPLICATE']
>>> hex(bitmasks.get("aspcapflag").mask("STAR_BAD"))
'0x800000'
"""

from functools import lru_cache

import numpy as np

from stellarlabels import packaged
from stellarlabels.exceptions import InputError

__all__ = ["Bitmask", "get"]


class Bitmask:
    """The bits of one survey's mask.

    Parameters
    ----------
    name : str
    bits : dict of str to int
        Position of each bit by its name.
    meanings : dict of str to str
    """

    def __init__(self, name, bits, meanings):
        self.name = name
        self.bits = dict(bits)
        self.meanings = dict(meanings)

    def __repr__(self):
        return f"<Bitmask {self.name!r}: {len(self.bits)} bits>"

    def mask(self, *names):
        """The value in which the bits of these names are set.

        Returns
        -------
        int

        Raises
        ------
        InputError
            If there is no bit of a name.
        """
        unknown = [name for name in names if name not in self.bits]
        if unknown:
            raise InputError(f"bit mask {self.name!r} has no bit {unknown[0]!r}; it has {list(self.bits)}")
        return sum(1 << self.bits[name] for name in set(names))

    def decode(self, value):
        """Names of the bits that are set.

        Parameters
        ----------
        value : int
            A negative one is read as the 32-bit two's complement of older releases.

        Returns
        -------
        list of str
            By position; bits without a name come as ``"UNKNOWN_BIT_<n>"``.

        Raises
        ------
        InputError
            If it is no integer.
        """
        if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
            raise InputError(f"value: expected an integer, got {value!r}")
        value = int(value) & 0xFFFFFFFF if value < 0 else int(value)
        known = {bit: name for name, bit in self.bits.items()}
        return [known.get(bit, f"UNKNOWN_BIT_{bit}") for bit in range(value.bit_length()) if value >> bit & 1]

    def any(self, values, *names):
        """Whether any of the bits of these names is set.

        Parameters
        ----------
        values : array_like of int
        *names : str

        Returns
        -------
        `~numpy.ndarray` of bool
        """
        return (np.asarray(values, dtype=np.int64) & self.mask(*names)) != 0


@lru_cache(maxsize=1)
def _read():
    """All masks of the data file."""
    table = packaged.table("quality", "bitmasks")
    out = {}
    for name in dict.fromkeys(table["mask"].tolist()):
        rows = table[table["mask"] == name]
        labels = rows["name"].tolist()
        out[name] = Bitmask(
            name,
            dict(zip(labels, rows["bit"].tolist(), strict=True)),
            dict(zip(labels, rows["meaning"].tolist(), strict=True)),
        )
    return out


def names():
    """Names of the masks: those of the columns in the vocabulary."""
    return list(_read())


def get(name):
    """The mask called ``name``.

    Raises
    ------
    InputError
        If there is none; the message lists those there are.
    """
    try:
        return _read()[name]
    except KeyError:
        raise InputError(f"no bit mask is called {name!r}; there are {names()}") from None
