"""One path or many, folders and patterns among them, as the readers take them."""

import os
from glob import glob

from stellarlabels.exceptions import InputError, ReadError

#: Files that make a folder a HATS catalog, which is read as one.
_CATALOG = ("hats.properties", "properties", "collection.properties")
#: Ends of the names of files that can hold stars, also packed; others in a folder are passed over.
_STARS = (".fits", ".fit", ".vot", ".votable", ".xml", ".csv", ".tsv", ".ecsv", ".mrt", ".dat", ".txt", ".parquet")
_MORE = (".hdf5", ".h5", ".zip")
_PACKED = (".gz", ".bz2")


def as_paths(path_or_paths):
    """One or more paths as a list of strings, with the files of folders (not of HATS catalogs) and of patterns."""
    if isinstance(path_or_paths, str | bytes | os.PathLike):
        path_or_paths = [path_or_paths]
    try:
        paths = [os.fsdecode(path) for path in path_or_paths]
    except TypeError:
        raise InputError(f"path_or_paths: expected a path or a list of paths, got {path_or_paths!r}") from None
    if not paths:
        raise InputError("path_or_paths: expected at least one path, got none")
    return [file for path in paths for file in _files(path)]


def _files(path):
    """The files that a path stands for, in the order of their names."""
    if os.path.isdir(path):
        return [path] if any(os.path.isfile(os.path.join(path, name)) for name in _CATALOG) else _inside(path)
    if os.path.exists(path) or not any(sign in path for sign in "*?["):
        return [path]
    found = [file for one in sorted(glob(path, recursive=True)) for file in _files(one)]
    if not found:
        raise ReadError(f"there is no file that matches {path}")
    return found


def _inside(folder):
    """Files of stars in a folder and the folders in it; it is an error if there are none."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [os.path.join(place, name) for name in sorted(names) if can_hold_stars(name)]
    if not found:
        raise InputError(
            f"the folder {folder} is no HATS catalog (it has no hats.properties), and no file in it ends as files of "
            f"stars do: {', '.join((*_STARS, *_MORE))}, also with .gz or .bz2"
        )
    return found


def can_hold_stars(name):
    """Whether a file in a folder or an archive, by its name, is one of stars."""
    stem, end = os.path.splitext(name.lower())
    return not name.startswith(".") and (stem if end in _PACKED else name.lower()).endswith((*_STARS, *_MORE))
