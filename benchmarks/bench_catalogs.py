"""How fast are catalogs written and read, and in how much memory? Against astropy's writers and readers, and fitsio.

    python benchmarks/bench_catalogs.py [--rows 1000000] [--stream 10000000] [--repeat 3] [--output FILE]

A table of 30 columns with 137 bytes a row: an identifier, four doubles, twenty floats, four integers, a truth value.
Every measurement runs in a process of its own: the times are the shortest of the repeats (astropy's VOTable runs
once), on the clock and on the processor; ratios are those of the processor, which other work does not disturb. The
memory is the highest resident size, without what the process had when all was imported, in units of the table's size.
The table itself counts. fitsio, a wrapper of CFITSIO, takes part if it is installed; it writes and reads arrays of
records without units. With ``--output`` (by default ``benchmarks/catalogs.json``) the numbers are kept, and so are
the tables of the documentation, ``docs/speed.inc``.
"""

import argparse
import importlib.util
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import timing
from astropy import units as u
from astropy.table import QTable, Table

FORMATS = {
    "fits": (".fits", "fits"),
    "fits-plus": (".fits", None),
    "votable": (".vot", "votable"),
    "votable.tabledata": (".vot", None),
    "parquet": (".parquet", "parquet"),
    "mrt": (".mrt", None),
}
BYTES = 137
#: The table in the documentation.
PAGE = Path(__file__).parents[1] / "docs" / "speed.inc"


def table(rows, seed=1):
    """The table."""
    random = np.random.default_rng(seed)
    out = QTable({"source_id": random.integers(1, 2**62, rows)})
    for index in range(4):
        out[f"double_{index}"] = random.random(rows) * u.deg
    for index in range(20):
        out[f"float_{index}"] = random.random(rows, np.float32) * u.K
    for index in range(4):
        out[f"flag_{index}"] = random.integers(0, 2**12, rows, dtype=np.int32)
    out["good"] = random.random(rows) < 0.5
    assert sum(out[name].dtype.itemsize for name in out.colnames) == BYTES and len(out.colnames) == 30
    return out


def imported():
    """Import what all measurements need, and give the resident size."""
    import pyarrow.compute
    import pyarrow.parquet
    import tqdm.auto
    from astropy.io import fits, votable  # noqa: F401

    from stellarlabels import catalogs  # noqa: F401

    assert pyarrow.compute and tqdm.auto
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def write(stars, path, name, who):
    """Write the table."""
    from stellarlabels import catalogs

    if who == "fitsio":
        import fitsio

        fitsio.write(path, stars, clobber=True)
    elif who == "ours":
        catalogs.write(stars, path, overwrite=True, format=name)
    elif name == "votable":
        stars.write(path, overwrite=True, format="votable", tabledata_format="binary2")
    else:
        stars.write(path, overwrite=True)


def read(path, name, who):
    """Read the table."""
    from stellarlabels import catalogs

    if who == "fitsio":
        import fitsio

        return fitsio.read(path)
    if who == "ours":
        return catalogs.read(path, format=name)
    return QTable.read(path, format="votable") if name == "votable" else QTable.read(path)


def stream(path, name, rows, step=500_000):
    """Write a table that is never in memory as a whole."""
    from stellarlabels import catalogs

    with catalogs.stream(path, overwrite=True, format=name) as writer:
        for first in range(0, rows, step):
            writer.append(table(min(step, rows - first), seed=first))


def measure(options):
    """One measurement, in this process; the answer is printed as JSON."""
    warnings.simplefilter("ignore")
    before = imported()
    who, path, seconds, cpu = options.who, Path(options.path), [], []

    def timed(function):
        used = time.process_time()
        wall, found = timing.elapsed(function)
        seconds.append(wall)
        cpu.append(time.process_time() - used)
        return found

    if options.one == "stream":
        timed(lambda: stream(path, options.name, options.rows))
    elif options.one == "write":
        stars = table(options.rows)
        if who == "fitsio":
            stars = Table(stars, copy=False).as_array()
        for _ in range(options.repeat):
            timed(lambda: write(stars, path, options.name, who))
    else:
        for _ in range(options.repeat):
            found = None  # only one table at a time
            found = timed(lambda: read(path, options.name, who))
        assert len(found) == options.rows
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    memory = (peak - before) / (BYTES * options.rows)
    result = {"seconds": min(seconds), "cpu": min(cpu), "memory": memory, "peak_gigabytes": peak / 1e9}
    print(json.dumps({key: round(value, 3) for key, value in result.items()}))


