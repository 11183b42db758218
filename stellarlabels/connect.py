"""The catalogs as formats of Astropy's tables: ``QTable.read(path, format="stellarlabels.csnet")``, and ``write``.

The formats are registered as soon as both this package and `astropy.table` are imported, in whatever order; that this
package is imported does not import Astropy. Reading and writing import what they need when they are called.
"""

import importlib.abc
import importlib.util
import sys

__all__ = ["register", "register_when_imported"]

_TABLES = "astropy.table"


def register():
    """Register the formats with Astropy, one for each schema: ``stellarlabels.`` and its name."""
    from functools import partial
    from importlib import resources

    from astropy.io import registry
    from astropy.table import Table

    files = (resources.files("stellarlabels") / "catalogs" / "schemas").iterdir()
    with registry.delay_doc_updates(Table):
        for schema in sorted(file.name.removesuffix(".ecsv") for file in files if file.name.endswith(".ecsv")):
            registry.register_reader(f"stellarlabels.{schema}", Table, partial(_read, schema), force=True)
            registry.register_writer(f"stellarlabels.{schema}", Table, partial(_write, schema), force=True)


def register_when_imported():
    """Register the formats now if `astropy.table` is imported, and otherwise when it will be."""
    if _TABLES in sys.modules:
        register()
    elif not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def _read(schema, path, *, file_format=None):
    """Read a catalog.

    Parameters
    ----------
    path : path-like
    file_format : str, optional
        FITS, VOTable and so on, if the suffix is not to decide.
    """
    from stellarlabels import catalogs

    return catalogs.read(path, schema, format=file_format)


def _write(schema, table, path, *, overwrite=False, file_format=None):
    """Write a catalog in the columns of its schema.

    Parameters
    ----------
    path : path-like
    overwrite : bool
        Whether an existing file is replaced.
    file_format : str, optional
        FITS, VOTable and so on, if the suffix is not to decide.
    """
    from stellarlabels import catalogs

    catalogs.write(table, path, schema, overwrite=overwrite, format=file_format)


class _Finder(importlib.abc.MetaPathFinder):
    """Waits for the import of Astropy's tables."""

    def find_spec(self, name, path=None, target=None):
        if name != _TABLES:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(importlib.abc.Loader):
    """Loads a module as another loader does, and then registers the formats."""

    def __init__(self, loader):
        self._loader = loader

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        module.__loader__ = module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        register()
