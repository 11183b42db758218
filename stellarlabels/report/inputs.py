"""The catalog that a report is about, and the references that it is compared with."""

import importlib.metadata
import platform
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from astropy.table import QTable, Table

from stellarlabels import __version__, catalogs, columns
from stellarlabels.exceptions import InputError, ReadError
from stellarlabels.validation import label_names, references

#: Entries of a table's metadata that say where it is from, and what they are called in a report.
_ORIGIN = {
    "system": "System",
    "recipe": "Recipe",
    "weights": "Weights",
    "trained_on": "Trained on",
    "stellarlabels": "Made with stellarlabels",
    "schema": "Schema",
    "reference": "Reference",
    "description": "Description",
    "credit": "Credit",
}
_PACKAGES = ("numpy", "astropy", "matplotlib")


@dataclass
class Source:
    """A table, its name in sentences, its file (or "") and bytes; labels it has, columns that lack their unit."""

    table: QTable
    title: str
    file: str = ""
    size: int = 0
    labels: list = field(init=False)
    without_unit: list = field(init=False)

    def __post_init__(self):
        self.labels = label_names(self.table)
        self.table, self.without_unit = _with_units(self.table)

    def origin(self):
        """What is known of where the table is from, dict of str to str."""
        out = {"File": self.file or "a table in memory"}
        if self.size:
            out["Size"] = f"{self.size / 1e6:,.1f} MB"
        out["Rows"] = f"{len(self.table):,}"
        out["Columns"] = f"{len(self.table.colnames):,}"
        for key, text in _ORIGIN.items():
            value = self.table.meta.get(key, self.table.meta.get(key.upper()))
            if value not in (None, ""):
                out[text] = str(value)
        return out


def read_catalog(catalog, schema=None):
    """The `Source` of a table or file, read with the schema of a published catalog if one is named."""
    if isinstance(catalog, Table):
        return Source(_scalars(catalog), str(catalog.meta.get("system", "the catalog")))
    path = Path(catalog)
    table = _read(path, schema)
    return Source(_scalars(table), path.name, path.name, path.stat().st_size)


def read_reference(reference):
    """The `Source` of a file, of ``NAME=FILE`` for a catalog of `validation.references`, or of a name and a table."""
    if isinstance(reference, tuple):
        title, table = reference
        return Source(_scalars(table), str(title))
    name, _, rest = str(reference).partition("=")
    if rest and name in references.names():
        known, path = references.get(name), Path(rest)
        if not path.is_file():
            raise ReadError(f"against: {path} is not a file")
        return Source(_scalars(known.read(path)), known.title, path.name, path.stat().st_size)
    path = Path(reference)
    return Source(_scalars(_read(path, None)), path.stem.split(".")[0], path.name, path.stat().st_size)


def software():
    """Versions of what makes a report, dict of str to str."""
    found = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"stellarlabels": __version__, "Python": platform.python_version(), **found}


def _read(path, declared):
    """A file in a format of our own, else in one that Astropy recognizes."""
    if not path.is_file():
        raise ReadError(f"catalog: {path} is not a file")
    try:
        return catalogs.read(path, declared)
    except (ReadError, InputError) as error:
        if declared is not None:
            raise
        ours = error
    try:
        return QTable.read(path)
    except Exception as error:  # whatever the readers of Astropy raise
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ReadError(f"catalog: {path} cannot be read; {ours}; Astropy: {reason}") from error


def _scalars(table):
    """The columns that hold one value for each star; spectra are not looked at."""
    out = QTable(meta=dict(table.meta))
    for name in table.colnames:
        column = table[name]
        if getattr(column, "ndim", 1) == 1 and hasattr(column, "dtype"):
            out[name] = column
    return out


def _with_units(table):
    """The table with the declared units where columns of the vocabulary have none, and the names of these columns."""
    out, names = QTable(table, copy=False), []
    declared = [item for label in label_names(table) for item in columns.label_columns(label)[:2]]
    declared += [item for item in columns.vocabulary() if item.name not in {other.name for other in declared}]
    for item in declared:
        key = columns.column_name(table, item)
        if key is None or not item.unit or item.shape or table[key].dtype.kind not in "fiu":
            continue
        if getattr(table[key], "unit", None) is None:
            out[key] = item.dress(table[key])
            names.append(key)
    return out, names


def repeated(table):
    """Name of the identifier or None, and the number of rows whose identifier has occurred in a row before."""
    name = columns.identifier(table)
    if name is None:
        return None, 0
    values = columns.without_unit(table[name]).compressed()
    return name, int(values.size - np.unique(values).size)
