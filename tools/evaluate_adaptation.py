"""Measure how well a system is carried over to another release, on the stand-in for Gaia DR4 made of real spectra.

    python tools/evaluate_adaptation.py uacsnet
    python tools/evaluate_adaptation.py uncertain
    python tools/evaluate_adaptation.py uacsnet --leave-out 0

For spectra as coefficients and as samples: what the weights of DR3 say of the new spectra when they are told to ignore
the release; what the same system says after `adapt` on 5,000 training stars, without any label of theirs; and what a
system says that is trained from nothing on the new samples of these stars, with their labels. Measured are the fixed
held-out stars, which take no part; with ``--leave-out`` instead, for choices, training stars in cells of this remainder
modulo 7, from which the adaptation does not learn, though the networks may have.

DR3's own precision is given twice: of the real spectra, which have the noise of the new ones, and of the stand-in's old
spectra, which are noisier by 1 / 0.7. Writes ``docs/measured/adaptation/SYSTEM.json``; takes some ten minutes a system.
"""

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np
from dr4_stand_in import NEW, OLD, make, sampled
from evaluate_outside import Predicted, share
from measures import statistics
from train_uacsnet import select_apogee
from xp_apogee import add_options, add_parallaxes, load

from stellarlabels import columns, systems
from stellarlabels.exceptions import ReleaseError
from stellarlabels.networks import held_out

LABELS = ("teff", "logg", "feh", "alpha_m")
RESULTS = Path(__file__).parents[1] / "docs" / "measured" / "adaptation"

#: Stars from which the adaptation learns, and on which it is measured at most.
LEARN, TEST = 5000, 3000


def precision(system, table, truth, **options):
    """Scatter, bias and honesty of each label, good or not, of the stars of a table, and the share of good ones."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found, out = system.predict(table, progress=False, **options), {}
    for label in LABELS:
        (value, error), (known, theirs) = (
            [columns.column_values(stars, item) for item in columns.label_columns(label)[:2]]
            for stars in (found, truth)
        )
        labelled = np.isfinite(value)
        out[label] = {"labelled": share(labelled, np.isfinite(known))}
        out[label] |= {"good": share(np.asarray(found[f"{label}_good"], bool), np.isfinite(known))}
        if labelled.any():
            out[label] |= statistics(known, value, labelled, (error, theirs))
    return out


def refused(system, table):
    """The words with which a system refuses spectra of another release."""
    try:
        system.predict(table[:5], progress=False)
    except ReleaseError as error:
        return str(error)
    raise AssertionError(f"{system!r} labels spectra of {table.meta['release']}")


def hot_stars(system, table):
    """Stars hotter than 8000 K: how many have a good temperature, and a good one that is off by more than 3 errors."""
    found = Predicted(system, table)
    every, off = np.ones(len(table), bool), np.abs(found.pulls("teff", columns.values(table, "teff"))) > 3
    return {"good teff": share(found.good["teff"], every), "good and off": share(found.good["teff"] & off, every)}


def trained_anew(system, table, networks):
    """A system of the same recipe, trained on the new samples alone, which only have to be taken for samples of DR3."""
    told = table.copy()
    told.meta["release"] = OLD.name
    changes = {"ensemble": networks} if networks else {}
    return type(system)(system.recipe_name, **changes).fit(told, validation=0.1, progress=False)


def measured(system, learn, test, hot, networks):
    """Everything about spectra of one kind, from stand-ins of the stars to learn from, to measure, and hot ones."""
    out = {"refused": {"new spectra": refused(system, test.new)}}
    out["DR3, noisier"] = precision(system, test.old, test.old)
    out["ignored"] = precision(system, test.new, test.new, release="ignore")
    start = time.perf_counter()
    adapted = system.adapt(learn.new, same_as=learn.old, pairs=learn.neighbours, progress=False)
    out["seconds"] = round(time.perf_counter() - start, 1)
    out["adapted"] = precision(adapted, test.new, test.new)
    out["refused"]["old spectra"] = refused(adapted, test.old)
    out["how"] = {name: value for name, value in adapted.provenance_["adapted"].items() if name != "date"}
    out["hot"] = {"DR3, noisier": hot_stars(system, hot.old), "adapted": hot_stars(adapted, hot.new)}
    if "flux" in learn.new.colnames:
        anew = trained_anew(system, learn.new, networks)
        told = test.new.copy()
        told.meta["release"] = OLD.name
        out["trained anew"] = precision(anew, told, test.new)
    return out


def as_samples(made):
    """The same stand-in with sampled spectra."""
    return type(made)(sampled(made.old), sampled(made.new), made.neighbours)


def chosen(table, leave_out, seed=3):
    """Stars to learn from, cool ones to measure, and hot ones to measure."""
    source_id = np.asarray(table["source_id"])
    tested = held_out(source_id) if leave_out is None else (source_id // 2**35 // 5 % 7 == leave_out)
    train = select_apogee(table[~held_out(source_id) & ~tested])
    kept = tested if leave_out is None else tested & ~held_out(source_id)
    random, cool = np.random.default_rng(seed), select_apogee(table[kept])
    hot = table[kept & (table["teff"].value > 8000)]
    return train[random.permutation(len(train))[:LEARN]], cool[random.permutation(len(cool))[:TEST]], hot


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system", choices=["uacsnet", "uncertain"])
    parser.add_argument("--networks", type=int, help="only so many networks, to be quicker")
    parser.add_argument("--kinds", nargs="+", choices=["coefficients", "samples"], default=["coefficients", "samples"])
    parser.add_argument("--leave-out", type=int, help="measure on training stars that were left out, instead")
    add_options(parser)
    args = parser.parse_args()
    system = systems.get(args.system).pretrained("apogee")
    if args.networks:
        system = system.fewer(args.networks)
    learn, test, hot = chosen(add_parallaxes(load(args.data), args.parallaxes), args.leave_out)
    stand_ins = [make(stars, seed) for stars, seed in ((learn, 4), (test, 5), (hot, 6))]
    out = {"system": args.system, "weights": "apogee", "networks": system.recipe.ensemble, "release": NEW.name}
    out |= {"stars": {"learned from": len(learn), "measured": len(test), "hot": len(hot)}}
    out["DR3"] = precision(system, test, test)
    for kind in args.kinds:
        used = stand_ins if kind == "coefficients" else [as_samples(made) for made in stand_ins]
        out[kind] = measured(system, *used, args.networks)
        print(kind, json.dumps(out[kind], indent=1), flush=True)
    if args.leave_out is None:
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / f"{args.system}.json").write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()
