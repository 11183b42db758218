"""Train the CSNet weights for real photometry of J-PLUS or S-PLUS, with labels of SEGUE.

    python tools/train_survey.py jplus
    python tools/train_survey.py splus

Stars in cells of position modulo five equal to 0 are removed before anything else is done; each of the four networks
leaves out another tenth or fifth of the others, on which its errors are calibrated. For S-PLUS the zero-points of the
fields are found first, from the same stars. With ``--leave-out K`` also cells of that remainder of (cell // 5) modulo
four are left out, and what is measured on them is printed: for choices. Takes some ten minutes on two cores.
"""

import argparse
from pathlib import Path

import numpy as np
import survey_stars
from train_csnet import WEIGHTS

import stellarlabels
from stellarlabels.inputs.colors import color_set
from stellarlabels.networks import held_out

#: Share of the stars that each network leaves out: more of J-PLUS, which has fewer stars to calibrate errors on.
LEFT_OUT = {"jplus": 0.2, "splus": 0.1}

#: [Fe/H] above which labels are not good. All stars of J-PLUS with labels are below -0.77, and networks that never saw
#: others give richer stars an [Fe/H] below that, too. Chosen together with the false alarms of the classifier
#: (``learn_survey_outside.py``), on training stars.
RICHEST = {"jplus": -1.1}

SAMPLES = {
    "jplus": "J-PLUS DR1 magnitudes (6 arcsec, dereddened) of stars with labels of SEGUE (SSPP), published with SPHINX "
    "(Whitten et al. 2019), without the held-out cells",
    "splus": "S-PLUS DR2 magnitudes in Stripe 82 (dereddened) of stars with labels of SEGUE (SSPP), published with "
    "SPHINX (Whitten et al. 2021), without the held-out cells",
}


def keep_poor(system, survey):
    """Let labels be good of those stars alone whose predicted [Fe/H] is that of stars of the survey."""
    if survey in RICHEST:
        lowest = system.domain.labels["feh"][0]
        for label in system.labels:
            system.domain.within.setdefault(label, {})["feh"] = (lowest, RICHEST[survey])


def train(table, survey, **changes):
    """A system trained on a table."""
    if survey == "splus":
        survey_stars.write_zero_points(table, color_set("splus_dereddened"))
    system = stellarlabels.CSNet(f"{survey}_segue", **changes).fit(table, validation=LEFT_OUT[survey], progress=False)
    keep_poor(system, survey)
    system.provenance_["sample"] = SAMPLES[survey]
    system.training_stars = None  # the identifiers are cells of the sky
    return system


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("survey", choices=["jplus", "splus"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    parser.add_argument("--leave-out", type=int, help="for choices: measure on these cells, and write nothing")
    parser.add_argument("--networks", type=int, default=4)
    args = parser.parse_args()
    table = survey_stars.load(args.survey)
    table = table[~held_out(np.asarray(table["source_id"]))]
    if args.leave_out is not None:
        out = (np.asarray(table["source_id"]) >> 35) // 5 % 4 == args.leave_out
        system = train(table[~out], args.survey, seed=args.seed, ensemble=args.networks)
        from evaluate_survey import by_groups, show_groups

        show_groups({args.survey: by_groups(system, table[out])})
        return
    system = train(table, args.survey, seed=args.seed, ensemble=args.networks)
    path = args.output / f"csnet-{args.survey}_segue.stellarlabels"
    system.save(path, overwrite=True, dtype="float16")
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB, {system}")


if __name__ == "__main__":
    main()
