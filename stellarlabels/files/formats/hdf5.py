"""HDF5: files of columns (a dataset each, in one group or several), of records (h5py, Astropy), and of pandas.

Mirrors of the Gaia archive deliver ``XpContinuousMeanSpectrum`` so: one dataset to a column, arrays as matrices, in the
root or in one group for each of the archive's files. Groups with the same columns are parts of one table.
"""

import io
import json
import pickletools
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from stellarlabels.columns import Column, units
from stellarlabels.exceptions import ReadError
from stellarlabels.files.content import Content, cells_field
from stellarlabels.files.formats import foreign
from stellarlabels.files.sheets import Sheet, pieces, unique

#: The end of the name of the dataset in which Astropy keeps units and descriptions.
_ASTROPY = ".__table_column_meta__"
#: Where a file says how long it is, by the version of its first block; 28 in all later ones.
_END_OF_FILE = {0: 40, 1: 44}
#: Our own dataset of one text (JSON), what it holds, and attributes of a column.
_CATALOG = "__stellarlabels__"
_OWN = ("meta", "name", "description", "reference", "flags", "coosys", "creator")
_TOLD = ("unit", "description", "ucd", "format")


@contextmanager
def _opened(place):
    """The file of a place."""
    import h5py

    source = place.path if place.is_plain else io.BytesIO(place.bytes())
    size = place.path.stat().st_size if place.is_plain else source.getbuffer().nbytes
    start = _END_OF_FILE.get(place.head[8], 28)
    if int.from_bytes(place.head[start : start + 8], "little") != size:
        raise ReadError(f"{place.where}: damaged or truncated HDF5; it has not the length that it says")
    with h5py.File(source, "r") as file:
        yield file


def tables(place):
    """The tables of a file, by the groups and datasets in which they are."""
    with _opened(place) as file:
        sheets = [_Table(place, file, path, *found) for path, found in _found(file).items()]
    if not sheets:
        raise ReadError(f"{place.where}: the HDF5 file has no table: no datasets of one length in a group, no records")
    return sheets


def _found(group, path=""):
    """For each group of columns, or dataset of records, the parts of columns and the number of rows."""
    import h5py

    out = {}
    pandas = _of_pandas(group)
    if pandas:
        return {path or "/": pandas}
    columns = {}
    for name, item in group.items():
        if name.endswith(_ASTROPY):
            continue
        if isinstance(item, h5py.Group):
            out |= _found(item, f"{path}/{name}")
        elif item.dtype.names:
            if sum(item.dtype[key].itemsize for key in item.dtype.names) > item.dtype.itemsize:  # h5py writes beyond it
                raise ReadError(f"damaged or truncated HDF5; the fields of the records {path}/{name} overlap")
            out[f"{path}/{name}"] = ([(key, f"{path}/{name}", key, None) for key in item.dtype.names], item.shape[0])
        elif item.ndim:
            called = str(item.attrs.get("name", name))
            columns.setdefault(item.shape[0], []).append((called, f"{path}/{name}", None, None))
    order = {name: place for place, name in enumerate(_about(group).pop("columns", ()))}
    for rows, parts in columns.items():
        beside = next((key for key, found in out.items() if found[1] == rows and key.count("/") == 1), None)
        if beside and not path:  # columns beside a dataset of records of the same stars
            out[beside] = ([*out[beside][0], *parts], rows)
        else:
            ordered = sorted(parts, key=lambda part: order.get(part[0], len(order)))
            out[path or "/" if len(columns) == 1 else f"{path}/*{rows}"] = (ordered, rows)
    return out


def _about(group):
    """What we have written of the table in a group; nothing in files of others."""
    return json.loads(group[_CATALOG][()]) if _CATALOG in group else {}


