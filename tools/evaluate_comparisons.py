"""Compare the shipped networks with each other and with what they have not learned from, on stars that they left out.

    python tools/evaluate_comparisons.py uncertain-teacher/uncertain-apogee.stellarlabels

Each network of UACSNet and of the teacher of UncertainNet (see train_uncertain.py) left out a tenth of its training
stars; here every one of these stars is labelled by the networks that have not seen it, one of UACSNet's four and two of
the teacher's four. The stars that
are held out of everything are not looked at. Compared with are APOGEE DR17, of which the training labels are (both
systems beside each other); log g from asteroseismology (APOKASC calibration sample of APOGEE) and [Fe/H] of PASTEL,
which are not. Gaia FGK benchmark stars (version 3) are looked for, too. The tables of the last two and of the benchmark
stars are in the folder ``STELLARLABELS_DATA``. Writes ``docs/measured/comparisons``, which the page "Comparisons" of
the documentation shows. It takes about ten minutes on one core.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.table import QTable, Table, vstack
from lamost_lrs import folder, load as lamost_spectra
from train_uacsnet import LITERATURE, for_apogee, left_out, select_apogee
from train_uncertain import GROUPS, LEAVES_OUT, LEFT_OUT, SEED
from xp_apogee import _open, add_options, add_parallaxes, load

from stellarlabels import UACSNet, UncertainNet, columns, flags
from stellarlabels.networks import held_out, split_groups
from stellarlabels.tables.crossmatch import crossmatch
from stellarlabels.validation import matched, papers, references, side_by_side, summarize

TARGET = Path(__file__).resolve().parents[1] / "docs" / "measured" / "comparisons"
LABELS = ("teff", "logg", "feh", "alpha_m")


def labels_of_others(system, table, unseen):
    """Labels of the stars that some networks left out, by these; ``unseen`` (K, N) says which network left out which.

    Their errors are those of so few networks, and so are the flags.
    """
    parts, members = [], list(system.ensemble.members)
    for pattern in np.unique(unseen[:, unseen.any(axis=0)], axis=1).T:
        rows = (unseen == pattern[:, None]).all(axis=0)
        few = system.fewer(int(pattern.sum()))
        few.ensemble.members = [member for member, chosen in zip(members, pattern, strict=True) if chosen]
        inputs = table[rows]
        inputs = inputs[[name for name in inputs.colnames if name.removesuffix("_err") not in LABELS]]
        parts.append(few.predict(inputs, progress=False))
        parts[-1]["phot_g_mean_mag"] = inputs["phot_g_mean_mag"]
        for name in (f"{label}_flag" for label in system.labels):  # other networks have been trained with these stars
            parts[-1][name] = np.asarray(parts[-1][name]) & ~flags.LABEL["IN_TRAINING"]
    return vstack(parts, metadata_conflicts="silent")


def predictions(table, literature, teacher):
    """What both systems say of their left-out stars."""
    stars = for_apogee(table, literature)
    stars = stars[np.sort(np.unique(np.asarray(stars["source_id"]), return_index=True)[1])]
    system, cool = UACSNet.pretrained("apogee"), stars["teff"].value < 7000
    unseen = left_out(system, stars)
    calibrated = system.provenance_["calibration"]["stars"]
    if (unseen[:, cool].sum(axis=1) != calibrated).any():
        raise SystemExit(f"the left-out stars are not those of the training: {unseen.sum(axis=1)}, {calibrated}")
    out = {"UACSNet": labels_of_others(system, stars[cool], unseen[:, cool])}
    stars = select_apogee(table)
    groups = split_groups(np.asarray(stars["source_id"]), LEFT_OUT, SEED, GROUPS)[list(LEAVES_OUT)]
    system = UncertainNet.load(teacher)
    if (groups.sum(axis=1) != system.provenance_["calibration"]["stars"]).any():
        raise SystemExit("the left-out stars are not those of the training")
    return out | {"UncertainNet": labels_of_others(system, stars, groups)}


def apogee_of(table):
    """APOGEE's labels of the sample, as a reference."""
    names = ["source_id", "ra", "dec", "phot_g_mean_mag", "ebv", *(f"{x}{end}" for x in LABELS for end in ("", "_err"))]
    out = table[names]
    out.meta = {"reference": "apogee_dr17"}
    return out


def asteroseismology(raw, source_ids):
    """Asteroseismic log g of giants of the Kepler field, by the identifiers of the spectra."""
    known = Table.read(folder() / "tables" / "apokasc_logg_cal.fits")
    place = {str(name).strip(): row for row, name in enumerate(known["2MASS_ID"])}
    rows = [(source, place[name]) for source, name in zip(source_ids, raw, strict=True) if name in place]
    sources, rows = (np.array(column) for column in zip(*rows, strict=True))
    out = QTable({"source_id": sources, "logg": np.asarray(known["LOGG_SEIS"], float)[rows] * u.dex})
    out["logg_err"] = np.asarray(known["SIG_LOGG_SEIS"], float)[rows] * u.dex
    out["state"] = [str(name) for name in known["CONS_EVSTATES"][rows]]
    out["feh"] = np.asarray(known["FE_H_ADOP_COR"], float)[rows] * u.dex
    return out


