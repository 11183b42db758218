"""Labels for catalogs in the HATS format, partition by partition on a Dask cluster, read and matched by LSDB."""

import hashlib
import logging
import os
import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from astropy.table import QTable, vstack

from stellarlabels import catalogs, columns, files
from stellarlabels.exceptions import (
    InputError,
    MissingUnitWarning,
    PartsFailedError,
    StellarLabelsError,
    WriteError,
)
from stellarlabels.files import Content, Field, arrow, from_table, parquet
from stellarlabels.labels.estimator import CHUNK
from stellarlabels.scale import hats
from stellarlabels.scale.job import Failure, Job, Order, Summary, restored, saved
from stellarlabels.scale.parts import Parts
from stellarlabels.scale.sources import fingerprint

__all__ = ["Task", "label_catalog", "map_catalog", "matched", "open_lsdb", "to_table", "workers_of"]

_log = logging.getLogger(__name__)

#: Threads of the libraries in a worker: one, since there are as many workers as cores.
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


@dataclass(frozen=True)
class Task:
    """What a worker has to know to label partitions; it finds the weights in a file.

    Parameters
    ----------
    kind : type
        Class of the system.
    model : str
        File of the saved system.
    weights, digest : str
        See `stellarlabels.scale.job.restored`.
    order : Order
    columns : dict of str to `~stellarlabels.columns.Column`
        What is known of the columns of the catalog.
    """

    kind: type
    model: str
    weights: str
    digest: str
    order: Order
    columns: dict = field(default_factory=dict)

    def __call__(self, frame):
        """The result for a partition.

        Parameters
        ----------
        frame : `pandas.DataFrame`
            Its index is the place on the sky.

        Returns
        -------
        `~astropy.table.QTable`
            The same rows, with the index as the first column.
        """
        job = Job(restored(self.kind, self.model, self.weights, self.digest), self.order)
        found = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MissingUnitWarning)
            for first in range(0, max(len(frame), 1), CHUNK):
                found.append(job(_stars(frame.iloc[first : first + CHUNK], self.columns)))
        labels = vstack(found, metadata_conflicts="silent") if len(found) > 1 else found[0]
        out = QTable({hats.INDEX: np.asarray(frame.index, np.int64)}, meta=labels.meta)
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
    known = _columns_of(left)
    for name, column in _columns_of(right).items():
        name = f"{name}_match" if name in left.columns else name
        known.setdefault(name, replace(column, name=name))
    fields = [
        Field(
            column,
            np.zeros((0, *column.shape), "U1" if column.is_text else column.dtype),
            np.zeros((0, *column.shape), bool),
        )
        for name, column in known.items()
        if name in out.columns
    ]
    return _with_metadata(out, parquet.arrow_schema(Content(fields)).metadata if fields else None)


def _with_metadata(catalog, metadata):
    """The catalog with metadata of its schema, which selections of it keep."""
    from hats.catalog.catalog_snapshot import CatalogSnapshot

    structure = catalog.hc_structure
    structure.schema = structure.schema.with_metadata(metadata)
    structure.snapshot = CatalogSnapshot(structure.schema, structure.catalog_info, structure.partition_info)
    return catalog


