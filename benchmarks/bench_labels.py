"""Labels from table to table: the whole of ``predict`` of every system, with features, errors, flags and output.

    python benchmarks/bench_labels.py [--quick] [--output FOLDER]

The stars are those of the samples that ship with the package, repeated; for CSNet, which has no sample, magnitudes of
random stars.
"""

import numpy as np
import timing
from astropy import units as u
from astropy.table import QTable

import stellarlabels
from stellarlabels.inputs.examples import mrs_synthetic_sample, xp_apogee_sample


def repeated(table, count):
    """So many rows of a table, with identifiers of their own."""
    out = QTable(table[np.arange(count) % len(table)])
    out["source_id"] = np.arange(1, count + 1)
    return out


def jplus(count, seed=1):
    """Random magnitudes; the values do not matter for the speed."""
    rng = np.random.default_rng(seed)
    table = QTable({"source_id": np.arange(1, count + 1)})
    table["mag_aper_6_0"] = rng.normal(15, 0.3, (count, 12)) * u.mag
    table["mag_err_aper_6_0"] = np.full((count, 12), 0.01) * u.mag
    for name, mean in (("g", 14.7), ("bp", 15.2), ("rp", 14.3)):
        table[f"phot_{name}_mean_mag"] = rng.normal(mean, 0.2, count) * u.mag
    table["ebv"] = np.zeros(count) * u.mag
    return table


#: Stars of each system, and a function that makes them.
SYSTEMS = {
    "CSNet": (100_000, jplus),
    "UACSNet": (20_000, lambda count: repeated(xp_apogee_sample(), count)),
    "UncertainNet": (20_000, lambda count: repeated(xp_apogee_sample(), count)),
    "SPCANet": (4_000, lambda count: repeated(mrs_synthetic_sample(), count)),
}


def run(quick=False):
    """Measure."""
    result = timing.Result(
        "Labels from table to table",
        "The whole of ``predict``: from columns of a table to labels, errors and flags, with the weights that ship.",
    )
    for name, (count, make) in SYSTEMS.items():
        system = getattr(stellarlabels, name).pretrained()
        table = make(300 if quick else count)
        speed = timing.rate(len(table), lambda: system.predict(table, progress=False), 1 if quick else 3)  # noqa: B023
        result.row(f"{name}, weights {system.recipe_name!r}", speed, size=len(table))
    result.fact("largest memory of the process", timing.memory(), unit="GB")
    return result


if __name__ == "__main__":
    timing.main(run, __file__, __doc__)
