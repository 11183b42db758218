"""SolarDis: pre-processing against one spectrum at a time, and prediction against Keras.

    python benchmarks/bench_solardis.py [--spectra 100] [--stars 512] [--many 0]

The pre-processing is that of tests/features/test_lrs.py, the published steps written out for one spectrum, on real
spectra (folder STELLARLABELS_DATA). The network is the paper's, with random weights; ``--many 100000`` predicts so
many spectra and says how much memory that takes beyond the spectra themselves (minutes on two cores).
"""

import argparse
import importlib.util
import os
import resource
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from lamost_lrs import load  # noqa: E402

from stellarlabels import SolarDis, schema  # noqa: E402
from stellarlabels.features.lrs import LINEAR_GRID, normalised  # noqa: E402


def best(function, repeats=3):
    """Shortest of several wall times, in s, and the last result."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = function()
        times.append(time.perf_counter() - start)
    return min(times), result


def reference():
    """The published steps for one spectrum, from the test."""
    spec = importlib.util.spec_from_file_location("test_lrs", ROOT / "tests" / "features" / "test_lrs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.published_steps


def preprocessing(count):
    """Time and agreement of the variant "code"."""
    table, steps = load(), reference()
    wave = table.meta["wavelength"].value
    bad = (np.asarray(table["andmask"]) | np.asarray(table["ormask"])) != 0
    z = schema.values(table, "z")
    ends = np.array([wave[~row][[0, -1]] / (1 + shift) for row, shift in zip(bad, z, strict=True)])
    rows = np.flatnonzero((ends[:, 0] <= LINEAR_GRID[0]) & (ends[:, 1] >= LINEAR_GRID[-1]))[:count]
    flux = np.asarray(table["flux"], float)
    chosen = table[rows]
    slow, want = best(lambda: np.array([steps(wave, flux[row], bad[row], z[row]) for row in rows]))
    fast, got = best(lambda: normalised(chosen))
    difference = np.abs(got.flux - want).max()
    print(f"pre-processing of {len(rows)} spectra: one at a time {1e3 * slow / len(rows):.2f} ms a spectrum,")
    print(
        f"  together {1e3 * fast / len(rows):.3f} ms: {slow / fast:.1f} times as fast; "
        f"largest difference {difference:.1e}"
    )


def prediction(stars, many):
    """Time of the paper's network here and with Keras' predict, and memory."""
    from stellarlabels.models import training

    system = SolarDis("paper")
    network = system._build({"flux": np.zeros((0, 4875), np.float32)}, 0, 5)
    flux = np.random.default_rng(1).uniform(0.5, 1.1, (stars, 4875)).astype(np.float32)
    training.predict(network, {"flux": flux[:300]})
    network.predict({"flux": flux[:64]}, verbose=0)
    ours, got = best(lambda: training.predict(network, {"flux": flux}))
    keras, want = best(lambda: network.predict({"flux": flux}, verbose=0))
    print(
        f"prediction of {stars} spectra: {1e3 * ours / stars:.2f} ms a spectrum, "
        f"Keras' predict {1e3 * keras / stars:.2f}"
    )
    print(f"  {keras / ours:.2f} times as fast; batches of {training.predict_batch(network)}; ", end="")
    print(f"largest difference {np.abs(got - want).max():.1e}")
    if many:
        flux = np.broadcast_to(flux[:1], (many, 4875))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter()
        training.predict(network, {"flux": flux})
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(
            f"  {many} spectra: {time.perf_counter() - start:.0f} s, {(after - before) / 1024:.0f} MiB more than before"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spectra", type=int, default=100)
    parser.add_argument("--stars", type=int, default=512)
    parser.add_argument("--many", type=int, default=0)
    args = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    preprocessing(args.spectra)
    prediction(args.stars, args.many)


if __name__ == "__main__":
    main()
