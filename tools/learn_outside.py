r"""Teach the shipped weights of the XP systems what objects look like for which their labels do not hold.

    python tools/learn_outside.py uacsnet apogee
    python tools/learn_outside.py uacsnet paper
    python tools/learn_outside.py uncertain apogee --model uncertain-teacher/uncertain-apogee.stellarlabels \
        --output uncertain-teacher

Inside are the stars that the networks were trained on; outside are stars that APOGEE finds hotter or cooler, dwarfs for
weights that are for giants, nebulae and symbiotic stars, and spoiled copies of the stars inside. The fixed held-out
stars (stellarlabels.networks.held_out) take no part. Thresholds are chosen for a share of false alarms among stars that
the classifier has not seen, and the lower limit of [Fe/H] is where the networks, on stars that each of them has left
out, begin to be biased. It takes some ten minutes on two cores; networks for labels stay as they are.
"""

import argparse
from pathlib import Path

import numpy as np
from astropy.table import QTable, vstack
from lamost_lrs import folder
from shipped import WEIGHTS, write
from train_uacsnet import select_apogee, select_paper
from xp_apogee import FAINT, LITERATURE, add_literature, add_options, add_parallaxes, fainter, load

from stellarlabels import read_table, systems
from stellarlabels.inputs.xp import spectra
from stellarlabels.labels.domain import TrainingStars
from stellarlabels.networks import held_out

NEBULAE = "gaia_xp/xp_continuous_616.parquet"

#: Temperature (K) above which the labels do not hold.
HOTTEST = 7200

#: [Fe/H] below which a prediction says no more than that the star is metal-poor. On stars that the networks have left
#: out, 90 % of the predictions of -2.3 to -2.2 are within 0.12 dex of the literature or of APOGEE, but of those of -2.4
#: to -2.3 within 0.46 dex, and predictions below -2.5 are too high by 0.7 dex.
LEAST_FEH = -2.3

#: Signal-to-noise ratio below which errors were not calibrated: real stars of G = 18 have it.
LEAST_SNR = 6.0

#: Shares of false alarms. UncertainNet has not learned the labels of hot stars, so that more of them have to be found:
#: of stars left out, 7 % of those hotter than 8000 K pass with 1 % of false alarms, and 4 % with 2 %.
FALSE_ALARMS = {
    "uacsnet": {"teff": 0.01, "logg": 0.01, "feh": 0.015, "alpha_m": 0.015, "m_g_dimmed": 0.01},
    "uncertain": {"teff": 0.015, "logg": 0.015, "feh": 0.02, "alpha_m": 0.02},
}

#: The same of weights that are for giants alone, which should rather lose giants than let dwarfs pass: of stars left
#: out, 13 % of the dwarfs pass with 1.5 % of false alarms, 5 % with 5 %, and 2.4 % with 10 %.
FOR_GIANTS = {"feh": 0.05}

#: Epochs for UncertainNet: with more, the classifier knows the hot stars that it has seen by heart, and fewer others.
EPOCHS = {"uncertain": 12}

#: Share of the stars of which UncertainNet sees a copy as faint as stars of each of the magnitudes of `FAINT`.
FAINT_SHARE = 0.25

