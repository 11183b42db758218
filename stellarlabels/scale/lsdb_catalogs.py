"""Catalogs as LSDB has them: opened, matched, labelled when they are computed, and told from each other.

What is used here of the inside of LSDB and hats is listed in CONTRIBUTING, with the tests that notice a change of it.
"""

import atexit
import hashlib
import os
import shutil
import tempfile
import warnings
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType, MethodType

import numpy as np
from astropy.table import vstack

from stellarlabels.columns import StarTable, vocabulary
from stellarlabels.exceptions import InputError, MissingUnitWarning, StellarLabelsError
from stellarlabels.files import Content, Field, arrow, from_table, parquet
from stellarlabels.labels import CHUNK
from stellarlabels.scale import hats
from stellarlabels.scale.job import Job, Order, restored, saved
from stellarlabels.scale.sources import fingerprint

__all__ = [
    "Task",
    "arrow_table",
    "columns_of",
    "fingerprint_of",
    "map_catalog",
    "mapped",
    "matched",
    "open_lsdb",
    "order_of",
    "to_table",
]


@dataclass(frozen=True)
class Task:
    """What a process has to know to label partitions."""

    # That is the class of the system, its file, weights and digest (see `restored`), what is wanted, and the columns
    # that are known of the catalog.

    kind: type
    model: str
    weights: str
    digest: str
    order: Order
    columns: dict = field(default_factory=dict)

    def __call__(self, frame):
        """The labels of a partition, a `pandas.DataFrame` by place on the sky, as a table with the index first."""
        job = Job(restored(self.kind, self.model, self.weights, self.digest), self.order)
        found = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MissingUnitWarning)
            for first in range(0, max(len(frame), 1), CHUNK):
                found.append(job(_stars(frame.iloc[first : first + CHUNK], self.columns)))
        labels = vstack(found, metadata_conflicts="silent") if len(found) > 1 else found[0]
        out = StarTable({hats.INDEX: np.asarray(frame.index, np.int64)}, meta=labels.meta)
        out[hats.INDEX].info.description = "HEALPix pixel of order 29, nested, in which the star is"
        out[hats.INDEX].info.meta = {"ucd": "pos.healpix"}
        for name in labels.colnames:
            out[name] = labels[name]
        return out


