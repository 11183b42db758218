"""Teach the CSNet weights for J-PLUS or S-PLUS what stars and photometry look like for which their labels do not hold.

    python tools/learn_survey_outside.py jplus

Inside are the stars that the networks were trained on; outside are stars that APOGEE finds hotter or cooler, with
photometry synthesised from XP spectra, and spoiled copies of the stars inside. Held-out cells take no part.
"""

import argparse
from pathlib import Path

import numpy as np
import survey_stars
from astropy.table import Table, vstack
from evaluate_survey_outside import DUSTIEST, synthetic
from train_csnet import WEIGHTS
from xp_apogee import load as load_xp

import stellarlabels
from stellarlabels import columns
from stellarlabels.networks import held_out

#: Limits of Teff (K) beyond which stars are outside, and magnitudes in r at which they are seen.
HOTTEST, COOLEST = {"jplus": 6500, "splus": 7300}, 4300
SEEN_AT = (15.0, 17.0)

#: At most so many of a kind, and shares of false alarms.
MOST, FALSE_ALARMS = 1500, 0.01


def outside(system, survey):
    """Photometry of stars outside, and what kind they are."""
    table = load_xp(None)
    table = table[~held_out(table["source_id"]) & (columns.values(table, "ebv") < DUSTIEST)]
    teff, found, kinds = table["teff"].value, [], []
    for kind, rows in (("hot", teff > HOTTEST[survey]), ("cool", teff < COOLEST)):
        some = np.random.default_rng(1).permutation(np.flatnonzero(rows))[:MOST]
        for r in SEEN_AT:
            stars = synthetic(system, table[some], r)
            stars.add_column(np.asarray(table["source_id"][some]), index=0, name="source_id")
            found.append(Table(stars))
            kinds += [kind] * len(some)
    return vstack(found, metadata_conflicts="silent"), np.array(kinds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("survey", choices=["jplus", "splus"])
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    args = parser.parse_args()
    path = args.output / f"csnet-{args.survey}_segue.stellarlabels"
    system = stellarlabels.CSNet.load(path)
    table = survey_stars.load(args.survey)
    table = table[~held_out(np.asarray(table["source_id"]))]
    objects, kinds = outside(system, args.survey)
    system.learn_outside(table, objects, kinds=kinds, false_alarms=FALSE_ALARMS, progress=False)
    system.save(path, overwrite=True, dtype="float16")
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB, {system}, {system.domain.outside.counts}")


if __name__ == "__main__":
    main()