def label_catalog(
    system,
    catalog,
    target,
    *,
    client=None,
    scheduler=None,
    workers=None,
    memory_limit="auto",
    distances=False,
    zero_point=True,
    keep=(),
    retries=2,
    restart=False,
    overwrite=False,
    progress=None,
):
    """Label a HATS catalog on a Dask cluster and write a HATS catalog.

    Parameters
    ----------
    system : `stellarlabels.labels.estimator.LabelEstimator`
        Trained or loaded.
    catalog : path-like or `lsdb.Catalog`
        A folder, of which all columns are read, or what LSDB has opened, selected, or crossmatched with other catalogs.
    target : path-like
        Folder of the new catalog, which all workers can reach.
    client : `distributed.Client`, optional
        Of a running cluster.
    scheduler : str, optional
        Address of one, for instance ``"tcp://10.0.0.1:8786"``.
    workers : int, optional
        Processes of a local cluster that is made for the run; by default one for each core.
    memory_limit : str or float
        Memory of each of these; see `distributed.LocalCluster`.
    distances, zero_point, keep
        As for `stellarlabels.scale.label_file`. Right ascension and declination are kept in any case.
    retries : int
        How often a failed partition is tried again.
    restart : bool
        Whether the partitions of an interrupted run are thrown away.
    overwrite : bool
        Whether an existing catalog is replaced.
    progress : bool, optional
        Whether to show a progress bar with the remaining time; by default for more than one partition.

    Returns
    -------
    stellarlabels.scale.labelling.Summary

    Raises
    ------
    InputError
        If an argument is not understood, or there are parts of a run with another input, system or option.
    PartsFailedError
        If partitions failed each time that they were tried; all others are kept, and the next run tries these again.
    stellarlabels.exceptions.WriteError
        If the target exists or cannot be written.

    Notes
    -----
    The labels are those of `stellarlabels.scale.label_file`, to 1e-5 of their errors, whatever the partitions.

    Each worker loads the weights once and works with one thread. It writes the partitions itself, under temporary names
    that are moved into place, to ``<target>.parts``, which becomes the catalog when all are there. A partition whose
    worker is lost is computed by another one. Units, UCDs, descriptions and the weights' checksum are in the metadata
    of the catalog and of each partition; `to_table` and `stellarlabels.catalogs.read` give them back.
    """
    start, target = time.monotonic(), Path(target)
    if target.exists() and not overwrite:
        raise WriteError(f"target: {target} exists; give overwrite=True to replace it")
    source = open_lsdb(catalog)
    info = source.hc_structure.catalog_info
    order = Order(False, distances, zero_point, tuple(dict.fromkeys((info.ra_column, info.dec_column, *keep))))
    Job(system, order)  # says what is wrong with it
    content, digest = saved(system)
    made_from = {"input": _fingerprint(source), "system": digest, "options": order.to_dict(), "rows": None}
    parts = Parts(target, made_from, restart=restart)
    folder, model = parts.folder / "catalog", parts.folder / "system"
    with files.replacing(model, overwrite=True) as stream:
        stream.write(content)
    task = Task(type(system), str(model.resolve()), system.weights_, digest, order, _columns_of(source))
    done = hats.partitions(folder)
    pixels = [pixel for pixel in source.get_healpix_pixels() if (pixel.order, pixel.pixel) not in done]
    try:
        with workers_of(client, scheduler, workers, memory_limit) as cluster:
            failures = _run(cluster, source, pixels, task, folder, retries, len(done), progress)
    finally:
        if not hats.partitions(folder):
            parts.remove()
    if failures:
        raise PartsFailedError(
            f"{len(failures)} of {len(pixels) + len(done)} partitions could not be labelled, the first: "
            f"{failures[0].where}: {failures[0].error}; the others are kept in {parts.folder}, and the next run tries "
            "only these again",
            failures,
        )
    if not hats.partitions(folder):
        raise InputError("catalog: no partition of it has any stars")
    stars = hats.finish(folder, info, name=target.name)
    good = _good(folder, system.labels)
    with files.replacing_folder(target, overwrite=overwrite) as place:
        place.rmdir()
        os.replace(folder, place)
    parts.remove()
    total = len(pixels) + len(done)
    return Summary(stars, good, stars * len(system.labels), total, len(done), (), time.monotonic() - start)


