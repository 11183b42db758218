"""Measure where the labels of the shipped XP weights hold: what is good inside, and what is good outside all the same.

    python tools/evaluate_outside.py uacsnet apogee
    python tools/evaluate_outside.py uacsnet apogee --leave-out 0

The first command measures on the fixed held-out stars and writes
``stellarlabels/data/weights/uacsnet-apogee-domain.json``, of which the page "Where each label holds" is made. The
second measures, for choices, on training stars in cells that `learn_outside.py` has left out with the same option, and
writes nothing. XGBoost, which learns from the same stars to tell hot ones from others, is beside it.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from lamost_lrs import folder
from learn_outside import NEBULAE
from measures import statistics
from shipped import WEIGHTS
from train_uacsnet import select_apogee, select_paper
from xp_apogee import (
    ASTROMETRY,
    FAINT,
    GAIA,
    LITERATURE,
    TWOMASS,
    add_literature,
    add_options,
    add_parallaxes,
    fainter,
    load,
    without,
)

from stellarlabels import columns, read_table, systems
from stellarlabels.inputs.xp import spectra
from stellarlabels.inputs.xp.damage import KINDS, damaged
from stellarlabels.networks import held_out

SEVERITIES = (0.3, 0.6, 1.0)


def states(table):
    """What stars may lack: the table as it is, with fewer columns, and as faint stars."""
    everything = ("phot_g_mean_mag", *GAIA, *TWOMASS, *ASTROMETRY)
    out = {
        "all photometry": table,
        "no G": without(table, "phot_g_mean_mag"),
        "no 2MASS": without(table, *TWOMASS),
        "G, BP, RP": without(table, *TWOMASS, *ASTROMETRY),
        "spectrum alone": without(table, *everything),
    }
    return out | {f"G = {magnitude}": fainter(table, magnitude, ratio) for magnitude, ratio in FAINT.items()}


class Predicted:
    """Labels of a table: values, errors and what is good, by label."""

    def __init__(self, system, table):
        found = system.predict(table, progress=False)
        pairs = {label: columns.label_columns(label) for label in system.labels}
        self.value, self.error = (
            {label: columns.column_values(found, three[index]) for label, three in pairs.items()} for index in (0, 1)
        )
        self.good = {label: np.asarray(found[f"{label}_good"], bool) for label in system.labels}

    def pulls(self, label, truth):
        """Residuals (N,) in units of their errors."""
        return (self.value[label] - truth) / self.error[label]

    @property
    def any_good(self):
        """Stars (N,) of which any label is good."""
        return np.any(list(self.good.values()), axis=0)

    def off(self, truth):
        """Stars (N,) of which a label is good and off by more than three errors from that of a dict."""
        with np.errstate(invalid="ignore"):
            wrong = [self.good[label] & (np.abs(self.pulls(label, truth[label])) > 3) for label in truth]
        return np.any(wrong, axis=0)

    def good_and_off(self, truth):
        """Shares of the stars with a good label, and with one that is good and off."""
        every = np.ones(len(self.any_good), bool)
        return {"good": share(self.any_good, every), "good and off": share(self.off(truth), every)}

    def shares(self, truth):
        """The same without the numbers of stars."""
        return {key: found["share"] for key, found in self.good_and_off(truth).items()}


def named(system):
    """Labels that the sample has."""
    return [label for label in system.labels if label in ("teff", "logg", "feh", "alpha_m")]


def inside(system, table):
    """Shares of good labels, and bias, scatter and honesty of the good ones, by state of the inputs."""
    out, cases = {}, states(table)
    dusty = table["ebv"].value > 0.4 / 0.306
    for name, stars in {**cases, "dusty": table[dusty]}.items():
        truth = table[dusty] if name == "dusty" else table
        found, entry = Predicted(system, stars), {}
        for label in named(system):
            value, error = truth[label].value, truth[f"{label}_err"].value
            known, good = np.isfinite(value), found.good[label]
            entry[label] = statistics(value, found.value[label], good, (found.error[label], error))
            entry[label] |= {"good": share(good, known)}
        out[name] = entry
    return out


def share(condition, among):
    """Share of ``among`` for which a condition holds, and how many there are; None of none."""
    count = int(np.sum(among))
    return {"share": round(float(np.mean(condition[among])), 4) if count else None, "of": count}


def hot(system, stars, table):
    """Stars hotter than 8000 K: good and wrong temperatures, good [Fe/H], and their part in good low [Fe/H]."""
    found = Predicted(system, stars)
    every, out = np.ones(len(stars), bool), {}
    if "teff" in system.labels:
        wrong = np.abs(found.pulls("teff", stars["teff"].value)) > 3
        out["good teff, off by more than 3 sigma"] = share(found.good["teff"] & wrong, every)
        out["good teff"] = share(found.good["teff"], every)
    out["good feh"] = share(found.good["feh"], every)
    others = Predicted(system, table)
    poor, also = (one.good["feh"] & (one.value["feh"] < -1) for one in (found, others))
    total = int(poor.sum() + also.sum())
    out["of good feh < -1"] = {"share": round(int(poor.sum()) / max(total, 1), 4), "of": total}
    return out


def damage(system, table):
    """Spoiled spectra: shares that are good, and that are good and off by more than 3 errors, by kind and severity."""
    right, out = Predicted(system, table), {}
    for name in KINDS:
        for severity in SEVERITIES:
            found = Predicted(system, damaged(table, [name], severity, seed=11)[0])
            out.setdefault(name, {})[str(severity)] = found.good_and_off(right.value)
    return out


def metal_poor(system, table):
    """Stars of the literature's [Fe/H] < -2.5: how many are good, and their bias and pulls."""
    found, truth = Predicted(system, table), table["feh"].value
    out = {}
    for low, high in ((-9, -2.5), (-2.5, -2)):
        rows = (truth >= low) & (truth < high)
        good = rows & found.good["feh"]
        bias = found.value["feh"] - truth
        out[f"{low} to {high}"] = {
            "good": share(good, rows),
            "within 3 errors": share(np.abs(found.pulls("feh", truth)) < 3, good),
            "median bias": round(float(np.median(bias[good])), 3) if good.any() else None,
            "median bias of all": round(float(np.median(bias[rows])), 3) if rows.any() else None,
        }
    return out


