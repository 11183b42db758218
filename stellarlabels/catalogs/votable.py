"""VOTable: one table, in BINARY2 or in plain text, with units in VOUnits, UCDs, descriptions, nulls and metadata.

Metadata are PARAMs, of a type of their own where VOTable has one; lists and mappings are JSON texts (utype
``stellarlabels:json``). The meanings of flag bits, the reference and the software are INFOs.
"""

import json
import re
import warnings
from binascii import b2a_base64
from xml.etree import ElementTree

import numpy as np

from stellarlabels.catalogs import units
from stellarlabels.catalogs.content import Content, Field
from stellarlabels.catalogs.records import Packer
from stellarlabels.exceptions import InputError, ReadError
from stellarlabels.schema import Column

__all__ = ["document", "parse", "read", "write"]

_NAMESPACE = "http://www.ivoa.net/xml/VOTable/v1.3"
_DATATYPES = {
    "b": "boolean",
    "u1": "unsignedByte",
    "i2": "short",
    "i4": "int",
    "i8": "long",
    "f4": "float",
    "f8": "double",
}
#: 57 bytes make a line of 76 characters of base64.
_LINE = 57
_CHUNK = 1000 * _LINE
#: Characters that XML 1.0 cannot hold.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_PLACE = "@@rows@@"
#: Marks a PARAM that holds a JSON text.
_JSON = "stellarlabels:json"


def write(content, stream, path, *, serialization="binary2"):
    """Write a content as VOTable."""
    binary = serialization == "binary2"
    packer = Packer(content.fields, unicode=True, null_flags=binary, null_truth=b"?")
    head, tail = document(content, packer, serialization).split(_PLACE)
    stream.write(head.encode("utf-8"))
    rows = _binary_rows if binary else _text_rows
    for first in range(0, len(content), _CHUNK):
        stream.write(rows(content, packer, slice(first, first + _CHUNK)))
    stream.write(tail.encode("utf-8"))