def seismic_rows(labels, reference, apogee):
    """Bias, scatter and pulls of log g, of all and by the state of evolution; APOGEE's log g on the same stars, too."""
    out = []
    for whose, catalog in [*labels.items(), ("APOGEE DR17 (training labels of both)", apogee)]:
        one, truth = matched(catalog, reference, names=["logg"])
        if whose.startswith("APOGEE"):
            seen = np.concatenate([np.asarray(table["source_id"]) for table in labels.values()])
            keep = np.isin(np.asarray(one["source_id"]), seen)
            one, truth = one[keep], truth[keep]
        state = np.asarray(truth["state"])
        groups = {"first ascent": state == "RGB", "red clump": state == "RC"}
        part = summarize(one, truth, names=["logg"], groups=groups, bootstrap=500)
        part.add_column(np.full(len(part), whose), name="whose", index=0)
        out.append(part)
    return vstack(out, metadata_conflicts="silent")


def benchmark_stars(apogee):
    """How many benchmark stars there are, how bright they are, and how many are among the spectra at hand (dict)."""
    stars = Table.read(folder() / "tables" / "gaia_benchmark_stars_v3.fits")
    known = set(np.ma.compressed(np.ma.asarray(stars["source_id"])).tolist())
    bright = np.ma.compressed(np.ma.asarray(stars["phot_g_mean_mag"], float))
    spectra = {"XP spectra of stars with APOGEE labels": apogee}
    for name, words in (("chunk0.fits", "XP spectra at high latitude"), ("616.parquet", "XP spectra of nebulae")):
        (path,) = (folder() / "gaia_xp").glob(f"*_{name}")
        spectra[words] = Table.read(path)["source_id"]
    found = {words: [len(ids), len(known & set(np.asarray(ids).tolist()))] for words, ids in spectra.items()}
    lamost = lamost_spectra()
    place = QTable({"ra": np.asarray(stars["ra_j2000"], float) * u.deg, "dec": np.asarray(stars["dec_j2000"]) * u.deg})
    near = crossmatch(lamost[["ra", "dec"]], place, 10 * u.arcsec)
    found["LAMOST spectra with LASP labels"] = [len(lamost), int((~np.ma.getmaskarray(near["match_row"])).sum())]
    out = {
        "stars": len(stars),
        "with XP spectra in the archive": int(np.ma.filled(stars["has_xp_continuous"], 0).sum()),
    }
    return out | {"G": [round(float(end), 1) for end in np.quantile(bright, (0, 0.5, 1))], "spectra": found}


def write(table, name, **notes):
    """A table of numbers with few digits."""
    for key in table.colnames:
        data = table[key]
        if data.dtype.kind == "f":
            table[key] = np.round(data, 4)
    table.meta = {key: value for key, value in table.meta.items() if key != "matched"} | notes
    TARGET.mkdir(parents=True, exist_ok=True)
    table.write(TARGET / f"{name}.ecsv", format="ascii.ecsv", overwrite=True, delimiter=",")
    print(name)
    table.pprint(max_lines=-1, max_width=200)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("teacher", type=Path, help="model file of UncertainNet's four networks")
    add_options(parser)
    parser.add_argument("--literature", default=folder() / LITERATURE, help="CSV file of [Fe/H] of metal-poor stars")
    args = parser.parse_args()
    raw = Table.read(_open(args.data), format="fits")
    names = dict(zip(np.asarray(raw["gaiaedr3_source_id"]).astype(int), map(str.strip, raw["apogee_id"]), strict=True))
    table = load(args.data)
    found = benchmark_stars(table["source_id"])
    table = add_parallaxes(table[~held_out(table["source_id"])], args.parallaxes)
    labels, apogee = predictions(table, args.literature, args.teacher), apogee_of(table)
    for key, other in (("UACSNet", "UncertainNet"), ("UncertainNet", "UACSNet")):
        system = {"UACSNet": "uacsnet", "UncertainNet": "uncertain"}[key]
        peers = {other: labels[other]}
        write(side_by_side(labels[key], apogee, system=system, peers=peers, names=LABELS), f"apogee-{system}")
    ids = np.asarray(table["source_id"])
    seismic = asteroseismology([names[int(one)] for one in ids], ids)
    write(seismic_rows(labels, seismic, apogee), "seismology", among_training_stars=len(seismic))
    pastel = Table.read(folder() / "tables" / "pastel_v1.2.fits")
    theirs = QTable({"ra": np.asarray(pastel["RA"]) * u.deg, "dec": np.asarray(pastel["DEC"]) * u.deg})
    theirs["feh"] = np.asarray(pastel["FEH"], float) * u.dex
    theirs = references.get("pastel").translate(theirs[np.isfinite(columns.values(theirs, "feh"))])
    place = apogee[["source_id", "ra", "dec"]]
    row = {int(one): index for index, one in enumerate(np.asarray(place["source_id"]))}
    rows = []
    for key, found_labels in [*labels.items()]:
        at = place[[row[int(one)] for one in np.asarray(found_labels["source_id"])]]
        found_labels["ra"], found_labels["dec"] = at["ra"], at["dec"]
        part = papers.uacsnet_section42(found_labels, {"PASTEL": theirs}, radius=3 * u.arcsec)
        part.add_column(np.full(len(part), key), name="whose", index=0)
        rows.append(part)
    write(vstack(rows, metadata_conflicts="silent"), "pastel")
    (TARGET / "benchmark_stars.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
