"""Make the UncertainNet weights that ship: one network that has learned from the four that train_uncertain.py makes.

    python tools/distil_uncertain.py uncertain-teacher/uncertain-apogee.stellarlabels

The stars are those of the teacher; the first group that networks of the teacher left out the student leaves out, too.
It begins as the first of the teacher's networks: with a rate of 3e-4 it then comes closer to all four than with 1e-3
(40,000 copies, three times: 0.295, 0.256, 0.257, 0.241 of the teacher's errors, and 0.316, 0.293, 0.275, 0.261, from
0.334, 0.297, 0.304, 0.278).
"""

import argparse
from pathlib import Path

from shipped import WEIGHTS, write
from train_uncertain import training_table
from xp_apogee import add_options

from stellarlabels.systems.uncertain import UncertainNet

#: Copies of each star, and how long and fast the student learns from them.
COPIES, TRAINING = 4, {"epochs": 9, "batch_size": 512, "learning_rate": 5e-4}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("teacher", type=Path, help="model file of the ensemble")
    add_options(parser)
    parser.add_argument("--epochs", type=int, help="to be quicker")
    parser.add_argument("--copies", type=int, default=COPIES)
    parser.add_argument("--output", type=Path, default=WEIGHTS, help="folder of the model file")
    args = parser.parse_args()
    table, left_out = training_table(args)
    changes = TRAINING | ({"epochs": args.epochs} if args.epochs else {})
    student = UncertainNet.load(args.teacher).distil(table, copies=args.copies, validation=left_out[0], **changes)
    write(student, args.output, "apogee", student, student.provenance_["student"])


if __name__ == "__main__":
    main()
