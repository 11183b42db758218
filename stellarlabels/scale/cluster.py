"""Labels for catalogs in the HATS format, partition by partition on a Dask cluster; LSDB keeps the books."""

import logging
import os
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from astropy.table import Table

from stellarlabels import columns, files
from stellarlabels.exceptions import InputError, PartsFailedError, StellarLabelsError, WriteError
from stellarlabels.files import arrow
from stellarlabels.scale import hats
from stellarlabels.scale.job import Failure, Job, Summary, saved
from stellarlabels.scale.lsdb_catalogs import Task, arrow_table, columns_of, fingerprint_of, mapped, open_lsdb, order_of
from stellarlabels.scale.parts import Parts
from stellarlabels.validation import Verdicts

__all__ = ["label_catalog", "workers_of"]

_log = logging.getLogger(__name__)

#: Threads of the libraries in a worker: one, since there are as many workers as cores.
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
#: HEALPix order of the pixels in which the density of the stars is described, at least.
_MAP_ORDER = 8


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
    release=None,
    retries=2,
    restart=False,
    overwrite=False,
    progress=None,
):
    """Label a HATS catalog on a Dask cluster and write a HATS catalog.

    Parameters
    ----------
    system : `stellarlabels.labels.LabelEstimator`
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
    distances, zero_point, keep, release
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
    The labels are those of `stellarlabels.scale.label_file`, to 2e-5 of their errors, whatever the partitions.

    Each worker loads the weights once and works with one thread. It writes the partitions itself to ``<target>.parts``,
    where LSDB keeps the books of what is done, as for its own ``write_catalog(resume=True)``, and finishes the catalog
    when all are there. A partition whose worker is lost is computed by another one. Units, UCDs, descriptions and the
    weights' checksum are in the metadata of the catalog and of each partition; `to_table` and
    `stellarlabels.catalogs.read` give them back.
    """
    start, target = time.monotonic(), Path(target)
    if target.exists() and not overwrite:
        raise WriteError(f"target: {target} exists; give overwrite=True to replace it")
    source = open_lsdb(catalog)
    order = order_of(source, distances, zero_point, keep, release)
    Job(system, order)  # says what is wrong with it
    content, digest = saved(system)
    made_from = {"input": fingerprint_of(source), "system": digest, "options": order.to_dict(), "rows": None}
    with Parts.of(target, made_from, restart=restart) as parts:
        folder, model = parts.folder / "catalog", parts.folder / "system"
        with files.replacing(model, overwrite=True) as stream:
            stream.write(content)
        task = Task(type(system), str(model.resolve()), system.weights_, digest, order, columns_of(source))
        try:
            with workers_of(client, scheduler, workers, memory_limit) as cluster:
                done, pixels = _done(folder), list(source.get_healpix_pixels())
                wanted = [pixel for pixel in pixels if pixel not in done]
                failures = _run(cluster, source, wanted, task, folder, retries, len(done), progress)
                if not failures and _done(folder):
                    _finish(source, task, folder, target.name)
        finally:
            kept = len(hats.partitions(folder))
            if not kept:
                parts.remove()
        if failures:
            raise _error(failures, len(pixels), kept, parts)
        if not kept:
            raise InputError("catalog: no partition of it has any stars")
        stars, found = _counts(folder, system.labels)
        with files.replacing_folder(target, overwrite=overwrite) as place:
            place.rmdir()
            os.replace(folder, place)
        parts.remove()
        labels = stars * len(system.labels)
        return Summary(stars, found.good, labels, len(pixels), len(done), (), time.monotonic() - start, found)


def _run(client, source, pixels, task, folder, retries, done, progress):
    """Label partitions; give the failures."""
    import pandas as pd
    from distributed import as_completed
    from tqdm.auto import tqdm

    if not pixels:
        return []
    folder.mkdir(exist_ok=True)
    write = partial(_write_partition, task=task, folder=str(folder.resolve()), map_order=_map_order(source))
    chosen = source.partitions[pixels].map_partitions(write, include_pixel=True, meta=pd.DataFrame({"stars": [0]})[:0])
    futures = client.compute(chosen.to_delayed(), retries=retries)
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


class _Partition:
    """Labels in the form in which LSDB writes partitions, with units and descriptions in the file."""

    def __init__(self, labels):
        self._table, self.index = arrow_table(labels), _Index(labels[hats.INDEX])

    def __len__(self):
        return len(self._table)

    def to_pyarrow(self, **layout):
        """The table to write."""
        return self._table


class _Index:
    """Places on the sky."""

    def __init__(self, places):
        self._places = places

    def to_numpy(self):
        """As an array."""
        return self._places


def _write_partition(frame, pixel, *, task, folder, map_order):
    """Label a partition and write it, in a worker; give the number of its stars as a table of one row."""
    import pandas as pd
    from lsdb.io.to_hats import perform_write
    from upath import UPath

    for name in _ONE_THREAD:
        os.environ.setdefault(name, "1")
    if len(frame):  # those without stars are no business of the books: LSDB takes them for partitions with a file
        perform_write(_Partition(task(frame)), pixel, UPath(folder), map_order)
    return pd.DataFrame({"stars": [len(frame)]})


def _done(folder):
    """Pixels of the partitions that are complete."""
    from lsdb.io.to_hats import read_done_pixels
    from upath import UPath

    return set(read_done_pixels(UPath(folder)))


def _map_order(source):
    """HEALPix order of the pixels in which LSDB will count the stars."""
    known = source.hc_structure.catalog_info.skymap_order
    return known or max(_MAP_ORDER, *(pixel.order for pixel in source.get_healpix_pixels()))


def _finish(source, task, folder, name):
    """Let LSDB write everything of a catalog but its partitions, and give it the header that all partitions have."""
    form = arrow.load().parquet.read_schema(hats.partition_files_in(folder)[0])
    labels = mapped(source, task, form)
    labels.write_catalog(folder, catalog_name=name, as_collection=False, resume=True, progress_bar=False)
    hats.describe(folder)


def _error(failures, partitions, kept, parts):
    """The error that names what failed."""
    rest = f"{kept} others are kept in {parts.folder}, and the next run tries" if kept else "the next run tries"
    only = " only these again" if kept else " all again"
    return PartsFailedError(
        f"{len(failures)} of {partitions} partitions could not be labelled, the first: {failures[0].where}: "
        f"{failures[0].error}; {rest}{only}",
        failures,
    )


def _counts(folder, labels):
    """Number of stars, and their `Verdicts`."""
    pa, stars, found = arrow.load(), 0, Verdicts()
    items = [item for label in labels for item in (columns.label_columns(label)[2], columns.good_column(label))]
    for [path] in hats.partitions(folder).values():
        table = pa.parquet.read_table(path, columns=[item.name for item in items])
        stars += len(table)
        found += Verdicts.count(Table({item.name: table[item.name].to_numpy() for item in items}), labels)
    return stars, found


@contextmanager
def workers_of(client=None, scheduler=None, workers=None, memory_limit="auto"):
    """A client of a Dask cluster: the given one, that of a scheduler, or one of so many processes, which ends here."""
    import dask
    from distributed import Client, LocalCluster

    if sum(one is not None for one in (client, scheduler, workers)) > 1:
        raise InputError("workers: give one of client, scheduler and workers")
    if client is not None:
        with client.as_current():
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
