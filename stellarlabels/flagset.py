"""One set of flags: its bits with names, meanings and levels, and the way from conditions to bits and back.

The sets themselves are in `stellarlabels.flags`.
"""

import operator
from dataclasses import dataclass

import numpy as np

from stellarlabels.exceptions import InputError

__all__ = ["DTYPE", "LEVELS", "Flag", "FlagSet"]

#: How much a flag says against a value, in this order. A *note* tells something of the star or its input for which the
#: error accounts: the value is good. With *caution* the value may be off by more than its error says. A *bad* value is
#: not to be used.
LEVELS = ("note", "caution", "bad")

#: Type of all columns of flags.
DTYPE = np.int32


@dataclass(frozen=True)
class Flag:
    """One bit of a flag column.

    Parameters
    ----------
    bit : int
        Position of the bit, 0 to 30.
    name : str
        Name in capitals.
    meaning : str
        One sentence: what is true of the value when the bit is set.
    level : {"note", "caution", "bad"}
        How much the bit says against the value; see `LEVELS`.

    Raises
    ------
    InputError
        If there is no such level.
    """

    bit: int
    name: str
    meaning: str
    level: str = "caution"

    def __post_init__(self):
        if self.level not in LEVELS:
            raise InputError(f"flag {self.name!r}: expected a level of {LEVELS}, got {self.level!r}; give one of these")

    @property
    def value(self):
        """The bit's value, ``2**bit``."""
        return 1 << self.bit


