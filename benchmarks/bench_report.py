"""Time and memory of the report on a catalog of a million rows.

    python benchmarks/bench_report.py [--rows 1000000] [--output report.json]

The catalog is made of the real stars of the sample that ships with the package: their labels are predicted with the
shipped weights of UACSNet, and the rows are repeated with noise of the size of their errors. The reference, APOGEE's
labels, is repeated in the same way, so that every row has a match. The report is made by the command line in a process
of its own on two cores; its time is that of the wall clock from start to end, its memory the largest resident set.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from astropy.table import QTable

from stellarlabels import __version__, catalogs, columns
from stellarlabels.inputs.examples import xp_apogee_sample

#: Columns of the sample that go with the labels.
KEPT = ("ra", "dec", "phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "ebv", "parallax", "parallax_error")


def repeated(table, labels, rows, seed):
    """So many rows of a table, with noise of the size of their errors in the labels."""
    rng = np.random.default_rng(seed)
    place = np.arange(rows) % len(table)
    out = QTable({"source_id": np.arange(1, rows + 1)}, meta=dict(table.meta))
    for name in table.colnames:
        if name not in ("source_id", *labels):
            out[name] = table[name][place]
    for name in labels:
        value, error, _ = columns.label_columns(name)
        noise = np.nan_to_num(columns.column_values(table, error)[place]) * rng.normal(size=rows)
        out[name] = value.dress(columns.column_values(table, value)[place] + noise)
    for name in KEPT[2:5]:
        if name in out.colnames:
            out[name] = out[name] + rng.normal(0, 0.3, rows) * out[name].unit
    return out


def files(folder, rows):
    """The catalog and the reference."""
    from stellarlabels import UACSNet

    stars = xp_apogee_sample()
    system = UACSNet.pretrained()
    labels = system.predict(stars)
    for name in KEPT:
        labels[name] = stars[name]
    paths = folder / "labels.fits", folder / "reference.fits"
    names = ("teff", "logg", "feh", "alpha_m")
    reference = stars[["source_id", *(f"{name}{end}" for name in names for end in ("", "_err"))]]
    catalogs.write(repeated(labels, system.labels, rows, 1), paths[0])
    catalogs.write(repeated(reference, names, rows, 2), paths[1])
    return paths


def measure(command):
    """Seconds and largest resident set (GB) of a process on two cores."""
    cores = set(sorted(os.sched_getaffinity(0))[:2])
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, preexec_fn=lambda: os.sched_setaffinity(0, cores))
    seconds = time.perf_counter() - start
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("report.json"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        catalog, reference = files(folder, args.rows)
        command = [sys.executable, "-m", "stellarlabels", "report", str(catalog), "-o", str(folder / "out")]
        seconds, memory = measure([*command, "--against", str(reference)])
        page = (folder / "out" / "index.html").stat().st_size
    result = {
        "rows": args.rows,
        "labels": 5,
        "references": 1,
        "seconds": round(seconds, 1),
        "memory_gb": round(memory, 2),
        "page_mb": round(page / 1e6, 1),
        "stellarlabels": __version__,
        "python": platform.python_version(),
        "cores": 2,
    }
    args.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
