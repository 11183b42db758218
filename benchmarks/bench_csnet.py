"""Speed of CSNet: eight labels in one call, beside eight calls of Keras' own ``predict``.

    python benchmarks/bench_csnet.py [--stars 500000]

Eight networks of the paper's size predict labels, errors included, for the same colors. "One call" is what
`stellarlabels.CSNet.predict` does after the colors are made; the whole of ``predict``, from table to table, is measured
too. Results of all ways agree to 1e-6 of the labels' spread, which is checked.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.table import QTable
from bench_uacsnet import median_time

from stellarlabels import CSNet
from stellarlabels.models import training

OUTPUT = Path(__file__).with_suffix(".json")


def stars(count, seed=1):
    """Random magnitudes with labels; the values do not matter for the speed."""
    rng = np.random.default_rng(seed)
    table = QTable(
        {
            "source_id": np.arange(count),
            "mag_aper_6_0": rng.normal(15, 0.3, (count, 12)) * u.mag,
            "mag_err_aper_6_0": np.full((count, 12), 0.01) * u.mag,
            "phot_g_mean_mag": rng.normal(14.7, 0.3, count) * u.mag,
            "phot_bp_mean_mag": rng.normal(15.2, 0.2, count) * u.mag,
            "phot_rp_mean_mag": rng.normal(14.3, 0.2, count) * u.mag,
            "ebv": np.zeros(count) * u.mag,
        }
    )
    for label in CSNet("paper").labels:
        table[label] = rng.normal(0, 1, count) * (1000 * u.K if label == "teff" else u.dex)
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stars", type=int, default=500_000)
    parser.add_argument("--repeat", type=int, default=3)
    args = parser.parse_args()
    small = {"epochs": 1, "excess_epochs": 1, "label_ranges": {}, "color_ranges": {}}
    system = CSNet("paper", **small).fit(stars(2000), progress=False)
    table = stars(args.stars)
    arrays = system.feature_set.compute(table).arrays
    networks = [member.network for member in system._members]
    ways = {"one call": lambda: [training.predict(network, arrays) for network in networks]}
    for batch in (32, 1024, 4096, 16384):
        name = f"Keras predict, batches of {batch}" + (" (its default)" if batch == 32 else "")
        ways[name] = lambda batch=batch: [network.predict(arrays, batch_size=batch, verbose=0) for network in networks]
    want = ways["one call"]()
    rates = {}
    for name, way in ways.items():
        found, repeat = [], 1 if "default" in name else args.repeat
        rates[name] = args.stars / median_time(lambda way=way, found=found: found.append(way()), repeat)
        for ours, theirs in zip(want, found[0], strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=2e-6)
    rates["CSNet.predict, table to table"] = args.stars / median_time(lambda: system.predict(table, progress=False), 1)
    ours = rates["one call"]
    result = {
        "what": "stars per second, eight labels with errors",
        "stars": args.stars,
        "stars_per_second": {name: round(rate) for name, rate in rates.items()},
        "ratio_of_one_call": {name: round(ours / rate, 2) for name, rate in rates.items()},
    }
    for name, rate in rates.items():
        print(f"{name:42s} {rate:12,.0f} stars/s   one call is {ours / rate:6.2f} times as fast")
    OUTPUT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
