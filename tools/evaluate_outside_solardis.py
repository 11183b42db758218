"""Measure where the labels of the shipped SolarDis weights hold: what is good inside, and what is good outside.

    python tools/evaluate_outside_solardis.py
    python tools/evaluate_outside_solardis.py --model FILE --fold 1     (for choices)

The stars are those of fold 0 (tools/lamost_lrs.py), which the shipped weights have not seen; with ``--model`` those of
another fold that this model has left out. What is off is so by more than three of its errors, from LASP for real stars,
from the label of the same spectrum as it was for spoiled ones. Writes
``stellarlabels/data/weights/solardis-compact-domain.json``, of which the page "Where each label holds" is made.
"""

import argparse
import json

import numpy as np
from evaluate_outside import SEVERITIES, Predicted, share
from lamost_lrs import LABELS, folds, load
from train_solardis import TEFF, WEIGHTS

from stellarlabels import SolarDis, columns
from stellarlabels.inputs.lamost.damage import JOIN, KINDS, damaged
from stellarlabels.labels.uncertainty import robust_scatter


def labelled(table):
    """Labels of LASP by name."""
    return {name: columns.values(table, name) for name in LABELS}


def inside(system, table):
    """Of each label the share that is good and how good these are, for stars that are not too hot."""
    found, truth, out = Predicted(system, table), labelled(table), {}
    every = np.ones(len(table), bool)
    for label in system.labels:
        good = found.good[label]
        out[label] = {"good": share(good, every)["share"], "stars": len(table)}
        if label in truth:
            residual = (found.value[label] - truth[label])[good]
            out[label] |= {"scatter": robust_scatter(residual), "bias": float(np.median(residual))}
    snr = columns.values(table, "snrg")
    some = {f"S/N {low}-{high}": (snr >= low) & (snr < high) for low, high in ((10, 20), (20, 40), (40, 1000))}
    return {"labels": out, "good teff": {name: share(found.good["teff"], rows)["share"] for name, rows in some.items()}}


def hot(system, table):
    """Stars hotter than the range: what is good, and what is good and wrong."""
    found, truth, every = Predicted(system, table), labelled(table), np.ones(len(table), bool)
    out = {f"good {label}": share(found.good[label], every)["share"] for label in system.labels}
    return {"stars": len(table), **out, "good and off": share(found.off(truth), every)["share"]}


def changed(table, **columns_of):
    """The table with other columns."""
    out = table.copy()
    for name, values in columns_of.items():
        out[name] = values
    return out


def incomplete(system, table):
    """Inputs that lack something: shares that have any good label, and that are good and off."""
    wavelength = table.meta["wavelength"].value
    windows = ((wavelength > 4950) & (wavelength < 5350)) | ((wavelength > 6300) & (wavelength < 6800))
    cases = {
        "no pixel": changed(table, ivar=0 * table["ivar"]),
        "flux of 0": changed(table, flux=0 * table["flux"]),
        "unknown velocity": changed(table, z=np.full(len(table), np.nan)),
        "blue arm only": changed(table, ivar=table["ivar"] * (wavelength < JOIN)),
        "red arm only": changed(table, ivar=table["ivar"] * (wavelength > JOIN)),
        "windows of medium resolution only": changed(table, ivar=table["ivar"] * windows),
    }
    truth = labelled(table)
    return {name: Predicted(system, case).shares(truth) for name, case in cases.items()}


def damage(system, table):
    """Spoiled spectra: shares that are good, and that are good and off, by kind and severity."""
    right, out = Predicted(system, table), {}
    for name in KINDS:
        out[name] = {}
        for severity in SEVERITIES:
            found = Predicted(system, damaged(table, [name], severity, seed=11)[0])
            out[name] |= {f"{key}, {severity}": value for key, value in found.shares(right.value).items()}
    return out


def measured(system, table):
    """Everything that is on the page."""
    teff = columns.values(table, "teff")
    cooler = table[(teff > TEFF[0]) & (teff < TEFF[1])]
    out = {"stars": len(cooler), "inside": inside(system, cooler)}
    out["hotter than 8500 K"] = hot(system, table[teff > TEFF[1]])
    sound = cooler[Predicted(system, cooler).good["teff"]][::2]
    return out | {"incomplete": incomplete(system, sound), "damaged, by severity": damage(system, sound)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="model file in place of the shipped one")
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--data", nargs="+", help="files of `lamost_lrs.FILES`; by default those of STELLARLABELS_DATA")
    args = parser.parse_args()
    table = load(args.data)
    table = table[folds(table) == args.fold]
    system = SolarDis.load(args.model) if args.model else SolarDis.pretrained("compact")
    text = json.dumps({"system": "solardis", "weights": "compact", **measured(system, table)}, indent=1) + "\n"
    if not args.model:
        (WEIGHTS / "solardis-compact-domain.json").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
