"""Files as they lie on the disk: plain, packed with gzip or bzip2, or in a zip archive -> streams of plain bytes."""

import bz2
import codecs
import gzip
import io
import re
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from stellarlabels.exceptions import InputError, ReadError, StellarLabelsError
from stellarlabels.files.paths import can_hold_stars

_PACKED = {b"\x1f\x8b": ("gzip file", gzip.open), b"BZ": ("bzip2 file", bz2.open)}
#: Bytes by which a format is recognized.
_HEAD = 1 << 16
#: A packed file may unpack to so many times its bytes, and in any case to so many bytes; tables are packed 2 to 50
#: times.
LARGEST_RATIO, HARMLESS = 100, 1 << 30


def _largest(packed):
    """Bytes to which a file of so many packed bytes may unpack."""
    return max(LARGEST_RATIO * packed, HARMLESS)


class _Unpacked(io.RawIOBase):
    """The stream of a packed file, which is an error where it becomes larger than any table."""

    def __init__(self, stream, largest):
        self._stream, self._largest = stream, largest
        self.readable = self.seekable = lambda: True
        self.seek, self.tell = stream.seek, stream.tell

    def readinto(self, buffer):
        count = self._stream.readinto(buffer)
        if self._stream.tell() > self._largest:
            raise ReadError(_TOO_LARGE.format(self._largest))
        return count

    def close(self):
        self._stream.close()
        super().close()


_TOO_LARGE = "unpacks to more than {:,} bytes, as no table does; if it is one, unpack it first, with gunzip or unzip"


@contextmanager
def damages(where, what):
    """Whatever the libraries underneath say of a damaged file becomes a ReadError that names it."""
    try:
        yield
    except (ReadError, InputError) as error:
        text = str(error)
        raise (error if text.startswith(str(where)) else ReadError(f"{where}: {text}")) from error.__cause__
    except StellarLabelsError:
        raise
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ReadError(f"{where}: damaged or truncated {what} or gzip file; {error}") from error
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise ReadError(f"{where}: damaged, truncated or encrypted zip archive; {error}") from error
    except Exception as error:  # damaged files make the libraries raise errors of any kind
        told = isinstance(error, Warning) and not isinstance(error, ValueError)  # the errors of VOTable are both,
        if told and type(error).__name__ != "W12":  # but for that of a field without a name
            raise
        raise ReadError(f"{where}: damaged or truncated {what}; {type(error).__name__}: {error}") from error


@dataclass(frozen=True)
class Place:
    """Where a file is: its path, the member of a zip archive, or bytes that are no file at all."""

    path: Path
    member: str = ""
    data: bytes | None = None

    @property
    def where(self):
        """What messages call it."""
        return f"{self.path}:{self.member}" if self.member else str(self.path)

    @property
    def name(self):
        """Name of the file, without its folder or archive."""
        return re.split(r"[/\\]", self.member or self.path.name)[-1]

    def open(self):
        """A seekable binary stream of what is in the file, unpacked; UTF-16 as UTF-8."""
        data = self.data
        if self.member:
            with zipfile.ZipFile(self.path) as archive:
                member = archive.getinfo(self.member)
                largest = _largest(min(member.compress_size, self.path.stat().st_size))
                if member.file_size > largest:
                    raise ReadError(_TOO_LARGE.format(largest))
                data = archive.read(member)
        stream = open(self.path, "rb") if data is None else io.BytesIO(data)  # noqa: SIM115
        start = stream.read(2)
        stream.seek(0)
        if start in _PACKED:
            if data is None:
                stream.close()
            unpacked = _PACKED[start][1](self.path if data is None else stream, "rb")
            largest = _largest(self.path.stat().st_size if data is None else len(data))
            return io.BufferedReader(_Unpacked(unpacked, largest), _HEAD)
        if start not in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return stream
        with stream:
            return io.BytesIO(stream.read().decode("utf-16").encode())

    @cached_property
    def is_plain(self):
        """Whether the bytes on the disk are those of the stream."""
        if self.member or self.data is not None:
            return False
        with open(self.path, "rb") as stream:
            return stream.read(2) not in (*_PACKED, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

    @cached_property
    def head(self):
        """The first bytes, without a byte order mark; never nothing."""
        with damages(self.where, "file"), self.open() as stream:
            data = stream.read(_HEAD)
        if not data.strip():
            raise ReadError(f"{self.where}: the file is empty")
        return data.removeprefix(codecs.BOM_UTF8)

    def bytes(self):
        """Everything that is in the file."""
        with damages(self.where, "file"), self.open() as stream:
            return stream.read()


def places(path):
    """The file at a path, or the tables in it if it is a zip archive."""
    path = Path(path)
    if path.is_dir():
        raise ReadError(f"{path}: is a folder, expected a file")
    try:
        with open(path, "rb") as stream:
            start = stream.read(4)
    except FileNotFoundError:
        raise ReadError(f"{path}: there is no such file") from None
    except OSError as error:
        raise ReadError(f"{path}: cannot be read; {error.strerror or error}") from error
    if start not in (b"PK\x03\x04", b"PK\x05\x06"):
        return [Place(path)]
    with damages(path, "zip archive"), zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    found = [Place(path, name) for name in names if "__MACOSX" not in name]
    found = [place for place in found if can_hold_stars(place.name) and not place.name.lower().endswith(".zip")]
    if not found:
        raise ReadError(f"{path}: the zip archive has no tables; it holds {names[:5]}")
    return found


def read_bytes(path):
    """Content of a file, unpacked if it is packed with gzip or bzip2."""
    places(path)
    place = Place(Path(path))
    return place.bytes() if place.head else b""
