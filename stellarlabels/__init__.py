"""Stellar labels - Teff, log g, [Fe/H], abundances, distances - with errors and flags, for millions of stars.

The public names are loaded on first use: importing this package imports neither Keras nor any other heavy library. The
parts are there without an import of their own: ``stellarlabels.scale.label_file``.
"""

import sys as _sys
from importlib import import_module as _import_module
from importlib.util import find_spec as _find_spec

__version__ = "0.1.0"

#: Public functions, and where each is. The classes of the systems come from their registry.
_FUNCTIONS = {
    "load": "systems",
    "lamost_spectra": "archive.lamost",
    "read_lamost": "archive.readers",
    "read_table": "archive.readers",
    "read_xp": "archive.readers",
    "send_to_topcat": "archive.samp",
    "xp_spectra": "archive.datalink",
}


def _system_classes():
    """Classes of all systems, those of other packages, too, by their names."""
    return {cls.__name__: cls for cls in _import_module("stellarlabels.systems.base").SYSTEMS.values()}


def _rooms():
    """Names of the rooms and of the modules beside them."""
    from pkgutil import iter_modules

    return [module.name for module in iter_modules(__path__) if not module.name.startswith("_")]


def __getattr__(name):
    if name == "__all__":
        return ["__version__", *_FUNCTIONS, *_system_classes(), *_rooms()]
    if not name.startswith("_"):
        if name in _FUNCTIONS:
            return getattr(_import_module(f"stellarlabels.{_FUNCTIONS[name]}"), name)
        if name[0].islower() and _find_spec(f"stellarlabels.{name}") is not None:
            return _import_module(f"stellarlabels.{name}")
        if name[0].isupper() and name in (classes := _system_classes()):
            globals()[name] = classes[name]
            return classes[name]
    raise AttributeError(f"module 'stellarlabels' has no attribute {name!r}")


def __dir__():
    return sorted(__getattr__("__all__"))


if "astropy.table" in _sys.modules:  # importing the catalogs, which register their formats with it, costs little then
    _import_module("stellarlabels.catalogs")