def _binary_rows(content, packer, part):
    """Rows in base64, in lines of 76 characters. The chunks are multiples of 57 rows, so that they can be joined."""
    raw = np.frombuffer(packer.rows(part).tobytes(), np.uint8)
    whole = len(raw) // _LINE * _LINE
    encoded = np.frombuffer(b2a_base64(raw[:whole], newline=False), np.uint8).reshape(-1, _LINE // 3 * 4)
    lines = np.concatenate([encoded, np.full((len(encoded), 1), ord("\n"), np.uint8)], axis=1)
    return lines.tobytes() + (b2a_base64(raw[whole:]) if whole < len(raw) else b"")


def _text_rows(content, packer, part):
    """Rows as TR elements."""
    cells = [_text_cells(item, null, part) for item, null in zip(content.fields, packer.nulls, strict=True)]
    row = np.full(cells[0].shape, "<TR>")
    for cell in cells:
        for piece in ("<TD>", cell, "</TD>"):
            row = np.strings.add(row, piece)
    return ("\n".join(np.strings.add(row, "</TR>").tolist()) + "\n").encode("utf-8")


def _text_cells(item, null, part):
    """The text of each cell of a column; empty where a scalar is missing."""
    data, mask = item.data[part], item.mask[part]
    if item.kind == "U":
        if item.column.shape:
            raise InputError(f"column {item.column.name!r}: a VOTable in plain text holds no arrays of text")
        if any(map(_ILLEGAL.search, data.tolist())):
            raise InputError(f"column {item.column.name!r}: a VOTable in plain text holds no control characters")
        text = data.astype(np.promote_types(data.dtype, "U5"))  # room for the longest entity
        for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\r", "&#13;")):
            text = np.strings.replace(text, character, entity)
        return text
    if item.kind == "b":
        text = np.where(data, "T", "F")
    elif item.kind == "f":
        text = data.astype(np.str_)
        text = np.where(np.isinf(data), np.where(data > 0, "+Inf", "-Inf"), np.where(np.isnan(data), "NaN", text))
    else:
        text = data.astype(np.str_)
    if not item.column.shape:
        return np.where(mask, "", text)
    missing = {"f": "NaN", "b": "?"}.get(item.kind, str(null))
    text = np.where(mask, missing, text).reshape(len(data), -1)
    joined = text[:, 0]
    for index in range(1, text.shape[1]):
        joined = np.strings.add(np.strings.add(joined, " "), text[:, index])
    return joined


def document(content, packer, serialization=None):
    """The XML text of a VOTable, with a place for the rows; without DATA if no serialization is named.

    Parameters
    ----------
    content : `~stellarlabels.catalogs.content.Content`
    packer : `~stellarlabels.catalogs.records.Packer`
    serialization : {None, "binary2", "tabledata"}

    Returns
    -------
    str
    """
    root = ElementTree.Element("VOTABLE", {"version": "1.4", "xmlns": _NAMESPACE})
    resource = _add(root, "RESOURCE", type="results")
    reference = ""
    if content.coosys:
        reference = "coosys"
        _add(resource, "COOSYS", ID=reference, **content.coosys)
    for key, value in content.meta.items():
        _add(resource, "PARAM", name=_legal(key), **_param(value))
    table = _add(resource, "TABLE", name=content.name, nrows=str(len(content)))
    if content.description:
        _add(table, "DESCRIPTION").text = _legal(content.description)
    _add(table, "INFO", name="creator", value=content.creator)
    if content.reference:
        _add(table, "INFO", name="reference", value=_legal(content.reference))
    for kind, bits in content.flags.items():
        for value, meaning in bits:
            _add(table, "INFO", name=f"flag_{kind}_{value}", value=_legal(meaning))
    for number, (item, null) in enumerate(zip(content.fields, packer.nulls, strict=True)):
        _add_field(table, item, packer.dtype[f"f{number}"].base, null, reference)
    if serialization == "binary2":
        _add(_add(_add(table, "DATA"), "BINARY2"), "STREAM", encoding="base64").text = f"\n{_PLACE}"
    elif serialization == "tabledata":
        _add(_add(table, "DATA"), "TABLEDATA").text = f"\n{_PLACE}"
    ElementTree.indent(root, " ")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _add(parent, tag, **attributes):
    return ElementTree.SubElement(parent, tag, {name: value for name, value in attributes.items() if value})


def _legal(text):
    """The text without characters that XML cannot hold, and without the mark of the rows' place."""
    return _ILLEGAL.sub("", str(text)).replace(_PLACE, "")


def _add_field(table, item, base, null, reference):
    """Add the FIELD element of a column."""
    column = item.column
    if _legal(column.name) != column.name:
        raise InputError(f"column {column.name!r}: its name has characters that XML cannot hold")
    sizes = [str(size) for size in reversed(column.shape)]
    if item.kind == "U":
        wide = not item.is_ascii
        sizes.insert(0, str(base.itemsize // 2 if wide else base.itemsize))
        datatype = "unicodeChar" if wide else "char"
    else:
        datatype = _DATATYPES["b" if item.kind == "b" else base.str[1:]]
    precision = re.fullmatch(r"%?\.(\d+)([fe])", column.format)
    element = _add(
        table,
        "FIELD",
        name=column.name,
        ucd=column.ucd,
        ref=reference if column.ucd.startswith("pos.eq.") else "",
        unit=units.spell(column.unit, "vounit", column.name),
        datatype=datatype,
        arraysize="x".join(sizes),
        precision=(("F" if precision[2] == "f" else "E") + precision[1]) if precision else "",
    )
    if column.description:
        _add(element, "DESCRIPTION").text = _legal(column.description)
    if null is not None:
        _add(element, "VALUES", null=str(null))


def _param(value):
    """Attributes of the PARAM that holds a value."""
    if isinstance(value, bool):
        return {"datatype": "boolean", "value": "true" if value else "false"}
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return {"datatype": "long", "value": str(value)}
    if isinstance(value, float) and np.isfinite(value):
        return {"datatype": "double", "value": repr(value)}
    plain = isinstance(value, str) and value.strip() == value != "" and value.isprintable() and _legal(value) == value
    text = value if plain else json.dumps(value)
    datatype = "char" if text.isascii() else "unicodeChar"
    return {"datatype": datatype, "arraysize": "*", "value": text, "utype": "" if plain else _JSON}


def read(path):
    """The first table of a VOTable file."""
    with open(path, "rb") as stream:
        return parse(stream)


def parse(stream):
    """The first table of a VOTable.

    Parameters
    ----------
    stream : file object
        Binary.

    Returns
    -------
    `~stellarlabels.catalogs.content.Content`
    """
    from astropy.io import votable

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # small faults of other people's files
        file = votable.parse(stream, verify="ignore")
        table = file.get_first_table()
    infos = {info.name: info.value for info in table.infos}
    params = [param for resource in file.resources for param in resource.params]
    meta = {param.name: _value(param) for param in [*params, *table.params]}
    fields = [_field(declared, table.array[declared.ID]) for declared in table.fields]
    return Content(
        fields,
        meta,
        description=str(table.description or ""),
        reference=str(infos.get("reference") or ""),
        creator=str(infos.get("creator") or ""),
    )


def _value(param):
    """The value of a PARAM as Python has it."""
    value = param.value
    if param.utype == _JSON:
        return json.loads(str(value))
    return value.item() if isinstance(value, np.generic | np.ndarray) else value


def _field(declared, column):
    """The column of a FIELD."""
    data, mask = np.ma.getdata(column), np.ma.getmaskarray(column).copy()
    if data.dtype.kind in "OS":
        if declared.datatype not in ("char", "unicodeChar"):
            raise ReadError(f"column {declared.name!r} has cells of varying length, which are not supported")
        mask |= np.equal(data, None) if data.dtype.kind == "O" else False
        texts = np.where(mask, "", data).astype(object)
        data = np.array([_decoded(text) for text in texts.flat], dtype=np.str_).reshape(texts.shape)
    data = data.astype(data.dtype.newbyteorder("="))
    if data.dtype.kind == "f":
        mask |= np.isnan(data)
    elif data.dtype.kind == "U":
        mask |= data == ""
    precision = re.fullmatch(r"([FE]?)(\d+)", declared.precision or "")
    return Field(
        Column(
            name=declared.name,
            unit=units.parse(None if declared.unit is None else str(declared.unit)),
            dtype="str" if data.dtype.kind == "U" else data.dtype.name,
            ucd=declared.ucd or "",
            description=str(declared.description or ""),
            shape=data.shape[1:],
            format=f".{precision[2]}{(precision[1] or 'f').lower()}" if precision else "",
        ),
        data,
        mask,
    )


def _decoded(text):
    return text.decode("utf-8") if isinstance(text, bytes) else str(text)
