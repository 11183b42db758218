"""How often each flag of a catalog is raised."""

import numpy as np
from astropy.table import QTable

from stellarlabels import flags
from stellarlabels.columns import without_unit
from stellarlabels.exceptions import InputError

#: What stands in the place of a flag for the stars against which nothing is to be said.
NO_FLAG = "(none)"


def flag_columns(table):
    """Names of the columns of flags of a table, with the name of the set of flags that explains each."""
    out = {}
    for name in table.colnames:
        column = table[name]
        if getattr(column, "dtype", np.dtype(object)).kind not in "iu" or column.ndim != 1:
            continue
        kind = flags.set_of(column)
        if kind:
            out[name] = kind
    return out


def tally(table, *, columns=None):
    """Count the stars that have each flag.

    Parameters
    ----------
    table : `~astropy.table.Table`
    columns : dict of str to str, optional
        Flag columns, and the set that explains each; `flag_columns` by default.

    Returns
    -------
    `~astropy.table.QTable`
        For each column first a row with `NO_FLAG` in the place of a flag: the stars against which nothing is to be said
        in the convention of the set. Then a row for each flag of the set and each unknown bit: ``column``, ``flag``
        (its name), ``level``, ``meaning``, ``stars`` and ``share`` of the stars of the table whose flags are not
        missing (NaN if there are none). A star may have several flags.

    Raises
    ------
    InputError
        If the table lacks a column, or there is no such set.
    """
    rows = []
    for name, kind in (flag_columns(table) if columns is None else columns).items():
        if name not in table.colnames:
            raise InputError(f"columns: the table has no column {name!r}")
        known, values = flags.get(kind), without_unit(table[name]).compressed()
        total = values.size
        text = known.zero if known.good == 0 else "the flag of good stars is set"
        rows.append((name, NO_FLAG, "", text, int((values == known.good).sum()), total))
        found, count = np.unique(values, return_counts=True)
        for bit in range(max((int(found.max()).bit_length() if total else 0), len(known))):
            name_of_bit = known.decode(1 << bit)[0]
            own = next((flag for flag in known if flag.bit == bit), None)
            level, meaning = (own.level, own.meaning) if own else ("caution", "not a flag of this column")
            if _is_good_bit(known, bit):
                continue
            stars = int(count[((found >> bit) & 1) == 1].sum())
            if stars or not name_of_bit.startswith("UNKNOWN_BIT"):
                rows.append((name, name_of_bit, level, meaning, stars, total))
    names = ["column", "flag", "level", "meaning", "stars", "share"]
    out = QTable(names=names, dtype=["U32", "U32", "U7", "U1", "i8", "f8"])
    if rows:
        column, flag, level, meaning, stars, total = (np.array(item) for item in zip(*rows, strict=True))
        with np.errstate(invalid="ignore", divide="ignore"):
            out = QTable([column, flag, level, meaning, stars, stars / total], names=out.colnames)
    out["share"].info.format = ".4f"
    return out


def _is_good_bit(known, bit):
    """Whether the bit says that the star is good, which is no objection against it."""
    return bool(known.good & (1 << bit))
