"""The registry of data formats: how each is recognized, and the function that reads it.

A format is about what the columns hold (one spectrum to a row, one to a table, coefficients), not about the container
(FITS, VOTable, text), which ``stellarlabels.files`` opens.
"""

from collections.abc import Callable
from dataclasses import dataclass

from stellarlabels.exceptions import InputError, ReadError


@dataclass(frozen=True)
class Format:
    """A data format of a product such as "xp": ``accepts(table)`` by its columns, ``read(raw, **options)``."""

    name: str
    product: str
    description: str
    accepts: Callable
    read: Callable


_FORMATS: dict[str, object] = {}


def register(name, *, product, description, accepts):
    """Decorator that adds a reading function to the registry; the parameters are those of `Format`.

    Raises
    ------
    InputError
        If the name is taken.
    """

    def decorate(read):
        if name in _FORMATS:
            raise InputError(f"format {name!r} is registered already")
        _FORMATS[name] = Format(name, product, description, accepts, read)
        return read

    return decorate


def registered(product=None):
    """The registered formats, of one product or all, in the order in which they are tried."""
    return [item for item in _FORMATS.values() if product in (None, item.product)]


def available(product=None):
    """Names and descriptions of the formats that can be read, of one product such as "xp" or all: dict of str."""
    return {item.name: item.description for item in registered(product)}


def recognize(raw, product):
    """The `Format` of a product that a raw table has; a ReadError lists what was looked for."""
    for item in registered(product):
        if item.accepts(raw.table):
            return item
    known = "; ".join(f"{item.name}: {item.description}" for item in registered(product))
    shown = ", ".join(raw.table.colnames[:12]) + (", ..." if len(raw.table.colnames) > 12 else "")
    raise ReadError(f"{raw.where}: no {product} format fits the columns ({shown}); expected one of: {known}")