def xgboost_of_hot(train, test):
    """XGBoost that tells stars hotter than 8000 K from others, at thresholds for which 1 and 3 % of others look hot."""
    import xgboost

    def inputs(table):
        flux, _, _ = spectra(table)
        colors = [table[a].value - table[b].value for a, b in (GAIA, TWOMASS[:2], TWOMASS[1:])]
        return np.column_stack([flux / np.nanmean(flux, axis=1, keepdims=True), *colors])

    options = {"max_depth": 6, "learning_rate": 0.1, "tree_method": "hist", "seed": 1, "objective": "binary:logistic"}
    hotter = [table["teff"].value > 8000 for table in (train, test)]
    model = xgboost.train(options, xgboost.DMatrix(inputs(train), hotter[0]), num_boost_round=200)
    odds, out = model.predict(xgboost.DMatrix(inputs(test))), {}
    for alarms in (0.01, 0.03):
        limit = np.quantile(odds[~hotter[1]], 1 - alarms)
        out[f"{alarms:.0%} of cooler stars look hot"] = round(float(np.mean(odds[hotter[1]] > limit)), 4)
    return out


def measured(system, name, table, train):
    """Everything that is on the page of a set of weights."""
    stars = select_paper(table) if name == "uacsnet paper" else select_apogee(table)
    out = {"stars": len(stars), "inside": inside(system, stars)}
    hotter = table[table["teff"].value > 8000]
    out["hotter than 8000 K"] = hot(system, hotter, stars) | {"stars": len(hotter)}
    if name == "uacsnet paper":
        dwarfs = without(table[(table["logg"].value > 4) & (table["teff"].value < 7000)], *TWOMASS, *ASTROMETRY)
        found = Predicted(system, dwarfs)
        out["dwarfs"] = {"good feh": share(found.good["feh"], np.ones(len(dwarfs), bool))}
    else:
        out["hotter than 8000 K"]["XGBoost finds"] = xgboost_of_hot(train, table)
    out["nebulae"] = {"good": nebulae(system)}
    out["metal-poor"] = metal_poor(system, table)
    out["damaged"] = damage(system, stars[:: max(1, len(stars) // 400)])
    return out


def nebulae(system):
    """Share of held-out nebulae and symbiotic stars that have a good label."""
    table = read_table(folder() / NEBULAE)
    found = Predicted(system, table[held_out(np.asarray(table["source_id"]))])
    return share(found.any_good, np.ones(len(found.any_good), bool))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system", choices=["uacsnet", "uncertain"])
    parser.add_argument("weights", choices=["apogee", "paper"])
    parser.add_argument("--model", type=Path, help="model file in place of the shipped one")
    parser.add_argument("--networks", type=int, help="only so many networks, to be quicker")
    add_options(parser)
    parser.add_argument("--leave-out", type=int, help="measure on training stars that were left out, instead")
    args = parser.parse_args()
    name = f"{args.system} {args.weights}"
    system = systems.get(args.system)
    system = system.load(args.model) if args.model else system.pretrained(args.weights)
    if args.networks:
        system = system.fewer(args.networks)
    table = add_parallaxes(load(args.data), args.parallaxes)
    table = add_literature(table, folder() / LITERATURE)
    held = held_out(table["source_id"])
    train, test = table[~held], table[held]
    if args.leave_out is not None:
        out = np.asarray(train["source_id"]) // 2**35 // 5 % 7 == args.leave_out
        train, test = train[~out], train[out]
    result = {"system": args.system, "weights": args.weights, **measured(system, name, test, train)}
    text = json.dumps(result, indent=1) + "\n"
    if args.leave_out is None and not args.model:
        (WEIGHTS / f"{args.system}-{args.weights}-domain.json").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