def _run(client, source, pixels, task, folder, retries, done, progress):
    """Label partitions; give the failures."""
    import pandas as pd
    from distributed import as_completed
    from tqdm.auto import tqdm

    if not pixels:
        return []
    meta = pd.DataFrame({name: pd.Series(dtype=np.int64) for name in ("order", "pixel", "stars")})
    write = partial(_write_partition, task=task, folder=str(folder.resolve()))
    chosen = source.partitions[pixels].map_partitions(write, include_pixel=True, meta=meta)
    found = chosen.to_delayed()
    futures = client.compute(found, retries=retries)
    places = {future.key: pixel for future, pixel in zip(futures, chosen.get_healpix_pixels(), strict=True)}
    quiet = not (len(pixels) > 1 if progress is None else progress)
    failures = []
    total = len(pixels) + done
    with tqdm(total=total, initial=done, desc=task.kind.name, unit="partition", disable=quiet) as bar:
        for future in as_completed(futures):
            if future.status == "finished":
                bar.set_postfix(stars=int(future.result()["stars"].sum()), refresh=False)
            else:
                error = future.exception()
                cause = error.__cause__ or error
                where = f"partition {places[future.key]}"
                failures.append(Failure(where, 0, f"{type(cause).__name__}: {cause}"))
                _log.warning("%s failed: %s", where, cause)
            bar.update()
            future.release()
    return failures


def _write_partition(frame, pixel, *, task, folder):
    """Label a partition and write it, in a worker; give what was done as a table of one row."""
    import pandas as pd

    for name in _ONE_THREAD:
        os.environ.setdefault(name, "1")
    if len(frame):
        result = task(frame)
        path = hats.partition_path(folder, pixel.order, pixel.pixel)
        path.parent.mkdir(parents=True, exist_ok=True)
        catalogs.write(result, path, overwrite=True)
    return pd.DataFrame({"order": [pixel.order], "pixel": [pixel.pixel], "stars": [len(frame)]})


