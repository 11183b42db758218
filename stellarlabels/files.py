"""Files that appear under their name only when they are complete."""

import os
import uuid
from contextlib import contextmanager
from pathlib import Path

from stellarlabels.exceptions import WriteError

__all__ = ["replacing"]


@contextmanager
def replacing(path, *, overwrite=False):
    """Open a new file for writing; it gets its name when the block ends without an error.

    Parameters
    ----------
    path : path-like
    overwrite : bool
        Whether an existing file is replaced.

    Yields
    ------
    file object
        Binary, readable and seekable, under a temporary name in the same folder. If the block is left by an error, the
        temporary file is removed and a file that was there before stays as it was.

    Raises
    ------
    WriteError
        If the file exists and ``overwrite`` is False, its folder does not exist, or the system refuses to write (a full
        disk, a missing permission).
    """
    path = Path(path)
    _check(path, overwrite)
    temporary = path.parent / f".{path.name}.{uuid.uuid4().hex[:12]}.part"
    try:
        with open(temporary, "x+b") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        _check(path, overwrite)
        os.replace(temporary, path)
    except WriteError:
        raise
    except OSError as error:
        raise WriteError(f"path: {path} could not be written: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _check(path, overwrite):
    if not path.parent.is_dir():
        raise WriteError(f"path: the folder {path.parent} does not exist")
    if path.is_dir():
        raise WriteError(f"path: {path} is a folder")
    if path.exists() and not overwrite:
        raise WriteError(f"path: {path} exists; give overwrite=True to replace it")
