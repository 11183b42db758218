"""Folders in which one run is at work: locked, so that another one is told to wait or to go elsewhere."""

import os
import shutil
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

from stellarlabels.exceptions import InputError

if sys.platform != "win32":
    import fcntl

__all__ = ["alone_in", "empty", "lock"]

#: A file in the folder of a run, locked as long as the run is at work.
RUNNING = ".running"


def lock(stream):
    """Lock an open file until it is closed.

    Parameters
    ----------
    stream : file object

    Returns
    -------
    bool or None
        False if another process has locked it, None where files cannot be locked.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return None
    return True


def _is_at(path, stream):
    """Whether an open file is the one that is at a path."""
    return path.exists() and os.path.samestat(os.fstat(stream.fileno()), path.stat())


@contextmanager
def alone_in(folder, argument="target"):
    """Make a folder of a run, and keep other runs out until the block or the process ends; an empty one is removed.

    Parameters
    ----------
    folder : path-like
    argument : str
        The argument that says which folder it is, for messages.

    Raises
    ------
    InputError
        If another run is at work in the folder, or it cannot be made.
    """
    folder = Path(folder)
    path, stream = folder / RUNNING, None
    while stream is None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or error
            raise InputError(f"{argument}: the folder {folder} cannot be made: {reason}") from error
        with suppress(FileNotFoundError):  # the run that was in it has just ended
            stream = open(path, "ab")  # noqa: SIM115
            if lock(stream) is False:
                stream.close()
                raise InputError(
                    f"{argument}: another run is at work in {folder}; wait for it, or give another {argument}"
                )
            if not _is_at(path, stream):
                stream.close()
                stream = None
    try:
        yield
    finally:
        own = _is_at(path, stream)
        if sys.platform == "win32":  # which keeps open files
            stream.close()
        with suppress(OSError):
            if own:
                path.unlink()
                folder.rmdir()
        stream.close()


def empty(folder):
    """Remove everything that is in the folder of a run, but for what keeps other runs out.

    Parameters
    ----------
    folder : path-like
    """
    for path in Path(folder).iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != RUNNING:
            path.unlink(missing_ok=True)
