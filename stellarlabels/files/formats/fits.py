"""FITS: the tables of all HDUs, read straight from their bytes.

Scaled, unsigned and missing integers, truth values, bits, texts and arrays of any length are read, also one-row tables
of TOPCAT in which each cell is a column ("colfits"). ``stellarlabels.files.formats.fits_output`` writes.
"""

import json
import os
import re
import warnings

import numpy as np
from astropy.io import fits

from stellarlabels.columns import Column, Ragged, units
from stellarlabels.exceptions import ReadError
from stellarlabels.files.content import Content, field_of, ragged_field
from stellarlabels.files.formats.fits_output import LETTERS, STRUCTURE, write as write
from stellarlabels.files.formats.foreign import TableSheet
from stellarlabels.files.records import text
from stellarlabels.files.sheets import Sheet, pieces

_BLOCK = 2880
#: Rows that are looked at at a time.
_ROWS = 1 << 16
_DTYPES = {letter: np.dtype(f">{code}") for code, letter in LETTERS.items()}
_DTYPES |= {"L": np.dtype("u1"), "A": np.dtype("u1"), "X": np.dtype("u1"), "C": np.dtype(">c8"), "M": np.dtype(">c16")}


def tables(place):
    """The tables of all HDUs; a ReadError if there is none."""
    with place.open() as stream:
        size = stream.seek(0, os.SEEK_END) if place.is_plain else None
        sheets = [_sheet(place, header, start) for header, start in _headers(stream, size)]
    found = [sheet for sheet in sheets if sheet is not None]
    if not found:
        raise ReadError(f"{place.where}: the FITS file has no table (no binary table, truncated, or an image)")
    return found


def _headers(stream, length):
    """The header of each HDU, and where its data begin; an error for a length (None: unknown) of no whole blocks."""
    last = end = 0
    while True:
        stream.seek(end)
        if stream.read(8) not in (b"SIMPLE  ", b"XTENSION"):
            if length and length % _BLOCK and length > last:  # many programs leave the last block as it is
                raise ReadError("the FITS file is not as long as it says")
            return
        stream.seek(end)
        with warnings.catch_warnings(action="ignore"):
            header = fits.Header.fromfile(stream, endcard=True)
        start = stream.tell()
        axes = [header.get(f"NAXIS{axis}", 0) for axis in range(1, header.get("NAXIS", 0) + 1)]
        size = int(np.prod(axes, dtype=int)) if axes else 0
        size = abs(header.get("BITPIX", 8)) // 8 * header.get("GCOUNT", 1) * (header.get("PCOUNT", 0) + size)
        last = start + size
        end = last + -last % _BLOCK
        yield header, start


def _sheet(place, header, start):
    """The table of an HDU; None for an image."""
    kind = str(header.get("XTENSION", "")).strip()
    if kind == "TABLE":
        return TableSheet(place, lambda data: _text_table(data, header, start), header.get("EXTNAME", ""))
    if kind not in ("BINTABLE", "A3DTABLE") or not header.get("TFIELDS"):
        return None
    sheet = _Table(place, header, start)
    return _Columns(place, header, start) if sheet.is_transposed else sheet


def _text_table(data, header, start):
    """A table in characters, as Astropy reads it."""
    from astropy.table import Table

    hdu = fits.TableHDU.fromstring(header.tostring().encode("ascii", "replace") + data[start:])
    return Table.read(hdu, format="fits")


