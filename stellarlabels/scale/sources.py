"""Stars in files that may be larger than memory, some rows at a time."""

import hashlib
import os
from abc import ABC, abstractmethod

from stellarlabels.catalogs import published
from stellarlabels.exceptions import InputError, ReadError, StellarLabelsError
from stellarlabels.files import as_paths, contents, count as count_rows, sheets
from stellarlabels.scale import hats

__all__ = ["IDENTITY", "Source", "fingerprint", "open_source"]

#: Bytes of a part, about, and the limits of its rows, powers of two.
_PART, _FEWEST, _MOST = 2**25, 1024, 65536
#: Files of a part, where each holds one star.
_FILES = 1024
#: What tells stars of a survey's files from each other, and how good their spectra are, where a file says it.
IDENTITY = ("spectrum", "designation", "ra", "dec", "lmjd", "snrg", "snr_b", "snr_r")
#: Bytes and number of the samples of a file that its fingerprint is made of, and files that are sampled at all.
_SAMPLE, _SAMPLES, _SAMPLED = 2**16, 64, 100


class Source(ABC):
    """Where stars come from: their paths, their number if it is known, and rows of a part."""

    identity = ()

    def __init__(self, paths, total, rows):
        self.paths, self.total, self.rows = list(paths), total, rows

    def count_parts(self, rows):
        """Number of parts of so many rows; None if the number of stars is unknown."""
        return None if self.total is None else max(-(-self.total // rows), 1)

    @abstractmethod
    def parts(self, rows, done=()):
        """The stars, in order, as tables of some rows."""


def fingerprint(paths):
    """What tells files from others: sizes, times of the last change, and samples of the content."""
    digest = hashlib.sha256()
    for path in paths:
        try:
            state = os.stat(path)
            digest.update(f"{state.st_size} {state.st_mtime_ns};".encode())
            if len(paths) <= _SAMPLED:
                _add_samples(digest, path, state.st_size)
        except OSError as error:
            raise ReadError(f"source: {path} cannot be read; {error.strerror or error}") from error
    return digest.hexdigest()


def _add_samples(digest, path, size):
    """Add evenly spaced pieces of a file, its beginning and its end among them."""
    with open(path, "rb") as stream:
        last = max(size - _SAMPLE, 0)
        for number in range(_SAMPLES if last else 1):
            stream.seek(last * number // max(_SAMPLES - 1, 1))
            digest.update(stream.read(_SAMPLE))


class _Tables(Source):
    """Files with a star to a row, which are read as they come."""

    def __init__(self, paths):
        counts = [count_rows(path) for path in paths]
        known = None not in counts
        self._counts = counts
        size = max(os.path.getsize(path) / max(count or 1000, 1) for path, count in zip(paths, counts, strict=True))
        rows = 2 ** int(max(_PART / max(size, 1), 1)).bit_length() // 2
        super().__init__(paths, sum(counts) if known else None, min(max(rows, _FEWEST), _MOST))

    def count_parts(self, rows):
        return None if self.total is None else sum(max(-(-count // rows), 1) for count in self._counts)

    def parts(self, rows, done=()):
        for number, (path, count) in enumerate(zip(self.paths, self._counts, strict=True)):
            wanted = None if count is None else [(number, part) for part in range(max(-(-count // rows), 1))]
            if wanted is not None and all(key in done for key in wanted):
                continue
            part = 0
            while (number, part) in done:
                part += 1
            yield from self._of_file(path, number, part, rows, done)

    def _tables(self, path, rows, first):
        return (published.to_table(piece) for piece in contents(path, rows, first))

    def _of_file(self, path, number, part, rows, done):
        try:
            for table in self._tables(path, rows, part * rows):
                if (number, part) not in done:
                    yield (number, part), table
                table = None
                part += 1
        except StellarLabelsError as error:
            yield (number, part), error


class _Partitions(_Tables):
    """Partitions of a HATS catalog, of which one file says the units."""

    def __init__(self, folder):
        super().__init__([str(path) for path in hats.partition_files(folder)])
        self._columns = hats.columns_of(folder)

    def _tables(self, path, rows, first):
        return (hats.stars(content, self._columns) for content in contents(path, rows, first, format="parquet"))


class _Product(Source):
    """Files of a survey that a registered reader knows, with one star to a file or many."""

    def __init__(self, paths, reader, workers):
        one_each = reader.stream is not None
        super().__init__(paths, len(paths) if one_each else None, min(_FILES, len(paths)) if one_each else _MOST)
        self._reader, self._workers = reader, workers
        self.identity = IDENTITY

    def parts(self, rows, done=()):
        if self._reader.stream is None:
            yield from self._file_by_file(rows, done)
        elif len(self.paths) <= rows:
            if (0, 0) not in done:
                yield (0, 0), self._reader.read(self.paths, progress=False)
        else:
            skip = {part for _, part in done}
            for part, table in self._reader.stream(self.paths, rows=rows, workers=self._workers, skip=skip):
                yield (0, part), table

    def _file_by_file(self, rows, done):
        for number, path in enumerate(self.paths):
            try:
                table = self._reader.read([path], progress=False)
            except StellarLabelsError as error:
                yield (number, 0), error
                continue
            for part, first in enumerate(range(0, max(len(table), 1), rows)):
                if (number, part) not in done:
                    yield (number, part), table[first : first + rows]


class _Whole(Source):
    """Files that have to be read as a whole."""

    def __init__(self, paths):
        from stellarlabels.inputs.xp import read_table

        self._table = read_table(paths)
        super().__init__(paths, len(self._table), _MOST)

    def parts(self, rows, done=()):
        for part, first in enumerate(range(0, max(len(self._table), 1), rows)):
            if (0, part) not in done:
                yield (0, part), self._table[first : first + rows]


def open_source(source, *, workers=1):
    """A `Source` of the stars in files of any kind, or in the folder of a HATS catalog."""
    from stellarlabels.inputs import reader_of

    paths = as_paths(source)
    catalog = next((path for path in paths if os.path.isdir(path)), None)
    if catalog is not None:
        if len(paths) > 1:
            raise InputError(f"source: expected one HATS catalog and no other files, got {len(paths)} paths")
        return _Partitions(catalog)
    missing = next((path for path in paths if not os.path.isfile(path)), None)
    if missing is not None:
        raise ReadError(f"source: there is no file {missing}")
    reader = reader_of(paths)
    if reader is not None:
        return _Product(paths, reader, workers)
    return _Whole(paths) if any(map(_has_samples_as_rows, paths[:_SAMPLED])) else _Tables(paths)


def _has_samples_as_rows(path):
    """Whether the rows of a file are not stars but samples of a spectrum, as single spectra of Gaia have them."""
    for sheet in sheets(path):
        names = {name.lower() for name in sheet.names}
        if {"wavelength", "flux"} <= names:
            flux = next(item for item in next(sheet.blocks(1)).fields if item.column.name.lower() == "flux")
            if not flux.column.shape and flux.kind != "O":
                return True
    return False
