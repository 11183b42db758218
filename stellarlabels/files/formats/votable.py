"""VOTable: tables with units in VOUnits, UCDs, descriptions, nulls and metadata, in BINARY2 or in plain text.

The header is in ``stellarlabels.files.formats.votable_header``; the rows are packed and unpacked in
``stellarlabels.files.formats.binary2`` and ``stellarlabels.files.formats.tabledata``, thousands at a time. Documents of
others that are not one table in BINARY or BINARY2 with cells of fixed size are read by Astropy, after fields that do
not say what they hold, or too little, have been declared as text: no digit and no letter of them is lost.
"""

import io
import re
import warnings

import numpy as np

from stellarlabels.columns import Column, Ragged, typing
from stellarlabels.exceptions import ReadError
from stellarlabels.files.content import BLOCK, cells_field, ragged_field
from stellarlabels.files.formats import binary2, tabledata
from stellarlabels.files.formats.votable_header import (
    PLACE,
    VOTable,
    about,
    check_elements,
    document,
    make_field,
    states,
)
from stellarlabels.files.progress import TEXT, slices
from stellarlabels.files.records import Packer

_FIELD = re.compile(rb"<(?:[\w.-]+:)?FIELD\b[^>]*>")
_ATTRIBUTE = rb"\s%s\s*=\s*(\"[^\"]*\"|'[^']*')"
#: Marks fields whose datatype is a guess.
_GUESSED = "stellarlabels-guess"
#: Warnings of Astropy that a value was changed: out of the range of its type, or a text cut.
_CHANGED = ("W51", "W46", "W49")


def write(content, stream, path, *, serialization="binary2"):
    """Write a content as VOTable, in BINARY2 or TABLEDATA."""
    packer = Packer(content.fields, unicode=True, null_flags=serialization == "binary2", null_truth=b"?")
    head, tail = document(content, packer, serialization).split(PLACE)
    stream.write(head.encode("utf-8"))
    rows, step = {"binary2": (binary2.rows, BLOCK), "tabledata": (tabledata.rows, TEXT)}[serialization]
    for part in slices(len(content), step=step):
        stream.write(rows(packer, part))
    stream.write(tail.encode("utf-8"))


def tables(place):
    """The tables of a document; a ReadError if it says that there was an error, or has none."""
    found = binary2.find(place)
    if found is not None:
        return [found]
    file, changed = _parsed(place.bytes())
    sheets = [
        _Parsed(place, element, [*parents, element]) for parents, element in _elements(file, []) if element.fields
    ]
    said = states([file, *file.resources])
    if not sheets and "ERROR" in said:
        raise ReadError(f"{place.where}: the service answered with an error: {said['ERROR']}")
    if not sheets:
        raise ReadError(f"{place.where}: the VOTable has no table (damaged or truncated VOTable, or an empty answer)")
    for sheet in sheets:
        sheet.notes += changed
    return sheets


def _elements(parent, parents):
    """All tables, each with the elements that it is in."""
    for resource in parent.resources:
        yield from (([*parents, parent, resource], table) for table in resource.tables)
        yield from _elements(resource, [*parents, parent])


def _parsed(data):
    """The document as Astropy reads it, and what it changed."""
    from astropy.io import votable

    check_elements(data)
    for guess in (False, True):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            file = votable.parse(io.BytesIO(_declared(data, guess)), verify="warn")
        changed = [str(item.message) for item in seen if type(item.message).__name__ in _CHANGED]
        if not changed or b"TABLEDATA" not in data:
            break
    return file, [f"a value is not the one of the file: {text[:200]}" for text in changed[:1]]


def _declared(data, guess):
    """The document with fields as text that have no datatype or, in plain text, no length; all integers if asked."""
    is_text = b"TABLEDATA" in data

    def amended(match):
        tag = match[0]
        kind = re.search(_ATTRIBUTE % b"datatype", tag)
        size = re.search(_ATTRIBUTE % b"arraysize", tag)
        word = kind[1].strip(b"\"'") if kind else b""
        if word in (b"char", b"unicodeChar") and size is None and is_text:
            return re.sub(rb"\s*/?>$", rb' arraysize="*"\g<0>', tag)
        if kind is None and not is_text:
            raise ReadError(f"the VOTable has a field without a datatype: {tag.decode('utf-8', 'replace')[:80]}")
        if kind is not None and not (guess and size is None and word in (b"unsignedByte", b"short", b"int", b"long")):
            return tag
        tag = re.sub(_ATTRIBUTE % b"(?:datatype|arraysize|xtype)", b"", tag)
        return re.sub(rb"\s*/?>$", rb' datatype="char" arraysize="*" xtype="%s"\g<0>' % _GUESSED.encode(), tag)

    return _FIELD.sub(amended, data)


class _Parsed(VOTable):
    """A table as Astropy has read it."""

    def __init__(self, place, element, parents):
        super().__init__(place, element, parents, rows=len(element.array))
        self.left_out = {name: field.datatype for field, name in self.declared if "Complex" in field.datatype}

    def read(self, declared=None):
        pairs = [pair for pair in self.declared if pair[1] not in self.left_out]
        fields = [self._field(*pair, self.element.array[pair[0].ID]) for pair in pairs]
        return about(self.element, self.parents, fields)

    def _field(self, declared, name, column):
        """The column of a FIELD."""
        data, mask = np.ma.getdata(column), np.ma.getmaskarray(column).copy()
        if data.dtype.kind not in "OS":
            return make_field(declared, name, data, mask)
        if declared.datatype not in ("char", "unicodeChar"):
            return ragged_field(make_field(declared, name, np.zeros(0), None).column, Ragged.from_column(column))
        texts = cells_field(Column(name), data.astype(object), mask)
        data, mask = texts.data, texts.mask
        if declared.xtype != _GUESSED:
            return make_field(declared, name, data, mask)
        null = declared.values.null
        data = np.where(data == str(null), "", data) if null is not None else data
        data, mask, odd = typing.typed(data)
        if odd is not None:
            self.notes.append(f"column {name!r} is read as text, since {odd!r} is no number")
        return make_field(declared, name, data, mask)
