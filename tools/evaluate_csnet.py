"""Measure the shipped CSNet weights on the held-out stars, beside rivals trained in the same run.

    python tools/evaluate_csnet.py stars.fits

The table is that of tools/xp_photometry.py. Rivals on the same 13 colors and stars: XGBoost, and the same networks
without cost-sensitive weights. Writes stellarlabels/data/weights/csnet-jplus_xp.json and prints it as tables. Takes
about ten minutes on two cores; nothing is written until all is done.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from astropy.table import QTable
from measures import measure, plain, show, xgboost_predictions
from train_csnet import WEIGHTS, select, train

import stellarlabels
from stellarlabels.inputs.colors import add_noise
from stellarlabels.networks import held_out

#: G magnitudes whose photometric noise is added for the loss of precision.
MAGNITUDES = (13, 14, 15, 16, 17, 18, 19)


def with_noise(system, table, g):
    """The same measurements with the photometric noise that stars of a magnitude have in J-PLUS and Gaia."""
    noisy = add_noise(table, g=g, seed=1)
    return measure(table, *plain(system.predict(noisy), system.labels), system.labels)["all"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path, help="output of tools/xp_photometry.py")
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    parser.add_argument("--seed", type=int, default=1, help="of the networks without weights")
    args = parser.parse_args()
    table = QTable.read(args.table)
    held = held_out(np.asarray(table["source_id"]))
    training, test = select(table[~held]), select(table[held])
    system = stellarlabels.CSNet.pretrained("jplus_xp")
    features = system.feature_set
    test = test[features.compute(test).usable]
    predicted = plain(system.predict(test), system.labels)
    unweighted = train(training, cost_bins=None, excess_epochs=0, calibrate=False, seed=args.seed)
    rivals = {
        "XGBoost": xgboost_predictions(
            training, test, system.labels, lambda stars: features.compute(stars).arrays["color"]
        ),
        "without cost-sensitive weights": plain(unweighted.predict(test), system.labels)[0],
    }
    result = {
        "system": "csnet",
        "weights": "jplus_xp",
        "provenance": system.provenance_,
        "held_out": "(source_id >> 35) % 5 == 0",
        "stars": len(test),
        "file_bytes": (WEIGHTS / "csnet-jplus_xp.stellarlabels").stat().st_size,
        "measured": {
            "CSNet jplus_xp": measure(test, *predicted, system.labels),
            **{name: measure(test, labels, None, system.labels) for name, labels in rivals.items()},
        },
    }
    result["measured"]["CSNet jplus_xp, noise of J-PLUS at G"] = {
        f"G = {g}": with_noise(system, test, g) for g in MAGNITUDES
    }
    show(result)
    (args.output / "csnet-jplus_xp.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
