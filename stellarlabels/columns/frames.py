"""Tables of all kinds that users hold, as an astropy table."""

from collections.abc import Mapping

import numpy as np
from astropy.table import QTable, Row, Table

from stellarlabels.exceptions import InputError

__all__ = ["as_table"]


def as_table(data, argument="table"):
    """A table, row or data frame as a new `~astropy.table.QTable` that shares its columns."""
    if isinstance(data, Row):
        data = data.table[data.index : data.index + 1]
    if isinstance(data, Table):
        return QTable(data, copy=False)
    if hasattr(data, "to_pandas") and not hasattr(data, "iloc"):
        data = data.to_pandas()
    if hasattr(data, "iloc") and hasattr(data, "columns"):
        return QTable(Table.from_pandas(data), copy=False)
    raise InputError(_what_to_give(data, argument))


def _what_to_give(data, argument):
    """The message about something that is no table."""
    kind = type(data).__name__
    if isinstance(data, np.ndarray):
        kind = f"an array of shape {data.shape}"
    elif isinstance(data, Mapping):
        kind = "a dict: give Table(dict)"
    return (
        f"{argument}: expected an astropy Table, QTable or Row, or a DataFrame, with named columns, got {kind}; "
        "for arrays, give Table({'column': array, ...})"
    )
