"""Measure the CSNet weights for J-PLUS or S-PLUS on left-out stars, beside rivals on the same stars.

    python tools/evaluate_survey.py jplus
    python tools/evaluate_survey.py splus

The tables hold next to no star of the fixed held-out cells, which are for independent checks. So a system of the same
recipe is trained here (``--networks``, by default one for each label) without a quarter of the cells, (cell // 5) % 4
== 0, zero-points of fields included, and measured on these; the shipped weights have four networks and all cells.

Rivals are XGBoost, trained in the same run on the same colors of the same stars, and, for S-PLUS, the published network
SPHINX star by star (``NET_FEH``, of the half "test"). Colors of S-PLUS count both as
they are, and less the zero-points of their fields. Writes ``stellarlabels/data/weights/csnet-<survey>_segue.json``.
"""

import argparse
import json
from itertools import pairwise

import numpy as np
import survey_stars
from measures import plain, statistics
from train_csnet import WEIGHTS
from train_survey import train

import stellarlabels
from stellarlabels import columns
from stellarlabels.inputs import feature_set

#: Limits in r of the groups of stars.
MAGNITUDES = (14.0, 16.0, 17.0, 18.0, 20.0)


def groups(table, survey):
    """Named selections of stars (bool (N,))."""
    r = np.asarray(table["MAG_6_rSDSS" if survey == "jplus" else "r_cor"], float)
    feh = survey_stars.known(table, "feh")[0]
    out = {"all": np.ones(len(r), bool), "r < 17": r < 17, "r < 17, [Fe/H] < -2": (r < 17) & (feh < -2)}
    out |= {f"r {low:g}-{high:g}": (r >= low) & (r < high) for low, high in pairwise(MAGNITUDES)}
    return out


def compared(table, survey, labels, errors=None, also=True):
    """Bias, scatter and honesty of the errors by group and label, from predictions by label."""
    out = {}
    for name, rows in groups(table, survey).items():
        out[name] = {}
        for label, predicted in labels.items():
            truth, error = survey_stars.known(table, label)
            pair = None if errors is None else (errors[label], error)
            entry = statistics(truth, predicted, rows & also, pair)
            if entry and entry["stars"] >= 20:
                out[name][label] = entry
    return out


def by_groups(system, table, also=True):
    """The same of a system."""
    survey = "jplus" if "alpha_fe" in system.labels else "splus"
    return compared(table, survey, *plain(system.predict(table), system.labels), also)


def xgboost_labels(train, test, labels, colors):
    """Predictions of XGBoost (800 trees, depth 6, rate 0.05), by label."""
    import xgboost

    options = {"max_depth": 6, "learning_rate": 0.05, "tree_method": "hist", "seed": 1, "nthread": 1}
    features = feature_set("colors", colors=colors)
    inputs = [features.compute(columns.intake(table)).arrays["color"] for table in (train, test)]
    out = {}
    for label in labels:
        y = survey_stars.known(train, label)[0]
        rows = np.isfinite(y)
        model = xgboost.train(options, xgboost.DMatrix(inputs[0][rows], y[rows]), num_boost_round=800)
        out[label] = model.predict(xgboost.DMatrix(inputs[1])).astype(float)
    return out


def sphinx(table):
    """[Fe/H] of the published network for the half "test" of its stars, NaN for others."""
    value = np.ma.filled(np.ma.asarray(table["NET_FEH"], float), np.nan)
    value[~(value > -8) | (np.asarray(table["half"]) != "test")] = np.nan
    return {"feh": value}


def show_groups(measured):
    for model, found in measured.items():
        print(f"\n{model}")
        for group, by_label in found.items():
            for label, entry in by_label.items():
                print(f"  {group:22s} {label:8s} " + " ".join(f"{key}={value}" for key, value in entry.items()))


def measure(system, survey, train, test):
    """Statistics by name of the model, group and label."""
    name, colors = f"CSNet {survey}_segue", system.feature_set.colors
    out = {name: by_groups(system, test)}
    out["XGBoost"] = compared(test, survey, xgboost_labels(train, test, system.labels, colors))
    if survey == "splus":
        raw = {**colors.to_dict(), "zero_points": ""}
        published = sphinx(test)
        both = np.isfinite(published["feh"])
        trees = xgboost_labels(train, test, system.labels, raw)
        out["XGBoost, colors without zero-points of fields"] = compared(test, survey, trees)
        nowhere = test.copy()
        nowhere.remove_column("FIELD")
        out[f"{name}, field not known"] = by_groups(system, nowhere)
        out["SPHINX (published)"] = compared(test, survey, published)
        out[f"{name}, stars with SPHINX"] = by_groups(system, test, both)
        out["XGBoost, colors without zero-points of fields, stars with SPHINX"] = compared(
            test, survey, {"feh": trees["feh"]}, also=both
        )
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("survey", choices=["jplus", "splus"])
    parser.add_argument("--networks", type=int, default=1)
    args = parser.parse_args()
    table = survey_stars.load(args.survey)
    cell = np.asarray(table["source_id"]) >> 35
    table, held = table[cell % 5 != 0], (cell[cell % 5 != 0] // 5) % 4 == 0
    points = survey_stars.zero_points_file()
    kept = points.read_text(encoding="utf-8")
    system = train(table[~held], args.survey, ensemble=args.networks)
    result = {
        "system": "csnet",
        "weights": f"{args.survey}_segue",
        "provenance": stellarlabels.CSNet.pretrained(f"{args.survey}_segue").provenance_,
        "held_out": "(level-12 HEALPix cell of the position // 5) % 4 == 0, by a system of this recipe with "
        f"ensemble={args.networks} that does not ship, and that was trained without these stars",
        "stars": int(held.sum()),
        "file_bytes": (WEIGHTS / f"csnet-{args.survey}_segue.stellarlabels").stat().st_size,
        "measured": measure(system, args.survey, table[~held], table[held]),
    }
    points.write_text(kept, encoding="utf-8")
    show_groups(result["measured"])
    path = WEIGHTS / f"csnet-{args.survey}_segue.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
