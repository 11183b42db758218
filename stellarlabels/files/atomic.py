"""Files and folders that appear under their name only when they are complete, and checksums."""

import glob
import hashlib
import os
import shutil
import sys
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path

from stellarlabels.exceptions import WriteError
from stellarlabels.runs import lock


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
    except OSError as error:
        raise _told(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _told(path, error):
    """The error of the system as one that names the path; it may be one already."""
    return (
        error
        if isinstance(error, WriteError)
        else WriteError(f"path: {path} could not be written: {error.strerror or error}")
    )


def _temporary(path):
    """A new hidden file beside a path: its name, and the stream, locked as long as it is open."""
    while True:
        name = path.parent / f".{path.name}.{uuid.uuid4().hex[:12]}.part"
        stream = open(name, "x+b")  # noqa: SIM115
        lock(stream)
        if os.fstat(stream.fileno()).st_nlink:  # nobody took it for an abandoned one meanwhile
            return name, stream
        stream.close()


def _remove_abandoned(path):
    """Remove temporary files of a path that no process has open."""
    if sys.platform == "win32":  # where open files cannot be told from others
        return
    for name in path.parent.glob(f".{glob.escape(path.name)}.{'[0-9a-f]' * 12}.part"):
        with suppress(OSError), open(name, "rb") as stream:
            if lock(stream):
                name.unlink()


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
    except OSError as error:
        raise _told(path, error) from error
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


def keep_inputs(path, inputs):
    """Refuse an output that is one of the inputs, or a folder with one in it: replacing it would lose what was read."""
    output = Path(path).resolve()
    for one in inputs:
        if output in (Path(one).resolve(), *Path(one).resolve().parents):
            what = "the input itself" if output == Path(one).resolve() else f"a folder that holds the input {one}"
            raise WriteError(f"path: {path} is {what}, which would be lost; give the result another name")


def sha256(path):
    """The SHA-256 checksum of a file, in hexadecimal digits."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
