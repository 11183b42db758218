"""Measure the shipped UncertainNet weights on the held-out stars, beside UACSNet and XGBoost, in the same run.

    python tools/evaluate_uncertain.py

Writes stellarlabels/data/weights/uncertain-apogee.json. XGBoost (800 trees, depth 6, rate 0.05) sees the normalised
coefficients, the logarithms of the spectrum's errors, colors and the pseudo-magnitude with its error.

Errors are checked after noise with the spectra's own covariance times 0, 1, 4 and 9 has been added: in quartiles of the
resulting signal-to-noise ratio of all these spectra together, and level by level; with all terms, without the input
term, and without it but with the other terms scaled so that the pull width of all stars together is 1.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from measures import measure, plain, xgboost_predictions
from shipped import WEIGHTS
from train_uacsnet import select_apogee
from xp_apogee import add_options, add_parallaxes, load

from stellarlabels.inputs.xp import add_noise
from stellarlabels.labels.uncertainty import coverage, pulls, robust_scatter
from stellarlabels.networks import held_out
from stellarlabels.systems.uacsnet import UACSNet
from stellarlabels.systems.uncertain import UncertainNet

LEVELS = (0, 1, 4, 9)


def xgboost_inputs(features):
    """Plain columns (N, F) of what the network sees."""

    def inputs(table):
        arrays = features.compute(table).arrays
        variance = arrays["other_covariance"][:, -1, -1:]
        last = np.log(np.where(variance > 0, variance, np.nan))
        return np.hstack([arrays["coefficients"], arrays["log_error"], arrays["others"], last])

    return inputs


def noisy_predictions(system, table):
    """Labels and errors of noisy copies: dicts of arrays over all levels, and the level and S/N of each copy."""
    features = system.feature_set.compute(table)
    parts, level, snr, rows = [], [], [], np.flatnonzero(features.usable)
    for amount in LEVELS:
        noisy = add_noise(features[rows], amount, seed=100 + amount)
        parts.append(system.from_features(noisy))
        level.append(np.full(rows.size, amount))
        snr.append(noisy.snr)
    mean, total, model, inputs, excess = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    rows = np.tile(rows, len(LEVELS))
    errors = {"all terms": total, "without the input term": np.hypot(model, excess)}
    return mean, errors, {"input": inputs, "total": total}, np.concatenate(level), np.concatenate(snr), rows


def beside(table, predicted, rival, labels, resamples=500):
    """Scatter relative to a rival's, less 1, with its standard error from resampled stars (bootstrap)."""
    random, out = np.random.default_rng(1), {}
    for label in labels:
        both = np.stack([predicted[label], rival[label]]) - table[label].value
        both = both[:, np.isfinite(both).all(axis=0)]

        def relative(residuals):
            ours, theirs = map(robust_scatter, residuals)
            return ours / theirs - 1

        picks = (random.integers(0, both.shape[1], both.shape[1]) for _ in range(resamples))
        error = np.std([relative(both[:, pick]) for pick in picks])
        out[label] = {"relative": round(relative(both), 4), "standard_error": round(float(error), 4)}
    return out


def honesty(pull, groups, stars=None):
    """Pull width and coverage of each group; with the numbers of the stars also the width's standard error."""
    out = {}
    for name, rows in groups.items():
        out[name] = {
            "stars": int(np.isfinite(pull[rows]).sum()),
            "pull_width": round(robust_scatter(pull[rows]), 4),
            "coverage_68": round(coverage(pull[rows]), 4),
        }
        if stars is not None:
            out[name]["standard_error"] = round(width_error(pull[rows], stars[rows]), 4)
    return out


def width_error(pull, stars, resamples=100):
    """Standard error of the pull width from resampled stars, all spectra of a star together (bootstrap)."""
    random, (names, index) = np.random.default_rng(1), np.unique(stars, return_inverse=True)
    draws = (np.bincount(random.integers(0, len(names), len(names)), minlength=len(names)) for _ in range(resamples))
    return float(np.std([robust_scatter(np.repeat(pull, draw[index])) for draw in draws]))


def quartiles(snr):
    edges = np.quantile(snr, [0, 0.25, 0.5, 0.75, 1])
    index = np.clip(np.searchsorted(edges, snr, side="right") - 1, 0, 3)
    return index, [f"S/N {low:.0f}-{high:.0f}" for low, high in zip(edges[:-1], edges[1:], strict=True)]


def measure_noise(system, table):
    """Pull width and coverage by label, kind of error, and group of noisy stars."""
    mean, errors, terms, level, snr, rows = noisy_predictions(system, table)
    index, names = quartiles(snr)
    groups = {"all": np.ones(len(snr), bool)}
    groups |= {name: index == number for number, name in enumerate(names)}
    for amount in LEVELS:
        at = level == amount
        own, own_names = quartiles(snr[at])
        groups[f"noise x {amount}"] = at
        for number, name in enumerate(own_names):
            groups[f"noise x {amount}, {name}"] = np.flatnonzero(at)[own == number]
    out = {}
    for column, label in enumerate(system.labels):
        truth, truth_error = (table[name].value[rows] for name in (label, f"{label}_err"))
        out[label] = {}
        for kind, error in errors.items():
            pull = pulls(mean[:, column], error[:, column], truth, truth_error)
            out[label][kind] = honesty(pull, groups, rows if kind == "all terms" else None)
            if kind != "all terms":
                out[label][f"{kind}, scaled to a width of 1 for all"] = honesty(pull / robust_scatter(pull), groups)
        share = (terms["input"][:, column] / terms["total"][:, column]) ** 2
        out[label]["share of the input term in the variance"] = {
            name: round(float(np.median(share[at])), 4) for name, at in groups.items()
        }
    return out


def show(measured, noise):
    for model, by_group in measured.items():
        for group, by_label in by_group.items():
            print(f"{model:20s} {group:14s}", {label: entry["robust_scatter"] for label, entry in by_label.items()})
    for label, kinds in noise.items():
        for kind, by_group in kinds.items():
            print(label, kind, {name: entry for name, entry in by_group.items() if not name.startswith("noise")})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    args = parser.parse_args()
    table = select_apogee(add_parallaxes(load(args.data), args.parallaxes))
    held = held_out(table["source_id"])
    train, test = table[~held], table[held]
    system, other = UncertainNet.pretrained("apogee"), UACSNet.pretrained("apogee")
    predicted, errors = plain(system.predict(test), system.labels)
    rival, rival_errors = plain(other.predict(test), system.labels)
    measured = {
        "UncertainNet apogee": measure(test, predicted, errors, system.labels),
        "UACSNet apogee": measure(test, rival, rival_errors, system.labels),
    }
    compared = beside(test, predicted, rival, system.labels)
    print("scatter beside UACSNet", compared)
    noise = measure_noise(system, test)
    show(measured, noise)
    baseline = xgboost_predictions(train, test, system.labels, xgboost_inputs(system.feature_set))
    measured["XGBoost"] = measure(test, baseline, None, system.labels)
    result = {
        "system": "uncertain",
        "weights": "apogee",
        "provenance": system.provenance_,
        "held_out": "(source_id >> 35) % 5 == 0",
        "stars": len(test),
        "file_bytes": (WEIGHTS / "uncertain-apogee.stellarlabels").stat().st_size,
        "measured": measured,
        "scatter beside UACSNet": compared,
        "after noise": noise,
    }
    (args.output / "uncertain-apogee.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    show({"XGBoost": measured["XGBoost"]}, {})


if __name__ == "__main__":
    main()
