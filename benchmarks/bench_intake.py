"""Taking tables in: a million stars with 30 columns, in every form that a user holds, in time and memory.

    python benchmarks/bench_intake.py [--quick] [--output FOLDER]

An identifier and 29 quantities with the ranges of the vocabulary, every seventh J magnitude of 99. Next to making a
`~astropy.table.QTable` of the same with a copy of the data.
"""

import tracemalloc
import warnings

import numpy as np
import timing
from astropy import units as u
from astropy.table import QTable, Table

from stellarlabels import columns


def tables(count, seed=1):
    """The stars as a QTable, a Table without units, and a DataFrame."""
    rng = np.random.default_rng(seed)
    known = [item for item in columns.vocabulary() if item.unit and not item.shape and item.name != "ref_epoch"][:29]
    plain = {item.name: rng.uniform(0.6, 1.4, count) for item in known}
    plain["j_m"][::7] = 99
    plain = {"source_id": np.arange(count) + 479359925517769601, **plain}
    quantities = QTable({name: data for name, data in plain.items() if name == "source_id"})
    for item in known:
        quantities[item.name] = u.Quantity(plain[item.name], item.unit)
    table = Table(plain)
    return {"QTable": quantities, "Table without units": table, "DataFrame": table.to_pandas()}


def quietly(function):
    """The result of a function that warns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function()


def run(quick=False):
    """Measure."""
    count = 2_000 if quick else 1_000_000
    result = timing.Result(
        "Intake",
        "Tables of 30 columns, of which one is an identifier and one has sentinels: values that cannot be are masked, "
        "units understood or supplied, identifiers made exact. Next to a plain copy of the QTable.",
    )
    made = tables(count)
    contestants = {
        name: (count, lambda table=table: quietly(lambda: columns.intake(table))) for name, table in made.items()
    }
    rates = timing.race({**contestants, "copy": (count, lambda: QTable(made["QTable"], copy=True))}, 1 if quick else 5)
    for name in made:
        result.row(name, rates[name], size=count, peer="copy of a QTable", theirs=rates["copy"])
    for name in made:
        tracemalloc.start()
        contestants[name][1]()
        peak = tracemalloc.get_traced_memory()[1] / (count * 8 * len(made["QTable"].colnames))
        tracemalloc.stop()
        result.fact(f"memory beside the {name}", peak, unit="tables", target="less than 1.5")
        result.fact(f"time for the {name}", count / rates[name], unit="s", target="less than 1 for a million stars")
    return result


if __name__ == "__main__":
    timing.main(run, __file__, __doc__)
