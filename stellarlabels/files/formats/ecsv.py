"""ECSV: a table in plain text with units, UCDs, descriptions and metadata in YAML.

Astropy cannot read a column of arrays that has no rows; there, the shape of a cell is kept in the column's metadata.
"""

import io
import json
import re
from dataclasses import replace

import numpy as np
from astropy.table import Column as PlainColumn, MaskedColumn, Table

from stellarlabels.columns import Column, units
from stellarlabels.exceptions import ReadError
from stellarlabels.files.content import Content, field_of
from stellarlabels.files.formats import delimited
from stellarlabels.files.formats.dialect import cells, sniff

_OWN = ("name", "description", "reference", "flags", "coosys", "creator")
#: Entry of the metadata with what belongs to the catalog as a whole.
_CATALOG = "catalog"


def write(content, stream, path):
    """Write a content as ECSV."""
    own = {key: value for key in _OWN if (value := getattr(content, key))}
    key = _CATALOG
    while key in content.meta:  # a user's own entry of the name stays what it is
        key = f"_{key}"
    table = Table(meta={**content.meta, key: own})
    for item in content.fields:
        column = item.column
        data, mask = item.data[:], item.mask[:]
        if column.shape and not len(content):
            data, mask = data.reshape(-1), mask.reshape(-1)
        kind = {"mask": mask} if item.has_missing else {}
        table[column.name] = (MaskedColumn if kind else PlainColumn)(
            data,
            unit=column.unit or None,
            description=column.description or None,
            meta={name: value for name, value in (("ucd", column.ucd), ("format", column.format)) if value}
            | ({"shape": list(column.shape)} if column.shape and not len(content) else {}),
            **kind,
        )
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="\n")
    table.write(text, format="ascii.ecsv")
    text.detach()


def tables(place):
    """The table of an ECSV file."""
    return [_Table(place)]


class _Table(delimited.Text):
    """A text table whose header says what the columns hold."""

    def __init__(self, place):
        dialect = sniff(place)
        try:
            header = self._header([line[2:] for line in dialect.comments[1:]])
            self._declared = {str(one["name"]): one for one in header["datatype"]}
        except Exception as error:  # whatever the parser of YAML says of a damaged header
            raise ReadError(f"{place.where}: the ECSV header is damaged; {type(error).__name__}: {error}") from error
        dialect = replace(dialect, delimiter=header.get("delimiter", " "))
        names = cells(dialect.header, dialect.delimiter)
        if names != list(self._declared):
            raise ReadError(f"{place.where}: the ECSV header declares {list(self._declared)}, the columns are {names}")
        self._meta = dict(header.get("meta") or {})
        self._meta.pop("__serialized_columns__", None)
        super().__init__(place, replace(dialect, names=names))
        self.meta = dict(self._meta)
        kinds = {name: str(one.get("datatype")) for name, one in self._declared.items()}
        self.left_out = {name: kind for name, kind in kinds.items() if "complex" in kind}

    @staticmethod
    def _header(lines):
        from astropy.table import meta

        return meta.get_header_from_yaml(lines)

    def _known(self, declared):
        """The type in which each column is read."""
        return {name: self._type(one) for name, one in self._declared.items()}

    @staticmethod
    def _type(one):
        kind = str(one["datatype"])
        if kind.startswith("float"):
            return "double"
        return "int64" if re.fullmatch(r"int\d*", kind) else "string"

    def _is_array(self, name):
        return "," not in str(self._declared[name].get("subtype")) and super()._is_array(name)

    def _cells_of(self, name):
        return str(self._declared[name].get("subtype") or "").split("[")[0] or super()._cells_of(name)

    def _finished(self, item):
        """The field with what the header says of it."""
        one = self._declared[item.column.name]
        meta, subtype = one.get("meta") or {}, str(one.get("subtype") or "")
        column = Column(
            name=item.column.name,
            unit=units.parse(str(one["unit"]) if one.get("unit") is not None else ""),
            ucd=str(meta.get("ucd", "")),
            description=str(one.get("description") or ""),
            format=str(meta.get("format", "")),
        )
        data, mask, kind = item.data, item.mask, str(one["datatype"])
        if "," in subtype and item.kind == "U":
            data, mask = _nested(data, subtype)
        elif "shape" in meta and not len(data):
            data, mask = data.reshape(0, *meta["shape"]), None
            kind = kind if kind != "string" or not subtype else subtype.split("[")[0]
        elif item.kind == "U" and kind == "bool":
            mask, data = data == "", data == "True"
        elif item.kind == "U" and kind != "string":
            mask, data = data == "", np.where(data == "", "0", data)
        if subtype.endswith("]"):
            kind = subtype.split("[")[0]
        if data.dtype.kind != "O" and kind not in ("string", "json", "object"):
            data = (np.where(mask, 0, data) if "int" in kind and np.any(mask) else data).astype(kind)
        return field_of(column, data, mask)

    def _content(self, fields):
        meta = dict(self._meta)
        key = next((key for key in (f"__{_CATALOG}", f"_{_CATALOG}", _CATALOG) if _is_own(meta.get(key))), None)
        own = meta.pop(key, {}) if key else {}
        return Content([self._finished(item) for item in fields], meta, **own)


def _is_own(entry):
    return isinstance(entry, dict) and "creator" in entry and set(entry) <= set(_OWN)


def _nested(texts, subtype):
    """Cells of two or more dimensions, which are in JSON."""
    shape = [int(size) for size in re.findall(r"\d+", subtype.partition("[")[2])]
    cells = [np.array(json.loads(text), dtype=object) if text else np.full(shape, None) for text in texts]
    data = np.array(cells, dtype=object).reshape(len(texts), *shape)
    mask = np.equal(data, None)
    return np.where(mask, 0, data).astype(subtype.partition("[")[0]), mask
