"""The services of the archives, and what each of them calls the same table and column. Nothing is contacted."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from stellarlabels import packaged
from stellarlabels.exceptions import InputError

__all__ = ["Catalog", "Service", "available", "get"]


@dataclass(frozen=True)
class Catalog:
    """A catalog at a service.

    Parameters
    ----------
    name : str
        As this library calls it.
    table : str
        As the service calls it.
    columns : dict
        Name in the vocabulary (or in the catalog's own documents) -> name at the service.
    unconfirmed : tuple of str
        Names at the service that no document of it confirmed.
    """

    name: str
    table: str
    columns: dict
    unconfirmed: tuple = ()


@dataclass(frozen=True)
class Service:
    """A TAP service.

    Parameters
    ----------
    name : str
    title : str
    url : str
    chunk_rows : int
        Rows that are uploaded at once.
    interval : float
        Seconds between two requests.
    source : str
        Where the address is from.
    notes : str
    """

    name: str
    title: str
    url: str
    chunk_rows: int
    interval: float
    source: str = ""
    notes: str = ""

    @property
    def catalogs(self):
        """Name -> `Catalog`, for those that are known to be here."""
        return _catalogs(self.name)


def available():
    """Names of the services.

    Returns
    -------
    list of str
    """
    return list(_services())


def get(name):
    """A service.

    Parameters
    ----------
    name : str
        See `available`.

    Returns
    -------
    `Service`

    Raises
    ------
    InputError
        If there is none of this name.
    """
    try:
        return _services()[name]
    except (KeyError, TypeError):
        raise InputError(f"service: expected one of {', '.join(available())} or an address, got {name!r}") from None


@cache
def _services():
    rows = _table("services")
    return {row["name"]: Service(**{key: row[key].item() for key in rows.colnames}) for row in rows}


@cache
def _catalogs(service):
    rows = _table("names")
    rows = rows[rows["service"] == service]
    out = {}
    for name in dict.fromkeys(rows["catalog"].tolist()):
        of_it = rows[rows["catalog"] == name]
        columns = dict(zip(of_it["name"].tolist(), of_it["column"].tolist(), strict=True))
        table = of_it["table"][0].item()
        unconfirmed = of_it["column"][of_it["confirmed"] == "no"].tolist()
        out[name] = Catalog(name, table, {key: value for key, value in columns.items() if key}, tuple(unconfirmed))
    return out


def _table(name):
    table = packaged.table("archive", name).copy()
    for column in table.columns.values():
        if column.dtype.kind == "U" and np.ma.isMaskedArray(column):
            table[column.name] = column.filled("")
    return table
