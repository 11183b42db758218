"""Reading the archive's text files of XP coefficients, next to GaiaXPy's reader and to HDF5 in the same process.

    python benchmarks/bench_csv.py [--quick] [--output FOLDER]

The file has the real stars of GaiaXPy's own tests (folder STELLARLABELS_DATA), repeated: 42 kB a star.
"""

import os
import tempfile
from pathlib import Path

import numpy as np
import pyarrow
import timing
from bench_xp import DATA

from stellarlabels.archive.readers import read_xp
from stellarlabels.files import read_raw
from stellarlabels.inputs.xp.gaiaxpy import quiet

SOURCE = DATA / "XP_CONTINUOUS_RAW.csv"


def make(path, count):
    """A file of so many stars."""
    header, *lines = SOURCE.read_text().splitlines()
    with open(path, "w") as stream:
        stream.write(header + "\n")
        stream.writelines(lines[number % len(lines)] + "\n" for number in range(count))


def make_hdf5(path, count):
    """The same stars as mirrors of the archive deliver them: a dataset for each column, in one group."""
    import h5py

    [raw], _ = read_raw(SOURCE)
    with h5py.File(path, "w") as file:
        for name in raw.table.colnames:
            stars = np.asarray(raw.table[name])
            file[f"chunk/{name}"] = stars[np.arange(count) % len(stars)]


def run(quick=False):
    """Measure."""
    count, repeat = (30, 1) if quick else (10_000, 3)
    with quiet():
        from gaiaxpy import calibrate
        from gaiaxpy.input_reader.input_reader import InputReader

    def theirs(path):
        with quiet():
            return InputReader(str(path), calibrate, truncation=False, disable_info=True).read()

    def calibrated(path):
        with quiet():
            return calibrate(str(path), save_file=False)

    def ours(path, threads, **options):
        pyarrow.set_cpu_count(threads)
        return read_xp(path, **options)

    cores = os.cpu_count()
    with tempfile.TemporaryDirectory() as folder:
        path, few, packed = Path(folder) / "many.csv", Path(folder) / "few.csv", Path(folder) / "many.hdf5"
        make(path, count)
        make_hdf5(packed, count)
        make(few, max(count // 4, 10))
        cache = Path(folder) / "cache"
        read_xp(path, sample=False, cache=cache)
        rates = timing.race(
            {
                "read": (count, lambda: ours(path, cores, sample=False)),
                "read, one thread": (count, lambda: ours(path, 1, sample=False)),
                "cached": (count, lambda: ours(path, 1, sample=False, cache=cache)),
                "HDF5": (count, lambda: ours(packed, cores, sample=False)),
                "sampled": (count, lambda: ours(path, cores)),
                "theirs": (max(count // 4, 10), lambda: theirs(few)),
                "calibrated": (max(count // 4, 10), lambda: calibrated(few)),
            },
            repeat,
        )
        size = path.stat().st_size
    result = timing.Result(
        "Reading XP coefficients from text",
        "A CSV file of the archive, read into a table, next to the reader of GaiaXPy, which has one thread; the same "
        "file with ``cache=``, when it has been read once before; the same stars in HDF5, as mirrors of the archive "
        "deliver them; and from the file to sampled spectra, next to ``calibrate``.",
    )
    reader = {"peer": "GaiaXPy's reader", "theirs": rates["theirs"], "size": count}
    result.row(f"read_xp of CSV, {cores} threads of Arrow", rates["read"], target=6, **reader)
    result.row("read_xp of CSV, one thread", rates["read, one thread"], **reader)
    single = {"peer": "read_xp of the same as CSV, one thread", "theirs": rates["read, one thread"]}
    result.row("read_xp of HDF5, which has one thread", rates["HDF5"], size=count, target=20, **single)
    result.row("read_xp of CSV with a cache", rates["cached"], target=5, **reader)
    result.row(
        "read_xp of CSV with sampling",
        rates["sampled"],
        size=count,
        peer="GaiaXPy calibrate",
        theirs=rates["calibrated"],
    )
    result.fact("speed of reading", rates["read"] * size / count / 1e6, unit="MB/s")
    return result


if __name__ == "__main__":
    timing.main(run, __file__, __doc__)
