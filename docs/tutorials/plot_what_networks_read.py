"""
What networks read in a spectrum
================================

Ways to see what a network has learned: how it expects a spectrum to change with a label, beside observed and
simulated spectra (Section 5 of Fallows & Sanders 2024), and Shapley values by groups of lines (Section 5.1 of the
SolarDis paper).
"""

# %%
# How a spectrum changes with a label
# -----------------------------------
# Three differences of XP spectra of red clump stars. *Network*: the derivatives of UncertainNet, inverted. *Observed*:
# stars of high minus stars of low labels. *Simulated*: synthetic spectra with the label half a step higher and half a
# step lower, brought to the resolution of XP.
#
# The synthetic spectra are those of the package thedoppler (MIT), models of Teff, log g and [Fe/H] with a blackbody as
# continuum, made by ``tools/simulate_red_clump.py``. The paper has [C/Fe], [N/Fe] and [alpha/M] from ATLAS12 and
# SYNTHE, too, for which no package brings spectra; ``simulated_differences`` takes any function that gives some.

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from astropy.table import QTable

from stellarlabels import UncertainNet
from stellarlabels.analysis import derivative_spectra, observed_differences, simulated_differences
from stellarlabels.inputs.examples import xp_apogee_sample
from stellarlabels.plots import derivative_panel

folder = next(
    parent / "measured" / "simulated" for parent in (Path.cwd(), *Path.cwd().parents) if (parent / "measured").is_dir()
)
spectra = QTable.read(folder / "red_clump.ecsv")
center = {"teff": 4750.0, "logg": 2.5, "feh": 0.0}


def model(labels):
    """The spectrum of the file of which one label is lower or higher than those of the center."""
    name = max(center, key=lambda key: abs(labels[key] - center[key]) / spectra.meta["steps"][key])
    end = "high" if labels[name] > center[name] else "low"
    return spectra["wavelength"], spectra[f"{name}_{end}"]


stars = xp_apogee_sample()
near = (abs(stars["teff"].value - 4750) < 150) & (abs(stars["logg"].value - 2.5) < 0.5)
clump = stars[near & (stars["ebv"].value < 0.2)]  # as the paper, without dusty stars: their spectra differ by the dust
system = UncertainNet.pretrained()
names = ["feh", "teff", "logg"]
network, observed = derivative_spectra(system, clump), observed_differences(clump, names)
simulated = simulated_differences(model, names)

figure, axes = plt.subplots(3, 1, figsize=(8, 11), layout="constrained")
for ax, name in zip(axes, names, strict=True):
    derivative_panel(network, observed, name, simulated=simulated, ax=ax)

# %%
# How alike are they? Correlations of the curves from 400 to 900 nm. They need not be: the network uses a few of the
# many ways in which a spectrum changes, and in observed stars, of which there are twenty here, other labels change
# along with this one.

inside = (simulated["wavelength"].value > 400) & (simulated["wavelength"].value < 900)
for name in names:
    curves = {"network": network, "observed": observed, "simulated": simulated}
    rows = np.corrcoef([np.asarray(table[name].value)[inside] for table in curves.values()])
    text = f"network and observed {rows[0, 1]:+.2f}, network and simulated {rows[0, 2]:+.2f}"
    print(f"{name}: {text}, observed and simulated {rows[1, 2]:+.2f}")

# %%
# Which wavelengths, and which lines
# ----------------------------------
# Where does SolarDis read [Fe/H], in hot and in cool stars? The spectra are synthetic ones, of the sample that ships;
# with more, and real ones, these are the paper's Figures 15 and 16. Here it is the derivative times the scatter of the
# pixel.

from stellarlabels import SolarDis
from stellarlabels.analysis import importance
from stellarlabels.inputs.examples import lrs_synthetic_sample
from stellarlabels.plots import attention_bars, importance_spectrum

synthetic, solardis = lrs_synthetic_sample(), SolarDis.pretrained()
hot = synthetic["teff"].value > 5500
kinds = {"hotter than 5500 K": synthetic[hot], "cooler": synthetic[~hot]}
figure, ax = plt.subplots(figsize=(8, 3), layout="constrained")
importance_spectrum({kind: importance(solardis, part) for kind, part in kinds.items()}, "feh", ax=ax)

# %%
# Shapley values, which the package SHAP estimates, added up over groups of lines. A few lines of Ca, Mg and Fe have
# more than their share of the pixels, but most is in all the weak lines together, as the paper says. One of the
# networks and a few stars are enough to see it.

one = solardis.fewer(1)
options = {"method": "shapley", "samples": 4, "background": synthetic, "lines": True}
lines = {kind: importance(one, part[:6], **options) for kind, part in kinds.items()}
share = lines["cooler"]
share["feature", "pixels", "teff_share", "logg_share", "feh_share"]

# %%
figure, axes = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained")
for ax, name in zip(axes, ("teff", "logg", "feh"), strict=True):
    attention_bars(lines, name, ax=ax)
