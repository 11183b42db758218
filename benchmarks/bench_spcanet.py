"""Speed and memory of SPCANet predictions.

    python benchmarks/bench_spcanet.py [--stars 4000] [--large 100000]

Prints medians of a few repetitions: the networks alone as the library calls them, beside Keras' own ``predict`` with
batches of 32 to 4096 rows; and the whole ``predict``, from a table to a table, with velocities known and measured. With
``--large`` a table of so many rows is labelled, all of them views of one spectrum so that the table itself takes no
memory, and the growth of the largest resident memory is printed.
"""

import argparse
import resource
import time

import numpy as np
from astropy.table import QTable, Table
from bench_uacsnet import median_time

from stellarlabels import SPCANet
from stellarlabels.archive.sample import mrs_synthetic_sample
from stellarlabels.models import training

BATCHES = (32, 64, 128, 256, 512, 1024, 2048, 4096)


def networks_alone(system, arrays, repeat):
    """One line for each way to call the networks, best first."""
    networks = [member.network for member in system._members]
    picked = {name: arrays[name] for name in networks[0].input}
    count = len(arrays["quality"])
    times = {"the library": median_time(lambda: [training.predict(one, arrays) for one in networks], repeat)}
    for batch in BATCHES:
        times[f"Keras, batches of {batch}"] = median_time(
            lambda batch=batch: [one.predict(picked, batch_size=batch, verbose=0) for one in networks], repeat
        )
    best = min(value for name, value in times.items() if name != "the library")
    lines = [f"{name}: {count / value:,.0f} spectra/s" for name, value in sorted(times.items(), key=lambda x: x[1])]
    return [*lines, f"the library over Keras at its best: {best / times['the library']:.2f}"]


def large_table(sample, count):
    """A table of many rows without memory of its own."""
    out = Table({"source_id": np.arange(count), "radial_velocity": np.zeros(count)}, copy=False)
    out["radial_velocity"].unit = "km / s"
    for arm in ("b", "r"):
        for name in ("wavelength", "flux", "ivar"):
            column = sample[f"{name}_{arm}"]
            row = np.ma.getdata(np.ma.MaskedArray(getattr(column, "value", column)))[3].astype(np.float32)
            out.add_column(Table.Column(np.broadcast_to(row, (count, row.size)), copy=False), name=f"{name}_{arm}")
            if name == "wavelength":
                out[f"{name}_{arm}"].unit = "Angstrom"
    return out


def memory():
    """Largest resident memory so far in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stars", type=int, default=4000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--large", type=int)
    args = parser.parse_args()
    system = SPCANet.pretrained()
    sample = mrs_synthetic_sample()
    if args.large:
        system.predict(large_table(sample, 2048), progress=False)
        before = memory()
        table = large_table(sample, args.large)
        start = time.perf_counter()
        system.predict(table)
        seconds = time.perf_counter() - start
        print(f"{args.large:,} spectra in {seconds:.0f} s; {before:.2f} GB after 2,048, {memory():.2f} GB at the end")
        return
    table = QTable(sample[np.arange(args.stars) % len(sample)])
    table["source_id"] = np.arange(len(table))
    arrays = system.feature_set.compute(table).arrays
    print(*networks_alone(system, arrays, args.repeat), sep="\n")
    whole = median_time(lambda: system.predict(table, progress=False), args.repeat)
    print(f"predict, velocities known: {len(table) / whole:,.0f} spectra/s")
    table.remove_column("radial_velocity")
    whole = median_time(lambda: system.predict(table, progress=False), args.repeat)
    print(f"predict, velocities measured: {len(table) / whole:,.0f} spectra/s")


if __name__ == "__main__":
    main()
