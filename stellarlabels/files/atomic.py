"""Files that appear under their name only when they are complete, and folders in which one run is at work."""

import glob
import hashlib
import os
import shutil
import sys
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path

from stellarlabels.exceptions import InputError, WriteError

if sys.platform != "win32":
    import fcntl

#: A file in the folder of a run, locked as long as the run is at work.
RUNNING = ".running"


@contextmanager
def replacing(path, *, overwrite=False):
    """Open a new file (binary, readable, seekable), which gets its name when the block ends without an error."""
    # Until then it has a temporary name in the same folder. If the block is left by an error, it is removed, and a file
    # that was there before stays as it was. What a killed process left is removed by the next one.
    path = Path(path)
    check(path, overwrite=overwrite)
    _remove_abandoned(path)
    temporary = None
    try:
        temporary, opened = _temporary(path)
        with opened as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        check(path, overwrite=overwrite)
        os.replace(temporary, path)
    except WriteError:
        raise
    except OSError as error:
        raise WriteError(f"path: {path} could not be written: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _temporary(path):
    """A new hidden file beside a path: its name, and the stream, locked as long as it is open."""
    while True:
        name = path.parent / f".{path.name}.{uuid.uuid4().hex[:12]}.part"
        stream = open(name, "x+b")  # noqa: SIM115
        _lock(stream)
        if os.fstat(stream.fileno()).st_nlink:  # nobody took it for an abandoned one meanwhile
            return name, stream
        stream.close()


def _remove_abandoned(path):
    """Remove temporary files of a path that no process has open."""
    if sys.platform == "win32":  # where open files cannot be told from others
        return
    for name in path.parent.glob(f".{glob.escape(path.name)}.{'[0-9a-f]' * 12}.part"):
        with suppress(OSError), open(name, "rb") as stream:
            if _lock(stream):
                name.unlink()


def _lock(stream):
    """Lock an open file until it is closed; False if another process has, None where files cannot be locked."""
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
    """Make a folder of a run, and keep other runs out until the block or the process ends; an empty one is removed."""
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
            if _lock(stream) is False:
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
    """Remove everything that is in the folder of a run, but for what keeps other runs out."""
    for path in Path(folder).iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != RUNNING:
            path.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path, *, overwrite=False):
    """Make a new folder, which gets its name when the block ends without an error; else it is removed."""
    path = Path(path)
    if path.exists() and (not path.is_dir() or any(path.iterdir())) and not overwrite:
        raise WriteError(f"path: {path} exists; give overwrite=True to replace it")
    stem = path.absolute().parent / f".{path.name}.{uuid.uuid4().hex[:12]}"
    temporary, old = stem.with_name(f"{stem.name}.part"), stem.with_name(f"{stem.name}.old")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        if path.exists():
            os.replace(path, old)
        os.replace(temporary, path)
    except WriteError:
        raise
    except OSError as error:
        raise WriteError(f"path: {path} could not be written: {error.strerror or error}") from error
    finally:
        for folder in (temporary, old):
            shutil.rmtree(folder, ignore_errors=True)


def check(path, *, overwrite=False):
    """Refuse a file that could not be written, before the work for it is done."""
    path = Path(path)
    if not path.parent.is_dir():
        raise WriteError(f"path: the folder {path.parent} does not exist")
    if path.is_dir():
        raise WriteError(f"path: {path} is a folder")
    if path.exists() and not overwrite:
        raise WriteError(f"path: {path} exists; give overwrite=True to replace it")


def sha256(path):
    """The SHA-256 checksum of a file, in hexadecimal digits."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