def run(one, name, who, path, rows, repeat):
    """One measurement in a process of its own."""
    command = [sys.executable, __file__, "--one", one, "--name", name, "--who", who, "--path", str(path)]
    command += ["--rows", str(rows), "--repeat", str(repeat)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def both(name, who, folder, options):
    """Write and read in one format, or write a stream; one after the other."""
    out = {}
    path = Path(folder) / f"{who}-{name}{FORMATS[name][0]}"
    rows = options.stream if who == "stream" else options.rows
    once = who == "stream" or (name, who) == ("votable", "astropy") or name == "mrt"
    for one in (
        ["stream"] if who == "stream" else ["write"] if name in ("mrt", "votable.tabledata") else ["write", "read"]
    ):
        out[f"{who} {one}"] = result = run(one, name, who, path, rows, 1 if once else options.repeat)
        print(f"{name:18s} {who:8s} {one:6s} {result}", flush=True)
    if who == "stream":
        path.unlink()
    return out


def same(path, other, name):
    """Whether astropy reads the same bits from both files."""
    warnings.simplefilter("ignore")
    left, right = (Table.read(item, format=name) for item in (path, other))
    return all(
        np.asarray(left[column]).tobytes() == np.asarray(right[column]).tobytes()
        for column in left.colnames
        if np.asarray(left[column]).dtype == np.asarray(right[column]).dtype
    )


def page(results):
    """The results as tables of reStructuredText."""
    lines = [f"{results['rows']:,} rows of 30 columns, {BYTES} bytes each:", "", *_TABLE]
    lines += _row("Format", "Write (s)", "astropy", "Read (s)", "astropy", "Memory to write", "astropy")
    for name, found in results["formats"].items():
        cells = [found.get(f"{who} {one}", {}) for one in ("write", "read") for who in ("ours", "astropy")]
        times = [f"{cell['cpu']:.2f}" if cell else "" for cell in cells]
        memory = [f"{cell['memory']:.1f}" if cell else "" for cell in cells[:2]]
        lines += _row(name, *times, *memory)
    fits = results["formats"]["fits"]
    if "fitsio write" in fits:
        times = [fits[f"fitsio {one}"]["cpu"] for one in ("write", "read")]
        lines += ["", f"fitsio writes the FITS table in {times[0]:.2f} s and reads it in {times[1]:.2f} s, as an array"]
        lines += ["of records in the byte order of the file, without units and masks."]
    lines += ["", "Streams of many rows, the making of the rows included:", "", *_TABLE]
    lines += _row("Format", "Time (s)", "Highest memory of the process (GB)")
    for name, found in results["streams"].items():
        cell = found["stream stream"]
        lines += _row(f"{name}, {results['stream_rows']:,} rows", f"{cell['cpu']:.0f}", f"{cell['peak_gigabytes']:.2f}")
    return "\n".join(lines) + "\n"


_TABLE = [".. list-table::", "   :header-rows: 1", ""]


def _row(first, *others):
    return [f"   * - {first}", *(f"     - {cell}" for cell in others)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--stream", type=int, default=10_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--output", default=Path(__file__).with_name("catalogs.json"))
    parser.add_argument("--jobs", type=int, default=1, help="measurements at a time")
    parser.add_argument("--folder", help="where the files are written (default: a temporary folder)")
    for hidden in ("--one", "--name", "--who", "--path"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        measure(options)
        return
    results = {
        "rows": options.rows,
        "stream_rows": options.stream,
        "bytes_of_a_row": BYTES,
        "python": platform.python_version(),
        "formats": {},
        "streams": {},
    }
    tasks = [(name, who) for name, (_, peer) in FORMATS.items() for who in ("ours", "astropy") if peer or who == "ours"]
    if importlib.util.find_spec("fitsio"):
        tasks.append(("fits", "fitsio"))
    tasks.sort(key=lambda task: task != ("votable", "astropy"))  # the longest first
    tasks += [(name, "stream") for name in ("fits", "votable", "parquet") if options.stream]
    with tempfile.TemporaryDirectory(dir=options.folder) as folder, ThreadPoolExecutor(options.jobs) as pool:
        for (name, who), found in zip(tasks, pool.map(lambda task: both(*task, folder, options), tasks), strict=True):
            results["formats" if who != "stream" else "streams"].setdefault(name, {}).update(found)
        for name, (suffix, peer) in FORMATS.items():
            if peer:
                found = results["formats"][name]
                paths = [Path(folder) / f"{who}-{name}{suffix}" for who in ("ours", "astropy")]
                found["same bits"] = same(*paths, peer)
                for one in ("write", "read"):
                    ratio = found[f"ours {one}"]["cpu"] / found[f"astropy {one}"]["cpu"]
                    found[f"{one} ratio"] = round(ratio, 4)
                    print(
                        f"{name:10s} {one:6s} ours / astropy: {ratio:.3f}; same bits: {found['same bits']}", flush=True
                    )
    if options.output:
        Path(options.output).write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        PAGE.write_text(page(results), encoding="utf-8")


if __name__ == "__main__":
    main()
