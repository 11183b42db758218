"""FITS, written: one binary table behind a primary HDU, with checksums.

Metadata whose names and values fit into plain cards have a card each; the others are in the card ``METADATA`` as JSON.
"""

import io
import json
import re

import numpy as np
from astropy.io import fits

from stellarlabels.columns import units
from stellarlabels.exceptions import InputError
from stellarlabels.files.formats import votable_header
from stellarlabels.files.progress import slices
from stellarlabels.files.records import Packer

_BLOCK = 2880
#: Bytes of which a checksum is made at a time.
_CHUNK = 256 * _BLOCK
#: The largest sum of a checksum: ones' complement sums of 32-bit words (FITS Standard 4.0, appendix J).
_WORD = 2**32 - 1
#: Characters that the text of a checksum avoids: those between the digits and the letters.
_PUNCTUATION = set(range(ord(":"), ord("@") + 1)) | set(range(ord("["), ord("`") + 1))
LETTERS = {"u1": "B", "i2": "I", "i4": "J", "i8": "K", "f4": "E", "f8": "D"}
_DIGITS = {"u1": 3, "i2": 6, "i4": 11, "i8": 20}
#: Characters beside the decimals of a float.
_BESIDE = {"f": 9, "g": 7, "e": 8}
#: Columns of a table and characters of a name, at most.
_COLUMNS, _NAME = 999, 68
#: Cards that say how the file is made, not what the catalog is.
STRUCTURE = re.compile(
    r"SIMPLE|XTENSION|BITPIX|NAXIS\d*|EXTEND|[PG]COUNT|TFIELDS|THEAP|EXTNAME|EXTVER|EXTLEVEL|CHECKSUM|DATASUM|CREATOR"
    r"|DATE|RADESYS|DESCRIPT|REFERENC|METADATA|COMMENT|HISTORY|CONTINUE|LONGSTRN|END|"
    r"|(TTYPE|TFORM|TUNIT|TDISP|TNULL|TDIM|TSCAL|TZERO|TUCD|TCOMM|FLAG)\d+"
)


def write(content, stream, path, *, plus=False):
    """Write a content as FITS, with TOPCAT's header if ``plus``."""
    _check(content)
    packer = Packer(content.fields, unicode=False, null_flags=False, null_truth=b"\0")
    header = _header(content, packer)
    stream.write(_primary(votable_header.document(content, packer) if plus else ""))
    start = stream.tell()
    stream.write(_signed(header, 0))  # takes the place of the one with the checksums
    first, total = stream.tell(), 0
    for part in slices(len(content)):
        stream.write(packer.rows(part).view(np.uint8).data)
    stream.write(b"\0" * (-stream.tell() % _BLOCK))
    stream.seek(first)
    while data := stream.read(_CHUNK):
        total = _added(total, data)
    stream.seek(start)
    stream.write(_signed(header, total))
    stream.seek(0, io.SEEK_END)


def _check(content):
    """Refuse what FITS has no room for, before anything is written."""
    if len(content.fields) > _COLUMNS:
        raise InputError(f"table: FITS holds {_COLUMNS} columns, got {len(content.fields)}; write VOTable or Parquet")
    for item in content.fields:
        if len(item.column.name) > _NAME:
            raise InputError(f"column {item.column.name!r}: FITS holds names of up to {_NAME} characters; rename it")


def _primary(words):
    """The primary HDU, with a text as its data."""
    raw = words.encode("utf-8")
    header = fits.Header([("SIMPLE", True, "standard FITS"), ("BITPIX", 8), ("NAXIS", 1 if raw else 0)])
    if raw:
        header["NAXIS1"] = len(raw)
        header["VOTMETA"] = (True, "the data are the header of a VOTable")
    header["EXTEND"] = True
    raw += b"\0" * (-len(raw) % _BLOCK)
    return _signed(header, _added(0, raw)) + raw


def _signed(header, data):
    """The header in bytes, with the checksums for data of this sum."""
    header["DATASUM"] = (str(data), "checksum of the data")
    header["CHECKSUM"] = ("0" * 16, "checksum of the HDU")
    header["CHECKSUM"] = _encoded(_added(data, header.tostring().encode("ascii")))
    return header.tostring().encode("ascii")