def map_catalog(system, catalog, *, distances=False, zero_point=True, keep=()):
    """An LSDB catalog of labels, which are computed when it is.

    Parameters
    ----------
    system : `stellarlabels.labels.estimator.LabelEstimator`
        Trained or loaded.
    catalog : path-like or `lsdb.Catalog`
    distances, zero_point, keep
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
    info = source.hc_structure.catalog_info
    order = Order(False, distances, zero_point, tuple(dict.fromkeys((info.ra_column, info.dec_column, *keep))))
    Job(system, order)
    content, digest = saved(system)
    task = Task(type(system), _kept_file(content, digest), system.weights_, digest, order, _columns_of(source))
    sample = _frame(task, source.head(5))
    out = source.map_partitions(partial(_frame, task), meta=sample.iloc[:0])
    metadata = parquet.arrow_schema(from_table(task(source.head(5)))).metadata
    return _with_metadata(out, metadata)


def _frame(task, frame):
    """The result for a partition as a frame for LSDB."""
    import nested_pandas as npd
    import pandas as pd

    pa = arrow.load()
    result = from_table(task(frame))
    schema_, fields = parquet.arrow_schema(result), result.fields
    arrays = [
        pa.array(item.data, mask=item.mask if item.has_missing else None, type=schema_.field(item.column.name).type)
        for item in fields
    ]
    table = pa.table(arrays, names=[item.column.name for item in fields])
    return npd.NestedFrame(table.to_pandas(types_mapper=pd.ArrowDtype).set_index(hats.INDEX).set_axis(frame.index))


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
    out = _stars(frame, _columns_of(source))
    content, _ = parquet.described(_metadata_of(source))
    out.meta.update(content.meta)
    return out


def _stars(frame, columns):
    """A partition as a table with units."""
    pa = arrow.load()
    plain = [name for name in frame.columns if not hasattr(frame[name].dtype, "field_dtype")]
    table = pa.Table.from_pandas(frame[plain], preserve_index=False)
    fields = [arrow.field(name, table[name], columns.get(name)) for name in plain if not _is_nested(table, name)]
    return hats.stars(Content(fields), columns)


def _is_nested(table, name):
    return arrow.load().types.is_struct(table.schema.field(name).type)


def _metadata_of(source):
    """Metadata of the schema of a catalog, as it is now or as it was opened."""
    structure = source.hc_structure
    for one in (structure.schema, getattr(structure.snapshot, "schema", None)):
        if one is not None and parquet.described(one.metadata)[1]:
            return one.metadata
    return None


def _columns_of(source):
    """What is known of the columns of a catalog."""
    return parquet.described(_metadata_of(source))[1]


def _fingerprint(source):
    """What tells a catalog, with all that is done to it, from others."""
    pixels = [f"{pixel.order}/{pixel.pixel}" for pixel in source.get_healpix_pixels()]
    folders = sorted(set(_folders(source._operation)))
    contents = [fingerprint(hats.partition_files(folder)) for folder in folders if Path(folder).is_dir()]
    operations = hashlib.sha256(_words(source).encode()).hexdigest()
    return {"files": contents, "operations": operations, "partitions": pixels}


def _words(value, depth=12):
    """Text that is the same in each process for the same operation with the same arguments.

    LSDB's own tokens of a crossmatch are others each time.
    """
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
    if callable(value):
        return getattr(value, "__qualname__", type(value).__qualname__)
    inside = {key: item for key, item in getattr(value, "__dict__", {}).items() if key == "_func" or key[0] != "_"}
    return f"{type(value).__qualname__}{_words(inside, depth - 1)}"


def _folders(operation):
    """Folders of the catalogs that an operation of LSDB reads in the end."""
    for one in operation.dependencies:
        yield from _folders(one)
    folder = getattr(operation, "kwargs", {}).get("catalog_base_dir")
    if folder is not None:
        yield str(folder)


def _good(folder, labels):
    """Number of labels without a flag."""
    pa = arrow.load()
    names = [columns.label_columns(label)[2].name for label in labels]
    good = 0
    for [path] in hats.partitions(folder).values():
        table = pa.parquet.read_table(path, columns=names)
        good += sum(int(pa.compute.sum(pa.compute.equal(table[name], 0)).as_py() or 0) for name in names)
    return good


def _kept_file(content, digest):
    """A file with these bytes that is there until the process ends."""
    import atexit
    import shutil
    import tempfile

    folder = tempfile.mkdtemp(prefix="stellarlabels-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder) / digest[:16]
    path.write_bytes(content)
    return str(path)


@contextmanager
def workers_of(client=None, scheduler=None, workers=None, memory_limit="auto"):
    """A client of a Dask cluster; one that is made here ends with the block.

    Parameters
    ----------
    client : `distributed.Client`, optional
    scheduler : str, optional
    workers : int, optional
    memory_limit : str or float
        See `label_catalog`.

    Yields
    ------
    `distributed.Client`

    Raises
    ------
    InputError
        If more than one of them is given, or ``workers`` is not a positive integer.
    StellarLabelsError
        If the scheduler cannot be reached.
    """
    import dask
    from distributed import Client, LocalCluster

    if sum(one is not None for one in (client, scheduler, workers)) > 1:
        raise InputError("workers: give one of client, scheduler and workers")
    if client is not None:
        yield client
        return
    if scheduler is not None:
        try:
            remote = Client(scheduler, timeout=30)
        except (OSError, ValueError) as error:
            raise StellarLabelsError(f"scheduler: {scheduler} cannot be reached; {error}") from error
        with remote:
            yield remote
        return
    if workers is not None and (not isinstance(workers, int) or workers < 1):
        raise InputError(f"workers: expected a positive integer, got {workers!r}")
    threads = {f"distributed.nanny.pre-spawn-environ.{name}": 1 for name in _ONE_THREAD}
    with (
        dask.config.set(threads),
        LocalCluster(
            n_workers=workers or os.cpu_count(), threads_per_worker=1, memory_limit=memory_limit, dashboard_address=":0"
        ) as cluster,
        Client(cluster) as local,
    ):
        yield local
