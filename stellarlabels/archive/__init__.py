"""The archive room: where spectra and catalogs come from.

`TAP` is a client for the archives' services, and `stellarlabels.archive.queries` has the selections of the papers to
send there. ``stellarlabels.archive.readers`` turns files of archives and surveys into tables with names and units of
the vocabulary; `stellarlabels.inputs.examples` has the real stars that ship with the package. Whatever touches the
network is in this room and in no other, and nothing does so on import.
"""

from importlib import import_module

from stellarlabels.archive.tap import TAP

__all__ = ["TAP"]

#: Modules that are there without an import of their own.
_MODULES = ("datalink", "lamost", "queries", "readers", "sample", "samp", "services")


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.{name}")
