"""Measure the shipped UACSNet weights on the held-out stars, beside XGBoost trained in the same run.

    python tools/evaluate_uacsnet.py

Writes stellarlabels/data/weights/uacsnet-apogee.json and uacsnet-paper.json, and prints them as tables. XGBoost sees
the same inputs: normalised flux, logarithms of the errors, and the colors. It takes about 15 minutes on two cores;
nothing is written until all is done. With --keep-baseline XGBoost's numbers are taken from the files that are there,
for instance after a new calibration, which changes nothing for it.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from measures import groups, measure, plain, show, xgboost_predictions
from shipped import WEIGHTS
from train_uacsnet import select_apogee, select_paper
from xp_apogee import add_options, add_parallaxes, load

import stellarlabels
from stellarlabels import columns
from stellarlabels.labels.uncertainty import coverage, robust_scatter
from stellarlabels.networks import held_out


def measure_distances(system, table):
    """Distances from the spectra alone against parallaxes."""
    labels = system.predict(table)
    distance = columns.values(system.distances(table, labels, use_parallax=False), "distance", unit="kpc")
    return distance_statistics(table, distance, columns.column_values(labels, columns.label_columns("m_g_dimmed")[1]))


def distance_statistics(table, distance, sigma):
    """Distances (kpc), from absolute magnitudes with errors ``sigma``, against parallaxes.

    ``median_fractional_error`` is the median of |distance * parallax - 1|; parallaxes of more than 20 sigma add little
    to it. ``deconvolved`` is the same from the robust scatter of that ratio with the parallax errors subtracted in
    quadrature. Pulls and coverage compare parallaxes, whose errors are Gaussian.
    """
    parallax, error = table["parallax"].value, table["parallax_error"].value
    ratio, noise = distance * parallax, error / parallax
    expected = 1 / distance
    pull = (parallax - expected) / np.hypot(error, 0.2 * np.log(10) * sigma * expected)
    out = {}
    for name, rows in groups(table).items():
        entry = {}
        for text, limit in (("5 sigma", 5), ("20 sigma", 20)):
            known = rows & np.isfinite(distance) & (parallax > limit * error)
            if known.sum() < 20:
                continue
            scatter = robust_scatter(ratio[known])
            intrinsic = np.sqrt(max(scatter**2 - np.median(noise[known]) ** 2, 0))
            entry[text] = {
                "stars": int(known.sum()),
                "median_ratio": float(np.median(ratio[known])),
                "median_fractional_error": float(np.median(np.abs(ratio[known] - 1))),
                "deconvolved": float(0.6745 * intrinsic),
                "pull_width": robust_scatter(pull[known]),
                "coverage_68": coverage(pull[known]),
            }
        known = rows & np.isfinite(pull)
        entry["all parallaxes"] = {
            "stars": int(known.sum()),
            "pull_width": robust_scatter(pull[known]),
            "coverage_68": coverage(pull[known]),
        }
        out[name] = {text: {key: round(value, 5) for key, value in numbers.items()} for text, numbers in entry.items()}
    return out


def baseline_of(system, train, test, names):
    """The numbers of XGBoost."""

    def inputs(table):
        arrays = system.feature_set.compute(table).arrays
        return np.hstack([arrays["flux"], np.log(arrays["error"]), arrays.get("color", np.zeros((len(table), 0)))])

    return measure(test, xgboost_predictions(train, test, names, inputs), None, names)


def evaluate(name, train, test, earlier=None):
    system = stellarlabels.UACSNet.pretrained(name)
    labels = system.predict(test)
    names = [label for label in system.labels if label in test.colnames]
    predicted, errors = plain(labels, names)
    baseline = earlier["measured"]["XGBoost"] if earlier else baseline_of(system, train, test, names)
    out = {
        "system": "uacsnet",
        "weights": name,
        "provenance": system.provenance_,
        "held_out": "(source_id >> 35) % 5 == 0",
        "stars": len(test),
        "file_bytes": (WEIGHTS / f"uacsnet-{name}.stellarlabels").stat().st_size,
        "measured": {
            f"UACSNet {name}": measure(test, predicted, errors, names),
            "XGBoost": baseline,
        },
    }
    if "m_g_dimmed" in system.labels:
        out["measured"][f"UACSNet {name}, distances"] = measure_distances(system, test)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    parser.add_argument("--only", choices=["apogee", "paper"])
    parser.add_argument("--keep-baseline", action="store_true", help="take XGBoost's numbers from the earlier file")
    args = parser.parse_args()
    table = add_parallaxes(load(args.data), args.parallaxes)
    held = held_out(table["source_id"])
    for name, select in (("apogee", select_apogee), ("paper", select_paper)):
        if args.only in (None, name):
            file = args.output / f"uacsnet-{name}.json"
            earlier = json.loads(file.read_text(encoding="utf-8")) if args.keep_baseline else None
            result = evaluate(name, select(table[~held]), select(table[held]), earlier)
            show(result)
            file.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
