"""The header of a VOTable: everything but the rows, written and understood.

Metadata are PARAMs, of a type of their own where VOTable has one; lists and mappings are JSON texts (utype
``stellarlabels:json``). The meanings of flag bits, the reference and the software are INFOs.
"""

import json
import re
import warnings
from xml.etree import ElementTree

import numpy as np

from stellarlabels.columns import Column, units
from stellarlabels.exceptions import InputError, ReadError
from stellarlabels.files.content import Content, field_of
from stellarlabels.files.sheets import Sheet

_NAMESPACE = "http://www.ivoa.net/xml/VOTable/v1.3"
#: The datatype of each type of numbers.
DATATYPES = {"u1": "unsignedByte", "i2": "short", "i4": "int", "i8": "long", "f4": "float", "f8": "double"}
#: Characters that XML 1.0 cannot hold.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
#: What is between the beginning of a table and its rows, the tags in that, and those that there are in VOTable.
_HEAD = re.compile(rb"<(?:[\w.-]+:)?TABLE\b[^>]*>(.*?)<(?:[\w.-]+:)?DATA\b", re.DOTALL)
_TAG = re.compile(rb"<(?:[\w.-]+:)?([^\s/!?>:]+)[\s/>]")
_TAGS = b"DESCRIPTION INFO FIELD PARAM GROUP LINK VALUES MIN MAX OPTION FIELDref PARAMref TABLE RESOURCE".split()
#: Stands in the text of `document` where the rows go.
PLACE = "@@rows@@"
#: Marks a PARAM that holds a JSON text.
_JSON = "stellarlabels:json"


def document(content, packer, serialization=None):
    """The XML text of a VOTable, with a place for the rows; without DATA if no serialization is named."""
    root = ElementTree.Element("VOTABLE", {"version": "1.4", "xmlns": _NAMESPACE})
    resource = _add(root, "RESOURCE", type="results")
    reference = "coosys" if content.coosys else ""
    if reference:
        _add(resource, "COOSYS", ID=reference, **content.coosys)
    for key, value in content.meta.items():
        _add(resource, "PARAM", name=_legal(key), **_param(value))
    table = _add(resource, "TABLE", name=content.name, nrows=str(len(content)) if serialization else "")
    _describe(table, content.description)
    infos = {"creator": content.creator, "reference": content.reference}
    infos |= {f"flag_{kind}_{value}": text for kind, bits in content.flags.items() for value, text in bits}
    for name, text in infos.items():
        if text:
            _add(table, "INFO", name=name, value=_legal(text))
    for number, (item, null) in enumerate(zip(content.fields, packer.nulls, strict=True)):
        _add_field(table, item, packer.dtype[f"f{number}"].base, null, reference)
    if serialization == "binary2":
        _add(_add(_add(table, "DATA"), "BINARY2"), "STREAM", encoding="base64").text = f"\n{PLACE}"
    elif serialization == "tabledata":
        _add(_add(table, "DATA"), "TABLEDATA").text = f"\n{PLACE}"
    ElementTree.indent(root, " ")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _add(parent, tag, **attributes):
    return ElementTree.SubElement(parent, tag, {name: value for name, value in attributes.items() if value})


def _describe(element, text):
    if text:
        _add(element, "DESCRIPTION").text = _legal(text)


def _legal(text):
    """The text without characters that XML cannot hold, and without the mark of the rows' place."""
    return _ILLEGAL.sub("", str(text)).replace(PLACE, "")


def _add_field(table, item, base, null, reference):
    """Add the FIELD element of a column."""
    column = item.column
    if _legal(column.name) != column.name:
        raise InputError(f"column {column.name!r}: its name has characters that XML cannot hold")
    sizes = [str(size) for size in reversed(column.shape)]
    datatype = "boolean" if item.kind == "b" else DATATYPES.get(base.str[1:])
    if item.kind == "U":
        datatype, width = ("char", base.itemsize) if item.is_ascii else ("unicodeChar", base.itemsize // 2)
        sizes.insert(0, str(width))
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
    _describe(element, column.description)
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


def check_elements(data):
    """Refuse a document (bytes) with an element before the rows that VOTable does not have: a damaged FIELD, say."""
    for head in _HEAD.findall(data):
        unknown = next((tag for tag in _TAG.findall(head) if tag not in _TAGS), None)
        if unknown is not None:
            raise ReadError(f"the VOTable has an element {unknown.decode('utf-8', 'replace')!r} among its fields")


def parse(stream):
    """The first table of a VOTable as Astropy reads it, and the elements that it is in."""
    from astropy.io import votable

    with warnings.catch_warnings(action="ignore"):  # small faults of other people's files
        file = votable.parse(stream, verify="ignore")
        table = file.get_first_table()
    return table, [file, *file.resources, table]


def about(table, parents, fields):
    """The `~stellarlabels.files.Content` of fields and of what a document says of their table."""
    infos = {info.name: info.value for info in table.infos}
    params = [param for parent in parents if parent is not table for param in getattr(parent, "params", ())]
    return Content(
        fields,
        {param.name: _value(param) for param in [*params, *table.params]},
        description=str(table.description or ""),
        reference=str(infos.get("reference") or ""),
        creator=str(infos.get("creator") or ""),
    )


def values_of(elements):
    """Values of the parameters and infos of elements, by name."""
    out = {}
    for element in elements:
        groups = [one for group in getattr(element, "groups", ()) for one in group.entries if hasattr(one, "value")]
        found = (*getattr(element, "infos", ()), *getattr(element, "params", ()), *groups)
        out |= {item.name: item.value for item in found if item.name}
    return out


def states(elements):
    """What a service says of its answer in the INFO elements ``QUERY_STATUS``: "OK", "ERROR", "OVERFLOW", by words."""
    infos = [info for element in elements for info in getattr(element, "infos", ())]
    return {str(info.value).upper(): info.content or info.value for info in infos if info.name == "QUERY_STATUS"}


def _value(param):
    """The value of a PARAM as Python has it."""
    value = param.value
    if param.utype == _JSON:
        return json.loads(str(value))
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value


def make_field(declared, name, data, mask):
    """The `~stellarlabels.files.Field` of a FIELD from its values and nulls."""
    precision = re.fullmatch(r"([FE]?)(\d+)", declared.precision or "") if data.dtype.kind == "f" else None
    column = Column(
        name=name,
        unit=units.parse(None if declared.unit is None else str(declared.unit)),
        ucd=declared.ucd or "",
        description=str(declared.description or ""),
        format=f".{precision[2]}{(precision[1] or 'f').lower()}" if precision else "",
    )
    return field_of(column, data, mask)


class VOTable(Sheet):
    """A table of a VOTable; ``parents`` are the elements that it is in, and itself."""

    def __init__(self, place, element, parents, rows=None):
        names, title = [field.name for field in element.fields], element.name or element.ID or ""
        super().__init__(place, names, title=title, rows=rows, meta=values_of(parents))
        self.element, self.parents = element, parents
        if "OVERFLOW" in states(parents):
            self.notes.append("the service says that the result is cut off (QUERY_STATUS OVERFLOW)")

    @property
    def declared(self):
        """Each FIELD with its name, which may have a suffix."""
        return list(zip(self.element.fields, self.names, strict=True))