class _Form:
    """How a column is stored: letter, count, shape, scale and null."""

    def __init__(self, header, number):
        form = str(header.get(f"TFORM{number}", "")).strip().upper()
        found = re.match(r"(\d*)([LXBIJKAEDCMPQ])\(?([LXBIJKAEDCM]?)", form)
        if found is None:
            raise ReadError(f"column {number}: the form {form!r} is none of FITS")
        count, self.letter, self.inner = found.groups()
        self.count = int(count) if count else 1
        self.form, self.number = form, number
        self.scale, self.zero = header.get(f"TSCAL{number}", 1), header.get(f"TZERO{number}", 0)
        self.null = header.get(f"TNULL{number}")
        self.dimensions = self._dimensions(str(header.get(f"TDIM{number}", "")))

    def _dimensions(self, card):
        """Lengths of the axes, the fastest one first; one axis where the card does not fit."""
        sizes = [int(size) for size in re.findall(r"\d+", card)]
        if sizes and int(np.prod(sizes)) == self.count and self.letter not in "PQX":
            return sizes
        width = int((re.findall(r"^\d+A(\d+)$", self.form) or [0])[0])
        return [width, self.count // width] if width and self.count % width == 0 else [self.count]

    @property
    def dtype(self):
        """Dtype of a stored cell."""
        if self.letter in "PQ":
            return np.dtype((">i4" if self.letter == "P" else ">i8", (2,) if self.count else (0,)))
        size = (self.count + 7) // 8 if self.letter == "X" else self.count
        return np.dtype((_DTYPES[self.letter], (size,)))

    def values(self, cells):
        """Values and mask of stored cells (N, count)."""
        if self.letter == "X":
            return np.unpackbits(np.ascontiguousarray(cells), axis=1)[:, : self.count].astype(bool), None
        is_scalar = self.dimensions == [1] and self.letter != "A"
        cells = cells.reshape(-1) if is_scalar else cells.reshape(len(cells), *reversed(self.dimensions))
        if self.letter == "A":
            words = np.ascontiguousarray(cells).view(f"S{cells.shape[-1]}")[..., 0]
            return np.strings.rstrip(text(words, "latin-1")), None
        if self.letter == "L":
            return cells == ord("T"), cells == 0
        return self.scaled(cells), None if self.null is None or self.letter in "ED" else cells == self.null

    def scaled(self, cells):
        """Stored numbers as those that are meant; integers that are only shifted stay exact."""
        cells = cells.astype(cells.dtype.newbyteorder("="))
        if self.scale == 1 and not self.zero:
            return cells
        bits = 8 * cells.dtype.itemsize
        if self.scale == 1 and cells.dtype.kind in "iu" and abs(self.zero) == 2 ** (bits - 1):
            other = np.dtype(f"{'i' if cells.dtype.kind == 'u' else 'u'}{bits // 8}")
            return cells.view(other) ^ other.type(2 ** (bits - 1) if other.kind == "u" else -(2 ** (bits - 1)))
        return cells * np.float64(self.scale) + self.zero


class _Table(Sheet):
    """A binary table."""

    def __init__(self, place, header, start):
        count = header["TFIELDS"]
        names = [str(header.get(f"TTYPE{number}", "")).strip() for number in range(1, count + 1)]
        meta = {key: value for key, value in header.items() if key}
        super().__init__(place, names, title=header.get("EXTNAME", ""), rows=header["NAXIS2"], meta=meta)
        self._header, self._start = header, start
        self._forms = [_Form(header, number) for number in range(1, count + 1)]
        for name, form in zip(self.names, self._forms, strict=True):
            if {"C", "M"} & {form.letter, form.inner} or not form.count:
                self.left_out[name] = f"form {form.form}"
        formats = [(f"f{form.number}", form.dtype) for form in self._forms]
        width, found = header["NAXIS1"], np.dtype(formats)
        if found.itemsize > width:
            raise ReadError(f"{place.where}: its columns need {found.itemsize} bytes a row, the header says {width}")
        self._dtype = np.dtype([*formats, ("rest", f"V{width - found.itemsize}")]) if found.itemsize < width else found

    @property
    def is_transposed(self):
        """Whether the one row holds whole columns, as TOPCAT's "colfits" has them."""
        last = {form.dimensions[-1] for form in self._forms}
        cards = all(f"TDIM{form.number}" in self._header for form in self._forms)
        return self.rows == 1 and cards and len(last) == 1 and last != {1}

    def blocks(self, rows, first=0, declared=None):
        with self.place.open() as stream:
            for part in pieces(self.rows, rows, first):
                yield self._content(self._records(stream, part), stream)

    def _records(self, stream, part):
        """Some rows as records."""
        first, count = part.start, part.stop - part.start
        stream.seek(self._start + first * self._dtype.itemsize)
        raw = stream.read(count * self._dtype.itemsize)
        if len(raw) < count * self._dtype.itemsize:
            there = first + len(raw) // max(self._dtype.itemsize, 1)
            raise ReadError(f"{self.place.where}: truncated FITS file; it ends after row {there} of {self.rows}")
        return np.frombuffer(raw, self._dtype, count) if self._dtype.itemsize else np.zeros(count, self._dtype)

    def _content(self, records, stream):
        fields = []
        for name, form in zip(self.names, self._forms, strict=True):
            if name in self.left_out:
                continue
            column, cells = self._column(name, form.number), records[f"f{form.number}"]
            if form.letter in "PQ":
                fields.append(self._arrays(column, form, cells, stream))
            else:
                fields.append(field_of(column, *form.values(cells)))
        return _content(self._header, fields)

    def _column(self, name, number):
        """What the cards say of a column."""
        card = {key: str(self._header.get(f"{key}{number}", "")) for key in ("TUNIT", "TUCD", "TCOMM", "TDISP")}
        shown = _format(card["TDISP"])
        return Column(name, units.parse(card["TUNIT"]), "", card["TUCD"], card["TCOMM"], format=shown)

    def _arrays(self, column, form, cells, stream):
        """A column of arrays of any length, which are in the heap."""
        own = _Form({"TFORM1": f"1{form.inner or 'B'}", "TSCAL1": form.scale, "TZERO1": form.zero}, 1)
        lengths, starts = (cells[:, index].astype(np.int64) for index in (0, 1))
        sizes = (lengths + 7) // 8 if own.letter == "X" else lengths * own.dtype.base.itemsize
        there = sizes > 0
        first, last = int(starts[there].min(initial=2**62)), int((starts + sizes)[there].max(initial=0))
        stream.seek(self._start + self._header.get("THEAP", self._dtype.itemsize * self.rows) + min(first, last))
        raw = stream.read(max(last - first, 0))
        stream.seek(self._start + self._dtype.itemsize * self.rows + self._header.get("PCOUNT", 0) - 1)
        if len(raw) < last - first or not stream.read(1):
            raise ReadError(f"{self.place.where}: truncated FITS file; the arrays of {column.name!r} are not all there")
        parts = [raw[at : at + size] for at, size in zip((starts - first).tolist(), sizes.tolist(), strict=True)]
        if own.letter == "A":
            return field_of(column, np.array([part.decode("latin-1").rstrip(" \0") for part in parts], np.str_))
        stored = np.frombuffer(b"".join(parts), own.dtype.base)
        values = stored == ord("T") if own.letter == "L" else stored if own.letter == "X" else own.scaled(stored)
        if form.null is not None and own.letter in "BIJK":
            values = np.where(stored == form.null, np.nan, values)
        found = Ragged(values, sizes // own.dtype.base.itemsize)
        return ragged_field(column, found, 0 if there.any() else self._longest(form, stream))

    def _longest(self, form, stream):
        """Length of the longest array of a column in the whole table."""
        found = (self._records(stream, part)[f"f{form.number}"] for part in pieces(self.rows, _ROWS))
        return max((int(cells[:, 0].max(initial=0)) for cells in found), default=0)


class _Columns(_Table):
    """A table of one row, whose cells are the columns of a table."""

    def __init__(self, place, header, start):
        super().__init__(place, header, start)
        self.rows = self._forms[0].dimensions[-1]

    def read(self, declared=None):
        with self.place.open() as stream:
            content = self._content(self._records(stream, slice(0, 1)), stream)
        content.fields = [field_of(item.column, item.data[0], item.mask[0]) for item in content.fields]
        return content

    def blocks(self, rows, first=0, declared=None):
        return Sheet.blocks(self, rows, first, declared)


def _format(display):
    found = re.fullmatch(r"([FGE])\d+\.(\d+)", display.strip())
    return f".{found[2]}{found[1].lower()}" if found else ""


def _content(header, fields):
    """The fields with the metadata of the header."""
    meta = {
        keyword.lower(): value
        for keyword, value in header.items()
        if not STRUCTURE.fullmatch(keyword) and not isinstance(value, fits.card.Undefined)
    }
    meta |= json.loads(header.get("METADATA", "{}"))
    description, reference = (str(meta.pop(key, header.get(key, ""))) for key in ("DESCRIPT", "REFERENC"))
    creator = str(header.get("CREATOR", ""))
    return Content(fields, meta, description=description, reference=reference, creator=creator)
