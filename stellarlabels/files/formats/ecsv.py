"""ECSV: a table in plain text with units, UCDs, descriptions and metadata in YAML.

Astropy cannot read a column of arrays that has no rows; there, the shape of a cell is kept in the column's metadata.
"""

import io
import json
import re
from dataclasses import replace

import numpy as np

from stellarlabels.exceptions import ReadError
from stellarlabels.files.content import Content, field_of, plain_table
from stellarlabels.files.formats import delimited
from stellarlabels.files.formats.dialect import cells, sniff
from stellarlabels.files.formats.foreign import described

_OWN = ("name", "description", "reference", "flags", "coosys", "creator")
#: Entry of the metadata with what belongs to the catalog as a whole.
_CATALOG = "catalog"


def write(content, stream, path):
    """Write a content as ECSV."""
    key = _CATALOG
    while key in content.meta:  # a user's own entry of the name stays what it is
        key = f"_{key}"
    flat = [item if len(content) else field_of(item.column, item.data[:].reshape(-1)) for item in content.fields]
    table = plain_table(replace(content, fields=flat))
    table.meta = {**content.meta, key: {name: value for name in _OWN if (value := getattr(content, name))}}
    for item in content.fields:
        column = item.column
        told = {"ucd": column.ucd, "format": column.format, "shape": () if len(content) else column.shape}
        table[column.name].info.meta = {name: value for name, value in told.items() if value}
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
            header, self._meta, self._columns = described([line[2:] for line in dialect.comments[1:]])
        except Exception as error:  # whatever the parser of YAML says of a damaged header
            raise ReadError(f"{place.where}: the ECSV header is damaged; {type(error).__name__}: {error}") from error
        dialect = replace(dialect, delimiter=header.get("delimiter", " "))
        names = cells(dialect.header, dialect.delimiter)
        if names != list(self._columns):
            raise ReadError(f"{place.where}: the ECSV header declares {list(self._columns)}, the columns are {names}")
        super().__init__(place, replace(dialect, names=names))
        self.meta = dict(self._meta)
        self._declared = dict(zip(names, header["datatype"], strict=True))
        kinds = {name: str(one.get("datatype")) for name, one in self._declared.items()}
        self.left_out = {name: kind for name, kind in kinds.items() if "complex" in kind}

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
        data, mask, kind, subtype = item.data, item.mask, str(one["datatype"]), str(one.get("subtype") or "")
        if "," in subtype and item.kind == "U":
            data, mask = _nested(data, subtype)
        elif "shape" in (one.get("meta") or {}) and not len(data):
            data, mask = data.reshape(0, *one["meta"]["shape"]), None
        elif item.kind == "U" and kind == "bool":
            mask, data = data == "", data == "True"
        elif item.kind == "U" and kind != "string":
            mask, data = data == "", np.where(data == "", "0", data)
        if subtype.endswith("]"):
            kind = subtype.split("[")[0]
        if data.dtype.kind != "O" and kind not in ("string", "json", "object"):
            hidden = "int" in kind and data.dtype.kind == "f" and np.any(mask)
            data = (np.where(mask, 0, data) if hidden else data).astype(kind)
        return field_of(self._columns[item.column.name], data, mask)

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