def _of_pandas(group):
    """Columns of a DataFrame in the fixed or in the table form of pandas; None if it is none."""
    if "block0_items" in group and "axis0" in group:
        blocks = [name.removesuffix("_items") for name in group if name.endswith("_items")]
        parts = {}
        for block in blocks:
            for index, name in enumerate(_texts(group[f"{block}_items"][()])):
                parts[name] = (name, f"{group.name}/{block}_values", None, index)
        order = [name for name in _texts(group["axis0"][()]) if name in parts]
        return [parts[name] for name in order], group["axis1"].shape[0]
    if "table" in group and "pandas_type" in group.attrs:
        table, parts = group["table"], []
        for key in table.dtype.names:
            kind, shape = table.attrs.get(f"{key}_kind"), table.dtype[key].shape
            names = _names(kind) if key.startswith("values_block") and kind is not None else []
            if len(names) == (shape[0] if shape else 1):
                parts += [(name, table.name, key, index if shape else None) for index, name in enumerate(names)]
            else:
                parts.append((key, table.name, key, None))
        return parts, table.shape[0]
    return None


def _names(pickled):
    """The texts in a pickled list, which is looked at and never carried out."""
    data = pickled if isinstance(pickled, bytes) else np.asarray(pickled).tobytes()
    return [item for _, item, _ in pickletools.genops(data) if isinstance(item, str)]


def _texts(values):
    return [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in values]


class _Table(Sheet):
    """Columns that belong together: each has a name, a dataset, the field of its records and a place in its cells."""

    def __init__(self, place, file, path, parts, rows):
        attributes = file[path.partition("*")[0] or "/"].attrs
        meta = {str(key): value for key, value in attributes.items()}
        super().__init__(place, [part[0] for part in parts], title=path, rows=rows, meta=meta)
        self._parts = dict(zip(self.names, parts, strict=True))
        self._declared = {name: self._column(file, name, part) for name, part in self._parts.items()}
        self._own = {key: value for key, value in _about(file).items() if key in _OWN}
        kinds = {name: self._kind(file, part) for name, part in self._parts.items()}
        self.left_out = {name: str(kind) for name, kind in kinds.items() if kind.kind not in "biufSOU"}

    @staticmethod
    def _kind(file, part):
        """The dtype of a column; truth values of HDF5 are enumerations, which h5py gives as bool."""
        dtype = file[part[1]].dtype
        return (dtype[part[2]] if part[2] else dtype).base

    @staticmethod
    def _column(file, name, part):
        """What attributes, or Astropy's own dataset, say of a column."""
        if part[2] is not None:
            own = f"{part[1]}{_ASTROPY}"
            declared = foreign.described(_texts(file[own][()]))[2] if own in file else {}
            return replace(declared.get(part[2], Column(name)), name=name)
        about = {str(key).lower(): value for key, value in file[part[1]].attrs.items()}
        told = {key: _texts([about[key]])[0] for key in (*_TOLD, "units") if key in about}
        unit = told.pop("units", "")
        return Column(name, **{**told, "unit": units.parse(told.get("unit", unit))})

    def blocks(self, rows, first=0, declared=None):
        with _opened(self.place) as file:
            for part in pieces(self.rows, rows, first):
                yield Content(self._fields(file, part), **self._own)

    def _fields(self, file, rows):
        records, out = {}, []
        for name, (_, path, key, index) in self._parts.items():
            if path not in records:
                records[path] = file[path][rows]
            data = records[path][key] if key else records[path]
            if name not in self.left_out:
                data = np.strings.rstrip(data) if data.dtype.kind == "S" else data
                out.append(cells_field(self._declared[name], data if index is None else data[:, index]))
        return out


def write(content, stream, path):
    """Write a content as one dataset for each column, in their order, with what is said of it as attributes."""
    import h5py

    order = {"columns": [item.column.name for item in content.fields]}
    with h5py.File(stream, "w") as file:
        file[_CATALOG] = json.dumps({key: getattr(content, key) for key in _OWN} | order)
        places, _ = unique([item.column.name.replace("/", "_") for item in content.fields])
        for item, stored in zip(content.fields, places, strict=True):
            data, mask, name = item.data[:], item.mask[:], item.column.name
            if item.kind == "f" and item.has_missing:
                data = np.where(mask, np.nan, data).astype(data.dtype, copy=False)
            kind = h5py.string_dtype() if item.kind == "U" else data.dtype
            dataset = file.create_dataset(stored, data=data.astype(kind, copy=False), dtype=kind)
            dataset.attrs["name"] = name
            for key in _TOLD:
                if text := getattr(item.column, key):
                    dataset.attrs[key] = text
            if item.has_missing and item.kind in "iub":
                file.create_dataset(f"{stored}.mask", data=mask).attrs["name"] = f"{name}.mask"
