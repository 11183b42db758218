"""Time and memory of comparisons and analysis of a catalog of a million stars.

    python benchmarks/bench_validation.py [--rows 1000000] [-o validation.json]

A catalog with six labels, their errors and flags, positions and distances is made, and a reference with the same stars
in another order, of which one in ten is missing. Everything that a report needs is worked out once.
"""

import argparse
import json
import resource
import time

import numpy as np
from astropy import units as u
from astropy.table import QTable

from stellarlabels import analysis, validation
from stellarlabels.analysis import galactocentric

WIDTHS = {"teff": 80.0, "logg": 0.12, "feh": 0.08, "c_fe": 0.06, "n_fe": 0.08, "alpha_m": 0.04}


def mock(rows, seed=1):
    """A catalog and a reference."""
    random = np.random.default_rng(seed)
    ids = (random.permutation(rows).astype(np.int64) + 1) << 35
    truth = {
        "teff": random.uniform(4000, 7000, rows),
        "logg": random.uniform(0, 5, rows),
        "feh": random.normal(-0.3, 0.4, rows),
        **{name: random.normal(0.05, 0.1, rows) for name in ("c_fe", "n_fe", "alpha_m")},
    }
    catalog, reference = QTable({"source_id": ids}), QTable({"source_id": ids})
    for name, width in WIDTHS.items():
        unit = u.K if name == "teff" else u.dex
        error = width * random.uniform(0.5, 1.5, rows)
        catalog[name], catalog[f"{name}_err"] = (
            (truth[name] + error * random.standard_normal(rows)) * unit,
            error * unit,
        )
        catalog[f"{name}_flag"] = (random.random(rows) < 0.05).astype(np.int32)
        reference[name] = (truth[name] + 0.3 * width * random.standard_normal(rows)) * unit
        reference[f"{name}_err"] = np.full(rows, 0.3 * width) * unit
    catalog["ra"] = random.uniform(0, 360, rows) * u.deg
    catalog["dec"] = np.degrees(np.arcsin(random.uniform(-1, 1, rows))) * u.deg
    catalog["phot_g_mean_mag"] = random.uniform(8, 17, rows) * u.mag
    catalog["bp_rp_0"], catalog["m_g"] = random.uniform(0.5, 1.8, rows) * u.mag, random.uniform(-2, 8, rows) * u.mag
    distance = random.gamma(3, 600, rows)
    catalog["distance"], catalog["distance_err"] = distance * u.pc, 0.1 * distance * u.pc
    return catalog, reference[random.permutation(rows)[: rows * 9 // 10]]


def steps(catalog, reference):
    """Each step's name, and what it does."""
    names, keep = list(WIDTHS), {}

    def match():
        keep["labels"], keep["truth"] = validation.matched(catalog, reference, names=names)

    def place():
        keep["place"] = galactocentric(catalog)
        keep["place"]["feh"] = catalog["feh"]

    yield "match by identifier", match
    yield "summary, dwarfs and giants", lambda: validation.by_class(keep["labels"], keep["truth"], names=names)
    for along in ("phot_g_mean_mag", "teff", "feh"):
        yield (
            f"six labels in ten bins of {along}",
            lambda along=along: [validation.by_bins(keep["labels"], keep["truth"], name, along) for name in names],
        )
    yield "calibration", lambda: validation.calibration(keep["labels"], keep["truth"], names=names)
    yield (
        "reliability, PIT and pulls",
        lambda: [
            function(keep["labels"], keep["truth"], name)
            for name in names
            for function in (validation.reliability, validation.pit_histogram, validation.pull_histogram)
        ],
    )
    yield "Galactocentric coordinates", place
    yield "R-Z maps of numbers and [Fe/H]", lambda: [analysis.galaxy_map(keep["place"], name) for name in (None, "feh")]
    yield (
        "gradients",
        lambda: [
            function(keep["place"], method=method)
            for function in (analysis.radial_gradients, analysis.vertical_gradients)
            for method in ("least_squares", "weighted", "robust")
        ],
    )
    yield "abundance plane", lambda: analysis.binned_map(catalog, "feh", "mg_fe", bins=80)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("-o", "--output")
    options = parser.parse_args()
    tables = mock(options.rows)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds, start_cpu = {}, time.process_time()
    for name, step in steps(*tables):
        start = time.perf_counter()
        step()
        seconds[name] = round(time.perf_counter() - start, 2)
        print(f"{seconds[name]:8.2f} s  {name}", flush=True)
    result = {
        "rows": options.rows,
        "seconds": seconds,
        "total_seconds": round(sum(seconds.values()), 1),
        "cpu_seconds": round(time.process_time() - start_cpu, 1),
        "tables_mb": round(before),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    print(
        result["total_seconds"],
        "s,",
        result["cpu_seconds"],
        "s CPU,",
        result["peak_mb"],
        "MB at most, of which",
        result["tables_mb"],
        "MB before",
    )
    if options.output:
        with open(options.output, "w", encoding="utf-8") as stream:
            json.dump(result, stream, indent=2)


if __name__ == "__main__":
    main()
