"""Runs that are killed at random moments, that meet a full disk, or of which two want the same folder.

A run is killed as the system kills one that takes too much memory (SIGKILL, with all of its processes), and begun
again, until it is complete. Under its own name each result may be there whole, or as it was before, or not at all; and
in the end it is what a run gives that nobody disturbs. ``reliability.py`` counts, and writes what the documentation
shows.
"""

import hashlib
import json
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.table import QTable, Table

from stellarlabels import catalogs, columns, scale
from stellarlabels.exceptions import StellarLabelsError
from stellarlabels.inputs.examples import xp_apogee_sample

# A process that has imported everything, but computed nothing, is the father of all runs: importing takes longest.
CONTEXT = multiprocessing.get_context("forkserver")
PRELOADED = ["tensorflow", "keras", "stellarlabels.networks", "stellarlabels.scale.labelling", "pyarrow.parquet"]
PRELOADED += ["pyvo", "astroquery.utils.tap", "stellarlabels.archive.queries", "stellarlabels.archive.tap"]

#: Rows of a part, of a piece of a query, and of a partition.
PART = 20
QUERY = """-- title = "Twice the right ascension"
-- system = "uacsnet"
-- sample = "apply"
-- services = ["gaia"]
-- reference = "none"
-- unconfirmed = []
-- [upload]
-- name = "stars"
-- columns = ["ra", "dec"]
SELECT * FROM TAP_UPLOAD.stars
"""


def stars(count, seed=1):
    """Spectra of the sample with noise of their own errors, and places all over the sky."""
    random, sample = np.random.default_rng(seed), xp_apogee_sample()
    names = ("flux", "flux_error", "phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "j_m", "h_m", "ks_m")
    out = QTable(sample[names][random.integers(0, len(sample), count)])
    out.add_column(2**60 + 7 * random.permutation(count), name="source_id", index=0)
    out["ra"], out["dec"] = random.uniform(0, 360, count) * u.deg, random.uniform(-80, 80, count) * u.deg
    out["flux"] = out["flux"] + out["flux_error"] * random.standard_normal(out["flux"].shape)
    out.meta.clear()
    return out


def answer(adql, uploads):
    """What the stand-in of an archive gives: the stars, twice their right ascension, after a moment."""
    time.sleep(0.01)
    table = uploads["stars"]
    return Table({"upload_row": table["upload_row"], "twice": 2 * np.asarray(table["ra"])})


def _system():
    from stellarlabels import UACSNet

    return UACSNet.pretrained().fewer(1)


def label(inputs, folder):
    """Label a file part by part."""
    scale.label_file(_system(), inputs / "stars.fits", folder / "labels.fits", rows=PART, progress=False)


def query(inputs, folder):
    """Ask an archive for a table that is uploaded piece by piece, and write what it says."""
    from stellarlabels.archive import TAP, queries

    bound = queries.read(inputs / "own.adql").bind()
    tap = TAP((inputs / "url").read_text(), interval=0)
    table = catalogs.read(inputs / "places.fits")
    found = tap.run_chunks(bound, table, mode="sync", chunk_rows=PART, store=folder / "store")
    catalogs.write(found, folder / "found.vot", overwrite=True)


def write(inputs, folder):
    """Write a table over what was there before, in several formats."""
    table = catalogs.read(inputs / "stars.fits")
    for name in RUNS["write"].targets:
        catalogs.write(table, folder / name, overwrite=True)


def dask(inputs, folder):
    """Label a HATS catalog on a Dask cluster that is part of the run."""
    import distributed

    options = {"processes": False, "n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.Client(**options) as client:
        scale.label_catalog(_system(), inputs / "hats", folder / "labels", client=client, progress=False)


@dataclass(frozen=True)
class Run:
    """A kind of run: what it does, what it gives, whether the same bytes, and what it replaces."""

    does: callable
    targets: tuple
    same_bytes: bool = True
    old: bytes | None = None


RUNS = {
    "label": Run(label, ("labels.fits",)),
    "query": Run(query, ("found.vot",), same_bytes=False),
    "write": Run(write, ("a.fits", "a.vot", "a.parquet"), old=b"old"),
    "dask": Run(dask, ("labels",), same_bytes=False),
}


def prepare(folder, url, count=240):
    """Inputs of all runs in a folder."""
    folder = Path(folder)
    folder.mkdir(parents=True)
    table = stars(count)
    catalogs.write(table, folder / "stars.fits")
    catalogs.write(table["source_id", "ra", "dec"], folder / "places.fits")
    (folder / "url").write_text(url)
    (folder / "own.adql").write_text(QUERY)
    return folder


def prepare_hats(folder):
    """The same stars as a HATS catalog."""
    import lsdb

    table = catalogs.read(folder / "stars.fits")
    frame = Table({name: columns.without_unit(table[name]) for name in table.colnames if table[name].ndim == 1})
    frame = frame.to_pandas()
    for name in ("flux", "flux_error"):
        frame[name] = list(columns.without_unit(table[name]).filled(np.nan))
    made = lsdb.from_dataframe(
        frame, catalog_name="stars", lowest_order=0, partition_rows=2 * PART, margin_threshold=None
    )
    made.write_catalog(str(folder / "hats"), progress_bar=False)


class Process:
    """A run in processes of its own, which has begun; with a limit, no file may have more bytes."""

    def __init__(self, kind, inputs, folder, limit=None):
        self.said, other = CONTEXT.Pipe()
        self.process = CONTEXT.Process(target=_child, args=(kind, str(inputs), str(folder), limit, other))
        self.process.start()
        other.close()
        assert self.said.recv() == "begun"

    def kill_after(self, seconds):
        """Whether it still ran, and was killed."""
        self.process.join(seconds)
        if self.process.exitcode is not None:
            return False
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.join()
        return True

    def ended(self):
        """Wait; None, or the error of this package with which it ended."""
        self.process.join()
        if self.process.exitcode == 0:
            return None
        return self.said.recv()


def _child(kind, inputs, folder, limit, connection):
    os.setsid()
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), 1)
        os.dup2(nothing.fileno(), 2)
    if limit is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    connection.send("begun")
    try:
        RUNS[kind].does(Path(inputs), Path(folder))
    except StellarLabelsError as error:
        connection.send(f"{type(error).__name__}: {error}")
        sys.exit(3)


