"""One path or many, as the readers take them."""

import os

from stellarlabels.exceptions import InputError

__all__ = ["as_paths"]


def as_paths(path_or_paths):
    """A path, or an iterable of at least one, as a list of strings; an InputError for anything else."""
    if isinstance(path_or_paths, str | bytes | os.PathLike):
        return [os.fsdecode(path_or_paths)]
    try:
        paths = [os.fsdecode(path) for path in path_or_paths]
    except TypeError:
        raise InputError(f"path_or_paths: expected a path or a list of paths, got {path_or_paths!r}") from None
    if not paths:
        raise InputError("path_or_paths: expected at least one path, got none")
    return paths