#: Columns that all of the objects have.
SHARED = ("source_id", "flux", "flux_error")
PHOTOMETRY = ("phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "j_m", "h_m", "ks_m", "parallax", "ebv")


def inside_and_outside(table, paper):
    """Stars for which labels hold, other objects, and what kind these are; ``paper`` is for giants alone."""
    teff, logg = table["teff"].value, table["logg"].value
    hot, cool = teff > HOTTEST, teff < 3300
    kinds = np.where(hot, "hot", np.where(cool, "cool", "star")).astype("U8")
    if paper:
        kinds[(logg > 3.8) & ~hot & ~cool] = "dwarf"
    inside = select_paper(table) if paper else select_apogee(table)
    found, count = with_nebulae(table[kinds != "star"], nebulae())
    return inside, found, np.concatenate([kinds[kinds != "star"], np.full(count, "nebula")])


def nebulae():
    """Sampled spectra of nebulae and symbiotic stars, without the held-out ones."""
    table = read_table(folder() / NEBULAE)
    table = table[~held_out(np.asarray(table["source_id"]))]
    flux, error, _ = spectra(table)
    return {"source_id": np.asarray(table["source_id"]), "flux": flux, "flux_error": error}


def with_nebulae(table, found):
    """The inputs of both, with unknown photometry of the nebulae, and how many these are."""
    count, out = len(found["source_id"]), QTable()
    for name in SHARED:
        more = found[name] * getattr(table[name], "unit", None) if name != "source_id" else found[name]
        out[name] = np.concatenate([table[name], more])
    for name in PHOTOMETRY:
        if name in table.colnames:
            out[name] = np.concatenate([table[name], np.full(count, np.nan) * table[name].unit])
    return out, count


def with_faint(table, kinds=None, share=FAINT_SHARE):
    """The table with copies of a share of its stars, as faint as XP spectra go, and the kinds of all rows."""
    # The noise of sampled spectra is correlated, which coefficients recovered from them do not know: noise added to
    # these is not the same.
    random, kinds = np.random.default_rng(1), np.full(len(table), "star") if kinds is None else kinds
    parts, names = [table], [kinds]
    for magnitude, ratio in FAINT.items():
        rows = random.random(len(table)) < share
        parts.append(fainter(table[rows], magnitude, ratio))
        names.append(kinds[rows])
    return vstack(parts, metadata_conflicts="silent"), np.concatenate(names)


def only(system, networks):
    """The system with its first networks, as if the others had never been."""
    out = system.fewer(networks)

    def first(told):
        if isinstance(told, dict):
            return {key: first(value) for key, value in told.items() if key != "networks"}
        return told[:networks] if isinstance(told, list) and len(told) == system.recipe.ensemble else told

    out.provenance_ = first(out.provenance_)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system", choices=["uacsnet", "uncertain"])
    parser.add_argument("weights", choices=["apogee", "paper"])
    parser.add_argument("--model", type=Path, help="model file in place of the shipped one")
    parser.add_argument("--networks", type=int, help="keep so many networks of the ensemble; all by default")
    add_options(parser)
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    parser.add_argument("--leave-out", type=int, help="for choices: also leave out cells of this remainder modulo 7")
    args = parser.parse_args()
    system = systems.get(args.system)
    system = system.load(args.model) if args.model else system.pretrained(args.weights)
    system = only(system, args.networks) if args.networks else system
    table = add_parallaxes(load(args.data), args.parallaxes)
    table = table[~held_out(table["source_id"])]
    if args.leave_out is not None:
        table = table[np.asarray(table["source_id"]) // 2**35 // 5 % 7 != args.leave_out]
    table = add_literature(table, folder() / LITERATURE)
    inside, outside, kinds = inside_and_outside(table, args.weights == "paper")
    # That spoiled spectra are labelled wrongly, two networks tell as well as more.
    teacher = system.fewer(min(2, system.recipe.ensemble))
    every = FOR_GIANTS if args.weights == "paper" else FALSE_ALARMS[args.system]
    alarms = {label: every[label] for label in system.labels}
    options = {"false_alarms": alarms, "epochs": EPOCHS.get(args.system)}
    if args.system == "uncertain":  # its ranges are those of the stars as they are
        (stars, _), (objects, named) = with_faint(inside), with_faint(outside, kinds)
        system.domain.outside = teacher.learn_outside(stars, objects, kinds=named, **options).domain.outside
    else:
        system.domain = teacher.learn_outside(inside, outside, kinds=kinds, **options).domain
    limits = {"feh": (LEAST_FEH, system.domain.labels["feh"][1])}
    if args.weights == "apogee":
        limits["teff"] = (3300.0, 7000.0)
    system.domain.restrict(limits, system.domain.colors)
    system.domain.ranges["snr"] = (LEAST_SNR, system.domain.ranges["snr"][1])
    if system.training_stars is None:
        system.training_stars = TrainingStars.of(inside, np.arange(len(inside)))
    system.provenance_["outside"] = teacher.provenance_["outside"]
    write(system, args.output, args.weights, system, system.domain.outside.counts)


if __name__ == "__main__":
    main()