def _header(content, packer):
    """The header of the table, without checksums."""
    header = fits.Header([("XTENSION", "BINTABLE"), ("BITPIX", 8), ("NAXIS", 2)])
    header["NAXIS1"], header["NAXIS2"] = packer.dtype.itemsize, len(content)
    header["PCOUNT"], header["GCOUNT"], header["TFIELDS"] = 0, 1, len(content.fields)
    header["EXTNAME"] = content.name if _is_text(content.name) else "labels"
    header["CREATOR"] = content.creator
    for number, (item, null) in enumerate(zip(content.fields, packer.nulls, strict=True), start=1):
        for keyword, value in _column_cards(item, packer.dtype[f"f{number - 1}"], null).items():
            header[f"{keyword}{number}"] = value
    header.update(_content_cards(content))
    # Not comments: STILTS would make one array of them, whose shape Astropy's reader of VOTables does not know.
    meanings = [f"{kind} {value}: {meaning}" for kind, bits in content.flags.items() for value, meaning in bits]
    header.update({f"FLAG{number}": meaning for number, meaning in enumerate(meanings, start=1)})
    return header


def _column_cards(item, dtype, null):
    """The cards of a column, without its number."""
    column, base, shape = item.column, dtype.base, dtype.shape
    for words in (column.name, column.ucd, column.description):
        if not words.isascii() or not words.isprintable():
            raise InputError(f"column {column.name!r}: FITS holds printable ASCII only, got {words!r}")
    count, axes = int(np.prod(shape, dtype=int)), tuple(reversed(shape)) if len(shape) > 1 else ()
    if item.kind == "U":
        form, axes = f"{base.itemsize * count}A", (base.itemsize, *reversed(shape)) if shape else ()
    else:
        form = f"{count}{'L' if item.kind == 'b' else LETTERS[base.str[1:]]}"
    cards = {
        "TTYPE": column.name,
        "TFORM": form,
        "TDIM": f"({','.join(map(str, axes))})" if axes else None,
        "TUNIT": units.spell(column.unit, "fits", column.name),
        "TNULL": null,
        "TDISP": _display(item, base),
        "TUCD": column.ucd,
        "TCOMM": column.description,
    }
    return {keyword: value for keyword, value in cards.items() if value not in (None, "")}


def _display(item, base):
    """How a value is shown, in Fortran's words; None if nothing was declared."""
    if item.kind in "iu":
        return f"I{_DIGITS[base.str[1:]]}"
    found = re.fullmatch(r"%?\.(\d+)([fge])", item.column.format)
    if item.kind != "f" or not found:
        return None
    digits = int(found[1])
    return f"{found[2].upper()}{digits + _BESIDE[found[2]]}.{digits}"


def _content_cards(content):
    """The cards of the catalog as a whole."""
    cards, others = {}, {}
    for key, value in content.meta.items():
        if _is_plain(key, value):
            cards[key.upper()] = value
        else:
            others[key] = value
    for keyword, words in (("DESCRIPT", content.description), ("REFERENC", content.reference)):
        if words:
            (cards if _is_text(words) else others)[keyword] = words
    if content.coosys:
        cards["RADESYS"] = content.coosys["system"]
    if others:
        cards["METADATA"] = json.dumps(others)
    return cards


def _is_text(value):
    return value.isascii() and value.isprintable() and value == value.rstrip()


def _is_plain(key, value):
    """Whether a card gives the entry back as it is."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,7}", key) or STRUCTURE.fullmatch(key.upper()):
        return False
    return _is_text(value) if isinstance(value, str) else isinstance(value, int | float) and np.isfinite(value)


def _added(value, data):
    """A sum with the bytes that follow, a multiple of four."""
    total = value + int(np.frombuffer(data, ">u4").sum(dtype=np.uint64))
    while total > _WORD:
        total = (total & _WORD) + (total >> 32)
    return total


def _encoded(value):
    """The 16 characters that make the sum of a header and its data minus zero if it is ``value`` without them."""
    complement = _WORD - value
    columns = np.zeros((4, 4), int)
    for index, byte in enumerate(complement.to_bytes(4, "big")):
        quotient, remainder = divmod(byte, 4)
        column = [quotient + ord("0")] * 4
        column[0] += remainder
        while _PUNCTUATION & set(column):
            for first in (0, 2):
                if _PUNCTUATION & {column[first], column[first + 1]}:
                    column[first] += 1
                    column[first + 1] -= 1
        columns[:, index] = column
    text = "".join(map(chr, columns.ravel()))
    return text[-1] + text[:-1]
