"""The registry of file formats: how each is recognized, and the module that reads and writes it.

A format is a module (or any object) with ``tables(place)``, which gives a list of ``stellarlabels.files.sheets.Sheet``,
and, if it can be written, ``write(content, stream, path, **options)``, which writes a
`~stellarlabels.files.Content` to an open binary file that will get the name ``path``. Those of this package
are registered below; others may be added by `register` in the same way.
"""

import gzip
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from stellarlabels.exceptions import InputError, ReadError
from stellarlabels.registry import Registry

_TITLES = {"votable": "VOTable", "votable.tabledata": "VOTable in plain text", "parquet": "Parquet file", "csv": "text"}


@dataclass(frozen=True)
class Format:
    """One file format; the parameters are those of `register`."""

    name: str
    module: object
    suffixes: tuple = ()
    recognizes: Callable = field(default=lambda head: False)
    options: dict = field(default_factory=dict)
    writes: bool = True
    controls: str | None = None

    @property
    def title(self):
        """The name as it is written in texts."""
        return _TITLES.get(self.name, self.name.upper())

    def tables(self, place):
        """The tables in a file, as sheets that have not been read yet."""
        return self._loaded().tables(place)

    def write(self, content, stream, path):
        """Write a content to an open binary file; compressed if the name ends in ``.gz``."""
        if not self.writes:
            raise InputError(f"format: {self.name} is read, not written; expected one of {list(supported_formats())}")
        if not path.name.lower().endswith(".gz"):
            for item in content.fields:
                if item.kind == "U":
                    item.check_texts(self.title, self.controls)
            self._loaded().write(content, stream, path, **self.options)
            return
        with tempfile.TemporaryFile(dir=path.parent) as plain:
            self.write(content, plain, path.with_suffix(""))
            plain.seek(0)
            with gzip.GzipFile(filename="", mode="wb", fileobj=stream, compresslevel=6, mtime=0) as packed:
                shutil.copyfileobj(plain, packed)

    def _loaded(self):
        return import_module(self.module) if isinstance(self.module, str) else self.module


_FORMATS = Registry("file format")


def register(name, module, suffixes=(), recognizes=None, *, options=None, writes=True, controls=None):
    """Add a file format.

    Parameters
    ----------
    name : str
    module : str or object
        Dotted name of the module, or anything, with ``tables`` and ``write``.
    suffixes : tuple of str
        Ends of file names under which the format is written.
    recognizes : callable, optional
        ``recognizes(head)``: whether a file that begins with these bytes is of the format. What none recognizes is
        delimited text, or none of these.
    options : dict, optional
        Arguments of ``write``.
    writes : bool
        Whether there is a ``write``.
    controls : str, optional
        The control characters that its texts may have; all if not given. NUL ends a text in every format.

    Raises
    ------
    InputError
        If the name is taken.
    """
    recognizes = recognizes or (lambda head: False)
    _FORMATS.register(Format(name, module, suffixes, recognizes, options or {}, writes, controls))


def supported_formats():
    """The file formats that `stellarlabels.catalogs.write` knows.

    Returns
    -------
    dict of str to tuple of str
        Name and suffixes. A format without suffixes has to be named.
    """
    return {item.name: item.suffixes for item in _FORMATS.values() if item.writes}


def find(path, name=None):
    """The `Format` of a file that is to be written, by its suffix or by name; an InputError if there is none."""
    if name is not None:
        if name in _FORMATS:
            return _FORMATS.get(name)
        raise InputError(f"format: expected one of {_FORMATS.names()}, got {name!r}")
    found = _by_suffix(Path(path).name)
    if found is None:
        known = [suffix for item in _FORMATS.values() for suffix in item.suffixes if item.writes]
        raise InputError(
            f"path: expected a name that ends in one of {known}, got {Path(path).name!r}; or name the format"
        )
    return found


def _by_suffix(name):
    return next((item for item in _FORMATS.values() if item.suffixes and name.lower().endswith(item.suffixes)), None)


def detect(place):
    """The `Format` of a file, by what is in it; a ReadError if it is none, or not what its suffix says."""
    head = place.head
    hits = [item for item in _FORMATS.values() if item.recognizes(head)]
    said = _by_suffix(place.name)
    if not hits:
        start = head.lstrip()[:40]
        neither = "neither FITS, VOTable, Parquet, HDF5, zip nor text"
        kind = "XML or HTML, but not a VOTable" if start[:1] == b"<" else neither
        kind = "JSON, which is not read; make a CSV or Parquet file of it" if _JSON.match(head) else kind
        raise ReadError(f"{place.where}: {kind}; it begins with {start!r}")
    found = min(hits, key=lambda item: item.name == "csv")  # much is text, too
    if found.name == "csv" and said is not None and said.name not in ("csv", "tsv"):
        raise ReadError(f"{place.where}: is no {said.name} file as its name says; it begins with {head[:40]!r}")
    return found


#: How JSON begins: with an object, or a list of such.
_JSON = re.compile(rb'\s*(\[\s*)?\{\s*"')


def _is_text(head):
    """Whether bytes are text with at least one line, and not of another kind."""
    other = head.lstrip().startswith(b"<") or _JSON.match(head)
    return not other and not re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", head)


_HERE = "stellarlabels.files.formats"
_BREAKS = "\t\n\r"
register("csv", f"{_HERE}.delimited", (".csv", ".csv.gz"), _is_text, controls=_BREAKS)
register("tsv", f"{_HERE}.delimited", (".tsv",), options={"delimiter": "\t"}, controls=_BREAKS)
register(
    "mrt",
    f"{_HERE}.mrt",
    (".mrt",),
    lambda head: b"\nByte-by-byte Description of file" in head and not head.startswith((b"SIMPLE", b"<")),
    controls="",
)
register("ecsv", f"{_HERE}.ecsv", (".ecsv",), lambda head: head.startswith(b"# %ECSV"), controls="\n")
register("hdf5", f"{_HERE}.hdf5", (".hdf5", ".h5"), lambda head: head.startswith(b"\x89HDF\r\n\x1a\n"))
register("parquet", f"{_HERE}.parquet", (".parquet",), lambda head: head.startswith(b"PAR1"))
register("votable.tabledata", f"{_HERE}.votable", options={"serialization": "tabledata"}, controls="\t\n")
register(
    "votable",
    f"{_HERE}.votable",
    (".vot", ".votable", ".xml"),
    lambda head: head.lstrip()[:1] == b"<" and re.search(rb"<([\w.-]+:)?VOTABLE", head[:4096]) is not None,
    options={"serialization": "binary2"},
)
register("fits-plus", f"{_HERE}.fits", options={"plus": True}, controls="")
register(
    "fits", f"{_HERE}.fits", (".fits", ".fits.gz", ".fit"), lambda head: head.startswith(b"SIMPLE  ="), controls=""
)
