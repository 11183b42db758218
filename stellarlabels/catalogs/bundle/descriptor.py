"""A resource descriptor for GAVO DaCHS: the catalog as a TAP table and, where it has positions, a cone search.

The descriptor lies beside the VOTable that it imports. It is put into a folder of the inputs of a DaCHS server that
has the name of the catalog; then ``dachs imp NAME/q`` serves it, and ``dachs pub NAME/q`` publishes it.
"""

import re
from functools import cache
from importlib import resources
from xml.etree import ElementTree

import numpy as np
from astropy.table import Table

from stellarlabels.catalogs.bundle.publication import identifier
from stellarlabels.columns import units
from stellarlabels.exceptions import InputError

_TYPES = {
    "b": "boolean",
    "u1": "smallint",
    "i2": "smallint",
    "i4": "integer",
    "i8": "bigint",
    "f4": "real",
    "f8": "double precision",
}
_LONGITUDE, _LATITUDE, _MAIN = "pos.eq.ra;meta.main", "pos.eq.dec;meta.main", "meta.id;meta.main"


def descriptor(publication, content, data):
    """The text of the resource descriptor, for the VOTable ``data`` beside it."""
    root = ElementTree.Element("resource", schema=publication.name, resdir=publication.name)
    _describe(root, publication)
    names = _names(content)
    positions = [_with_ucd(content, ucd) for ucd in (_LONGITUDE, _LATITUDE)]
    has_positions = all(item is not None and item.data.dtype == np.float64 for item in positions)
    table = _add(root, "table", id="main", onDisk="True", adql="True")
    if has_positions:
        table.set("mixin", "//scs#q3cindex")
    main = _with_ucd(content, _MAIN)
    if main is not None and not main.column.shape and not main.has_missing:
        if _is_unique(main):
            table.set("primary", names[main.column.name])
        else:
            _add(table, "index", columns=names[main.column.name])
    _add(table, "meta", name="description").text = _literal(publication.description)
    for item in content.fields:
        _column(table, item, names[item.column.name], content.flags)
    ingest = _add(root, "data", id="import")
    _add(ingest, "sources").text = data
    _add(ingest, "voTableGrammar")
    rows = _add(_add(ingest, "make", table="main"), "rowmaker")
    for item in content.fields:
        _add(rows, "map", key=names[item.column.name]).text = _expression(item)
    if has_positions:
        _cone(root, publication, content, positions)
    ElementTree.indent(root, "  ")
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _add(parent, tag, **attributes):
    return ElementTree.SubElement(parent, tag, {key: value for key, value in attributes.items() if value})


def _literal(text):
    """The text without what DaCHS takes for its macros."""
    return " ".join(text.replace("\\", "\\\\").split())


def _describe(root, publication):
    """The metadata of the resource."""
    entries = [("title", publication.title), ("creationDate", publication.date)]
    entries.append(("description", publication.description))
    entries += [("creator.name", author) for author in publication.authors or ("unknown",)]
    entries += [("subject", subject) for subject in ("fundamental-parameters-of-stars", "stellar-abundances")]
    entries += [("contentLevel", "Research"), ("type", "Catalog")]
    if publication.paper.get("bibcode"):
        entries.append(("source", publication.paper["bibcode"]))
    if publication.reference:
        entries.append(("referenceURL", publication.reference))
    if publication.license:
        entries.append(("rights", publication.license))
    if publication.remarks:
        entries.append(("note", " ".join(publication.remarks)))
    for name, text in entries:
        _add(root, "meta", name=name).text = _literal(text)


@cache
def _reserved():
    """Words that a column cannot be called without quotes."""
    with resources.as_file(resources.files(__package__) / "reserved.ecsv") as path:
        return frozenset(Table.read(path, format="ascii.ecsv")["word"].tolist())


def _names(content):
    """The name of each column in the service; in quotes where it is a reserved word or not a plain name."""
    out = {}
    for item in content.fields:
        name = item.column.name
        if name.lower() in _reserved() or identifier(name) != name.lower():
            if '"' in name:
                raise InputError(f"column {name!r}: a service has no columns with quotes in their names")
            out[name] = f"quoted/{name}"
        else:
            out[name] = name.lower()
    return out


def _expression(item):
    """The Python expression that takes the value out of a row as DaCHS has read it from the VOTable."""
    key = re.sub(r"\W+", "x", item.column.name)
    key = key if re.match("[A-Za-z_]", key) else f"col_{key}"
    # A name that DaCHS uses for something else comes with an underscore, and without one there is something else.
    text = f'vars["{key}_"] if "{key}_" in vars else vars["{key}"]'
    if item.column.shape and item.kind in "iu" and item.has_missing:
        # DaCHS' arrays of integers have no nulls; the service declares the integer that stands for them.
        return f"[{item.null} if value is None else value for value in ({text}) or [None] * {item.column.shape[0]}]"
    return text


def _with_ucd(content, ucd):
    return next((item for item in content.fields if item.column.ucd == ucd), None)


def _is_unique(item):
    """Whether no value occurs twice."""
    values = item.data[:]
    return len(np.unique(values)) == len(values)


def _column(table, item, name, flags):
    """Add the column element."""
    column = item.column
    kind = "text" if item.kind == "U" else _TYPES["b" if item.kind == "b" else item.data.dtype.str[1:]]
    if column.shape:
        if len(column.shape) > 1 or item.kind in "bU":
            raise InputError(f"column {column.name!r}: a service holds arrays of numbers only, in one dimension")
        kind += f"[{column.shape[0]}]"
    text = column.description or column.name
    if column.flags in flags:
        text += "; " + "; ".join(f"{value} = {meaning}" for value, meaning in flags[column.flags])
    element = _add(
        table,
        "column",
        name=name,
        type=kind,
        unit=units.spell(column.unit, "vounit", column.name),
        ucd=column.ucd,
        description=_literal(text),
        tablehead=column.name,
    )
    if not item.has_missing and item.kind != "U" and not column.shape:
        element.set("required", "True")
    precision = column.format.strip("%")
    if precision.startswith(".") and precision.endswith("f"):
        element.set("displayHint", f"sf={precision[1:-1]}")
    if item.kind in "iu" and item.has_missing:
        _add(element, "values", nullLiteral=str(item.null))


def _cone(root, publication, content, positions):
    """Add the cone search."""
    service = _add(root, "service", id="cone", allowed="scs.xml,form")
    _add(service, "meta", name="title").text = _literal(f"{publication.title}: cone search")
    _add(service, "meta", name="shortName").text = f"{publication.name[:11]} cone"
    ra, dec = _somewhere(positions)
    for name, value in (("ra", ra), ("dec", dec), ("sr", 0.01)):
        _add(service, "meta", name=f"testQuery.{name}").text = repr(value)
    for render in ("scs.xml", "form"):
        _add(service, "publish", render=render, sets="ivo_managed")
    core = _add(service, "scsCore", queriedTable="main")
    _add(core, "FEED", source="//scs#coreDescs")


def _somewhere(positions):
    """The first position that is known; a test query is made there."""
    longitude, latitude = positions
    known = np.flatnonzero(~(longitude.mask[:1000] | latitude.mask[:1000]))
    if not known.size:
        return 0.0, 0.0
    row = slice(int(known[0]), int(known[0]) + 1)
    return float(longitude.data[row][0]), float(latitude.data[row][0])
