"""The one door: whatever table comes in, from memory or from a file, in whole or in parts, it comes out the same.

What a column may hold is declared with it in ``data/vocabulary.ecsv`` and nowhere else.
"""

import inspect
import warnings
from collections import Counter
from functools import wraps

import numpy as np
from astropy.table import QTable

from stellarlabels.columns.conversion import declarations, shared, taken
from stellarlabels.columns.frames import as_columns
from stellarlabels.exceptions import ImpossibleValueWarning, MissingUnitWarning


class Notes:
    """What an intake found, of one table or of all parts of a long run, to be told once."""

    def __init__(self):
        self.impossible = Counter()
        self.examples = {}
        self.unitless = {}
        self.remarks = Counter()

    def count(self, name, values):
        """Keep how many values of a column are impossible, and some of them."""
        self.impossible[name] += values.size
        some = self.examples.get(name) or ", ".join(f"{value:g}" for value in np.unique(values)[:3])
        self.examples[name] = some

    def text(self):
        """All of it in one line; empty if there is nothing to say."""
        taken = [f"{count} of {name!r} ({self.examples[name]})" for name, count in self.impossible.items() if count]
        parts = [f"taken as missing, since no star has such values: {', '.join(taken)}"] if taken else []
        return "; ".join([*parts, *(f"{count} of {remark}" for remark, count in self.remarks.items())])

    def keep(self, meta):
        """Add it to metadata, as the entry ``"intake"``."""
        if text := self.text():
            meta["intake"] = "; ".join(dict.fromkeys(filter(None, [str(meta.get("intake", "")), text])))

    def warn(self, argument="table", *, stacklevel=2):
        """Warn of it: at most one `MissingUnitWarning` and one `ImpossibleValueWarning`."""
        if self.unitless:
            names = ", ".join(f"{name!r} in {unit}" for name, unit in self.unitless.items())
            has = "column has no unit; it is" if len(self.unitless) == 1 else "columns have no unit; they are"
            warnings.warn(f"{argument}: {has} taken to be: {names}", MissingUnitWarning, stacklevel=stacklevel + 1)
        text = self.text()
        if text:
            warnings.warn(f"{argument}: {text}", ImpossibleValueWarning, stacklevel=stacklevel + 1)


def intake(table, *, argument="table", notes=None, whole=True, stacklevel=2):
    """Take a table in.

    Names stay what they are. Values that a column cannot have, and those that surveys write for missing ones, are
    masked; identifiers become 64-bit integers; units are understood in the spellings of archives, and declared ones are
    supplied where there are none; epochs become Julian years; cells that hold arrays become matrices.

    Parameters
    ----------
    table : `~astropy.table.Table`, `~astropy.table.Row`, or data frame of pandas, polars or Arrow
        One row for each star. It is not changed.
    argument : str
        What to call it in messages.
    notes : `Notes`, optional
        Where to keep what is found, in place of warnings: for the parts of a long run.
    whole : bool
        If not, only numbers change: impossible ones are masked, integers that identify become 64 bits wide. Nothing is
        refused and no unit supplied until somebody needs the column; so readers of files take tables of any kind in.
        Identifiers that may have been rounded are told of, with the rest.
    stacklevel : int
        Of the warnings; 2 is the caller.

    Returns
    -------
    `~astropy.table.QTable`
        A new one with the same rows in the same order. ``meta["intake"]`` says what was taken as missing.

    Raises
    ------
    InputError
        If it is no table, or if identifiers came as floats in which they may have been rounded.

    Warns
    -----
    MissingUnitWarning
        If columns that should have a unit have none; all of them are named in one warning.
    ImpossibleValueWarning
        If values were taken as missing; with the counts of all columns.
    """
    found = Notes() if notes is None else notes
    data, meta = as_columns(table, argument)
    known = declarations(data)
    out = _table({name: taken(data[name], name, known.get(name), found, whole) for name in data}, meta)
    if notes is None:
        found.keep(out.meta)
        found.warn(argument, stacklevel=stacklevel + 1)
    return out


def as_table(table, argument="table"):
    """A table or data frame as a new `~astropy.table.QTable` that holds what it held, unseen."""
    data, meta = as_columns(table, argument)
    return _table({name: shared(data[name]) for name in data}, meta)


def _table(data, meta):
    """A QTable of these columns."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*attempt to convert it to Quantity failed")  # of units that stay texts
        return QTable(data, meta=meta, copy=False)


def entrance(*arguments):
    """Decorate a public function: its arguments of these names go through `intake`, where they are given."""

    def decorate(function):
        signature = inspect.signature(function)

        @wraps(function)
        def wrapper(*args, **kwargs):
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError:
                return function(*args, **kwargs)  # which says what is wrong with its arguments
            for name in arguments:
                if bound.arguments.get(name) is not None:
                    bound.arguments[name] = intake(bound.arguments[name], argument=name, stacklevel=3)
            return function(*bound.args, **bound.kwargs)

        return wrapper

    return decorate
