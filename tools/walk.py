"""How far a table walks through the house: files, rooms, and moves between files of the calls that users make.

    python tools/walk.py [WALK ...]     # all by default

Each walk is made once before it is measured, so that no import counts. A move is a change from a function of one file
to one of another file, returns included. What is measured is the package alone: what libraries do in between is not
seen. With ``--files`` the files of each walk follow, in the order in which they are entered.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import stellarlabels
from stellarlabels.inputs.examples import xp_apogee_sample

PACKAGE = Path(stellarlabels.__file__).parent


class Walk:
    """Counts what a profile function sees of the package."""

    def __init__(self):
        self.files, self.functions, self.moves, self.depth = {}, set(), 0, 0
        self._stack = []

    def __call__(self, frame, event, argument):
        if event not in ("call", "return"):
            return
        name = frame.f_code.co_filename
        if not name.startswith(str(PACKAGE)):
            return
        if event == "call":
            self.files.setdefault(name)
            self.functions.add((name, frame.f_code.co_qualname))
            self.moves += bool(self._stack) and self._stack[-1] != name
            self._stack.append(name)
            self.depth = max(self.depth, len(self._stack))
        elif self._stack:
            left = self._stack.pop()
            self.moves += bool(self._stack) and self._stack[-1] != left

    @property
    def rooms(self):
        """Rooms of the files (set of str)."""
        return {Path(name).relative_to(PACKAGE).parts[0].removesuffix(".py") for name in self.files}


def measured(walk):
    """A `Walk` of a function without arguments, which is called twice."""
    walk()
    out = Walk()
    sys.setprofile(out)
    try:
        walk()
    finally:
        sys.setprofile(None)
    return out


def uacsnet_predict():
    system, stars = stellarlabels.UACSNet.pretrained(), xp_apogee_sample()[:50]
    return lambda: system.predict(stars)


def uacsnet_catalog():
    system, stars = stellarlabels.UACSNet.pretrained(), xp_apogee_sample()[:50]
    labels = system.predict(stars)
    return lambda: system.catalog(stars, labels)


def uncertain_fit():
    options = {"width": 32, "blocks": 1, "components": 20}
    stars = xp_apogee_sample()[:120]
    return lambda: stellarlabels.UncertainNet("apogee", epochs=2, ensemble=2, network_options=options).fit(
        stars, validation=0.2, progress=False
    )


def label_file():
    from astropy.table import QTable

    from stellarlabels.cli import main

    folder = Path(tempfile.mkdtemp())
    stars = xp_apogee_sample()[:120]
    QTable(stars[[name for name in stars.colnames if name != "credit"]]).write(folder / "stars.fits")

    def walk():
        if main(["label", "uacsnet", str(folder / "stars.fits"), "-o", str(folder / "labels.vot"), "--overwrite"]):
            raise SystemExit("the command line failed")

    return walk


WALKS = {
    "UACSNet.predict": uacsnet_predict,
    "UACSNet.catalog": uacsnet_catalog,
    "UncertainNet.fit": uncertain_fit,
    "stellarlabels label": label_file,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("walks", nargs="*", metavar="WALK", help=f"some of: {', '.join(WALKS)}")
    parser.add_argument("--files", action="store_true", help="list the files of each walk")
    options = parser.parse_args()
    print(f"{'walk':22s} {'files':>6s} {'rooms':>6s} {'functions':>10s} {'moves':>6s} {'depth':>6s}")
    for name in options.walks or WALKS:
        found = measured(WALKS[name]())
        numbers = (len(found.files), len(found.rooms), len(found.functions), found.moves, found.depth)
        print("{:22s} {:6d} {:6d} {:10d} {:6d} {:6d}".format(name, *numbers))
        for file in found.files if options.files else ():
            print(f"    {Path(file).relative_to(PACKAGE)}")


if __name__ == "__main__":
    main()
