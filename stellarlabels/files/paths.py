"""One path or many, as the readers take them."""

import os

from stellarlabels.exceptions import InputError

__all__ = ["as_paths"]


def as_paths(path_or_paths):
    """The paths as a list of strings.

    Parameters
    ----------
    path_or_paths : path-like or iterable of path-like

    Returns
    -------
    list of str

    Raises
    ------
    InputError
        If it is neither a path nor a list of at least one path.
    """
    if isinstance(path_or_paths, str | bytes | os.PathLike):
        return [os.fsdecode(path_or_paths)]
    try:
        paths = [os.fsdecode(path) for path in path_or_paths]
    except TypeError:
        raise InputError(f"path_or_paths: expected a path or a list of paths, got {path_or_paths!r}") from None
    if not paths:
        raise InputError("path_or_paths: expected at least one path, got none")
    return paths