def open_lsdb(catalog, columns="all"):
    """A catalog as LSDB has it.

    Parameters
    ----------
    catalog : path-like or `lsdb.Catalog`
    columns : str or list of str
        Columns to read from a path.

    Returns
    -------
    `lsdb.Catalog`

    Raises
    ------
    StellarLabelsError
        If LSDB is not installed.
    InputError
        If the path is no HATS catalog.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The 'mode.chained_assignment' option is deprecated")
            import lsdb
    except ImportError as error:
        raise StellarLabelsError("engine: Dask and LSDB are needed; install stellarlabels[scale]") from error
    if not isinstance(catalog, str | os.PathLike):
        return catalog
    hats.main_catalog(catalog)
    return lsdb.open_catalog(os.fspath(catalog), columns=columns)


def matched(catalog, other, *, radius=1.0, columns="all"):
    """A catalog with the columns of the nearest star of another one.

    Parameters
    ----------
    catalog, other : path-like or `lsdb.Catalog`
    radius : float
        arcsec.
    columns : str or list of str
        Columns to read from ``other``, if it is a path.

    Returns
    -------
    `lsdb.Catalog`
        All stars of ``catalog``. Columns of ``other`` are missing where it has no star within the radius; those whose
        names both catalogs have end with ``_match``. Units and descriptions of both are kept.

    Raises
    ------
    InputError
        If a path is no HATS catalog, or the radius is not positive.

    Notes
    -----
    A star at the edge of a partition finds partners beyond it only if ``other`` has a margin, which hats-import makes.
    """
    if not radius > 0:
        raise InputError(f"radius: expected a positive number of arcsec, got {radius!r}")
    left, right = open_lsdb(catalog), open_lsdb(other, columns)
    suffixes = {"suffixes": ("", "_match"), "suffix_method": "overlapping_columns", "log_changes": False}
    out = left.crossmatch(right, n_neighbors=1, radius_arcsec=radius, how="left", **suffixes)
    known = columns_of(left)
    for name, column in columns_of(right).items():
        name = f"{name}_match" if name in left.columns else name
        known.setdefault(name, replace(column, name=name))
    fields = [_no_cells(column) for name, column in known.items() if name in out.columns]
    return _with_metadata(out, parquet.arrow_schema(Content(fields)).metadata if fields else None)


def _no_cells(column):
    """A `Field` of a `Column` without rows."""
    dtype = "U1" if column.is_text else column.dtype
    return Field(column, np.zeros((0, *column.shape), dtype), np.zeros((0, *column.shape), bool))


def map_catalog(system, catalog, *, distances=False, zero_point=True, keep=(), release=None):
    """An LSDB catalog of labels, which are computed when it is.

    Parameters
    ----------
    system : `stellarlabels.labels.LabelEstimator`
        Trained or loaded.
    catalog : path-like or `lsdb.Catalog`
    distances, zero_point, keep, release
        As for `label_catalog`.

    Returns
    -------
    `lsdb.Catalog`
        Right ascension, declination, identifier, what is kept, and labels. It can be selected and crossmatched further.
        `to_table` of it has units and descriptions; its own ``to_hats`` writes none, `label_catalog` does.

    Raises
    ------
    InputError
        If the input of the system is not in the catalog.

    Notes
    -----
    The weights are saved to a temporary file that is there until this process ends, so that this is for local clusters.
    The first stars of the catalog are labelled at once, to see what columns come out.
    """
    source = open_lsdb(catalog)
    order = order_of(source, distances, zero_point, keep, release)
    Job(system, order)
    content, digest = saved(system)
    folder = tempfile.mkdtemp(prefix="stellarlabels-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder) / "system"
    path.write_bytes(content)
    task = Task(type(system), str(path), system.weights_, digest, order, columns_of(source))
    return mapped(source, task, arrow_table(task(source.head(5))).schema)


def order_of(source, distances, zero_point, keep, release=None):
    """What is wanted of a catalog: labels with right ascension and declination, and what is asked for."""
    info = source.hc_structure.catalog_info
    kept = tuple(dict.fromkeys((info.ra_column, info.dec_column, *keep)))
    return Order(False, distances, zero_point, kept, release)


def mapped(source, task, form):
    """The catalog of what the task gives for each partition, in the form (an Arrow schema) of its results."""
    out = source.map_partitions(partial(_frame, task), meta=_as_frame(form.empty_table()))
    return _with_metadata(out, form.metadata)


def _frame(task, frame):
    """The result for a partition as a frame for LSDB."""
    return _as_frame(arrow_table(task(frame))).set_axis(frame.index)


def arrow_table(labels):
    """A table as one of Arrow, with units, UCDs and descriptions in the metadata of its schema."""
    pa = arrow.load()
    content = from_table(labels)
    form = parquet.arrow_schema(content)
    arrays = [
        pa.array(item.data, mask=item.mask if item.has_missing else None, type=form.field(item.column.name).type)
        for item in content.fields
    ]
    return pa.table(arrays, schema=form)


def _as_frame(table):
    import nested_pandas as npd
    import pandas as pd

    return npd.NestedFrame(table.to_pandas(types_mapper=pd.ArrowDtype).set_index(hats.INDEX))


def to_table(catalog):
    """A HATS or LSDB catalog as a table in memory, with units, UCDs, descriptions and masks.

    Parameters
    ----------
    catalog : path-like or `lsdb.Catalog`
        For instance what `label_catalog` has written, or a selection of it.

    Returns
    -------
    `~astropy.table.QTable`
        Without the index. Metadata of the columns are those of the catalog as it was opened; where it says nothing,
        units are those of the vocabulary.
    """
    source = open_lsdb(catalog)
    frame = source.compute(progress_bar=False)
    out = _stars(frame, columns_of(source))
    content, _ = parquet.described(_metadata_of(source))
    out.meta.update(content.meta)
    return out


def _stars(frame, columns):
    """A partition as a table with units."""
    pa = arrow.load()
    plain = [name for name in frame.columns if not hasattr(frame[name].dtype, "field_dtype")]
    table = pa.Table.from_pandas(frame[plain], preserve_index=False)
    found = [name for name in plain if not pa.types.is_struct(table.schema.field(name).type)]
    fields = [arrow.field(name, table[name], columns.get(name), partial(_length, name, columns)) for name in found]
    return hats.stars(Content(fields), columns)


def _length(name, columns):
    """Length of the cells of a column none of whose cells is there."""
    known = columns.get(name)
    if known is None and name in vocabulary():
        known = vocabulary()[name]
    return known.shape[0] if known is not None and known.shape else 0


def _with_metadata(catalog, metadata):
    """The catalog with metadata of its schema, which selections of it keep."""
    from hats.catalog.catalog_snapshot import CatalogSnapshot

    structure = catalog.hc_structure
    structure.schema = structure.schema.with_metadata(metadata)
    structure.snapshot = CatalogSnapshot(structure.schema, structure.catalog_info, structure.partition_info)
    return catalog


def _metadata_of(source):
    """Metadata of the schema of a catalog, as it is now or as it was opened."""
    structure = source.hc_structure
    for one in (structure.schema, getattr(structure.snapshot, "schema", None)):
        if one is not None and parquet.described(one.metadata)[1]:
            return one.metadata
    return None


def columns_of(source):
    """What is known of the columns of a catalog, by name."""
    return parquet.described(_metadata_of(source))[1]


def fingerprint_of(source):
    """What tells a catalog, with all that is done to it, from others."""
    pixels = [f"{pixel.order}/{pixel.pixel}" for pixel in source.get_healpix_pixels()]
    folders = sorted(set(_folders(source._operation)))
    contents = [fingerprint(hats.partition_files(folder)) for folder in folders if Path(folder).is_dir()]
    operations = hashlib.sha256(_words(source).encode()).hexdigest()
    return {"files": contents, "operations": operations, "partitions": pixels}


def _words(value, depth=12):
    """Text that is the same in each process for the same operation with the same arguments."""
    # LSDB's own tokens of a crossmatch are others each time.
    if depth == 0:
        return "..."
    if value is None or isinstance(value, str | int | float | np.generic | os.PathLike):
        return str(value)
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_words(item, depth - 1)}' for key, item in value.items())}}}"
    if isinstance(value, list | tuple | np.ndarray):
        return f"[{', '.join(_words(item, depth - 1) for item in value)}]"
    if hasattr(value, "_operation"):  # a catalog
        return _words(value._operation, depth - 1)
    if hasattr(value, "columns"):
        return str(list(value.columns))
    if isinstance(value, FunctionType):
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        return f"{value.__qualname__}{_words([value.__code__, cells, value.__defaults__], depth - 1)}"
    if isinstance(value, CodeType):
        return _words([value.co_code.hex(), value.co_names, value.co_consts], depth - 1)
    if isinstance(value, MethodType):
        return _words([value.__func__.__qualname__, value.__self__], depth - 1)
    if isinstance(value, partial):
        return f"partial{_words([value.func, value.args, value.keywords], depth - 1)}"
    if isinstance(value, type):
        return value.__qualname__
    inside = {key: item for key, item in getattr(value, "__dict__", {}).items() if key == "_func" or key[0] != "_"}
    return f"{type(value).__qualname__}{_words(inside, depth - 1)}"


def _folders(operation):
    """Folders of the catalogs that an operation of LSDB reads in the end."""
    for one in operation.dependencies:
        yield from _folders(one)
    folder = getattr(operation, "kwargs", {}).get("catalog_base_dir")
    if folder is not None:
        yield str(folder)
