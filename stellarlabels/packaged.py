"""Data files that ship with the package; published numbers, declarations and lists are ECSV tables."""

from functools import cache
from importlib import import_module, resources

from astropy.table import Table

__all__ = ["file", "modules", "table"]


def modules(package, *names):
    """The ``__getattr__`` of a package whose modules of these names are there without an import of their own.

    Parameters
    ----------
    package : str
        ``__name__`` of the package.
    *names : str

    Returns
    -------
    function
    """

    def found(name):
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return import_module(f"{package}.{name}")

    return found


def file(folder, name):
    """A data file, as a context manager that gives its path.

    Parameters
    ----------
    folder, name : str
        Folder under ``stellarlabels/data`` ("" for this folder itself) and name of the file.

    Returns
    -------
    context manager of `pathlib.Path`
    """
    return resources.as_file(resources.files("stellarlabels") / "data" / folder / name)


@cache
def table(folder, name):
    """A table of the package.

    Parameters
    ----------
    folder, name : str
        Folder under ``stellarlabels/data`` and name of the ECSV file without its suffix.

    Returns
    -------
    `~astropy.table.Table`
        Units in the columns; for published numbers reference, bibcode and validity in ``meta``. It is shared: do not
        change it.
    """
    with file(folder, f"{name}.ecsv") as path:
        return Table.read(path, format="ascii.ecsv")
