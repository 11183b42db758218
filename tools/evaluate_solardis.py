"""Measure the compact SolarDis on stars that it was not trained on, beside ridge regression and a Gaussian process.

    python tools/evaluate_solardis.py network
    python tools/evaluate_solardis.py baseline 0 1 2 3 4     (in any order, at once or one after the other)
    python tools/evaluate_solardis.py size 160 320 640   (the learning curve)
    python tools/evaluate_solardis.py variant code paper local     (a Gaussian process on each normalisation, folds 1-4)
    python tools/evaluate_solardis.py summary

The networks are the shipped ones. The stars of fold 0 none of them has seen; of the others each is labelled by the one
of the five networks that has left it out, without the gain of a mean of five. What is predicted is kept in a folder
(``--work``), and the summary writes ``solardis-compact.json`` next to the weights. Folds are by star. The reference is
LASP, and for M_G and (BP-RP)0 what is drawn for LASP's labels (tools/absolute_magnitudes.py); scatter is 1.4826 times
the median absolute deviation from the median.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from lamost_baselines import gaussian_process, ridge
from lamost_lrs import folds, is_fgk, load
from train_solardis import TEFF, VALIDATION, WEIGHTS, with_magnitudes

from stellarlabels import SolarDis, columns, flags
from stellarlabels.inputs.base import feature_set
from stellarlabels.labels.uncertainty import robust_scatter
from stellarlabels.networks import split_groups

LABELS = ("teff", "logg", "feh", "m_g", "bp_rp_0")

#: What is compared with the network in the same run.
OTHERS = {
    "Ridge regression on 150 principal components": "ridge",
    "Gaussian process on 60 principal components": "gaussian_process",
}

BASELINES = {"ridge": ridge, "gaussian_process": gaussian_process}

#: Edges of the bins in S/N (g band).
EDGES = (0, 20, 40, 80, 160, 1000)


def values(table, error=False):
    """Labels (N, 5), or their errors."""
    return np.stack([columns.column_values(table, columns.label_columns(name)[int(error)]) for name in LABELS], axis=1)


def predictions(system, table):
    """What is kept of a prediction."""
    out = system.predict(table, progress=False)
    parts = {"mean": values(out), "error": values(out, True)}
    parts["flag"] = np.stack([np.asarray(out[f"{name}_flag"]) for name in LABELS], axis=1)
    return parts


def network(table, _, work):
    """Predictions of the shipped networks for all stars, each by networks that have not seen it."""
    system, new = SolarDis.pretrained("compact"), folds(table) == 0
    parts = predictions(system, table)
    others = np.flatnonzero(~new)
    features = system.feature_set.compute(table[others])
    left_out = split_groups(system.stars_of(table[others]), VALIDATION, system.recipe.seed, system.recipe.ensemble)
    for number, rows in enumerate(left_out):
        one = system.fewer(number + 1)  # the last of these is the one that has left the stars out
        one.ensemble.members, one.ensemble.recipe = one.ensemble.members[-1:], one.recipe.with_changes(ensemble=1)
        parts["mean"][others[rows]], parts["error"][others[rows]] = one.ensemble.predict(features[rows])
    np.savez(work / "network.npz", **parts)


def baseline(table, fold, work):
    """Predictions for the stars of a fold of the two other methods."""
    inside, teff = folds(table) == fold, columns.values(table, "teff")
    trained = ~inside & (teff >= TEFF[0]) & (teff <= TEFF[1])
    features = feature_set("lamost_lrs", **SolarDis("compact").recipe.feature_options).compute(table)
    flux, labels = features.arrays["flux"].astype(float), values(table)
    parts = {name: make(flux[trained], labels[trained], flux[inside]) for name, make in BASELINES.items()}
    np.savez(work / f"baseline{fold}.npz", rows=np.flatnonzero(inside), **parts)


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
        some = chosen & np.isfinite(truth[:, index]) & np.isfinite(mean[:, index])
        if not some.any():
            continue
        residual = (mean - truth)[some, index]
        out[name] = {
            "stars": int(len(residual)),
            "scatter": robust_scatter(residual),
            "bias": float(np.median(residual)),
        }
        if error is not None:
            pull = np.abs(residual / error[some, index])
            out[name]["median_error"] = float(np.median(error[some, index]))
            out[name]["within_1_sigma"] = float(np.mean(pull < 1))
            out[name]["within_2_sigma"] = float(np.mean(pull < 2))
            out[name]["pull_width"] = robust_scatter(residual / error[some, index])
    return out


def summary(table, work):
    """The JSON of the metrics from what is kept of all folds."""
    truth, snr, fold, fgk = values(table), columns.values(table, "snrg"), folds(table), is_fgk(table)
    with np.load(work / "network.npz") as data:
        kept = {name: data[name] for name in ("mean", "error")}
        flag = data["flag"]
    kept |= {name: np.full(truth.shape, np.nan) for name in BASELINES}
    for path in work.glob("baseline*.npz"):
        with np.load(path) as data:
            for name in BASELINES:
                kept[name][data["rows"]] = data[name]

    def of(name, chosen):
        return statistics(kept[name], truth, chosen, kept["error"] if name == "mean" else None)

    teff = truth[:, 0]
    groups = {
        "4000-7000 K": fgk,
        "4000-7000 K, good": fgk & flags.LABEL.is_good(flag).all(axis=1),
        "7000-8500 K": (teff > 7000) & (teff <= 8500),
        "hotter than 8500 K": teff > 8500,
        "4000-7000 K, fold 0": fgk & (fold == 0),
    }
    for low, high in zip(EDGES[:-1], EDGES[1:], strict=True):
        groups[f"4000-7000 K, S/N {low}-{high}"] = fgk & (snr >= low) & (snr < high)
    measured = {"SolarDis compact": {name: of("mean", chosen) for name, chosen in groups.items()}}
    for title, name in OTHERS.items():
        measured[title] = {"4000-7000 K": of(name, fgk)}
    curve, ways = {}, {}
    for path in sorted(work.glob("size*.npz"), key=lambda path: int(path.stem[4:])):
        with np.load(path) as data:
            rows = data["rows"]
            curve[f"{data['stars']} training stars"] = statistics(data["mean"], truth[rows], fgk[rows])
    if curve:
        curve[f"{np.sum(fold > 1)} training stars"] = of("mean", fgk & (fold == 1))
    for path in sorted(work.glob("variant-*.npz")):
        with np.load(path) as data:
            known = fgk & np.isfinite(data["mean"]).all(axis=1)
            ways[path.stem.removeprefix("variant-")] = statistics(data["mean"], truth, known)
    more = {
        "Learning curve (stars of fold 1)": curve,
        "Gaussian process on principal components, by normalisation (stars of folds 1 to 4)": ways,
    }
    measured |= {title: found for title, found in more.items() if found}
    system = SolarDis.pretrained("compact")
    return {
        "system": system.name,
        "weights": "compact",
        "provenance": system.provenance_,
        "reference": "LASP labels of 2,261 LAMOST DR10 low-resolution spectra",
        "folds": "five by star: level-12 HEALPix index modulo 5; no network has seen fold 0, which all five label "
        "together; of the other stars each is labelled by the one network that has left it out",
        "flagged": {
            entry.name: round(float(flags.LABEL.has(flag[fgk], entry.name).any(axis=1).mean()), 4)
            for entry in flags.LABEL
            if flags.LABEL.has(flag[fgk], entry.name).any()
        },
        "measured": measured,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["network", "baseline", "size", "variant", "summary"])
    parser.add_argument("which", nargs="*")
    parser.add_argument("--data", nargs="+", help="files of `lamost_lrs.FILES`; by default those of STELLARLABELS_DATA")
    parser.add_argument("--work", type=Path, default=Path("solardis-evaluation"))
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    args = parser.parse_args()
    table = with_magnitudes(load(args.data))
    args.work.mkdir(exist_ok=True)
    if args.what == "summary":
        text = json.dumps(summary(table, args.work), indent=1)
        (args.output / "solardis-compact.json").write_text(text + "\n", encoding="utf-8")
        print(text)
    else:
        for which in args.which or ["0"]:
            work = {"network": network, "baseline": baseline, "size": one_size, "variant": one_variant}[args.what]
            work(table, which if args.what == "variant" else int(which), args.work)


if __name__ == "__main__":
    main()
