"""Make a student of the ensemble that train_uncertain.py makes: one network in place of four.

    python tools/distil_uncertain.py uncertain-apogee.stellarlabels --output uncertain-student

The stars are those of the teacher; the first group that networks of the teacher left out the student leaves out, too.
"""

import argparse
from pathlib import Path

from shipped import write
from train_uncertain import training_table
from xp_apogee import add_options

from stellarlabels.systems.uncertain import UncertainNet

#: Copies of each star, and how long and fast the student learns from them.
COPIES, TRAINING = 8, {"epochs": 20, "batch_size": 512, "learning_rate": 1.5e-3}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("teacher", type=Path, help="model file of the ensemble")
    add_options(parser)
    parser.add_argument("--epochs", type=int, help="to be quicker")
    parser.add_argument("--copies", type=int, default=COPIES)
    parser.add_argument("--output", type=Path, default=Path("uncertain-student"), help="folder of the model file")
    args = parser.parse_args()
    table, left_out = training_table(args)
    changes = TRAINING | ({"epochs": args.epochs} if args.epochs else {})
    student = UncertainNet.load(args.teacher).distil(table, copies=args.copies, validation=left_out[0], **changes)
    write(student, args.output, "apogee", student, student.provenance_["student"])


if __name__ == "__main__":
    main()