class Trial:
    """Disturbed runs of one kind, held against one that is not."""

    def __init__(self, kind, inputs, folder, random):
        self.kind, self.inputs, self.folder, self.random = kind, inputs, Path(folder), random
        self.run = RUNS[kind]

    @cached_property
    def undisturbed(self):
        """Digests of what a run gives that nobody disturbs, the seconds that it takes, and its largest file's bytes."""
        seconds = []
        for _ in range(2):  # the first one reads files that are in memory afterwards
            place, start = self.fresh(), time.monotonic()
            error = Process(self.kind, self.inputs, place).ended()
            assert error is None, error
            seconds.append(time.monotonic() - start)
        largest = max((place / name).stat().st_size for name in self.run.targets)
        return {name: self.digest(place / name) for name in self.run.targets}, min(seconds), largest

    def fresh(self):
        """An empty folder, but for what was there before."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for name in self.run.targets if self.run.old else ():
            (self.folder / name).write_bytes(self.run.old)
        return self.folder

    def digest(self, path):
        """Of the bytes of a file, or of the values of a table whose file has dates in it."""
        if self.run.same_bytes:
            return hashlib.sha256(path.read_bytes()).hexdigest()
        table = scale.to_table(path) if path.is_dir() else catalogs.read(path)
        found = hashlib.sha256()
        for name in table.colnames:
            cells = columns.without_unit(table[name])
            found.update(name.encode() + np.ma.getmaskarray(cells).tobytes() + cells.filled().tobytes())
        return found.hexdigest()

    def states(self, place):
        """Of each result: "whole", "old", "none" or "half"."""
        found = {}
        for name in self.run.targets:
            path = place / name
            try:
                if not path.exists():
                    found[name] = "none"
                elif self.run.old and path.read_bytes() == self.run.old:
                    found[name] = "old"
                else:
                    found[name] = "whole" if self.digest(path) == self.undisturbed[0][name] else "half"
            except StellarLabelsError:
                found[name] = "half"
        return found

    def finish(self, place):
        """Run it to its end; "same", "different", or the error; and what it leaves beside the results."""
        if set(self.states(place).values()) != {"whole"}:
            error = Process(self.kind, self.inputs, place).ended()
            if error:
                return error, []
        same = set(self.states(place).values()) == {"whole"}
        left = [path.name for path in place.iterdir() if path.name not in (*self.run.targets, "store")]
        return "same" if same else "different", left

    def killed(self, times):
        """Kill runs so often, at random moments, and let them end."""
        seconds, start = self.undisturbed[1], time.monotonic()
        out = {"kills": 0, "runs": 0, "half files": 0, "same": 0, "left behind": 0}
        while out["kills"] < times:
            place = self.fresh()
            while out["kills"] < times:
                process = Process(self.kind, self.inputs, place)
                if not process.kill_after(self.random.uniform(0, seconds)):
                    break
                out["kills"] += 1
                states = self.states(place)
                out["half files"] += list(states.values()).count("half")
                if set(states.values()) == {"whole"}:
                    break
            end, left = self.finish(place)
            out["runs"] += 1
            out["same"] += end == "same"
            out["left behind"] += len(left)
        return {**out, "seconds": round(time.monotonic() - start)}

    def full(self, times):
        """Let no file have more than some random number of bytes, too few for a result; then go on without limit."""
        out = {"limits": 0, "told": 0, "half files": 0, "same": 0}
        for _ in range(times):
            place = self.fresh()
            limit = int(10 ** self.random.uniform(2, np.log10(self.undisturbed[2])))
            error = Process(self.kind, self.inputs, place, limit).ended()
            out["limits"] += 1
            out["told"] += error is not None and "Error: " in error
            out["half files"] += list(self.states(place).values()).count("half")
            out["same"] += self.finish(place)[0] == "same"
        return out

    def twice(self, times):
        """Begin two runs at once in one folder: one gives the result, the other is told, or gives the same."""
        out = {"pairs": 0, "same": 0, "told": 0}
        for _ in range(times):
            place = self.fresh()
            pair = [Process(self.kind, self.inputs, place) for _ in range(2)]
            errors = [process.ended() for process in pair]
            out["pairs"] += 1
            out["told"] += sum(error is not None for error in errors)
            out["same"] += None in errors and set(self.states(place).values()) == {"whole"}
        return out


def measured(kinds, folder, random, *, kills, times):
    """What became of runs of some kinds, by the disturbance: dict of dicts."""
    from tap_server import FakeTAP

    preload = PRELOADED + (["distributed", "lsdb", "stellarlabels.scale.cluster"] if "dask" in kinds else [])
    CONTEXT.set_forkserver_preload(preload)
    tap, out = FakeTAP(answer), {}
    tap._server.handle_error = lambda *request: None  # those that ask are killed
    try:
        inputs = prepare(Path(folder) / "inputs", tap.url)
        if "dask" in kinds:
            prepare_hats(inputs)
        for kind in kinds:
            trial = Trial(kind, inputs, Path(folder) / kind, random)
            out[kind] = {"killed": trial.killed(kills)}
            print(json.dumps({kind: out[kind]}), flush=True)
            if kind != "dask":
                out[kind] |= {"full disk": trial.full(times), "two at once": trial.twice(times)}
                print(json.dumps({kind: out[kind]}), flush=True)
    finally:
        tap.close()
    return out
