"""FITS: one binary table, with units, UCDs, descriptions, nulls and metadata in standard cards.

Metadata whose names and values fit into plain cards have a card each; the others are in the card ``METADATA`` as JSON.
"""

import gzip
import io
import json
import re
import shutil
import tempfile
import warnings

import numpy as np
from astropy.io import fits

from stellarlabels.columns import Column, units
from stellarlabels.exceptions import InputError, ReadError
from stellarlabels.files.content import Content, Field
from stellarlabels.files.formats import votable_header
from stellarlabels.files.formats.checksums import Sum, encoded
from stellarlabels.files.progress import slices
from stellarlabels.files.records import Packer

__all__ = ["blocks", "count", "read", "write"]

_BLOCK = 2880
_LETTERS = {"u1": "B", "i2": "I", "i4": "J", "i8": "K", "f4": "E", "f8": "D"}
_DIGITS = {"u1": 3, "i2": 6, "i4": 11, "i8": 20}
#: Cards that say how the file is made, not what the catalog is.
_STRUCTURE = re.compile(
    r"SIMPLE|XTENSION|BITPIX|NAXIS\d*|EXTEND|[PG]COUNT|TFIELDS|THEAP|EXTNAME|EXTVER|EXTLEVEL|CHECKSUM|DATASUM|CREATOR"
    r"|DATE|RADESYS|DESCRIPT|REFERENC|METADATA|COMMENT|HISTORY|CONTINUE|LONGSTRN|END|"
    r"|(TTYPE|TFORM|TUNIT|TDISP|TNULL|TDIM|TSCAL|TZERO|TUCD|TCOMM|FLAG)\d+"
)


def write(content, stream, path, *, plus=False):
    """Write a content as FITS; compressed if the name ends in ``.gz``.

    Parameters
    ----------
    content : `~stellarlabels.files.content.Content`
    stream : file object
    path : `~pathlib.Path`
    plus : bool
        Whether the primary HDU holds the header of a VOTable, as TOPCAT's own format "fits-plus" has it.
    """
    if not path.name.lower().endswith(".gz"):
        _write(content, stream, plus)
        return
    with tempfile.TemporaryFile(dir=path.parent) as plain:
        _write(content, plain, plus)
        plain.seek(0)
        with gzip.GzipFile(filename="", mode="wb", fileobj=stream, compresslevel=6, mtime=0) as packed:
            shutil.copyfileobj(plain, packed)


def _write(content, stream, plus):
    packer = Packer(content.fields, unicode=False, null_flags=False, null_truth=b"\0")
    header = _header(content, packer)
    stream.write(_primary(votable_header.document(content, packer) if plus else ""))
    start = stream.tell()
    stream.write(_signed(header, 0))  # takes the place of the one with the checksums
    data = Sum()
    for part in slices(len(content)):
        raw = packer.rows(part).view(np.uint8).data
        stream.write(raw)
        data.add(raw)
    padding = b"\0" * (-stream.tell() % _BLOCK)
    stream.write(padding)
    data.add(padding)
    stream.seek(start)
    stream.write(_signed(header, data.value))
    stream.seek(0, io.SEEK_END)


def _primary(text):
    """The primary HDU, with a text as its data."""
    raw = text.encode("utf-8")
    header = fits.Header([("SIMPLE", True, "standard FITS"), ("BITPIX", 8), ("NAXIS", 1 if raw else 0)])
    if raw:
        header["NAXIS1"] = len(raw)
        header["VOTMETA"] = (True, "the data are the header of a VOTable")
    header["EXTEND"] = True
    raw += b"\0" * (-len(raw) % _BLOCK)
    data = Sum()
    data.add(raw)
    return _signed(header, data.value) + raw


def _signed(header, data):
    """The header in bytes, with the checksums for data of this sum."""
    header["DATASUM"] = (str(data), "checksum of the data")
    header["CHECKSUM"] = ("0" * 16, "checksum of the HDU")
    total = Sum(data)
    total.add(header.tostring().encode("ascii"))
    header["CHECKSUM"] = encoded(total.value)
    return header.tostring().encode("ascii")


