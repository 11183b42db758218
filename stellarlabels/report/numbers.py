"""The catalog that a report is about, what it is compared with, and the tables of both."""

import importlib.metadata
import platform
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from astropy.table import QTable, Table, vstack

from stellarlabels import __version__, catalogs, columns, flags
from stellarlabels.exceptions import InputError, MissingColumnError, ReadError, StellarLabelsError
from stellarlabels.plots import label_values
from stellarlabels.validation import by_bins, by_class, calibration, flag_columns, label_names, matched, references

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


#: Columns along which errors are judged; the first that a table has is taken.
BRIGHTNESS = ("phot_g_mean_mag", "snrg", "snr_b", "snr_r")
_BINS = 8
#: Resamplings for standard errors.
_BOOTSTRAP = 100


@dataclass
class Comparison:
    """A catalog against one reference: the stars in common, row by row, and what `stellarlabels.validation` says."""

    # "title" and "key" name the reference in sentences and files; "names" are labels that both have for at least one
    # star; "table" is of by_class, "calibration" of calibration, "bins" of by_bins as plain numbers after "label",
    # "unit" and "along"; "note" says why there is nothing to compare, or is empty.

    title: str
    key: str
    labels: QTable = None
    truth: QTable = None
    names: tuple = ()
    table: QTable = None
    calibration: QTable = None
    bins: QTable = None
    note: str = ""


def along(*tables):
    """The first of `BRIGHTNESS` of which a table has finite values that are not all the same, or None."""
    for name in BRIGHTNESS:
        for table in tables:
            if columns.find(table, name) is not None:
                values = columns.values(table, name)
                values = values[np.isfinite(values)]
                if values.size and values.min() < values.max():
                    return name
                break
    return None


def contents(source):
    """What a catalog holds of each label: a QTable with one row for each."""
    # Columns: "label", "unit", "stars" with a value, "missing", "good" (stars with a value and no flag of level
    # caution or bad), "note" (those of the good ones with a note), "caution" and "bad" (stars with a value and a flag
    # of this level); -1 if the catalog has no such flag; "low", "median" and "high" (5, 50 and 95 % quantiles),
    # "error" (median predicted error), "smallest" and "largest" value, and "bad_errors", the stars whose error is not
    # positive. NaN where there is no number.
    table, rows = source.table, []
    sets = flag_columns(table)
    for name in source.labels:
        value, error = label_values(table, name)
        known = np.isfinite(value)
        some = value[known]
        quantiles = np.quantile(some, [0, 0.05, 0.5, 0.95, 1]) if some.size else np.full(5, np.nan)
        spread = error[known & np.isfinite(error)]
        flag = _flag_name(table, name, sets)
        levels = (-1, -1, -1, -1)
        if flag is not None:
            levels = _levels(flags.get(sets[flag]), columns.without_unit(table[flag]), known)
        rows.append(
            (
                name,
                columns.column(name).unit,
                int(some.size),
                int(known.size - some.size),
                *levels,
                *quantiles[1:4],
                np.median(spread) if spread.size else np.nan,
                quantiles[0],
                quantiles[4],
                int((spread <= 0).sum()),
            )
        )
    names = (
        "label",
        "unit",
        "stars",
        "missing",
        "good",
        "note",
        "caution",
        "bad",
        "low",
        "median",
        "high",
        "error",
        "smallest",
        "largest",
    )
    kinds = ("U32", "U16", *("i8",) * 6, *("f8",) * 6, "i8")
    return QTable(rows=rows or None, names=(*names, "bad_errors"), dtype=kinds)


def _levels(known, flag, is_there):
    """Numbers of good values, of those with a note, of caution and of bad ones."""
    good, level = np.asarray(known.is_good(flag)) & is_there, np.asarray(known.level(flag))
    return tuple(
        int(rows.sum())
        for rows in (good, good & (level == "note"), is_there & (level == "caution"), is_there & (level == "bad"))
    )


def compare(source, reference, key):
    """The `Comparison` of two sources, with a ``note`` and no tables if they have no star or label in common."""
    out = Comparison(reference.title, key)
    if not source.labels:
        out.note = "The catalog has no column that is a label."
        return out
    try:
        labels, truth = matched(source.table, reference.table)
    except (StellarLabelsError, ValueError) as error:
        out.note = f"The catalog and the reference cannot be matched: {error}."
        return out
    out.labels, out.truth = labels, truth
    if not len(labels):
        out.note = f"No star of the catalog is in the reference (matched by {labels.meta['matched_by']})."
        return out
    out.table = by_class(labels, truth, names=source.labels, bootstrap=_BOOTSTRAP)
    everyone = out.table[np.asarray(out.table["group"]) == "all"]
    out.names = tuple(str(row["label"]) for row in everyone if row["stars"] > 0)
    if not out.names:
        out.note = "The catalog and the reference have no label in common."
        return out
    out.calibration = calibration(labels, truth, names=out.names, bootstrap=_BOOTSTRAP)
    out.bins = _in_bins(labels, truth, out.names)
    return out


def _in_bins(labels, truth, names):
    """Bins in brightness, and in the reference's own label, of all labels in one table of plain numbers."""
    bright, parts = along(labels, truth), []
    for name in names:
        for quantity in filter(None, (bright, name)):
            try:
                values = truth[name] if quantity == name else quantity
                part = by_bins(labels, truth, name, values, bins=_BINS, bootstrap=_BOOTSTRAP)
            except (MissingColumnError, ValueError):
                continue
            parts.append(_plain(part, name, quantity))
    return vstack(parts) if parts else QTable()


def _plain(table, name, quantity):
    """The table without units, with the label, its unit and the quantity in the first columns."""
    size = len(table)
    out = QTable({"label": [name] * size, "unit": [columns.column(name).unit] * size, "along": [quantity] * size})
    for key in table.colnames:
        out[key] = np.asarray(columns.without_unit(table[key]))
        out[key].info.format = table[key].info.format
    return out


def _flag_name(table, name, sets):
    """The flag column of a label, under the name of the label or of its column in the table."""
    column = columns.find(table, name)
    for wanted in (f"{name}_flag", f"{column}_flag"):
        found = next((key for key in sets if key.lower() == wanted.lower()), None)
        if found is not None:
            return found
    return None
