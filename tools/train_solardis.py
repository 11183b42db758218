"""Train the SolarDis weights that ship with the package.

    python tools/train_solardis.py

The stars of fold 0 (tools/lamost_lrs.py), the fixed held-out stars, are removed before anything else is done. Each
of the five networks leaves out another fifth of the other stars, on which its errors are calibrated. Absolute magnitude
and color follow from the labels (tools/absolute_magnitudes.py): each star has one drawn from what is known for its
labels, so that the networks learn the scatter as well. Takes about 5 minutes on two cores.
"""

import argparse
from pathlib import Path

import numpy as np
from absolute_magnitudes import Relation, Stars, drawn
from lamost_lrs import LABELS, folds, load
from shipped import WEIGHTS, write

import stellarlabels
from stellarlabels import columns
from stellarlabels.labels import outside

SAMPLE = (
    "2,261 LAMOST DR10 low-resolution spectra with LASP labels, without the stars of one fold of five; absolute "
    "magnitudes and colors from these labels, by the parallaxes of other LAMOST stars"
)

#: Share of the stars that each network leaves out.
VALIDATION = 0.2

#: Temperatures (K) within which labels hold: hotter stars are trained, so that they are not taken for cooler ones, but
#: on stars left out their temperatures scatter by 600 K.
TEFF = (4100.0, 8500.0)

#: Epochs without a better likelihood of the objects left out after which the classifier stops: it would learn so few
#: objects by heart.
PATIENCE = 10

#: How often each star is spoiled for the classifier.
COPIES = 8

#: Share of the training stars that look like hot stars or spoiled spectra.
FALSE_ALARMS = 0.02


def with_magnitudes(table):
    """The table with a magnitude and a color of each star that is not too hot for them."""
    labels = np.stack([columns.values(table, name) for name in LABELS], axis=1)
    for name, values in zip(("m_g", "bp_rp_0"), drawn(Relation(Stars()), labels).T, strict=True):
        table[name] = columns.column(name).dress(values)
    return table


def train(table, fold, **changes):
    """The compact system, trained without the stars of one fold.

    Parameters
    ----------
    table : `~astropy.table.Table`
        From `with_magnitudes`.
    fold : int
    **changes
        Hyper-parameters that differ from the recipe.
    """
    system = stellarlabels.SolarDis("compact", **changes)
    system.fit(table[folds(table) != fold], validation=VALIDATION)
    system.provenance_["sample"] = SAMPLE
    system.provenance_["left_out_fold"] = fold
    return limited(system)


def limited(system):
    """The system with `TEFF` as the range of all of its labels."""
    system.domain.restrict({"teff": TEFF}, {})
    system.domain.within |= {label: {"teff": TEFF} for label in system.labels if label != "teff"}
    return system


def learn_outside(system, table, fold):
    """Teach a system what hot stars and spoiled spectra look like."""
    table = table[folds(table) != fold]
    hot = columns.values(table, "teff") > TEFF[1]
    outside.TRAINING["patience"], outside.COPIES = PATIENCE, COPIES
    system.learn_outside(table[~hot], table[hot], kinds="hot", false_alarms=FALSE_ALARMS)
    return limited(system)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", help="files of `lamost_lrs.FILES`; by default those of STELLARLABELS_DATA")
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    args = parser.parse_args()
    table = with_magnitudes(load(args.data))
    system = learn_outside(train(table, 0), table, 0)
    write(system, args.output, "compact")


if __name__ == "__main__":
    main()
