"""What Astropy writes or reads: tables that it reads as a whole, as sheets, and its own headers of columns."""

import numpy as np

from stellarlabels.columns import Column, units, without_unit
from stellarlabels.files.content import Content, cells_field
from stellarlabels.files.opening import damages
from stellarlabels.files.sheets import Sheet


class TableSheet(Sheet):
    """A table that is read at once: ``load(data)`` makes an Astropy table of the bytes of the file."""

    # What the file calls its columns, if that is not what Astropy does, is in the metadata, under "names".

    def __init__(self, place, load, title=""):
        with damages(place.where, "file"):
            self._table = load(place.bytes())
        names = self._table.meta.pop("names", self._table.colnames)
        super().__init__(place, names, title=title, rows=len(self._table), meta=self._table.meta)
        self._table.rename_columns(self._table.colnames, self.names)
        kinds = {name: without_unit(self._table[name]).dtype for name in self._table.colnames}
        self.left_out = {name: str(dtype) for name, dtype in kinds.items() if dtype.kind not in "biufUSO"}

    def read(self, declared=None):
        return Content([field_of_column(self._table[name]) for name in self.names if name not in self.left_out])


def described(lines):
    """Astropy's header in YAML (of ECSV, Parquet, HDF5): as it is, its metadata, and the declarations by name."""
    from astropy.table import meta

    header = meta.get_header_from_yaml(lines)
    about = dict(header.get("meta") or {})
    serialized = about.pop("__serialized_columns__", {})
    return header, about, {str(one["name"]): _declared(one, serialized) for one in header["datatype"]}


def _declared(one, serialized):
    """What the header says of a column; the units of quantities are among the serialized columns."""
    own = serialized.get(one["name"])
    unit = one.get("unit") or (own.get("unit") if isinstance(own, dict) else None)
    unit = unit.get("unit") if isinstance(unit, dict) else unit
    told = {key: str((one.get("meta") or {}).get(key) or "") for key in ("ucd", "format")}
    return Column(str(one["name"]), units.parse(str(unit or "")), description=str(one.get("description") or ""), **told)


def field_of_column(column, **about):
    """A column of an Astropy table as a field; ``about`` are properties that its metadata do not say."""
    masked = without_unit(column)
    unit = column.info.unit
    meta = {"ucd": (column.info.meta or {}).get("ucd", ""), "description": column.info.description or "", **about}
    declared = Column(name=column.info.name, unit=units.parse(None if unit is None else str(unit)), **meta)
    return cells_field(declared, masked.data, np.ma.getmaskarray(masked))
