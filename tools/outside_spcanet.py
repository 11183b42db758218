"""Teach the shipped SPCANet weights what spectra look like for which its labels do not hold, and measure it.

    python tools/outside_spcanet.py learn --models mrs-models.npz --hot DOPPLER/data
    python tools/outside_spcanet.py evaluate --models mrs-models.npz --hot DOPPLER/data

Inside are synthetic spectra as in the training (train_spcanet.py), made with seeds of their own; outside are stars of
8500 to 25,000 K from the models of hot dwarfs of thedoppler 1.1.32, and spoiled copies of the spectra inside
(`stellarlabels.inputs.lamost.damage`). "learn" writes the weights, in which [Fe/H] has an error of at least `FLOOR`;
"evaluate" measures with spectra of other seeds and writes
``stellarlabels/data/weights/spcanet-synthetic-cannon-domain.json``, of which the page "Where each label holds"
is made. Good and off is a label that is good and off by more than three of its errors: from the label of a synthetic
star, or from that of the same spectrum as it was for spoiled ones. Some minutes each.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from evaluate_outside import SEVERITIES, Predicted, share
from lamost_lrs import folder
from make_mrs_spectra import HOT_MODELS, read_models
from mrs_synthesis import Models, Synthesis
from shipped import WEIGHTS, write
from train_spcanet import LABELS

from stellarlabels import columns, read_lamost
from stellarlabels.inputs.lamost.damage import KINDS, damaged
from stellarlabels.inputs.lamost.medium_resolution import ARMS
from stellarlabels.labels.uncertainty import robust_scatter
from stellarlabels.systems.spcanet import SPCANet

#: Seeds of the spectra of "learn" and of "evaluate"; those of the training and of evaluate_spcanet.py are others.
SEEDS = {"learn": 501, "evaluate": 601}
STARS, HOT = 8000, 3000

#: Hot stars: Teff (K), evenly in its logarithm; log g; [Fe/H].
HOTTER = {"teff": (8500, 25000), "logg": (3.0, 4.8), "feh": (-0.5, 0.4)}

#: Share of false alarms, for each label.
FALSE_ALARMS = 0.015

#: The least error of [Fe/H]: of KIC 8098300, the only real star with a spectrum of low resolution as well, the labels
#: of two nights are lower than LASP's by 0.13 and 0.17 dex, twice the errors that synthetic spectra lead to.
FLOOR = {"feh": 0.15}


def spectra(models, profiles, seed, count, labels=None):
    """Synthetic spectra of so many random stars, or of stars with these labels."""
    synthesis = Synthesis(models, profiles, seed)
    found = synthesis.labels(count) if labels is None else labels
    return synthesis.table(found, identifiers=seed * 100_000 + np.arange(count))


def hot_labels(seed, count):
    """Labels (N, 3) of hot stars."""
    random = np.random.default_rng(seed)
    teff = np.exp(random.uniform(*np.log(HOTTER["teff"]), count))
    return np.stack([teff, *(random.uniform(*HOTTER[name], count) for name in ("logg", "feh"))], axis=1)


def sample(args, seed):
    """Tables of stars inside and of hot ones."""
    models, profiles = Models.load(args.models)
    hot = read_models(args.hot, HOT_MODELS)
    return (
        spectra(models, profiles, seed, STARS),
        spectra(hot, profiles, seed + 50, HOT, hot_labels(seed, HOT)),
    )


def learn(args):
    """Write the weights with what they have learned of what is outside."""
    inside, hot = sample(args, SEEDS["learn"])
    system = SPCANet.pretrained()
    system.learn_outside(inside, hot, kinds="hot", false_alarms=FALSE_ALARMS)
    system.recipe = system.ensemble.recipe = system.recipe.with_changes(error_floor=FLOOR)
    system.provenance_["synthetic"] = True
    write(system, args.output, "synthetic-cannon", system.domain.outside.counts)


def truth_of(table):
    """Labels of a table by name."""
    return {name: columns.values(table, name) for name in LABELS}


def of_labels(found, truth):
    """For each label the share that is good, and how good these are."""
    out = {}
    for label, true in truth.items():
        good = found.good[label]
        pull = ((found.value[label] - true) / found.error[label])[good]
        residual = (found.value[label] - true)[good]
        out[label] = {
            "good": share(good, np.ones(len(good), bool))["share"],
            "scatter": robust_scatter(residual),
            "bias": float(np.median(residual)),
            "pull_width": robust_scatter(pull),
        }
    return out


def without_arm(table, arm):
    """The table without the pixels of an arm."""
    out = table.copy()
    out[f"ivar_{arm}"] = 0 * out[f"ivar_{arm}"]
    return out


def incomplete(system, table):
    """Inputs that lack something, or are of another star or instrument."""
    swapped, unknown, empty = table.copy(), table.copy(), table.copy()
    swapped["flux_r"], swapped["ivar_r"] = table["flux_r"][::-1], table["ivar_r"][::-1]
    unknown.remove_column("radial_velocity")
    for arm in ARMS:
        empty[f"ivar_{arm}"] = 0 * empty[f"ivar_{arm}"]
    cases = {
        "no pixel": empty,
        "velocity not given": unknown,
        "blue arm only": without_arm(table, "r"),
        "red arm only": without_arm(table, "b"),
        "red arm of another star": swapped,
    }
    return {name: Predicted(system, case).shares(truth_of(table)) for name, case in cases.items()}


def of_damage(system, table):
    """By kind and severity, what of spoiled spectra is good, and good and off."""
    before, out = Predicted(system, table), {}
    for name in KINDS:
        for severity in SEVERITIES:
            copies = damaged(table, [name], severity, seed=7, arms=("_b", "_r"))[0]
            out.setdefault(name, {})[str(severity)] = Predicted(system, copies).shares(before.value)
    return out


def real(system):
    """Labels of the real files, and which are good."""
    table = read_lamost(sorted((folder() / "lamost_mrs").glob("med-*")))
    found = Predicted(system, table)
    return {
        name.split("_sp")[0]: {
            label: {
                "value": round(float(found.value[label][row]), 3),
                "error": round(float(found.error[label][row]), 3),
                "good": bool(found.good[label][row]),
            }
            for label in LABELS
        }
        for row, name in enumerate(map(str, table["spectrum"]))
    }


def rounded(found):
    """Nested dictionaries with numbers of five digits after the point."""
    if isinstance(found, dict):
        return {key: rounded(value) for key, value in found.items()}
    return round(float(found), 5) if isinstance(found, float | np.floating) else found


def evaluate(args):
    """Write what is good inside and outside."""
    inside, hot = sample(args, SEEDS["evaluate"])
    inside, hot = inside[:1500], hot[:1500]
    system = SPCANet.load(args.weights) if args.weights else SPCANet.pretrained()
    found, truth = Predicted(system, inside), truth_of(inside)
    cool = (truth["teff"] > 4000) & (truth["teff"] < 7000)
    out = {
        "system": "spcanet",
        "weights": "synthetic-cannon",
        "stars": len(inside),
        "inside": of_labels(found, truth),
        "4000-7000 K": of_labels(Predicted(system, inside[cool]), {key: value[cool] for key, value in truth.items()}),
        "hot": {"stars": len(hot), **Predicted(system, hot).shares(truth_of(hot))},
        "incomplete": incomplete(system, inside[:600]),
        "damaged": of_damage(system, inside[:300]),
        "real files": real(system),
    }
    text = json.dumps(rounded(out), indent=1)
    print(text)
    if not args.weights:
        (args.output / "spcanet-synthetic-cannon-domain.json").write_text(text + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=["learn", "evaluate"])
    parser.add_argument("--models", required=True, help="file of make_mrs_spectra.py")
    parser.add_argument("--hot", required=True, help="folder of the data of thedoppler")
    parser.add_argument("--weights", help="evaluate a file that is not the shipped one, and write nothing")
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    args = parser.parse_args()
    {"learn": learn, "evaluate": evaluate}[args.stage](args)


if __name__ == "__main__":
    main()
