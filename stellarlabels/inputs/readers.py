"""Readers of spectra and other products of surveys: how the files of each are recognized, and what reads them.

A reader registers itself with `register_reader` in the module that declares it, also in another package, see
`stellarlabels.registry`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from stellarlabels.registry import Registry

#: So many files of a list are looked at to tell what they are.
_LOOKED_AT = 100


@dataclass(frozen=True)
class Reader:
    """What reads files of one product: ``recognizes(path)``, ``read(paths, progress=None)``, maybe ``stream``."""

    # "stream(paths, rows=..., workers=..., skip=...)" gives the same in pieces, each with its number, without those
    # whose number is in "skip"; for products with one star to a file.

    name: str
    recognizes: Callable
    read: Callable
    stream: Callable | None = None


_READERS = Registry("reader", within="stellarlabels.inputs")


def register_reader(name, *, recognizes, stream=None):
    """Decorator that adds the function which reads a product; the parameters are those of `Reader`.

    Raises
    ------
    InputError
        If the product has a reader already.
    """

    def decorate(read):
        _READERS.register(Reader(name, recognizes, read, stream))
        return read

    return decorate


def reader_of(paths):
    """The reader that knows any of the files, the first 100 at least; None if there is none."""
    found = (reader for path in paths[:_LOOKED_AT] for reader in _READERS.values() if reader.recognizes(path))
    return next(found, None)
