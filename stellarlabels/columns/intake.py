"""The one door: whatever table comes in, from memory or from a file, in whole or in parts, it comes out the same.

What a column may hold is declared with it in ``data/vocabulary.ecsv`` and nowhere else.
"""

import inspect
import warnings
from collections import Counter
from collections.abc import Mapping
from functools import wraps
from importlib import import_module
from os import PathLike

import numpy as np
from astropy.table import Column, MaskedColumn, Row, Table

from stellarlabels.columns.conversion import declarations, shared, taken
from stellarlabels.columns.star_table import StarTable
from stellarlabels.exceptions import ImpossibleValueWarning, InputError, MissingUnitWarning, RenamedColumnWarning

#: Arrow's types of text.
_TEXTS = ("string", "large_string", "string_view")


def is_table(data):
    """Whether something is a table: of astropy, or a data frame."""
    return (
        isinstance(data, (Table, Row)) or hasattr(data, "__dataframe__") or (hasattr(data, "iloc") and data.ndim == 2)
    )


def as_columns(data, argument="table"):
    """A table, row or data frame as (dict of columns, metadata); the columns share the data."""
    if isinstance(data, (str, PathLike)):
        data = _read(data)
    if isinstance(data, Row):
        data = data.table[data.index : data.index + 1]
    if isinstance(data, Table):
        return {name: data[name] for name in data.colnames}, dict(data.meta)
    if hasattr(data, "iloc") and data.ndim == 2:
        return _from_pandas(data), dict(data.attrs)
    if hasattr(data, "__arrow_c_stream__"):
        import pyarrow as pa

        return _from_arrow(pa.table(data)), {}
    if hasattr(data, "__dataframe__"):
        from pyarrow import interchange

        return _from_arrow(interchange.from_dataframe(data)), {}
    raise InputError(_what_to_give(data, argument))


def _read(path):
    """The table in a file, as the package's own reader gives it."""
    return import_module("stellarlabels").read_table(path)


def distinct(names, where="table"):
    """The names, each once: the first keeps it, others get a suffix, with a warning."""
    out, taken = [], set(map(str, names))
    for name in map(str, names):
        new, number = name, 1
        while new in out or (number > 1 and new in taken):
            number += 1
            new = f"{name}_{number}"
        out.append(new)
    renamed = [f"{name!r} is now {new!r}" for name, new in zip(map(str, names), out, strict=True) if name != new]
    if renamed:
        warnings.warn(
            f"{where}: two columns have the same name; the second {', the second '.join(renamed)}",
            RenamedColumnWarning,
            stacklevel=3,
        )
    return out


def _from_pandas(frame):
    """Columns of a pandas DataFrame, and its index where that has a name."""
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    frame = frame.set_axis(distinct(frame.columns, "DataFrame"), axis=1)
    plain = {name: kind for name, kind in frame.dtypes.items() if isinstance(kind, np.dtype) and kind.kind in "fiub"}
    others = Table.from_pandas(frame.drop(columns=list(plain))) if len(plain) < frame.shape[1] else {}
    return {name: Column(frame[name].to_numpy()) if name in plain else others[name] for name in frame.columns}


def _from_arrow(table):
    """Columns of an Arrow table: integers with gaps stay integers."""
    import pyarrow as pa

    out = {}
    for name, column in zip(distinct(table.column_names, "Arrow table"), table.columns, strict=True):
        kind = column.type
        if pa.types.is_dictionary(kind):
            column = column.cast(kind.value_type)
            kind = column.type
        mask = column.is_null().to_numpy() if column.null_count else None
        if mask is not None and (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
            column = column.fill_null(False if pa.types.is_boolean(kind) else 0)
        data = column.to_numpy()
        if data.dtype == object and str(kind) in _TEXTS:
            data = np.array(["" if text is None else text for text in data], dtype=np.str_)
        out[name] = Column(data) if mask is None else MaskedColumn(data, mask=mask)
    return out


def _what_to_give(data, argument):
    """The message about something that is no table."""
    kind, remedy = f"a {type(data).__name__}", ""
    if isinstance(data, np.ndarray):
        kind, remedy = f"an array of shape {data.shape}", "; give Table({'column': array, ...})"
    elif isinstance(data, Mapping):
        remedy = "; give Table(...) of it"
    elif isinstance(data, (list, tuple)):
        remedy = "; put tables together with astropy.table.vstack, and arrays into Table({'column': array, ...})"
    elif hasattr(data, "compute"):
        remedy = "; give what its compute() returns"
    return (
        f"{argument}: expected a Table, QTable or Row of astropy, a DataFrame of pandas, polars or Arrow, or the "
        f"path of a file, with one row for each star, got {kind}{remedy}"
    )


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
        return StarTable(data, meta=meta, copy=False)


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
