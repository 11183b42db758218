"""Machine-readable tables (MRT) of the AAS journals: a byte-by-byte description, notes, and lines of fixed width.

The format holds names, units, descriptions, numbers and text. A cell of several values has a column for
each. There is no place for UCDs, dtypes, formats and metadata: these come from the schema when the file is read with
one.
"""

import re
import warnings
from dataclasses import replace

import numpy as np
from astropy.table import Table
from astropy.units import UnitsWarning

from stellarlabels.columns import Column, units, without_unit
from stellarlabels.files.content import Content, Field
from stellarlabels.files.formats.fixed import ORDINAL, FixedWidth

__all__ = ["read", "write"]

#: The end of the description of a column of values out of cells of several ones.
_PLACE = re.compile("(.*) " + re.escape(ORDINAL).replace(r"\{\}", r"(\d+)"))
_WRITTEN_BY = re.compile(r"Title: (.*)\nAuthors: .*\nTable: (.*) \(written by (.*)\)\n")


def write(content, stream, path):
    """Write a content as a machine-readable table."""
    table = FixedWidth(content)
    title = (content.description or content.name).encode("ascii", "replace").decode("ascii")
    head = f"Title: {title}\nAuthors: \nTable: {content.name} (written by {content.creator})\n{'=' * 80}\n"
    stream.write((head + table.description(path.name)).encode("ascii"))
    for lines in table.lines():
        stream.write(lines)


def read(path):
    """The content of a machine-readable table."""
    with open(path, encoding="utf-8") as stream:
        head = stream.read(4096)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnitsWarning)
        table = Table.read(path, format="ascii.mrt")
    fields = [_field(table[name]) for name in table.colnames]
    own = _WRITTEN_BY.search(head)
    if not own:
        return Content(fields)
    title, name, creator = own.groups()
    meta = {} if name == "labels" else {"system": name}
    return Content(_joined(fields), meta, description="" if title == name else title, creator=creator)


def _joined(fields):
    """The fields with the columns of values of one cell joined again."""
    out, parts = [], []
    for item in fields:
        found = _PLACE.fullmatch(item.column.description)
        if not found:
            out.append(item)
            continue
        parts.append(item)
        if found[2] == found[3]:
            column = replace(
                item.column,
                name=item.column.name.removesuffix(f"_{found[2]}"),
                description=found[1],
                shape=(len(parts),),
            )
            data, mask = (np.stack([getattr(one, key) for one in parts], axis=1) for key in ("data", "mask"))
            out.append(Field(replace(column, dtype=data.dtype.name), data, mask))
            parts = []
    return out


def _field(column):
    masked = without_unit(column)
    mask = np.ma.getmaskarray(masked).copy()
    data = masked.data
    if data.dtype.kind == "f":
        mask |= np.isnan(data)
    elif data.dtype.kind == "U":
        mask |= data == ""
    return Field(
        Column(
            name=column.info.name,
            unit=units.parse(None if column.info.unit is None else str(column.info.unit)),
            dtype="str" if data.dtype.kind == "U" else data.dtype.name,
            description=re.sub(r" \(\d+\)$", "", column.info.description or ""),
        ),
        data,
        mask,
    )
