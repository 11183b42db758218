"""Dust maps that are known by name: their files, where these come from, and their query objects."""

import hashlib
import io
import logging
import warnings
from contextlib import redirect_stdout
from functools import lru_cache
from importlib import import_module
from itertools import zip_longest
from pathlib import Path

import numpy as np

from stellarlabels import packaged
from stellarlabels.exceptions import DataNotFoundError, InputError, ReadError

__all__ = ["map_names", "map_files", "check_map", "open_map", "describe_map"]

_log = logging.getLogger(__name__)


def map_names():
    """Names of the dust maps that `stellarlabels.corrections.extinction.ebv` knows."""
    return [str(name) for name in packaged.table("extinction", "dustmaps")["name"]]


def describe_map(name):
    """The declaration of a map: class, files, checksums, scale, urls, reference.

    Parameters
    ----------
    name : str
        Name of the map.

    Returns
    -------
    dict of str

    Raises
    ------
    stellarlabels.exceptions.InputError
        If there is none of this name; the message lists those there are.
    """
    known = map_names()
    if name not in known:
        raise InputError(f"dustmap: expected one of {known} or a query object of dustmaps, got {name!r}")
    table = packaged.table("extinction", "dustmaps")
    row = table[known.index(name)]
    return {key: "" if np.ma.is_masked(row[key]) else str(row[key]) for key in table.colnames}


def map_files(name, path=None):
    """Paths at which the files of a map are looked for.

    Parameters
    ----------
    name : str
        Name of the map.
    path : path-like, optional
        A folder that holds the files, or one of the files; by default the map's folder in the data directory of
        dustmaps.

    Returns
    -------
    list of `~pathlib.Path`
    """
    item = describe_map(name)
    files = item["files"].split()
    if path is None:
        folder = Path(_dustmaps("dustmaps.std_paths").data_dir()) / item["folder"]
        return [folder / file for file in files]
    path = Path(path).expanduser()
    is_file = path.is_file() or (path.suffix and not path.is_dir())
    if is_file and len(files) == 1:
        return [path]
    folder = path.parent if is_file else path
    return [folder / file for file in files]


def check_map(name, path=None):
    """Compare the files of a map with the published checksums.

    Parameters
    ----------
    name : str
        Name of the map.
    path : path-like, optional
        As in `map_files`.

    Raises
    ------
    stellarlabels.exceptions.DataNotFoundError
        If a file is missing, or no checksum of this map is known.
    stellarlabels.exceptions.ReadError
        If a file differs from the published one, because its download was cut off, for instance.
    """
    checksums = describe_map(name)["checksums"].split()
    if not checksums:
        raise DataNotFoundError(f"dustmap: no checksum is published for the map {name!r}")
    for file, checksum in zip(_existing_files(name, path), checksums, strict=True):
        algorithm, _, expected = checksum.partition(":")
        with open(file, "rb") as stream:
            found = hashlib.file_digest(stream, algorithm).hexdigest()
        if found != expected:
            raise ReadError(f"{file}: expected {algorithm} {expected}, got {found}; download it again")


def open_map(name, path=None):
    """The query object of dustmaps for a map. It is kept for the next call.

    Parameters
    ----------
    name : str
        Name of the map.
    path : path-like, optional
        As in `map_files`.

    Returns
    -------
    object
        Called with a `~astropy.coordinates.SkyCoord`, it gives the map's values there.

    Raises
    ------
    stellarlabels.exceptions.DataNotFoundError
        If dustmaps is not installed or a file is missing. The message says where to get it.
    stellarlabels.exceptions.ReadError
        If a file cannot be read.
    """
    return _open(name, tuple(_existing_files(name, path)))


@lru_cache(maxsize=1)
def _open(name, files):
    item = describe_map(name)
    query_class = getattr(_dustmaps(item["module"]), item["class"])
    arguments = item["arguments"].split()
    values = [files[0].parent] if arguments == ["map_dir"] else files
    messages = io.StringIO()
    try:
        with redirect_stdout(messages):
            query = query_class(**{key: str(value) for key, value in zip(arguments, values, strict=True)})
    except (OSError, KeyError, ValueError, TypeError, IndexError) as error:
        raise ReadError(
            f"the dust map {name!r} cannot be read from {files[0].parent}: {error}; "
            f"check its files with stellarlabels.corrections.extinction.check_map({name!r}, path)"
        ) from error
    _log.debug("opened the dust map %s from %s %s", name, files[0].parent, messages.getvalue())
    return query


def _existing_files(name, path):
    """The files of a map, or an error that says how to get them."""
    files = map_files(name, path)
    missing = [file for file in files if not file.is_file()]
    if not missing:
        return files
    item = describe_map(name)
    expected = [
        " ".join(pair).strip() for pair in zip_longest(item["files"].split(), item["checksums"].split(), fillvalue="")
    ]
    lines = [
        f"the dust map {name!r} needs {', '.join(file.name for file in missing)}, not found in {missing[0].parent}.",
        f"It is at {' or '.join(item['urls'].split())}; the fetch() of dustmaps is refused by some of these servers,",
        "a web browser is not. Then pass the folder as path=..., or put the files into the folder named above.",
        f"Expected: {', '.join(expected)}.",
        f"Other ways: another dustmap ({', '.join(map_names())}), any query object of dustmaps, or a column 'ebv'.",
    ]
    raise DataNotFoundError("\n".join(lines))


def _dustmaps(module):
    """A module of dustmaps, imported without its remarks on its configuration file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module(module)
    except ImportError as error:
        raise DataNotFoundError(
            f"dust maps are read with the package dustmaps, which cannot be imported ({error}); "
            "install it, or give the table a column 'ebv'"
        ) from error
