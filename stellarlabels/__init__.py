"""Stellar labels - Teff, log g, [Fe/H], abundances, distances - with errors and flags, for millions of stars.

The public names are loaded on first use: importing this package imports neither Keras nor any other heavy library.
"""

from importlib import import_module as _import_module

from stellarlabels.connect import register_when_imported as _register_when_imported

__version__ = "0.1.0"

#: Public names, and the module that each is in.
_LAZY = {
    "CSNet": "stellarlabels.systems.csnet",
    "SPCANet": "stellarlabels.systems.spcanet",
    "SolarDis": "stellarlabels.systems.solardis",
    "UACSNet": "stellarlabels.systems.uacsnet",
    "UncertainNet": "stellarlabels.systems.uncertain",
}
_MODULES = (
    "analysis",
    "archive",
    "catalogs",
    "cli",
    "columns",
    "corrections",
    "demo",
    "distances",
    "exceptions",
    "features",
    "files",
    "flags",
    "inputs",
    "labels",
    "networks",
    "packaged",
    "plots",
    "releases",
    "report",
    "scale",
    "systems",
    "tables",
    "threads",
    "validation",
)

__all__ = ["__version__", *_LAZY]

_register_when_imported()


def __getattr__(name):
    if name in _LAZY:
        value = getattr(_import_module(_LAZY[name]), name)
        globals()[name] = value
        return value
    if name in _MODULES:
        return _import_module(f"stellarlabels.{name}")
    raise AttributeError(f"module 'stellarlabels' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *_LAZY, *_MODULES})
