"""Time and memory of labelling files of 10,000 to 1,000,000 stars: ``stellarlabels.scale.label_file``.

    python benchmarks/bench_stream.py [--rows 10000 100000 1000000] [--systems uacsnet csnet] [--folder /tmp]

The stars are those of ``mock_stars.py``: for UACSNet Gaia XP spectra (FITS, float32, 2.8 kB a star), for CSNet
magnitudes. Each run has a process of its own, one thread, a FITS file as its result, and the default size of parts.
Seconds are those of `label_file`, from the opened input to the complete result; imports and loading of the weights are
given apart. The memory is the largest resident size of the process. The output, ``benchmarks/stream.json``, makes the
tables of the page "Labelling all of Gaia". About ten minutes and 6 GB of disk for a million.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from timing import THREADS, machine

OUTPUT = Path(__file__).with_name("stream.json")
STEP = 20_000


def write_fits(path, kind, rows, seed=1):
    """A FITS file of so many stars, made without having them in memory."""
    from astropy.io import fits
    from mock_stars import KINDS, observed, source_id

    stars, random = KINDS[kind](), np.random.default_rng(seed)
    letters = {"source_id": "K"} | {name: f"{data[0].size}E" for name, data in stars.items()}
    record = np.dtype([("source_id", ">i8")] + [(name, ">f4", data.shape[1:]) for name, data in stars.items()])
    header = fits.BinTableHDU.from_columns([fits.Column(name, form) for name, form in letters.items()]).header
    header["NAXIS2"] = rows
    for number, name in enumerate(letters, start=1):
        if "flux" in name:
            header[f"TUNIT{number}"] = "W.m**-2.nm**-1"
        elif name != "source_id":
            header[f"TUNIT{number}"] = "mag"
    with open(path, "wb") as stream:
        stream.write(fits.PrimaryHDU().header.tostring().encode() + header.tostring().encode())
        for first in range(0, rows, STEP):
            count = min(STEP, rows - first)
            out = np.zeros(count, record)
            for name, data in observed(stars, count, random).items():
                out[name] = data
            out["source_id"] = source_id(random.integers(0, 12 * 4**12, count), np.arange(first, first + count))
            stream.write(out.tobytes())
        stream.write(b"\0" * (-stream.tell() % 2880))


def one(kind, source, target):
    """One measurement, in this process."""
    start = time.perf_counter()
    from stellarlabels import scale, systems

    system = systems.get(kind).pretrained()
    loaded = time.perf_counter()
    cpu = time.process_time()
    done = scale.label_file(system, source, target, progress=False)
    result = {
        "seconds": time.perf_counter() - loaded,
        "processor_seconds": time.process_time() - cpu,
        "load_seconds": loaded - start,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "stars": done.stars,
        "parts": done.parts,
        "good": done.good / done.labels,
        "input_bytes": Path(source).stat().st_size,
        "output_bytes": Path(target).stat().st_size,
    }
    print(json.dumps(result))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--systems", nargs="+", default=["uacsnet", "csnet"])
    parser.add_argument("--folder")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        one(*args.one)
        return
    os.environ.update(dict.fromkeys(THREADS, "1"))
    runs = []
    for kind in args.systems:
        for rows in args.rows:
            with tempfile.TemporaryDirectory(dir=args.folder) as folder:
                source, target = Path(folder) / "stars.fits", Path(folder) / "labels.fits"
                write_fits(source, kind, rows)
                command = [sys.executable, __file__, "--one", kind, str(source), str(target)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
            runs.append({"system": kind, **json.loads(done.stdout.splitlines()[-1])})
            print(runs[-1], flush=True)
            result = {
                "what": "stellarlabels.scale.label_file, one process, one thread",
                "machine": machine(),
                "runs": runs,
            }
            args.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
