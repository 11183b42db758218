"""ECSV: a table in plain text with units, UCDs, descriptions and metadata in YAML.

Astropy cannot read a column of arrays that has no rows; there, the shape of a cell is kept in the column's metadata.
"""

import io

import numpy as np
from astropy.table import MaskedColumn, Table

from stellarlabels.columns import Column, units, without_unit
from stellarlabels.files.content import Content, Field

__all__ = ["read", "write"]

_OWN = ("name", "description", "reference", "flags", "coosys", "creator")


def write(content, stream, path):
    """Write a content as ECSV."""
    own = {key: value for key in _OWN if (value := getattr(content, key))}
    table = Table(meta={**content.meta, "catalog": own})
    for item in content.fields:
        column = item.column
        empty = column.shape and not len(content)
        table[column.name] = MaskedColumn(
            item.data[:].reshape(-1) if empty else item.data[:],
            mask=item.mask[:].reshape(-1) if empty else item.mask[:],
            unit=column.unit or None,
            description=column.description or None,
            meta={"ucd": column.ucd, "format": column.format, "shape": list(column.shape)},
        )
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="\n")
    table.write(text, format="ascii.ecsv")
    text.detach()


def read(path):
    """The content of an ECSV file."""
    table = Table.read(path, format="ascii.ecsv", encoding="utf-8")
    meta = dict(table.meta)
    own = dict(meta.pop("catalog", {}))
    fields = []
    for name in table.colnames:
        info = table[name].info
        masked = without_unit(table[name])
        masked = masked.reshape(len(table), *(info.meta or {}).get("shape", masked.shape[1:]))
        mask = np.ma.getmaskarray(masked).copy()
        if masked.dtype.kind == "f":
            mask |= np.isnan(masked.data)
        fields.append(
            Field(
                Column(
                    name=name,
                    unit=units.parse(None if info.unit is None else str(info.unit)),
                    dtype="str" if masked.dtype.kind == "U" else masked.dtype.name,
                    ucd=(info.meta or {}).get("ucd", ""),
                    description=info.description or "",
                    shape=masked.shape[1:],
                    format=(info.meta or {}).get("format", ""),
                ),
                masked.data,
                mask,
            )
        )
    return Content(fields, meta, **own)
