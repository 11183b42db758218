"""Stars part by part: fetched, kept on disk until all are there, labelled."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from astropy.table import vstack

from stellarlabels import catalogs, files, runs
from stellarlabels.archive import queries
from stellarlabels.archive.services import get
from stellarlabels.archive.tap.payload import default_folder
from stellarlabels.exceptions import InputError
from stellarlabels.gather import supply as supplies
from stellarlabels.gather.steps import Gathering, fill, is_query
from stellarlabels.gather.supply import Archives
from stellarlabels.scale.job import Job, Order
from stellarlabels.scale.sources import IDENTITY, open_source

#: Stars of a part: as many as the archive's service of spectra takes in one request.
PART = 5000
#: The release of Gaia for systems that take any.
ANY = "Gaia DR3"
#: What tells which star a row is, beside its identifier.
KEPT = ("source_id", "phot_g_mean_mag", *IDENTITY)


def gather(
    system, folder, stars, *, archives=None, distances=False, yes=False, restart=False, progress=None, tell=None
):
    """Parquet files with the inputs of stars, in their order; what is in the folder already is not asked for again."""
    # A star that an archive does not know has masked values. If an archive fails for good, the same call goes on later.
    # ``tell(text, percent)`` is called as it goes on.
    with runs.alone_in(folder, "store"):
        supply = supplies.of(system, distances)
        return _gather(system, supply, Path(folder), stars, archives, yes, restart, progress, tell)


def _gather(system, supply, folder, stars, archives, yes, restart, progress, tell):
    """As `gather`, in a folder that no other run uses."""
    from tqdm.auto import tqdm

    archives = Archives() if archives is None else archives
    release = system.release or ANY
    if not yes:
        stars.check_size(supply, release)
    _open(folder, {"system": system.name, "steps": list(supply.steps), **stars.described(supply, release)}, restart)
    found = _listed(folder, stars, supply, archives, release)
    gathering = Gathering(system, supply, archives, release, folder)
    starts = range(0, max(len(found), 1), PART)
    quiet = not (len(starts) > 1 if progress is None else progress)
    out = []
    with tqdm(total=len(found), desc="fetching", unit="star", disable=quiet) as bar:
        for number, start in enumerate(starts):
            part, path = found[start : start + PART], folder / f"part-{number:06d}.parquet"
            if tell is not None:
                tell(
                    f"fetching what stars {start + 1} to {start + len(part)} of {len(found)} lack",
                    80 * start // len(found),
                )
            if not path.exists():
                catalogs.write(fill(part, gathering), path)
            out.append(path)
            bar.update(len(part))
    return out


def labels(
    system,
    stars,
    *,
    store=None,
    archives=None,
    distances=False,
    keep=(),
    release=None,
    yes=False,
    progress=None,
    tell=None,
):
    """Labels of the stars that are meant (`~stellarlabels.catalogs.CatalogTable`), as `System.label` tells."""
    supply = supplies.of(system, distances)
    if store is None:
        order = repr((system.name, supply.steps, stars.described(supply, system.release or ANY)))
        store = default_folder().parent / "gather" / hashlib.sha256(order.encode()).hexdigest()[:16]
    pieces = []
    with runs.alone_in(store, "store"):
        for path in _gather(system, supply, Path(store), stars, archives, yes, False, progress, tell):
            pieces.append(labelled(system, read_part(path), distances=distances, keep=keep, release=release))
        out = pieces[0] if len(pieces) == 1 else vstack(pieces, metadata_conflicts="silent")
        runs.empty(store)
    if tell is not None:
        tell(f"{len(out)} stars are labelled", 99)
    return catalogs.CatalogTable(out, copy=False)


def labelled(system, table, *, distances=False, keep=(), release=None, **others):
    """Labels of a table that has what is needed, with what tells which star a row is; as from `labels`."""
    # ``others``: what is for stars that are fetched.
    kept = tuple(dict.fromkeys((*kept_of(table), *keep)))
    found = Job(system, Order(distances=distances, keep=kept, release=release))(table)
    return catalogs.CatalogTable(found, copy=False)


def read_part(path):
    """The table of a part."""
    return next(iter(open_source(path).parts(10 * PART)))[1]


def kept_of(table):
    """Columns of a table, or of a part, that tell which star a row is."""
    table = read_part(table) if isinstance(table, Path) else table
    return tuple(name for name in KEPT if name in table.colnames)


def _open(folder, order, restart):
    """Make the folder of an order, or make sure that it is that of the same one."""
    manifest = folder / "order.json"
    if restart and manifest.exists():
        runs.empty(folder)
    if manifest.exists():
        if json.loads(manifest.read_text(encoding="utf-8")) != order:
            raise InputError(
                f"store: {folder} holds what was fetched for another order; remove it, or begin again with "
                "restart=True (--restart)"
            )
        return
    with files.replacing(manifest) as stream:
        stream.write(json.dumps(order, indent=1).encode())


def _listed(folder, stars, supply, archives, release):
    """The table of all stars, from the folder if it is there."""
    path = folder / "stars.parquet"
    if not path.exists():
        found = stars.stars(supply, archives, release)
        if not len(found):
            raise InputError("stars: the archive has no such stars; look at the region, or at the cuts of the query")
        catalogs.write(found, path)
    return _whole(path)


def _whole(path):
    """A table from its file, in memory."""
    pieces = [table for _, table in open_source(path).parts(10**6)]
    return pieces[0] if len(pieces) == 1 else vstack(pieces, metadata_conflicts="silent")


#: Bytes that an archive sends in a second, about: what a slow connection has.
_RATE = 1e6


@dataclass(frozen=True)
class Plan:
    """What is asked for: stars, requests by what they are for, bytes that travel, seconds at 1 MB/s."""

    stars: int
    requests: dict
    bytes: int
    seconds: float

    def __str__(self):
        asked = "; ".join(f"{count:,} of {name}" for name, count in self.requests.items())
        size = f"{self.bytes / 1e6:,.1f} MB" if self.bytes < 1e9 else f"{self.bytes / 1e9:,.1f} GB"
        limits = ((120, 1, "s"), (7200, 60, "min"), (float("inf"), 3600, "h"))
        time = next(f"{self.seconds / unit:.0f} {name}" for most, unit, name in limits if self.seconds < most)
        return f"{self.stars:,} stars\nrequests: {asked}\nabout {size}, {time} at 1 MB/s, to fetch"


def plan(system, stars, *, archives=None, distances=False):
    """Say what fetching the inputs of stars will take (`Plan`); the archive is asked for their number only."""
    archives, supply = Archives() if archives is None else archives, supplies.of(system, distances)
    release = system.release or ANY
    count = stars.count(supply, archives, release)
    parts = -(-count // PART)
    requests, seconds = {}, 0.0
    if stars.bound(supply, release) is not None:
        requests["the list of stars"] = 1
    for step in supply.steps:
        if is_query(step):
            service = get(queries.get(step).services[0])
            requests[step] = parts * -(-min(PART, max(count, 1)) // service.chunk_rows)
            seconds += requests[step] * service.interval
        elif step != "ebv":  # a map on this machine
            requests[step] = parts
    return Plan(count, requests, count * supply.size, seconds + count * supply.size / _RATE)