def _header(content, packer):
    """The header of the table, without checksums."""
    header = fits.Header()
    for keyword, value in (
        ("XTENSION", "BINTABLE"),
        ("BITPIX", 8),
        ("NAXIS", 2),
        ("NAXIS1", packer.dtype.itemsize),
        ("NAXIS2", len(content)),
        ("PCOUNT", 0),
        ("GCOUNT", 1),
        ("TFIELDS", len(content.fields)),
        ("EXTNAME", content.name if _is_text(content.name) else "labels"),
        ("CREATOR", content.creator),
    ):
        header[keyword] = value
    for number, (item, null) in enumerate(zip(content.fields, packer.nulls, strict=True), start=1):
        for keyword, value in _column_cards(item, packer.dtype[f"f{number - 1}"], null).items():
            header[f"{keyword}{number}"] = value
    for keyword, value in _content_cards(content).items():
        header[keyword] = value
    # Not comments: STILTS would make one array of them, whose shape Astropy's reader of VOTables does not know.
    meanings = [f"{kind} {value}: {meaning}" for kind, bits in content.flags.items() for value, meaning in bits]
    for number, text in enumerate(meanings, start=1):
        header[f"FLAG{number}"] = text
    return header


def _column_cards(item, dtype, null):
    """The cards of a column, without its number."""
    column = item.column
    base, shape = dtype.base, dtype.shape
    count = int(np.prod(shape, dtype=int))
    if item.kind == "U":
        form = f"{base.itemsize * count}A"
        dimensions = (base.itemsize, *reversed(shape)) if shape else ()
    else:
        letter = "L" if item.kind == "b" else _LETTERS[base.str[1:].replace("|", "")]
        form, dimensions = f"{count}{letter}", tuple(reversed(shape)) if len(shape) > 1 else ()
    cards = {
        "TTYPE": column.name,
        "TFORM": form,
        "TDIM": f"({','.join(map(str, dimensions))})" if dimensions else None,
        "TUNIT": units.spell(column.unit, "fits", column.name),
        "TNULL": null,
        "TDISP": _display(item, base),
        "TUCD": column.ucd,
        "TCOMM": column.description,
    }
    for text in (column.name, column.ucd, column.description):
        if not text.isascii() or not text.isprintable() and text:
            raise InputError(f"column {column.name!r}: FITS holds printable ASCII only, got {text!r}")
    return {keyword: value for keyword, value in cards.items() if value not in (None, "")}


def _display(item, base):
    """How a value is shown, in Fortran's words; None if nothing was declared."""
    if item.kind in "iu":
        return f"I{_DIGITS[base.str[1:]]}"
    found = re.fullmatch(r"%?\.(\d+)([fge])", item.column.format)
    if item.kind != "f" or not found:
        return None
    digits = int(found[1])
    return {"f": f"F{digits + 9}.{digits}", "g": f"G{digits + 7}.{digits}", "e": f"E{digits + 8}.{digits}"}[found[2]]


def _content_cards(content):
    """The cards of the catalog as a whole."""
    plain = {key: value for key, value in content.meta.items() if _is_plain(key, value)}
    others = {key: value for key, value in content.meta.items() if key not in plain}
    cards = {key.upper(): value for key, value in plain.items()}
    for keyword, text in (("DESCRIPT", content.description), ("REFERENC", content.reference)):
        if text and _is_text(text):
            cards[keyword] = text
        elif text:
            others[keyword] = text
    if content.coosys:
        cards["RADESYS"] = content.coosys["system"]
    if others:
        cards["METADATA"] = json.dumps(others)
    return cards


def _is_text(value):
    return value.isascii() and value.isprintable() and value == value.rstrip()


