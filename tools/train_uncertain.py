r"""Train the teacher of the UncertainNet weights that ship with the package, which distil_uncertain.py makes from it.

    python tools/train_uncertain.py part 1        # one network of the ensemble; 1 to 4, in any order
    python tools/train_uncertain.py join          # calibrate and write the teacher
    python tools/learn_outside.py uncertain apogee --model uncertain-teacher/uncertain-apogee.stellarlabels \
        --output uncertain-teacher                # what is outside, which the student takes over

The fixed held-out stars (stellarlabels.networks.held_out) are removed before anything else is done. Twice
two networks leave out the same tenth of the others: on these stars the errors of the two together are calibrated.
These are the first four of sixteen networks (two more pairs of tenths, each twice): with sixteen the scatter of the
labels is 1 to 2 % smaller, and labels take four times as long.
With ``--cache`` the inputs of the stars are computed once and kept in a folder (1 GB). A network takes seven minutes on
one core.
"""

import argparse
from pathlib import Path

import numpy as np
from shipped import write
from train_uacsnet import SAMPLE, select_apogee
from xp_apogee import DR2_ZERO_POINT, add_options, add_parallaxes, load

from stellarlabels.inputs import Features
from stellarlabels.inputs.xp import XPCoefficients
from stellarlabels.networks import held_out, split_groups
from stellarlabels.systems.uncertain import UncertainNet

#: How many groups of stars are left out, and the share of each.
GROUPS, LEFT_OUT, SEED = 4, 0.1, 1

#: The group that each network leaves out.
LEAVES_OUT = (0, 0, 1, 1)

NETWORKS = range(1, len(LEAVES_OUT) + 1)

#: What the cache holds besides arrays.
PER_STAR = ("flag", "usable", "color", "magnitude", "snr", "ebv")


class Cached(XPCoefficients):
    """The inputs of the training stars out of a folder, where they are computed once."""

    folder = None

    def for_training(self, table):
        """Features of all stars with factors of their covariances."""
        if not (self.folder / "done").exists():
            features = super().for_training(table)
            self.folder.mkdir(parents=True, exist_ok=True)
            for name, array in features.arrays.items():
                np.save(self.folder / f"array_{name}.npy", array)
            for name in PER_STAR:
                np.save(self.folder / f"star_{name}.npy", getattr(features, name))
            (self.folder / "done").touch()
        arrays = {
            path.stem.removeprefix("array_"): np.load(path, mmap_mode="r") for path in self.folder.glob("array_*.npy")
        }
        return Features(arrays, *(np.load(self.folder / f"star_{name}.npy") for name in PER_STAR))


class Trained(UncertainNet):
    """UncertainNet with the inputs of the training stars out of a cache."""

    cache = None

    @property
    def feature_set(self):
        if self.cache is None:
            return super().feature_set
        out = Cached(**self.recipe.feature_options)
        out.folder = self.cache
        return out


def training_table(args):
    """The stars that may be trained on, and which of them each network leaves out (K, N)."""
    table = load(args.data)
    table = select_apogee(add_parallaxes(table[~held_out(table["source_id"])], args.parallaxes))
    groups = split_groups(np.asarray(table["source_id"]), LEFT_OUT, SEED, GROUPS)
    return table, groups[list(LEAVES_OUT)]


def part_path(args, number):
    return args.parts / f"uncertain-apogee-part{number}.stellarlabels"


def train_part(args):
    """One network, not calibrated."""
    table, left_out = training_table(args)
    changes = {"epochs": args.epochs} if args.epochs else {}
    system = Trained("apogee", ensemble=1, calibrate=False, seed=SEED + 7919 * args.number, **changes)
    system.cache = args.cache
    system.fit(table, validation=left_out[args.number - 1])
    args.parts.mkdir(parents=True, exist_ok=True)
    system.save(part_path(args, args.number), overwrite=True)
    print(f"{part_path(args, args.number)}: {system.history_}")


def join(args):
    """The ensemble: errors calibrated on the stars that two networks each left out."""
    table, left_out = training_table(args)
    system = Trained.joined([Trained.load(part_path(args, number)) for number in NETWORKS])
    system.cache = args.cache
    system.calibrate(table, left_out)
    system.provenance_["sample"] = SAMPLE
    system.provenance_["parallaxes"] = f"Gaia DR2 (PyPI astroNN 1.1.0), zero-point {DR2_ZERO_POINT} mas removed"
    write(system, args.output, "apogee")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=["part", "join"])
    parser.add_argument("number", type=int, nargs="?", help=f"network, 1 to {NETWORKS[-1]}")
    add_options(parser)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--cache", type=Path, help="folder for the inputs of the stars")
    parser.add_argument("--parts", type=Path, default=Path("uncertain-parts"), help="folder of the single networks")
    parser.add_argument("--output", type=Path, default=Path("uncertain-teacher"), help="folder of the model file")
    args = parser.parse_args()
    train_part(args) if args.step == "part" else join(args)


if __name__ == "__main__":
    main()
