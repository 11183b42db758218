"""Train the SolarDis weights that ship with the package.

    python tools/train_solardis.py

The stars of fold 0 (tools/lamost_lrs.py), the fixed held-out stars, are removed before anything else is done. Each
of the five networks leaves out another fifth of the other stars, on which its errors are calibrated. Takes about 2
minutes on two cores.
"""

import argparse
from pathlib import Path

from lamost_lrs import folds, load

import stellarlabels

WEIGHTS = Path(stellarlabels.__file__).parent / "data" / "weights"
SAMPLE = "1,595 LAMOST DR10 low-resolution spectra with LASP labels, without the stars of one fold of five"

#: Share of the stars that each network leaves out.
VALIDATION = 0.2


def train(table, fold, **changes):
    """The compact system, trained without the stars of one fold.

    Parameters
    ----------
    table : `~astropy.table.Table`
        From `lamost_lrs.load`.
    fold : int
    **changes
        Hyper-parameters that differ from the recipe.
    """
    system = stellarlabels.SolarDis("compact", **changes)
    system.fit(table[folds(table) != fold], validation=VALIDATION)
    system.provenance_["sample"] = SAMPLE
    system.provenance_["left_out_fold"] = fold
    return system


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="lamost_lrs_labelled.npz; by default that of the folder STELLARLABELS_DATA")
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    args = parser.parse_args()
    system = train(load(args.data), 0)
    path = args.output / "solardis-compact.stellarlabels"
    system.save(path, overwrite=True)
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB, {system}")


if __name__ == "__main__":
    main()
