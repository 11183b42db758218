"""Synthetic spectra of a red clump star and of stars that differ from it in one label, from the models of thedoppler.

    python tools/simulate_red_clump.py --models DOPPLER/data

The Cannon models of the PyPI package thedoppler 1.1.32 (MIT licence) give continuum-normalised flux from 3000 to 18000
Angstrom as polynomials of Teff, log g and [Fe/H]; a blackbody stands for the continuum. No package that was found
brings synthetic spectra, or what makes them without further downloads, for [C/Fe], [N/Fe] or [alpha/M]: these three of
the paper's four differences cannot be simulated here. The result, ``docs/measured/simulated/red_clump.ecsv``, is what
``docs/tutorials/plot_what_networks_read.py`` shows: means over 1 nm of spectra with half a step less and half a step
more of each label.
"""

import argparse
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.table import QTable
from make_mrs_spectra import MODELS, ArraysOnly
from mrs_synthesis import SECOND_RADIATION, Models, vacuum

from stellarlabels.analysis.network_attention import RED_CLUMP, STEPS

TARGET = Path(__file__).resolve().parents[1] / "docs" / "measured" / "simulated" / "red_clump.ecsv"
LABELS = ("teff", "logg", "feh")
EDGES = np.arange(330.0, 1051.0, 1.0)


def read(folder):
    """The models from 330 to 1050 nm, as one arm."""
    with open(Path(folder) / MODELS, "rb") as file:
        state = ArraysOnly(file).load()
    nodes = np.asarray(state["training_set_labels"], float)
    wave = vacuum(np.asarray(state["dispersion"]))
    here = (wave > 10 * EDGES[0] - 5) & (wave < 10 * EDGES[-1] + 5)
    scale = np.ptp(np.percentile(nodes, [2.5, 97.5], axis=0), axis=0)
    parts = {"all": wave[here]}, {"all": np.asarray(state["theta"])[here]}, {}
    return Models(*parts, np.percentile(nodes, 50, axis=0), scale, nodes, state["vectorizer"][1]["terms"])


def spectrum(models, labels):
    """Mean flux in each interval of 1 nm, over its mean."""
    at, normalised = models.wavelength["all"], models.flux("all", [labels])[0]
    flux = normalised / at**5 / np.expm1(SECOND_RADIATION / at / labels[0])
    bins = np.digitize(at / 10, EDGES) - 1
    inside = (bins >= 0) & (bins < len(EDGES) - 1)
    sums, number = (np.bincount(bins[inside], weights, len(EDGES) - 1) for weights in (flux[inside], None))
    return sums / number / np.mean(sums / number)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", required=True, help="folder of data of thedoppler")
    models = read(parser.parse_args().models)
    out = QTable({"wavelength": 0.5 * (EDGES[1:] + EDGES[:-1]) * u.nm})
    for place, name in enumerate(LABELS):
        for end, sign in (("low", -0.5), ("high", 0.5)):
            labels = np.array([RED_CLUMP[label][0] for label in LABELS])
            labels[place] += sign * STEPS[name]
            out[f"{name}_{end}"] = np.round(spectrum(models, labels), 5)
    out.meta = {
        "description": "Synthetic spectra of a red clump star (4750 K, log g 2.5, solar [Fe/H]), one label changed",
        "reference": "Cannon models of thedoppler 1.1.32 (MIT), continuum of a blackbody",
        "steps": {name: STEPS[name] for name in LABELS},
    }
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    out.write(TARGET, format="ascii.ecsv", overwrite=True, delimiter=",")
    print(f"{TARGET}: {TARGET.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
