"""Tables of results, from rows that are dicts."""

import numpy as np
from astropy import units as u
from astropy.table import QTable

__all__ = ["as_table"]

#: Beginnings of the names of numbers without a unit that are of the order of one.
_SHARES = ("pull", "coverage", "clipped", "factor", "fraction")


def as_table(rows, *, units=None, **meta):
    """A table from rows with the same keys.

    Parameters
    ----------
    rows : list of dict
    units : dict of str to str, optional
        Units of columns; empty for none.
    **meta
        Metadata of the table.

    Returns
    -------
    `~astropy.table.QTable`
        One column for each key; without rows no column.
    """
    out = QTable({key: np.array([row[key] for row in rows]) for key in rows[0]} if rows else None, meta=meta)
    for key in out.colnames:
        if out[key].dtype.kind != "f":
            continue
        unit = (units or {}).get(key)
        if unit:
            out[key] = out[key].data * u.Unit(unit)
        out[key].info.format = ".3f" if key.startswith(_SHARES) else ".4g"
    return out