def _is_plain(key, value):
    """Whether a card gives the entry back as it is."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,7}", key) or _STRUCTURE.fullmatch(key.upper()):
        return False
    if isinstance(value, str):
        return _is_text(value)
    return isinstance(value, bool | int) or isinstance(value, float) and np.isfinite(value)


def read(path):
    """The first binary table of a FITS file."""
    with fits.open(path, memmap=False) as hdus:
        return _content_of(_first_table(hdus, path))


def count(path):
    """Number of rows of the first binary table of a FITS file."""
    return _place(path)[0]["NAXIS2"]


def blocks(path, rows, first=0):
    """The first binary table of a FITS file from a row on, in pieces of so many rows; at least one piece."""
    header, start = _place(path)
    total, width = header["NAXIS2"], header["NAXIS1"]
    header["PCOUNT"] = 0
    with open(path, "rb") as plain:
        packed = plain.read(2) == b"\x1f\x8b"
    with (gzip.open if packed else open)(path, "rb") as stream:
        begin = min(first, total)
        stream.seek(start + begin * width)
        for first in range(begin, max(total, begin + 1), rows):
            header["NAXIS2"] = min(rows, total - first)
            size = header["NAXIS2"] * width
            raw = stream.read(size)
            if len(raw) < size:
                raise ReadError(f"path: {path} ends after row {first + len(raw) // max(width, 1)} of {total}")
            head = header.tostring().encode("ascii")
            yield _content_of(fits.BinTableHDU.fromstring(head + raw + b"\0" * (-size % _BLOCK)))


def _place(path):
    """Header of the first binary table, and where its data begin."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "File may have been truncated")  # who reads its rows will see
        with fits.open(path, memmap=False) as hdus:
            hdu = _first_table(hdus, path)
            return hdu.header.copy(), hdu.fileinfo()["datLoc"]


def _first_table(hdus, path):
    """The first binary table; HDUs behind it are not looked at."""
    for hdu in hdus:
        if isinstance(hdu, fits.BinTableHDU):
            return hdu
    raise ReadError(f"path: {path} has no binary table")


def _content_of(hdu):
    """The content of a table."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "It is strongly recommended that column names", fits.verify.VerifyWarning)
        return _content(hdu.header, [_field(hdu, number) for number in range(1, len(hdu.columns) + 1)])


def _field(hdu, number):
    """The column with this number."""
    header = hdu.header
    name = hdu.columns[number - 1].name
    stored = hdu.data.view(np.ndarray)
    stored = stored[stored.dtype.names[number - 1]]
    is_truth = re.fullmatch(r"\d*L", str(hdu.columns[number - 1].format)) is not None
    data = stored == ord("T") if is_truth else np.asarray(hdu.data.field(number - 1))
    if data.dtype.kind not in "biufUS":
        raise ReadError(f"column {name!r} has the form {hdu.columns[number - 1].format}, which is not supported")
    data = data.astype(data.dtype.newbyteorder("="))
    if data.dtype.kind == "S":
        data = np.char.decode(data, "ascii")
    if data.dtype.kind == "U":
        data = np.strings.rstrip(data)
    mask = np.zeros(data.shape, bool)
    null = header.get(f"TNULL{number}")
    if data.dtype.kind == "f":
        mask |= np.isnan(data)
    elif data.dtype.kind == "U":
        mask |= data == ""
    elif data.dtype.kind == "b":
        mask |= stored.reshape(data.shape) == 0
    if null is not None and stored.dtype.kind in "iu":
        mask |= stored.reshape(data.shape) == null
    return Field(
        Column(
            name=name,
            unit=units.parse(header.get(f"TUNIT{number}")),
            dtype="str" if data.dtype.kind == "U" else data.dtype.name,
            ucd=header.get(f"TUCD{number}", ""),
            description=header.get(f"TCOMM{number}", ""),
            shape=data.shape[1:],
            format=_format(header.get(f"TDISP{number}", "")),
        ),
        data,
        mask,
    )


def _format(display):
    found = re.fullmatch(r"([FGE])\d+\.(\d+)", display)
    return f".{found[2]}{found[1].lower()}" if found else ""


def _content(header, fields):
    meta = {
        keyword.lower(): value
        for keyword, value in header.items()
        if not _STRUCTURE.fullmatch(keyword) and not isinstance(value, fits.card.Undefined)
    }
    meta |= json.loads(header.get("METADATA", "{}"))
    description = meta.pop("DESCRIPT", header.get("DESCRIPT", ""))
    reference = meta.pop("REFERENC", header.get("REFERENC", ""))
    return Content(fields, meta, description=description, reference=reference, creator=str(header.get("CREATOR", "")))
