r"""Train the SPCANet weights that ship with the package, on synthetic spectra.

    python tools/make_mrs_spectra.py models --models DOPPLER/data --noise LAMOST_MRS_FILES --output mrs-models.npz
    for seed in $(seq 16); do
        python tools/train_spcanet.py spectra --models mrs-models.npz --seed $seed --cache spectra-$seed.npz
    done
    python tools/train_spcanet.py train --cache spectra-*.npz

"spectra" makes random spectra with labels (see make_mrs_spectra.py) and their features, half a minute for 6,000;
"train" trains two networks on them, each without a tenth of the stars, on which its errors are calibrated. The stars of
evaluate_spcanet.py are made with other seeds. With KERAS_BACKEND=jax and a GPU training takes minutes.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.table import QTable
from mrs_synthesis import Models, Synthesis
from shipped import WEIGHTS, write
from tqdm import tqdm

from stellarlabels.inputs import Features, FeatureSet, feature_set
from stellarlabels.systems.spcanet import SPCANet

SAMPLE = (
    "synthetic spectra from the Cannon models of thedoppler 1.1.32 with the strengths of lines of real LAMOST "
    "low-resolution spectra with LASP labels and the noise of real LAMOST MRS files"
)
LABELS = ("teff", "logg", "feh")
CHANGES = ("epochs", "ensemble", "batch_size", "network_options")


def synthetic_features(synthesis, count, block=500):
    """Features and labels (N, 3) of random stars, with the velocities taken as known."""
    inputs = feature_set("lamost_mrs", **SPCANet("compact").recipe.feature_options)
    parts, labels = [], []
    for start in tqdm(range(0, count, block), unit="block"):
        table = synthesis.table(synthesis.labels(min(block, count - start)))
        labels.append(np.stack([table[name].value for name in LABELS], axis=1))
        parts.append(inputs.compute(table))
    arrays = {name: np.concatenate([part.arrays[name] for part in parts]) for name in parts[0].arrays}
    names = ("flag", "usable", "color", "magnitude", "snr", "ebv")
    others = [np.concatenate([getattr(part, name) for part in parts]) for name in names]
    return Features(arrays, *others), np.concatenate(labels)


class Trainer(SPCANet):
    """SPCANet that finds the features of a table's rows ready."""

    class Ready(FeatureSet):
        name = "lamost_mrs"

        def __init__(self, features, config):
            self.features, self.own = features, config

        @property
        def config(self):
            return self.own

        def compute(self, table):
            return self.features[np.asarray(table["row"])]

    @property
    def feature_set(self):
        return self.Ready(self.ready, super().feature_set.config)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=["spectra", "train"])
    parser.add_argument("--cache", type=Path, nargs="+", required=True, help="files in which the spectra are kept")
    parser.add_argument("--models", help="file of make_mrs_spectra.py")
    parser.add_argument("--count", type=int, default=6000)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--ensemble", type=int)
    parser.add_argument("--batch_size", type=int)
    parser.add_argument("--network_options", type=json.loads, help="JSON of what differs from the recipe")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    args = parser.parse_args()

    if args.stage == "spectra":
        synthesis = Synthesis(*Models.load(args.models), args.seed)
        features, labels = synthetic_features(synthesis, args.count)
        half = {name: array.astype(np.float16) for name, array in features.arrays.items()}
        np.savez(args.cache[0], labels=labels, flag=features.flag, usable=features.usable, snr=features.snr, **half)
        return
    pieces = [np.load(path) for path in args.cache]
    arrays = {
        name: np.concatenate([piece[name] for piece in pieces]).astype(np.float32)
        for name in ("flux_b", "flux_r", "quality", "coarse")
    }
    labels, flag, usable, snr = (
        np.concatenate([piece[name] for piece in pieces]) for name in ("labels", "flag", "usable", "snr")
    )
    unknown = np.full(len(labels), np.nan)
    rows = np.arange(len(labels))
    table = QTable({"source_id": rows, "row": rows})
    for index, (label, unit) in enumerate(zip(LABELS, (u.K, u.dex, u.dex), strict=True)):
        table[label] = labels[:, index] * unit
    changes = {name: value for name in CHANGES if (value := getattr(args, name))}
    system = Trainer("compact", seed=args.seed, **changes)
    system.ready = Features(arrays, flag, usable, unknown, unknown, snr, unknown)
    system.fit(table, validation=0.1)
    system.provenance_["sample"] = SAMPLE
    write(system, args.output, "synthetic-cannon")
    for history in system.history_:
        print([round(value, 3) for value in history["loss"]], [round(value, 3) for value in history["val_loss"]])


if __name__ == "__main__":
    main()