class FlagSet:
    """The bits of one kind of flag column.

    Parameters
    ----------
    name : str
        Name in the registry.
    description : str
        What the column qualifies.
    entries : iterable of (str, str) or (str, str, str)
        Name, meaning and level of bit 0, bit 1, and so on; those without a level are of level *caution*.
    zero : str
        What it means that no bit is set.
    good : int
        The value against which nothing is to be said: 0, except in published catalogs of another convention.

    Raises
    ------
    InputError
        If a name appears twice, there are more than 31 bits, or there is no such level.
    """

    def __init__(self, name, description, entries, *, zero="no flag is set", good=0):
        self.name = name
        self.description = description
        self.zero = zero
        self.good = good
        self.flags = tuple(Flag(bit, *entry) for bit, entry in enumerate(entries))
        self._by_name = {flag.name: flag for flag in self.flags}
        if len(self._by_name) != len(self.flags) or len(self.flags) > 31:
            got = [flag.name for flag in self.flags]
            raise InputError(f"flag set {name!r}: expected at most 31 different names, got {got}")

    def __getitem__(self, name):
        try:
            return self._by_name[name].value
        except KeyError:
            raise InputError(f"flag set {self.name!r} has no flag {name!r}; it has {list(self._by_name)}") from None

    def __iter__(self):
        return iter(self.flags)

    def __len__(self):
        return len(self.flags)

    def __repr__(self):
        return f"<FlagSet {self.name!r}: {len(self)} flags>"

    def empty(self, shape):
        """A flag array with no bit set.

        Parameters
        ----------
        shape : int or tuple of int

        Returns
        -------
        `~numpy.ndarray` of int32
        """
        return np.zeros(shape, dtype=DTYPE)

    def where(self, **conditions):
        """Combine conditions into one flag array.

        Parameters
        ----------
        **conditions : array_like of bool
            For each flag's name, where it is set. All broadcast together. A masked condition is not met.

        Returns
        -------
        `~numpy.ndarray` of int32

        Raises
        ------
        InputError
            If the set has no flag of that name.
        """
        arrays = np.broadcast_arrays(*(np.ma.filled(c, False).astype(bool) for c in conditions.values()))
        out = self.empty(arrays[0].shape if arrays else ())
        for name, condition in zip(conditions, arrays, strict=True):
            out |= np.where(condition, self[name], 0).astype(DTYPE)
        return out

    def has(self, value, name):
        """Whether a bit is set.

        Parameters
        ----------
        value : int or array_like of int
            Flags, of any integer type. Masked ones count as 0.
        name : str
            Name of the bit.

        Returns
        -------
        bool or `~numpy.ndarray` of bool
            Of the same shape.

        Raises
        ------
        InputError
            If the set has no such flag, or the values are not integers.
        """
        bit = self[name]
        value, _ = _integers(value)
        return (value & bit) != 0

    def bits(self, level):
        """All bits of a level as one number.

        Parameters
        ----------
        level : {"note", "caution", "bad"}

        Returns
        -------
        int

        Raises
        ------
        InputError
            If there is no such level.
        """
        if level not in LEVELS:
            raise InputError(f"level: expected one of {LEVELS}, got {level!r}; give one of these")
        return sum(flag.value for flag in self.flags if flag.level == level)

    def level(self, value):
        """The highest level of the bits that are set.

        Parameters
        ----------
        value : int or array_like of int
            Flags.

        Returns
        -------
        str or `~numpy.ndarray` of str
            Of the same shape: ``"note"``, ``"caution"`` or ``"bad"``; ``"none"`` where nothing is to be said against
            the value, and where the flag is masked. Bits that the set does not know count as ``"caution"``.

        Raises
        ------
        InputError
            If the values are not integers.
        """
        value, mask = _integers(value)
        against = value & ~self.good
        out = np.full(value.shape, "caution", dtype="U7")
        out[(value & self.good) != self.good] = "bad"  # what says that the value is good is not set
        out[(against & self.bits("bad")) != 0] = "bad"
        out[self.is_good(value)] = "note"
        out[(value == self.good) | mask] = "none"
        return out[()]

    def is_good(self, value):
        """Whether the value can be used: neither a flag of level *caution* nor of level *bad* is set.

        Parameters
        ----------
        value : int or array_like of int
            Flags. Masked ones are not good. Bits that the set does not know count as *caution*.

        Returns
        -------
        bool or `~numpy.ndarray` of bool
            Of the same shape. In published catalogs it follows the convention of their papers.

        Raises
        ------
        InputError
            If the values are not integers.
        """
        value, mask = _integers(value)
        return (((value & ~self.bits("note")) == self.good) & ~mask)[()]

    def decode(self, value):
        """Names of the bits that are set.

        Parameters
        ----------
        value : int or array_like of int

        Returns
        -------
        list of str, or list of list of str
            For an array a list for each element, None where it is masked. Bits that the set does not know come as
            ``"UNKNOWN_BIT_<n>"``.

        Raises
        ------
        InputError
            If a value is negative or not an integer, or a single one is masked.
        """
        if np.ndim(value):
            numbers, mask = _integers(value)
            if numbers.ndim != 1:
                raise InputError(f"value: expected one flag or an array (N,), got the shape {numbers.shape}; give one")
            known = {number: self.decode(number) for number in np.unique(numbers[~mask]).tolist()}
            return [None if hidden else list(known[n]) for n, hidden in zip(numbers.tolist(), mask, strict=True)]
        try:
            value = operator.index(value[()] if isinstance(value, np.ndarray) else value)
        except TypeError:
            raise InputError(f"value: expected a non-negative integer, got {value!r}") from None
        if value < 0:
            raise InputError(f"value: expected a non-negative integer, got {value}")
        known = {flag.bit: flag.name for flag in self.flags}
        return [known.get(bit, f"UNKNOWN_BIT_{bit}") for bit in range(value.bit_length()) if (value >> bit) & 1]

    def describe(self, value):
        """What the bits that are set say, one line each, as one string; of an array those that are set anywhere."""
        if np.ndim(value):
            numbers, mask = _integers(value)
            value = int(np.bitwise_or.reduce(numbers[~mask], initial=0))
        meanings = {flag.name: flag.meaning for flag in self.flags}
        lines = [f"{name}: {meanings.get(name, 'not a flag of this column')}" for name in self.decode(value)]
        return "\n".join(lines) or self.zero

    def filter(self, column, *, language="topcat", without=None):
        """What keeps the good rows of a table, as an expression for another program.

        Parameters
        ----------
        column : str
            Name of the column of flags.
        language : {"topcat", "adql"}
            TOPCAT's expressions are those of all STILTS commands; those in ADQL 2.0 go after WHERE.
        without : str, optional
            Name of a flag: rows that do not have it are kept, whatever else they have.

        Returns
        -------
        str
            The same rows as `is_good`, or those that do not `has` the flag.

        Raises
        ------
        InputError
            If there is no such language or flag.

        Examples
        --------
        >>> from stellarlabels import flags
        >>> flags.LABEL.filter("feh_flag", without="LABEL_RANGE")
        '(feh_flag & 256) == 0'
        """
        if language not in ("topcat", "adql"):
            raise InputError(f"language: expected 'topcat' or 'adql', got {language!r}; give one of these")
        if without is not None:
            bit = self[without]
            return f"({column} & {bit}) == 0" if language == "topcat" else f"MOD({column} / {bit}, 2) = 0"
        notes = [flag.value for flag in self.flags if flag.level == "note"]
        if not notes:
            return f"{column} {'==' if language == 'topcat' else '='} {self.good}"
        if language == "topcat":
            return f"({column} | {sum(notes)}) == {sum(notes) | self.good}"
        # ADQL has no operators on bits: each is found by integer division and taken off.
        return " - ".join([column, *(f"{value} * MOD({column} / {value}, 2)" for value in notes)]) + f" = {self.good}"

    def table(self):
        """The set as a table.

        Returns
        -------
        `~astropy.table.QTable`
            Columns ``bit``, ``value``, ``name``, ``level``, ``meaning``.
        """
        from astropy.table import QTable

        rows = [(flag.bit, flag.value, flag.name, flag.level, flag.meaning) for flag in self.flags]
        names = ["bit", "value", "name", "level", "meaning"]
        return QTable(rows=rows, names=names, meta={"description": self.description})


def _integers(value):
    """Flags as int64, masked ones as 0, and where they are masked."""
    found = np.ma.asarray(value)
    if found.dtype.kind not in "iu":
        raise InputError(f"value: expected integers, got dtype {found.dtype}")
    return found.filled(0).astype(np.int64), np.ma.getmaskarray(found)
