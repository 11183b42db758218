"""SolarDis: pre-processing next to one spectrum at a time, prediction next to Keras, and the memory of many spectra.

    python benchmarks/bench_solardis.py [--quick] [--output FOLDER] [--many 20000]

The pre-processing is that of tests/features/test_lrs.py, the published steps written out for one spectrum with NumPy
and SciPy, in one thread, on real spectra (folder STELLARLABELS_DATA); ours has as many threads as it is given. The
network is the paper's, with random weights. 100,000 spectra are labelled from table to table by the shipped weights,
and ``--many`` by the network of the paper: 100,000 take a quarter of an hour. All of them are views of one real
spectrum, so that the table itself takes no memory.
"""

import argparse
import importlib.util
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import timing
from astropy.table import Table

from stellarlabels import SolarDis, columns
from stellarlabels.inputs.lamost import LINEAR_GRID, normalised
from stellarlabels.labels.ensemble import build_network

ROOT = Path(__file__).resolve().parents[1]

#: Sizes of batches for Keras' predict; 32 is its default.
BATCHES = (8, 16, 32, 64, 128)

#: Rows after which memory is looked at for the first time.
FIRST = 8192


def module(path):
    """A module of a folder that is no package."""
    sys.path.insert(0, str(path.parent))
    try:
        spec = importlib.util.spec_from_file_location(path.stem, path)
        found = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(found)
    finally:
        sys.path.remove(str(path.parent))
    return found


def real_spectra():
    """The real spectra that tools/train_solardis.py trains on."""
    return module(ROOT / "tools" / "lamost_lrs.py").load()


def preprocessing(result, counts, repeat):
    """Time and agreement of the variant "code" for tables of several lengths."""
    table, steps = real_spectra(), module(ROOT / "tests" / "features" / "test_lrs.py").published_steps
    wave = table.meta["wavelength"].value
    bad = (np.asarray(table["andmask"]) | np.asarray(table["ormask"])) != 0
    z = columns.values(table, "z")
    ends = np.array([wave[~row][[0, -1]] / (1 + shift) for row, shift in zip(bad, z, strict=True)])
    reaching = np.flatnonzero((ends[:, 0] <= LINEAR_GRID[0]) & (ends[:, 1] >= LINEAR_GRID[-1]))
    flux, found = np.asarray(table["flux"], float), {}

    def one_by_one(rows):
        with timing.threads(1):
            found["slow"] = np.array([steps(wave, flux[row], bad[row], z[row]) for row in rows])

    def together(chosen):
        found["fast"] = normalised(chosen).flux

    for count in counts:
        rows = reaching[:count]
        ways = {"here": (rows.size, partial(together, table[rows]))}
        ways["one by one"] = rows.size, partial(one_by_one, rows)
        rates = timing.race(ways, repeat)
        result.row(
            "pre-processing",
            rates["here"],
            unit="spectra/s",
            size=rows.size,
            peer="the published steps, one spectrum at a time",
            theirs=rates["one by one"],
            target=20,
        )
        difference = np.abs(found["fast"] - found["slow"]).max()
        what = f"largest difference of the two, {rows.size:,} spectra"
        result.fact(what, difference, unit="of the continuum", target="at most 1e-6")


def paper_system():
    """The recipe of the paper with random weights, as if they were the published ones."""
    import h5py

    random = np.random.default_rng(1)
    network = build_network(SolarDis.recipes["paper"], {"flux": LINEAR_GRID.size}, 5)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.h5"
        with h5py.File(path, "w") as file:
            for number, layer in enumerate(layer for layer in network.layers if layer.weights):
                for name, weight in zip(("kernel", "bias"), layer.weights, strict=True):
                    values = 0.02 * random.standard_normal(weight.shape).astype(np.float32)
                    file[f"model_weights/dense_{number}/dense_{number}/{name}:0"] = values
        return SolarDis.import_published(path, center=[5700, 4.3, -0.1, 4.8, 0.8], scale=[400, 0.2, 0.25, 0.8, 0.1])


def prediction(result, system, stars, repeat):
    """Time of the paper's network here and with Keras' predict at several sizes of batches."""
    from stellarlabels.networks import training

    network = system.ensemble.members[0].network
    flux = {"flux": np.random.default_rng(1).uniform(0.5, 1.1, (stars, LINEAR_GRID.size)).astype(np.float32)}
    ways = {"here": (stars, lambda: training.predict(network, flux))}
    for batch in BATCHES:
        ways[batch] = stars, lambda batch=batch: network.predict(flux, batch_size=batch, verbose=0)
    rates = timing.race(ways, repeat)
    ours = rates.pop("here")
    best = max(rates, key=rates.get)
    result.row(
        f"network of the paper, batches of {training.predict_batch(network)}",
        ours,
        unit="spectra/s",
        size=stars,
        peer=f"Keras' predict, batches of {best}, the best of {', '.join(map(str, BATCHES))}",
        theirs=rates[best],
        target=1,
    )


def large_table(count):
    """A table of many low-resolution spectra without memory of its own."""
    sample = real_spectra()[:1]
    out = Table({"obsid": np.arange(count)}, copy=False)
    for name in ("flux", "ivar", "andmask", "ormask"):
        row = np.asarray(sample[name])[0]
        out.add_column(Table.Column(np.broadcast_to(row, (count, row.size)), copy=False), name=name)
    out["z"] = np.full(count, columns.values(sample, "z")[0])
    out.meta.update(sample.meta)
    return out


def many(result, title, system, table):
    """Rate and memory of ``predict`` for the rows of a large table."""
    system.predict(table[:FIRST], progress=False)
    before, count = timing.memory(), len(table)
    seconds, _ = timing.elapsed(lambda: system.predict(table, progress=False))
    result.row(f"table to table, {title}", count / seconds, unit="spectra/s", size=count)
    result.fact(f"memory after {min(FIRST, count):,} spectra, {title}", before, unit="GB")
    result.fact(f"memory after {count:,} more, {title}", timing.memory(), unit="GB", target="the same")


def run(quick=False, paper=20_000):
    """Measure."""
    result = timing.Result(
        "SolarDis on low-resolution spectra",
        "The published pre-processing next to a straightforward implementation for one spectrum at a time, on real "
        "spectra; the paper's network next to Keras' own ``predict`` at the best size of its batches; and the whole of "
        "``predict`` for tables of many spectra.",
    )
    preprocessing(result, (20,) if quick else (100, 1000), 1 if quick else 9)
    system = paper_system()
    prediction(result, system, 16 if quick else 256, 1 if quick else 3)
    many(result, "shipped weights", SolarDis.pretrained("compact"), large_table(512 if quick else 100_000))
    if paper:
        many(result, "network of the paper", system, large_table(64 if quick else paper))
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--many", type=int, default=20_000)
    options, rest = parser.parse_known_args()
    timing.main(lambda quick: run(quick, options.many), __file__, __doc__, arguments=rest)
