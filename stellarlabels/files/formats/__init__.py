"""The registry of file formats: name, suffixes, and the module that reads and writes each.

A format is a module with ``read(path)``, which returns a `~stellarlabels.files.content.Content`;
``blocks(path, rows, first)``, where it can, which yields such contents of at most so many rows from the row ``first``
on; ``count(path)``, where it can, which gives the number of rows; and
``write(content, stream, path, **options)``, which writes one to an open binary file that will get the name ``path``. A
format that is read only need not know types: its ``read`` and ``blocks`` are also given the schema, or None.
"""

from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from stellarlabels.exceptions import InputError

__all__ = ["Format", "find", "supported_formats"]


@dataclass(frozen=True)
class Format:
    """One file format.

    Parameters
    ----------
    name : str
    module : str
        Module in `stellarlabels.files.formats`.
    suffixes : tuple of str
        Ends of file names that mean this format.
    options : dict
        Arguments of the module's ``write``.
    read_only : bool
        Whether files of this format are read but not written.
    """

    name: str
    module: str
    suffixes: tuple = ()
    options: dict = field(default_factory=dict)
    read_only: bool = False

    def read(self, path, declared=None):
        """The content of a file, which is said to be of a schema."""
        return self._module().read(path, **self._hint(declared))

    def blocks(self, path, rows, declared=None, first=0):
        """The content of a file, from the row ``first`` on, in pieces of at most so many rows; None if it has to be
        read at once.
        """
        function = getattr(self._module(), "blocks", None)
        return None if function is None else function(path, rows, first=first, **self._hint(declared))

    def count(self, path):
        """Number of rows of a file; None if the format does not tell it in advance."""
        function = getattr(self._module(), "count", None)
        return None if function is None else function(path)

    def _hint(self, declared):
        return {"declared": declared} if self.read_only else {}

    def write(self, content, stream, path):
        """Write a content to an open binary file."""
        if self.read_only:
            raise InputError(f"format: {self.name} is read, not written, since it has no place for units and nulls")
        self._module().write(content, stream, path, **self.options)

    def _module(self):
        return import_module(f"stellarlabels.files.formats.{self.module}")


_FORMATS = (
    Format("fits", "fits", (".fits", ".fits.gz", ".fit")),
    Format("fits-plus", "fits", (), {"plus": True}),
    Format("votable", "votable", (".vot", ".votable", ".xml"), {"serialization": "binary2"}),
    Format("votable.tabledata", "votable", (), {"serialization": "tabledata"}),
    Format("parquet", "parquet", (".parquet",)),
    Format("ecsv", "ecsv", (".ecsv",)),
    Format("csv", "csv", (".csv", ".csv.gz"), read_only=True),
    Format("mrt", "mrt", (".mrt",)),
)


def supported_formats():
    """The file formats that `stellarlabels.catalogs.write` knows.

    Returns
    -------
    dict of str to tuple of str
        Name and suffixes. A format without suffixes has to be named.
    """
    return {item.name: item.suffixes for item in _FORMATS if not item.read_only}


def find(path, name=None):
    """The format of a file.

    Parameters
    ----------
    path : path-like
    name : str, optional
        Name of a format; by default the suffix of the path decides.

    Returns
    -------
    `Format`

    Raises
    ------
    InputError
        If the name or the suffix is unknown.
    """
    if name is not None:
        for item in _FORMATS:
            if item.name == str(name).lower():
                return item
        raise InputError(f"format: expected one of {[item.name for item in _FORMATS]}, got {name!r}")
    file = Path(path).name.lower()
    for item in _FORMATS:
        if file.endswith(item.suffixes):
            return item
    known = [suffix for item in _FORMATS for suffix in item.suffixes]
    raise InputError(f"path: expected a name that ends in one of {known}, got {Path(path).name!r}; or name the format")
