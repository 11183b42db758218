"""Files that appear under their name only when they are complete."""

import hashlib
import os
import shutil
import uuid
from contextlib import contextmanager
from pathlib import Path

from stellarlabels.exceptions import WriteError


@contextmanager
def replacing(path, *, overwrite=False):
    """Open a new file (binary, readable, seekable), which gets its name when the block ends without an error."""
    # Until then it has a temporary name in the same folder. If the block is left by an error, it is removed, and a file
    # that was there before stays as it was.
    path = Path(path)
    check(path, overwrite=overwrite)
    temporary = path.parent / f".{path.name}.{uuid.uuid4().hex[:12]}.part"
    try:
        with open(temporary, "x+b") as stream:
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
        temporary.unlink(missing_ok=True)


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
