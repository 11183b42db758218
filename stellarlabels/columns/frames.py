"""Tables of all kinds that users hold, as an astropy table that shares their data."""

import warnings
from collections.abc import Mapping
from importlib import import_module
from os import PathLike

import numpy as np
from astropy.table import Column, MaskedColumn, Row, Table

from stellarlabels.exceptions import InputError, RenamedColumnWarning

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
