"""Teach the CSNet weights for J-PLUS or S-PLUS what stars and photometry look like for which their labels do not hold.

    python tools/learn_survey_outside.py jplus

Inside are the stars that the networks were trained on; for J-PLUS also metal-poor stars of APOGEE, with photometry
synthesised from XP spectra. Outside are stars that APOGEE finds hotter, cooler, or (for J-PLUS, which has no labels of
such) more metal-rich, with such photometry as well, copies of the stars inside in Vega magnitudes or with the light of
stars that are reddened, and spoiled ones. Held-out cells take no part.
"""

import argparse
from pathlib import Path

import numpy as np
import survey_stars
from astropy.table import Table, vstack
from evaluate_survey_outside import DUSTIEST, LIKE, RICH, VEGA, changed, names, relative_extinction, synthetic
from train_csnet import WEIGHTS
from train_survey import keep_poor
from xp_apogee import load as load_xp

import stellarlabels
from stellarlabels import columns
from stellarlabels.networks import held_out

#: Limits of Teff (K) beyond which stars are outside, and magnitudes in r at which they are seen.
HOTTEST, COOLEST = {"jplus": 6500, "splus": 7300}, 4300
SEEN_AT = (15.0, 17.0)

#: [Fe/H] below which stars are like those of J-PLUS, and E(B-V) of stars that were not dereddened.
POOR, REDDENED = -1.3, (0.15, 1.0)

#: At most so many of a kind, and shares of false alarms: more of J-PLUS, for which most stars of a field are outside.
#: Chosen with the limit to the predicted [Fe/H] (``train_survey.py``) by ``evaluate_survey_outside.py --training``.
MOST, FALSE_ALARMS = 1500, {"jplus": 0.1, "splus": 0.01}


def outside(system, survey, table):
    """Photometry of stars outside, and what kind they are; and of more stars inside."""
    xp = load_xp(None)
    xp = xp[~held_out(xp["source_id"]) & (columns.values(xp, "ebv") < DUSTIEST)]
    teff, feh = columns.values(xp, "teff"), columns.values(xp, "feh")
    chosen = {"hot": teff > HOTTEST[survey], "cool": teff < COOLEST}
    if survey == "jplus":
        like = (teff > LIKE[0]) & (teff < LIKE[1])
        chosen |= {"metal-rich": like & (feh > RICH), "star": like & (feh < POOR)}
    found = {}
    for kind, rows in chosen.items():
        some = np.random.default_rng(1).permutation(np.flatnonzero(rows))[:MOST]
        seen = [Table(synthetic(system, xp[some], r)) for r in SEEN_AT]
        found[kind] = vstack(seen, metadata_conflicts="silent")
        found[kind].add_column(np.tile(np.asarray(xp["source_id"][some]), len(seen)), index=0, name="source_id")
    inside = found.pop("star", table[:0])
    ratios, ebv = relative_extinction(), np.random.default_rng(1).uniform(*REDDENED, len(table))
    bands = names(system)
    found["vega"] = changed(table, bands, {band: -VEGA[band] for band in bands})
    found["reddened"] = changed(table, bands, {band: ebv * (ratios[band] - ratios["r"]) for band in bands})
    kinds = np.repeat(list(found), [len(objects) for objects in found.values()])
    return vstack(list(found.values()), metadata_conflicts="silent"), kinds, inside


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("survey", choices=["jplus", "splus"])
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    args = parser.parse_args()
    path = args.output / f"csnet-{args.survey}_segue.stellarlabels"
    system = stellarlabels.CSNet.load(path)
    table = survey_stars.load(args.survey)
    table = table[~held_out(np.asarray(table["source_id"]))]
    objects, kinds, more = outside(system, args.survey, table)
    table = vstack([table, more], metadata_conflicts="silent")
    system.learn_outside(table, objects, kinds=kinds, false_alarms=FALSE_ALARMS[args.survey], progress=False)
    keep_poor(system, args.survey)
    system.save(path, overwrite=True, dtype="float16")
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB, {system}, {system.domain.outside.counts}")


if __name__ == "__main__":
    main()
