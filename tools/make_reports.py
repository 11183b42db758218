"""Reports on what the shipped weights say of real stars that they have not seen.

    python tools/make_reports.py FOLDER

For each system the folder gets a catalog of labels, the reference with the same stars, and a report
(``SYSTEM/index.html``). Nothing is trained, tuned or chosen here.

``uacsnet``, ``uncertain``, ``csnet``
    The held-out stars with Gaia XP spectra and labels of APOGEE DR17; CSNet sees photometry synthesised from them
    (``--photometry``, the output of tools/xp_photometry.py, which is made if it is not given).
``solardis``
    The real LAMOST low-resolution spectra of fold 0, which the shipped weights have not seen, against LASP.
``spcanet``
    Simulated medium-resolution spectra with the noise of real files, of a seed of their own (``--models``, as in
    tools/evaluate_spcanet.py; without it the sample that ships with the package), and the real files in the folder
    STELLARLABELS_DATA, for which there is no reference.
"""

import argparse
from pathlib import Path

import numpy as np
from astropy.table import QTable, vstack
from xp_apogee import add_options

from stellarlabels import catalogs, report, systems
from stellarlabels.columns import find, identifier, label_columns

#: Columns beside the labels that a catalog of labels repeats for the report.
KEPT = (
    ("ra", "dec", "phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "ebv", "parallax", "parallax_error")
    + ("snrg", "snr_b", "snr_r")
)  # fmt: skip
#: Seed of the simulated spectra; that of tools/evaluate_spcanet.py is 1001, those of training are smaller.
SEED, BLOCKS = 2001, 3


def xp_stars(args):
    """The held-out stars with labels of APOGEE, as the evaluation of UACSNet and UncertainNet selects them."""
    from train_uacsnet import select_apogee
    from xp_apogee import add_parallaxes, load

    from stellarlabels.networks import held_out

    table = add_parallaxes(load(args.data), args.parallaxes)
    return select_apogee(table[held_out(table["source_id"])])


def photometry_stars(args):
    """The held-out stars with photometry, as the evaluation of CSNet selects them."""
    from train_csnet import select
    from xp_photometry import photometry

    from stellarlabels.networks import held_out

    table = QTable.read(args.photometry) if args.photometry else QTable(photometry(args.data))
    table = select(table[held_out(np.asarray(table["source_id"]))])
    return table[systems.get("csnet").pretrained().feature_set.compute(table).usable]


def lamost_stars(args):
    """The real LAMOST spectra of fold 0."""
    from lamost_lrs import folds, load

    table = load(args.lamost)
    return table[folds(table) == 0]


def mrs_stars(args):
    """Simulated medium-resolution spectra that no network has seen."""
    from stellarlabels.inputs.examples import mrs_synthetic_sample

    if args.models is None:
        return mrs_synthetic_sample()
    from mrs_synthesis import Models, Synthesis

    synthesis = Synthesis(*Models.load(args.models), SEED)
    table = vstack([synthesis.table(synthesis.labels(500)) for _ in range(BLOCKS)], metadata_conflicts="silent")
    table["source_id"] = np.arange(1, len(table) + 1)
    table["snr_b"] = systems.get("spcanet").pretrained().feature_set.compute(table).snr
    return table


def real_mrs():
    """The real medium-resolution files, for which there are no reference labels."""
    from lamost_lrs import folder

    from stellarlabels.archive.readers import read_lamost

    return read_lamost(sorted((folder() / "lamost_mrs").glob("med-*")), exposures=True)


#: For each system where its stars are from, and what the reference is called.
STARS = {
    "uacsnet": (xp_stars, "APOGEE DR17"),
    "uncertain": (xp_stars, "APOGEE DR17"),
    "csnet": (photometry_stars, "APOGEE DR17"),
    "solardis": (lamost_stars, "LASP"),
    "spcanet": (mrs_stars, "Simulated"),
}


def one(name, weights, folder, stars, title):
    """Catalog, reference and report of one system."""
    system = systems.get(name).pretrained(weights)
    known = {item.name for label in system.labels for item in label_columns(label)}
    inputs = stars[[key for key in stars.colnames if key not in known]]
    labels = system.predict(inputs)
    for key in KEPT:
        if find(stars, key) is not None and find(labels, key) is None:
            labels[key] = stars[find(stars, key)]
    place = folder / (name if weights is None else f"{name}-{weights}")
    place.mkdir(parents=True, exist_ok=True)
    catalogs.write(labels, place / "labels.fits", overwrite=True)
    against = []
    columns = [key for key in stars.colnames if key in known or key == identifier(stars)]
    if any(label in columns for label in system.labels):
        reference = stars[columns]
        reference.meta = {}
        catalogs.write(reference, place / "reference.fits", overwrite=True)
        against.append((title, catalogs.read(place / "reference.fits")))
    text = f"{type(system).__name__} on {len(labels):,} spectra that it has not seen"
    return report.write(place / "labels.fits", place, against=against, title=text, overwrite=True)["index.html"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="+", choices=STARS, default=list(STARS))
    add_options(parser)
    parser.add_argument("--photometry", help="output of tools/xp_photometry.py")
    parser.add_argument("--lamost", help="lamost_lrs_labelled.npz; by default that of the folder STELLARLABELS_DATA")
    parser.add_argument("--models", help="file of tools/make_mrs_spectra.py")
    args = parser.parse_args()
    made = {}
    for name in args.only:
        select, title = STARS[name]
        if select not in made:
            made[select] = select(args)
        print(one(name, None, args.folder, made[select], title))
    if "spcanet" in args.only:
        print(one("spcanet", None, args.folder / "real", real_mrs(), ""))


if __name__ == "__main__":
    main()
