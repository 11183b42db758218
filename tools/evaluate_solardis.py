"""Measure the compact SolarDis on stars that it was not trained on, beside ridge regression and a Gaussian process.

    python tools/evaluate_solardis.py fold 0 1 2 3 4     (in any order, at once or one after the other)
    python tools/evaluate_solardis.py size 160 320 640   (the learning curve)
    python tools/evaluate_solardis.py variant code paper local     (a Gaussian process on each normalisation, folds 1-4)
    python tools/evaluate_solardis.py summary

Fold 0 uses the shipped weights, which have not seen its stars; the others train the same recipe without theirs. What is
predicted is kept in a folder (``--work``), and the summary writes ``solardis-compact.json`` next to the weights.
Folds are by star. The reference is LASP; scatter is 1.4826 times the median absolute deviation from the median.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from lamost_baselines import gaussian_process, ridge
from lamost_lrs import LABELS, folds, is_fgk, load
from train_solardis import VALIDATION, WEIGHTS, train

from stellarlabels import SolarDis, columns, flags
from stellarlabels.inputs.base import feature_set
from stellarlabels.labels.uncertainty import robust_scatter

#: What is compared with the network in the same run.
OTHERS = {
    "Ridge regression on 150 principal components": "ridge",
    "Gaussian process on 60 principal components": "gaussian_process",
}

#: Edges of the bins in S/N (g band).
EDGES = (0, 20, 40, 80, 160, 1000)


def values(table, error=False):
    """Labels (N, 3), or their errors."""
    return np.stack([columns.column_values(table, columns.label_columns(name)[int(error)]) for name in LABELS], axis=1)


def predictions(system, table):
    """What is kept of a prediction."""
    out = system.predict(table, progress=False)
    parts = {"mean": values(out), "error": values(out, True)}
    parts["flag"] = np.stack([np.asarray(out[f"{name}_flag"]) for name in LABELS], axis=1)
    return parts


def one_fold(table, fold, work):
    """Predictions for the stars of a fold, of the network and of the two other methods."""
    inside = folds(table) == fold
    system = SolarDis.pretrained("compact") if fold == 0 else train(table, fold)
    parts = predictions(system, table[inside])
    low, high = system.recipe.label_ranges["teff"]
    teff = columns.values(table, "teff")
    trained = ~inside & (teff >= low) & (teff <= high)
    features = feature_set("lamost_lrs", **system.recipe.feature_options).compute(table)
    flux, labels = features.arrays["flux"].astype(float), values(table)
    parts["ridge"] = ridge(flux[trained], labels[trained], flux[inside])
    parts["gaussian_process"] = gaussian_process(flux[trained], labels[trained], flux[inside])
    np.savez(work / f"fold{fold}.npz", rows=np.flatnonzero(inside), **parts)


def one_variant(table, name, work):
    """Predictions of a Gaussian process for folds 1 to 4 with one of the ways of normalising."""
    features = feature_set("lamost_lrs", variant=name).compute(table)
    flux, labels, number = features.arrays["flux"].astype(float), values(table), folds(table)
    teff = labels[:, 0]
    mean = np.full(labels.shape, np.nan)
    for fold in range(1, 5):
        trained = features.usable & (number > 0) & (number != fold) & (teff < 8500)
        test = features.usable & (number == fold)
        mean[test] = gaussian_process(flux[trained], labels[trained], flux[test])
    np.savez(work / f"variant-{name}.npz", mean=mean)


def one_size(table, size, work):
    """Predictions for the stars of fold 1 of networks that have seen so many stars of folds 2 to 4."""
    rng = np.random.default_rng(size)
    number = folds(table)
    test = np.flatnonzero(number == 1)
    others = rng.permutation(np.flatnonzero(number > 1))[:size]
    system = SolarDis("compact").fit(table[np.sort(others)], validation=VALIDATION)
    np.savez(work / f"size{size}.npz", rows=test, stars=system.provenance_["stars"], **predictions(system, table[test]))


def statistics(mean, truth, chosen, error=None):
    """Scatter, bias and number of the chosen stars for each label; with errors also how honest they are."""
    out = {}
    for index, name in enumerate(LABELS):
        residual = (mean - truth)[chosen, index]
        out[name] = {
            "stars": int(len(residual)),
            "scatter": robust_scatter(residual),
            "bias": float(np.median(residual)),
        }
        if error is not None:
            pull = np.abs(residual / error[chosen, index])
            out[name]["median_error"] = float(np.median(error[chosen, index]))
            out[name]["within_1_sigma"] = float(np.mean(pull < 1))
            out[name]["within_2_sigma"] = float(np.mean(pull < 2))
            out[name]["pull_width"] = robust_scatter(residual / error[chosen, index])
    return out


def summary(table, work):
    """The JSON of the metrics from what is kept of all folds."""
    truth, snr, fold, fgk = values(table), columns.values(table, "snrg"), folds(table), is_fgk(table)
    names = ("mean", "error", "ridge", "gaussian_process")
    kept = {name: np.full(truth.shape, np.nan) for name in names}
    flag = np.zeros(truth.shape, int)
    for number in range(5):
        with np.load(work / f"fold{number}.npz") as data:
            for name in names:
                kept[name][data["rows"]] = data[name]
            flag[data["rows"]] = data["flag"]

    def of(name, chosen):
        return statistics(kept[name], truth, chosen, kept["error"] if name == "mean" else None)

    groups = {
        "4000-7000 K": fgk,
        "4000-7000 K, no flag": fgk & (flag == 0).all(axis=1),
        "all": np.isfinite(kept["mean"]).all(axis=1),
        "4000-7000 K, fold 0": fgk & (fold == 0),
    }
    for low, high in zip(EDGES[:-1], EDGES[1:], strict=True):
        groups[f"4000-7000 K, S/N {low}-{high}"] = fgk & (snr >= low) & (snr < high)
    measured = {"SolarDis compact": {name: of("mean", chosen) for name, chosen in groups.items()}}
    for title, name in OTHERS.items():
        measured[title] = {"4000-7000 K": of(name, fgk)}
    measured["Learning curve (stars of fold 1)"] = curve = {}
    for path in sorted(work.glob("size*.npz"), key=lambda path: int(path.stem[4:])):
        with np.load(path) as data:
            rows = data["rows"]
            curve[f"{data['stars']} training stars"] = statistics(data["mean"], truth[rows], fgk[rows])
    curve[f"{np.sum(fold != 1)} training stars"] = of("mean", fgk & (fold == 1))
    measured["Gaussian process on principal components, by normalisation (stars of folds 1 to 4)"] = ways = {}
    for path in sorted(work.glob("variant-*.npz")):
        with np.load(path) as data:
            known = fgk & np.isfinite(data["mean"]).all(axis=1)
            ways[path.stem.removeprefix("variant-")] = statistics(data["mean"], truth, known)
    system = SolarDis.pretrained("compact")
    return {
        "system": system.name,
        "weights": "compact",
        "provenance": system.provenance_,
        "reference": "LASP labels of 1,595 LAMOST DR10 low-resolution spectra",
        "folds": "five by star: level-12 HEALPix index modulo 5; the shipped weights have not seen fold 0",
        "flagged": {
            entry.name: round(float(flags.LABEL.has(flag[fgk], entry.name).any(axis=1).mean()), 4)
            for entry in flags.LABEL
            if flags.LABEL.has(flag[fgk], entry.name).any()
        },
        "measured": measured,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["fold", "size", "variant", "summary"])
    parser.add_argument("which", nargs="*")
    parser.add_argument("--data", help="lamost_lrs_labelled.npz; by default that of the folder STELLARLABELS_DATA")
    parser.add_argument("--work", type=Path, default=Path("solardis-evaluation"))
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    args = parser.parse_args()
    table = load(args.data)
    args.work.mkdir(exist_ok=True)
    if args.what == "summary":
        text = json.dumps(summary(table, args.work), indent=1)
        (args.output / "solardis-compact.json").write_text(text + "\n", encoding="utf-8")
        print(text)
    else:
        for which in args.which:
            work = {"fold": one_fold, "size": one_size, "variant": one_variant}[args.what]
            work(table, which if args.what == "variant" else int(which), args.work)


if __name__ == "__main__":
    main()
