"""
Labels from LAMOST medium-resolution spectra with SPCANet
=========================================================

From spectra of two arms to Teff, log g and [Fe/H] with errors and flags. Real spectra of LAMOST cannot be passed on
with a package. Where some are at hand (a folder ``lamost_mrs`` in the folder that the environment variable
``STELLARLABELS_DATA`` names), this page is made with them; else with the synthetic spectra that ship with the package.
"""

# %%
# Spectra
# -------
# `read_lamost` turns files into a table: one row for each co-added spectrum, the arms' pixels as cells.

import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from stellarlabels import SPCANet, flags
from stellarlabels.archive.readers import read_lamost
from stellarlabels.inputs.examples import mrs_synthetic_sample

files = sorted(Path(os.environ.get("STELLARLABELS_DATA", "nowhere"), "lamost_mrs").glob("med-*"))
real = bool(files)
stars = read_lamost(files) if real else mrs_synthetic_sample()
print("real files of LAMOST" if real else "synthetic spectra, no real files are at hand")
print(len(stars), "spectra")

# %%
# What the network gets
# ---------------------
# Each arm is shifted to rest, resampled to 4,000 pixels of 0.1 Angstrom and divided by a pseudo-continuum: a
# polynomial of 4th order from which pixels more than 1 sigma below and 4 sigma above are rejected, five times. The
# paper does not say how often; it is an option of the feature set. Files of LAMOST do not hold the star's velocity.
# Where the table has none, it is measured by cross-correlation with templates.

system = SPCANet.pretrained()
features = system.feature_set.compute(stars)
best = int(np.nanargmax(features.snr))
figure, axes = plt.subplots(2, 1, figsize=(9, 5), layout="constrained")
for axis, arm, low in zip(axes, "br", (4950, 6350), strict=True):
    axis.plot(low + 0.1 * np.arange(4000), features.arrays[f"flux_{arm}"][best], lw=0.6)
    axis.set(ylabel="normalised flux", xlim=(low, low + 400), ylim=(0, 1.2))
axes[1].set_xlabel("vacuum wavelength at rest (Angstrom)")
print("velocity of this star:", round(float(system.feature_set.velocities(stars)[best]), 1), "km/s")

# %%
# Labels
# ------
# The weights that ship were trained on synthetic spectra, from the Cannon models of the package thedoppler with lines
# as strong as in real spectra of low resolution; see the page
# :doc:`/user_guide/systems/spcanet`. They know three of the 15 labels. The other twelve can be trained with
# ``SPCANet("paper").fit(table)`` where there are spectra with such labels.

labels = system.predict(stars)
labels

# %%
# ``_err_model`` is half the difference of the two networks, of which the second is the paper's alternate model. Where
# they differ by more than the paper allows, and where the spectrum itself is in doubt, there is a flag. Some spectra
# hold no starlight at all, others show the lines of two stars:

for row in range(min(len(labels), 8)):
    print(round(float(features.snr[row]), 1), flags.decode(labels["teff_flag"][row]))

# %%
# Which pixels matter
# -------------------
# How much each pixel contributes to Teff, after its gradient: H-alpha, Mg b and iron lines.

from stellarlabels.analysis import importance

found = importance(system, stars[features.snr > 10])
figure, axes = plt.subplots(2, 1, figsize=(9, 4), layout="constrained")
for axis, arm in zip(axes, "br", strict=True):
    rows = found["input"] == f"flux_{arm}"
    axis.plot(found["wavelength"][rows].value, 1000 * found["teff_share"][rows], lw=0.6)
    axis.set(ylabel="share (per mille)")
axes[1].set_xlabel("vacuum wavelength at rest (Angstrom)")

# %%
# Against the truth
# -----------------
# Only synthetic spectra have one. The weights have not seen these.

from stellarlabels.validation import compare

made = mrs_synthetic_sample()
compare(system.predict(made), made)

# %%
# The catalog
# -----------
# The published catalog, with which the table begins, has 27 columns, no errors, and a flag of its own: 1 is good.
# Abundances of stars above 6500 K are missing in it, as are those that the weights do not know.

catalog = system.catalog(made)
catalog["Teff", "logg", "Fe_H", "Mg_H", "Flag"][:5]
