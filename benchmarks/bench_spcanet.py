"""SPCANet: prediction next to Keras, from table to table, and the memory of many spectra.

    python benchmarks/bench_spcanet.py [--quick] [--output FOLDER] [--large 100000]

The networks alone as the library calls them, next to Keras' own ``predict`` with batches of 32 to 4096 rows; and the
whole of ``predict``, with velocities known and measured. So many spectra as ``--large`` says are labelled at once, all
of them views of one spectrum so that the table itself takes no memory.
"""

import argparse

import numpy as np
import timing
from astropy.table import QTable, Table
from bench_solardis import many

from stellarlabels import SPCANet
from stellarlabels.inputs.examples import mrs_synthetic_sample
from stellarlabels.networks import training

#: Sizes of batches for Keras' predict.
BATCHES = (32, 64, 128, 256, 512, 1024, 2048, 4096)


def networks_alone(result, system, arrays, repeat):
    """The networks as the library calls them, and as Keras does."""
    networks = [member.network for member in system.ensemble.members]
    picked = {name: arrays[name] for name in networks[0].input}
    count = len(arrays["quality"])
    ways = {"here": (count, lambda: [training.predict(one, arrays) for one in networks])}
    for batch in BATCHES:
        ways[batch] = (
            count,
            lambda batch=batch: [one.predict(picked, batch_size=batch, verbose=0) for one in networks],
        )
    rates = timing.race(ways, repeat)
    ours = rates.pop("here")
    best = max(rates, key=rates.get)
    result.row(
        "two networks alone",
        ours,
        unit="spectra/s",
        size=count,
        peer=f"Keras' predict, batches of {best}, the best of {', '.join(map(str, BATCHES))}",
        theirs=rates[best],
        target=1,
    )


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


def run(quick=False, large=100_000):
    """Measure."""
    result = timing.Result(
        "SPCANet on medium-resolution spectra",
        "The two networks next to Keras' own ``predict`` at the best size of its batches; and the whole of ``predict``"
        ", in which most of the time goes into continuum and cross-correlation.",
    )
    system, sample = SPCANet.pretrained(), mrs_synthetic_sample()
    stars, repeat = (64, 1) if quick else (4000, 3)
    table = QTable(sample[np.arange(stars) % len(sample)])
    table["source_id"] = np.arange(len(table))
    networks_alone(result, system, system.feature_set.compute(table).arrays, repeat)
    for title in ("velocities known", "velocities measured"):
        rate = timing.rate(stars, lambda: system.predict(table, progress=False), repeat)
        result.row(f"table to table, {title}", rate, unit="spectra/s", size=stars)
        if "radial_velocity" in table.colnames:
            table.remove_column("radial_velocity")
    many(result, "velocities known", system, large_table(sample, 128 if quick else large))
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--large", type=int, default=100_000)
    options, rest = parser.parse_known_args()
    timing.main(lambda quick: run(quick, options.large), __file__, __doc__, arguments=rest)
