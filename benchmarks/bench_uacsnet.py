"""Speed of UACSNet predictions, from a table to a table, beside Keras with its default batches.

    python benchmarks/bench_uacsnet.py [--stars 20000]

Prints medians of a few repetitions: the whole ``predict`` (spectra to features, all networks of the ensemble,
calibration, flags), and the networks alone as Keras calls them when nothing is said about batches (32 rows).
"""

import argparse
import statistics
import time

import numpy as np
from astropy.table import vstack

from stellarlabels import UACSNet
from stellarlabels.archive.sample import xp_apogee_sample


def median_time(function, repeat):
    """Median of the wall-clock times of a few calls, in seconds; the first call warms up and does not count."""
    function()
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stars", type=int, default=20000)
    parser.add_argument("--repeat", type=int, default=3)
    args = parser.parse_args()
    sample = xp_apogee_sample()
    table = vstack([sample] * (-(-args.stars // len(sample))), metadata_conflicts="silent")[: args.stars]
    table["source_id"] = np.arange(len(table))
    for name in UACSNet.available():
        print(name, measure(UACSNet.pretrained(name), table, args.repeat))


def measure(system, table, repeat):
    """One line of results for one set of weights."""
    arrays = system.feature_set.compute(table).arrays
    whole = median_time(lambda: system.predict(table, progress=False), repeat)
    plain = median_time(lambda: [member.network.predict(arrays, verbose=0) for member in system._members], repeat)
    return (
        f"predict {len(table) / whole:,.0f} stars/s; networks alone with Keras' default batches "
        f"{len(table) / plain:,.0f} stars/s; ratio {plain / whole:.2f}"
    )


if __name__ == "__main__":
    main()
